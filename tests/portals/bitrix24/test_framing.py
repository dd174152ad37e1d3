"""Who opens the tab: whoever the portal itself names, and nobody that was made up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from callme.crm.tabs import Stranger, Viewer
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind
from callme.portals.bitrix24 import framing
from tests.portals.bitrix24.installed import ApplicationStand, installed

CALL = "externalCall.abc.1764000000"


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[ApplicationStand]:
    stand = await installed(tmp_path, users={"777": 2})
    yield stand
    await stand.portal.close()


def card(stand: ApplicationStand, user: int = 2) -> dict[str, str]:
    return stand.sandbox.card(CALL, user)


async def opened(stand: ApplicationStand, fields: Mapping[str, str]) -> Viewer | Stranger:
    return await stand.bitrix.tab.viewer(fields)


async def test_the_portal_says_who_it_is(stand: ApplicationStand) -> None:
    found = await opened(stand, card(stand))
    assert found == Viewer("2", CALL, "call", frozenset({"101", "777"}))
    assert stand.bitrix.tab.viewer_again("2", CALL) == found
    assert stand.bitrix.tab.frame == "http://127.0.0.1"
    assert stand.bitrix.tab.colleagues()["102"] == "Борис Кузнецов"


async def test_a_supervisor_is_named_by_the_configuration(tmp_path: Path) -> None:
    stand = await installed(tmp_path, call_tab={"supervisors": [1]})
    chief, other = await opened(stand, card(stand, 1)), await opened(stand, card(stand, 2))
    assert isinstance(chief, Viewer)
    assert isinstance(other, Viewer)
    assert (chief.supervises, other.supervises) == (True, False)
    await stand.portal.close()


@pytest.mark.parametrize(
    "change",
    [
        {"member_id": "0" * 32},
        {"member_id": ""},
        {"member_id": "ю"},
        {"DOMAIN": "evil.example"},
        {"DOMAIN": ""},
        {"AUTH_ID": ""},
        {"AUTH_ID": "short"},
        {"PLACEMENT": "DEFAULT"},
    ],
)
async def test_what_another_portal_or_page_sends_costs_no_request(
    stand: ApplicationStand, change: dict[str, str]
) -> None:
    assert isinstance(await opened(stand, {**card(stand), **change}), Stranger)
    assert stand.wire.sent == 0


async def test_an_invented_or_worn_out_token_opens_nothing(stand: ApplicationStand) -> None:
    invented = await opened(stand, {**card(stand), "AUTH_ID": "f" * 70})
    assert invented == Stranger(framing.UNPROVEN)
    kept = card(stand)
    stand.sandbox.authority.expire()
    assert await opened(stand, kept) == Stranger(framing.UNPROVEN)
    assert stand.sandbox.authority.refreshes == 0, "ours are not renewed for it"


async def test_a_token_of_another_application_opens_nothing(
    stand: ApplicationStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {**stand.sandbox.authority.info(), "CODE": "local.0000000000000.1"}
    monkeypatch.setattr(stand.sandbox.authority, "info", lambda: told)
    assert await opened(stand, card(stand)) == Stranger(framing.NOT_OURS)
    told["CODE"] = "vendor.other"
    assert await opened(stand, {**card(stand), "APPLICATION_TOKEN": "x"}) == Stranger(framing.NOT_OURS)
    assert isinstance(await opened(stand, card(stand)), Viewer), "the portal's own token vouches for it"


async def test_strangers_are_looked_at_now_and_then_only(stand: ApplicationStand) -> None:
    forged = {**card(stand), "AUTH_ID": "f" * 70, "APPLICATION_TOKEN": ""}
    for _ in range(framing.TRIES_MAX):
        assert await opened(stand, forged) == Stranger(framing.UNPROVEN)
    before = stand.wire.sent
    assert await opened(stand, forged) == Stranger(framing.NOT_NOW, later=True)
    assert stand.wire.sent == before
    assert isinstance(await opened(stand, card(stand)), Viewer), "the portal's people are not locked out"


async def test_a_portal_that_does_not_answer_is_told_apart_from_a_stranger(stand: ApplicationStand) -> None:
    stand.sandbox.faults.add(Fault("profile", FaultKind.HTML, status=502))
    assert await opened(stand, card(stand)) == Stranger(framing.NOT_NOW, later=True)


@pytest.mark.parametrize(
    "options", ["", "[]", "{", '{"CALL_ID": 7}', json.dumps({"CALL_ID": "x" * 300}), "[" * 5000]
)
async def test_a_card_without_a_call_is_nobodys_mistake(stand: ApplicationStand, options: str) -> None:
    found = await opened(stand, {**card(stand), "PLACEMENT_OPTIONS": options})
    assert isinstance(found, Viewer)
    assert found.call == ""


async def test_before_an_installation_nobody_is_believed(stand: ApplicationStand) -> None:
    sent = card(stand)
    await stand.bitrix._application.forget()  # type: ignore[union-attr]
    assert await opened(stand, sent) == Stranger(framing.NOT_OURS)
