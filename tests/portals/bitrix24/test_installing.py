"""Who may connect CallMe to a portal, and what a stranger achieves: nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callme.crm.installation import Verdict
from callme.crm.port import Urgency
from callme.lab.sandboxes.bitrix24.authority import Installed as Stage
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind
from callme.portals.bitrix24.rest import Done
from tests.portals.bitrix24.installed import PUBLIC, ApplicationStand, installed, standing
from tests.portals.bitrix24.test_conformance import sandbox_stand


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[ApplicationStand]:
    stand = standing(tmp_path)
    yield stand
    await stand.portal.close()


async def works(stand: ApplicationStand) -> bool:
    return isinstance(await stand.bitrix._rest.call("scope", {}, Urgency.UPKEEP, reads=True), Done)


@pytest.mark.parametrize("form", ["api", "page"])
async def test_either_form_connects(fresh: ApplicationStand, form: str) -> None:
    assert not await works(fresh)
    done = await fresh.install(form)
    assert done.verdict is Verdict.KEPT
    assert "127.0.0.1" in done.said.say("ru")
    assert await works(fresh)


async def test_only_a_page_that_is_not_finished_gets_the_vendors_script(fresh: ApplicationStand) -> None:
    first = await fresh.install("page")
    assert (first.script, "installFinish" in first.call) == ("https://api.bitrix24.com/api/v1/", True)
    assert first.frame == "http://127.0.0.1"
    fresh.sandbox.authority.installed = Stage.WHOLE
    again = await fresh.install("page")
    assert (again.verdict, again.script, again.call) == (Verdict.KEPT, "", "")
    server = await fresh.install("api")
    assert (server.frame, server.script) == ("", "")


async def test_check_names_the_address_until_it_is_installed(fresh: ApplicationStand) -> None:
    (ill,) = await fresh.portal.check()
    assert not ill.well
    assert ill.cure is not None
    for language in ("en", "ru"):
        told = ill.cure.say(language)
        assert f"{PUBLIC}/hooks/main/install" in told
        for scope in ("telephony", "user", "crm"):
            assert scope in told
    await fresh.install("page")
    assert [one.topic.say("en") for one in await fresh.portal.check() if not one.well] == ["application"]
    fresh.sandbox.authority.installed = Stage.WHOLE
    assert [one for one in await fresh.portal.check() if not one.well] == []


async def test_check_tells_an_application_what_rights_it_lacks(fresh: ApplicationStand) -> None:
    await fresh.install()
    fresh.sandbox.knobs = fresh.sandbox.knobs.with_changes({"scopes": ["user"], "statistics_right": False})
    told = [one for one in await fresh.portal.check() if not one.well]
    assert told[0].topic.say("en") == "application's rights"
    assert "Telephony (telephony), CRM (crm)" in told[0].found.say("en")
    assert all("webhook" not in (one.cure.say("en") if one.cure else "") for one in told)
    fresh.sandbox.knobs = fresh.sandbox.knobs.with_changes({"scopes": ["user", "telephony", "crm"]})
    (statistics,) = [one for one in await fresh.portal.check() if not one.well]
    assert statistics.cure is not None
    assert "who installed the application" in statistics.cure.say("en")


async def test_invented_tokens_replace_nothing(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    before = (tmp_path / "portals" / "main.tokens").read_bytes()
    for form, keys in (
        ("api", ("auth[access_token]", "auth[refresh_token]")),
        ("page", ("AUTH_ID", "REFRESH_ID")),
    ):
        forged = {**stand.fields(form), keys[0]: "forged-forged-forged-forged"}
        done = await stand.bitrix.install(forged)
        assert done.verdict is Verdict.FOREIGN
        assert done.script == done.frame == ""
    assert (tmp_path / "portals" / "main.tokens").read_bytes() == before
    assert await works(stand)
    await stand.portal.close()


async def test_tokens_of_an_ordinary_employee_are_not_kept(fresh: ApplicationStand, tmp_path: Path) -> None:
    refused = await fresh.install("page", user=2)
    assert refused.verdict is Verdict.FOREIGN
    assert refused.cure is not None
    assert "administrator" in refused.cure.say("en")
    assert not (tmp_path / "portals" / "main.tokens").exists()
    await fresh.install("page")
    before = (tmp_path / "portals" / "main.tokens").read_bytes()
    assert (await fresh.install("page", user=2)).verdict is Verdict.KNOWN
    assert (tmp_path / "portals" / "main.tokens").read_bytes() == before


async def test_another_portal_is_named_and_not_asked(fresh: ApplicationStand) -> None:
    sent = {**fresh.fields("page"), "DOMAIN": "evil.example"}
    done = await fresh.bitrix.install(sent)
    assert done.verdict is Verdict.FOREIGN
    assert "evil.example" in done.said.say("en")
    assert fresh.wire.sent == 0


async def test_another_application_of_the_same_portal_is_refused(tmp_path: Path) -> None:
    stand = standing(tmp_path, client_id="local.another.1")
    done = await stand.install()
    assert done.verdict is Verdict.FOREIGN
    assert done.cure is not None
    assert "client_id" in done.cure.say("en")
    assert not (tmp_path / "portals" / "main.tokens").exists()
    await stand.portal.close()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"AUTH_ID": "x", "REFRESH_ID": "y", "DOMAIN": "127.0.0.1"},
        {"auth[access_token]": "a" * 20},
        {
            "auth[access_token]": "a" * 20,
            "auth[refresh_token]": "b" * 20,
            "auth[client_endpoint]": "http://[x",
        },
    ],
)
async def test_what_is_no_installation_is_told_so(fresh: ApplicationStand, fields: dict[str, str]) -> None:
    assert (await fresh.bitrix.install(fields)).verdict is Verdict.UNCLEAR
    assert fresh.wire.sent == 0


async def test_a_portal_in_trouble_can_be_tried_again(fresh: ApplicationStand) -> None:
    fresh.sandbox.faults.add(Fault("profile", FaultKind.HTML, status=502))
    assert (await fresh.install()).verdict is Verdict.LATER
    assert (await fresh.install()).verdict is Verdict.KEPT


async def test_forgeries_cannot_use_up_the_portals_requests(fresh: ApplicationStand) -> None:
    forged = {**fresh.fields(), "auth[access_token]": "forged-forged-forged-forged"}
    verdicts = [(await fresh.bitrix.install(forged)).verdict for _ in range(30)]
    assert verdicts.count(Verdict.FOREIGN) == 10
    assert verdicts.count(Verdict.LATER) == 20
    assert fresh.wire.sent == 10


async def test_a_portal_behind_a_webhook_cannot_be_installed(fresh: ApplicationStand) -> None:
    webhook = sandbox_stand()
    done = await webhook.portal.install(fresh.fields())  # type: ignore[attr-defined]
    assert done.verdict is Verdict.FOREIGN
    await webhook.portal.close()


async def test_the_token_of_events_is_known_after_a_restart(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    again = standing(tmp_path, stand.sandbox)
    assert await works(again)
    application = again.bitrix._application
    assert application is not None
    assert application.event_token == stand.sandbox.authority.application_token
    await again.portal.close()
    await stand.portal.close()
