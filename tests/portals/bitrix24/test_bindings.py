"""The application asks to be told of clicks, once, and believes the portal's token for them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

from callme.crm.commands import Foreign, Heard, Hearing
from callme.crm.port import Unauthorised
from callme.lab.sandboxes.bitrix24 import clicking
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind
from tests.portals.bitrix24.installed import CLOUD, PUBLIC, ApplicationStand, installed, standing

CLICKS = ("ONEXTERNALCALLSTART", "ONEXTERNALCALLBACKSTART", "ONAPPUNINSTALL", "ONAPPUPDATE")
NEWS = (
    *(f"ONCRM{kind}{act}" for kind in ("COMPANY", "CONTACT", "LEAD") for act in ("ADD", "DELETE", "UPDATE")),
    "ONUSERADD",
)
HANDLERS = [(event, f"{PUBLIC}/hooks/main") for event in (*CLICKS, *NEWS)]


async def test_an_installed_application_subscribes_once(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == HANDLERS
    before = stand.wire.methods.count("event.get")
    await stand.portal.refresh()
    assert stand.wire.methods.count("event.get") == before == 1
    again = standing(tmp_path, stand.sandbox)
    await again.portal.refresh()
    assert stand.sandbox.office.handlers == HANDLERS
    await again.portal.close()
    await stand.portal.close()


async def test_a_lost_subscription_is_made_anew_by_an_installation(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    await stand.portal.refresh()
    stand.sandbox.office.handlers.clear()
    await stand.install()
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == HANDLERS
    await stand.portal.close()


async def test_trouble_is_tried_again_and_a_lost_answer_binds_nothing_twice(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    stand.sandbox.faults.add(Fault("event.bind", FaultKind.HTML, status=502))
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == []
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == HANDLERS
    await stand.portal.close()


async def test_all_news_are_asked_for_in_one_request(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    await stand.portal.refresh()
    asked = Counter(stand.wire.methods)
    assert (asked["event.bind"], asked["batch"], asked["scope"]) == (len(CLICKS), 1, 1)
    await stand.portal.close()


async def test_only_what_the_rights_allow_is_asked_for(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    stand.sandbox.knobs = CLOUD.with_changes({"scopes": ["telephony", "user"]})
    await stand.portal.refresh()
    told = [event for event, _ in stand.sandbox.office.handlers]
    assert told == [*CLICKS, "ONUSERADD"]
    await stand.portal.close()


async def test_where_news_cannot_be_had_clicks_are_and_it_is_tried_again(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    stand.sandbox.faults.add(Fault("batch", FaultKind.HTML, status=502))
    await stand.portal.refresh()
    assert [event for event, _ in stand.sandbox.office.handlers] == list(CLICKS)
    assert stand.bitrix._bindings.bound
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == HANDLERS
    await stand.portal.close()


async def test_what_the_portal_does_not_know_is_left_out_and_not_asked_again(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    unknown = Fault("event.bind", FaultKind.ERROR, nth=5, status=400, code="ERROR_EVENT_NOT_FOUND")
    stand.sandbox.faults.add(unknown)
    await stand.portal.refresh()
    assert stand.sandbox.office.handlers == [one for one in HANDLERS if one[0] != NEWS[0]]
    assert stand.bitrix._bindings.news == {*NEWS[1:]}
    before = stand.wire.methods.count("event.get")
    await stand.portal.refresh()
    assert stand.wire.methods.count("event.get") == before
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


def kept(folder: Path) -> list[Path]:
    return list(folder.glob("portals/*.tokens"))


async def life(stand: ApplicationStand, event: str) -> Hearing:
    """What the portal says of the application itself, with whatever tokens it gives along."""
    fields = stand.fields() if event == "ONAPPUPDATE" else {}
    token = stand.sandbox.authority.application_token
    return await stand.bitrix.hear(
        urlencode({**fields, "event": event, "auth[application_token]": token}).encode(), stand.now
    )


async def test_an_update_of_the_application_subscribes_anew_with_the_new_tokens(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    await stand.portal.refresh()
    stand.sandbox.office.handlers.clear()
    stand.sandbox.authority.revoke()
    heard = await life(stand, "ONAPPUPDATE")
    assert heard == Heard(stirred=True)
    assert await stand.portal.refresh() is None
    assert stand.sandbox.office.handlers == HANDLERS
    await stand.portal.close()


async def test_an_uninstalled_application_drops_its_tokens_and_says_what_to_do(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    stand.sandbox.authority.uninstall()
    assert await life(stand, "ONAPPUNINSTALL") == Heard(stirred=True)
    before = stand.wire.sent
    answer = await stand.portal.refresh()
    assert isinstance(answer, Unauthorised)
    assert "uninstalled" in answer.why.say("en")
    assert answer.cure is not None
    assert stand.wire.sent == before, "nothing is asked with worthless tokens"
    assert not kept(tmp_path)
    await stand.install()
    assert await stand.portal.refresh() is None
    assert stand.sandbox.office.handlers == HANDLERS
    await stand.portal.close()


async def test_a_stranger_uninstalls_nothing(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    form = {"event": "ONAPPUNINSTALL", "auth[application_token]": "x" * 32}
    assert isinstance(await stand.bitrix.hear(urlencode(form).encode(), stand.now), Foreign)
    assert await stand.portal.refresh() is None
    await stand.portal.close()
