"""The application asks to be told of clicks, once, and believes the portal's token for them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from callme.crm.commands import Foreign, Heard
from callme.lab.sandboxes.bitrix24 import clicking
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind
from tests.portals.bitrix24.installed import PUBLIC, installed, standing

HANDLER = ("ONEXTERNALCALLSTART", f"{PUBLIC}/hooks/main")


async def test_an_installed_application_subscribes_once(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == [HANDLER]
    before = stand.wire.methods.count("event.get")
    await stand.portal.refresh()
    assert stand.wire.methods.count("event.get") == before == 1
    again = standing(tmp_path, stand.sandbox)
    await again.portal.refresh()
    assert stand.sandbox.office.handlers == [HANDLER]
    await again.portal.close()
    await stand.portal.close()


async def test_a_lost_subscription_is_made_anew_by_an_installation(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    await stand.portal.refresh()
    stand.sandbox.office.handlers.clear()
    await stand.install()
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == [HANDLER]
    await stand.portal.close()


async def test_trouble_is_tried_again_and_a_lost_answer_binds_nothing_twice(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    stand.sandbox.faults.add(Fault("event.bind", FaultKind.HTML, status=502))
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == []
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == [HANDLER]
    await stand.portal.close()


async def test_an_outgoing_webhook_that_reports_clicks_is_not_doubled(tmp_path: Path) -> None:
    stand = await installed(tmp_path, application_token="of-the-outgoing-webhook")
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == []
    await stand.portal.close()


async def test_a_click_is_the_portals_by_the_token_of_the_installation(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    office = stand.sandbox.office
    call = clicking.press(office, 2, "+79165550001", "", stand.now, 1800)
    for token, kind in ((stand.sandbox.authority.application_token, Heard), ("forged", Foreign)):
        form = clicking.event(call, "+79165550001", token, int(stand.now))
        heard = await stand.bitrix.hear(urlencode(form).encode(), stand.now)
        assert isinstance(heard, kind)
        if isinstance(heard, Heard):
            assert heard.click is not None
            assert heard.click.extension == "101"
    await stand.portal.close()
