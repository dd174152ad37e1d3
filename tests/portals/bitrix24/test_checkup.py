"""What `callme check` says about a portal, tried on the strict sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from callme.crm.port import Finding
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.sandboxes.bitrix24.state import User
from callme.portals.registry import open_portal
from tests.portals.bitrix24.installed import CLOUD, PUBLIC
from tests.portals.bitrix24.installed import standing as application_standing
from tests.portals.bitrix24.scripted import (
    MOSCOW,
    OpenGate,
    Scripted,
    bad,
    ok,
    page,
    portal,
    unreachable,
)
from tests.portals.bitrix24.test_conformance import BOX, Wire, sandbox_stand
from tests.portals.conformance import Stand

DENIED = bad(403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method")


async def findings(
    knobs: Mapping[str, Any] | None = None, more: tuple[User, ...] = (), **table: Any
) -> list[Finding]:
    sandbox = SandboxPortal(BOX.with_changes(knobs or {}))
    for user in more:
        sandbox.office.add_user(user)
    wire = Wire(sandbox)
    whole = {"webhook": sandbox.webhook_url, "default_user": 1, **table}
    checked = open_portal("bitrix24", "main", whole, gate=OpenGate(), zone=MOSCOW, transport=wire)
    found = await checked.check()
    await checked.close()
    assert sandbox.office.calls == {}
    assert sandbox.office.lines == {}
    return found


def ill(found: list[Finding]) -> str:
    """Everything that is not well, with its cures."""
    parts = [part for one in found if not one.well for part in (one.topic, one.found, one.cure) if part]
    assert all(part.placeholders() <= set(part.values) for part in parts)
    assert all(part.say("ru") for part in parts)
    return "\n".join(part.say("en") for part in parts)


async def test_a_good_portal_is_well_and_people_are_counted() -> None:
    found = await findings()
    assert ill(found) == ""
    told = "\n".join(one.found.say("en") for one in found)
    assert "7 active, 6 of them with an extension" in told
    assert "Мария Орлова" in told


async def test_a_portal_that_denies_webhooks_asks_for_an_application() -> None:
    assert "create a local application" in ill(await findings({"webhook_telephony": "deny"}))


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        (("user", "crm"), "Telephony (telephony)"),
        (("telephony", "crm"), "Users (user or user_basic)"),
        (("telephony", "user_basic"), "CRM (crm)"),
    ],
)
async def test_a_missing_right_is_named(scopes: tuple[str, ...], missing: str) -> None:
    told = ill(await findings({"scopes": scopes}))
    assert f"missing: {missing}" in told
    assert "add the rights" in told


async def test_lines_kept_from_webhooks_are_one_finding() -> None:
    script = Scripted().says("scope", ok(["telephony", "crm", "user"]))
    script.says("telephony.externalCall.register", bad(400, "", "USER_ID or USER_PHONE_INNER should be set"))
    script.says("voximplant.statistic.get", ok([])).says("telephony.externalLine.get", DENIED)
    script.says("crm.settings.mode.get", ok(1))
    bitrix = portal(script)
    told = [one for one in await bitrix.check() if not one.well]
    await bitrix.close()
    assert [one.topic.say("en") for one in told] == ["lines"]
    assert "will not say which line" in ill(told)
    assert "local application" in ill(told)


async def test_a_line_whose_owner_is_nobody_is_told() -> None:
    told = ill(await findings(lines={"74950000001": {"owner": "555"}, "2": {"owner": "101"}}))
    assert "line 74950000001 is to belong to extension 555" in told
    assert "line 2" not in told


async def test_statistics_that_may_not_be_read_are_told() -> None:
    assert "Call statistics" in ill(await findings({"statistics_right": False}))


async def test_a_wrong_default_user_and_mapping_are_told() -> None:
    told = ill(await findings(default_user=99, users={"555": 98}))
    assert "no active user 99" in told
    assert "no active user 98" in told


async def test_a_doubled_extension_is_told() -> None:
    told = ill(await findings(more=(User(50, "Зоя", "З", "101"),)))
    assert "Extension 101" in told
    assert "Зоя З (50)" in told


async def test_a_wrong_secret_is_told() -> None:
    sandbox = SandboxPortal(BOX)
    url = sandbox.webhook_url.replace("sandboxsecret", "wrongsecret")
    table = {"webhook": url, "default_user": 1}
    checked = open_portal("bitrix24", "main", table, gate=OpenGate(), zone=MOSCOW, transport=Wire(sandbox))
    told = ill(await checked.check())
    await checked.close()
    assert "does not know this webhook" in told
    assert "wrongsecret" not in told


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (unreachable(), "refuses the connection"),
        (page(404), "no Bitrix24 REST API"),
        (page(302, location="https://new.example/"), "Put new.example"),
    ],
)
async def test_an_address_without_a_portal_is_told(trouble: Any, told: str) -> None:
    bitrix = portal(Scripted().says("scope", trouble))
    assert told in ill(await bitrix.check())
    await bitrix.close()


def told_of(findings: list[Finding], topic: str) -> Finding:
    (one,) = [one for one in findings if one.topic.say("en") == topic]
    assert one.well, "what no call needs is no fault"
    return one


async def test_a_webhook_without_the_right_to_notify_and_without_clicks() -> None:
    stand = sandbox_stand(BOX.with_changes({"scopes": ["crm", "telephony", "user"]}))
    findings = await stand.portal.check()
    await stand.portal.close()
    notifications = told_of(findings, "notifications")
    assert notifications.cure is not None
    assert "(im)" in notifications.cure.say("en")
    assert "outgoing webhook" in str(told_of(findings, "clicks on numbers").cure)
    assert "become leads" in str(told_of(findings, "CRM").found)


async def test_what_is_told_of_clicks_and_the_crm() -> None:
    knobs = BOX.with_changes({"crm_mode": "simple"})
    stand = sandbox_stand(knobs, application_token="of-the-outgoing-webhook")
    findings = await stand.portal.check()
    await stand.portal.close()
    assert told_of(findings, "notifications").cure is None
    assert "outgoing webhook" in str(told_of(findings, "clicks on numbers").found)
    assert "with a deal" in str(told_of(findings, "CRM").found)


@pytest.mark.parametrize(
    ("address", "extended", "said"),
    [
        (PUBLIC, False, f"{PUBLIC}/hooks/main"),
        ("", True, "every 2.5 s, since it has no address of CallMe"),
        ("", False, "a crash in that moment loses one"),
    ],
)
async def test_how_an_application_hears_of_clicks(
    tmp_path: Path, address: str, extended: bool, said: str
) -> None:
    sandbox = SandboxPortal(CLOUD.with_changes({"offline_extended": extended}), clock=lambda: Stand.now)
    stand = application_standing(tmp_path, sandbox, address)
    await stand.install()
    findings = await stand.portal.check()
    assert said in str(told_of(findings, "clicks on numbers").found)
    assert stand.sandbox.office.offline_bound == set(), "to look changes nothing"
    await stand.portal.close()
