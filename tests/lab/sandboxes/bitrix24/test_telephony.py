"""register, show and hide refuse and remember as the sheet says (§1.2, §1.4)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.lab.sandboxes.bitrix24.client import NOON, Client

REGISTER = "telephony.externalCall.register"
GOOD: dict[str, Any] = {"USER_ID": 2, "PHONE_NUMBER": "+79261234567", "TYPE": 2}
NO_USER = "USER_ID or USER_PHONE_INNER should be set"
BAD_DATE = "CALL_START_DATE should be in the ISO-8601 format"
BAD_PHONE = "Unsupported phone number format"
NOT_ACTIVE = "User is not found or is not active"

REFUSED = [
    ("no user", {"USER_ID": None}, NO_USER),
    ("user zero", {"USER_ID": 0}, NO_USER),
    ("unknown extension", {"USER_ID": None, "USER_PHONE_INNER": "999"}, NO_USER),
    ("extension of a dismissed user", {"USER_ID": None, "USER_PHONE_INNER": "106"}, NO_USER),
    ("extension is matched exactly", {"USER_ID": None, "USER_PHONE_INNER": "0101"}, NO_USER),
    ("no type", {"TYPE": None}, "Unknown TYPE"),
    ("type 6", {"TYPE": 6}, "Unknown TYPE"),
    ("type with a tail", {"TYPE": "2x"}, "Unknown TYPE"),
    ("date unreadable", {"CALL_START_DATE": "yesterday-ish"}, BAD_DATE),
    ("no phone", {"PHONE_NUMBER": None}, BAD_PHONE),
    ("phone of letters", {"PHONE_NUMBER": "anonymous"}, BAD_PHONE),
    ("phone zero", {"PHONE_NUMBER": "0"}, BAD_PHONE),
    ("unknown user", {"USER_ID": 99}, NOT_ACTIVE),
    ("dismissed user", {"USER_ID": 7}, NOT_ACTIVE),
    ("a bot is nobody", {"USER_ID": 50}, NOT_ACTIVE),
    ("the user is checked before the type", {"USER_ID": None, "TYPE": 9}, NO_USER),
    ("the type before the date", {"TYPE": 9, "CALL_START_DATE": "x"}, "Unknown TYPE"),
    ("the date before the phone", {"CALL_START_DATE": "x", "PHONE_NUMBER": ""}, BAD_DATE),
    ("the phone before whether the user is active", {"PHONE_NUMBER": "", "USER_ID": 99}, BAD_PHONE),
]


def _staff(client: Client) -> None:
    client.office.users[7].active = False
    client.office.users[50] = type(client.office.users[7])(50, "Бот", "", kind="bot")


@pytest.mark.parametrize(
    ("params", "text"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_register_refuses(client: Client, params: dict[str, Any], text: str) -> None:
    _staff(client)
    assert await client.refused(REGISTER, {**GOOD, **params}) == (400, "", text)
    assert client.office.calls == {}
    assert client.office.cards == []


@pytest.mark.parametrize(("knob", "code"), [(True, ""), (False, "ERROR_CORE")])
async def test_error_codes_follow_the_knob(knob: bool, code: str) -> None:
    async with Client(empty_error_codes=knob) as client:
        assert await client.refused(REGISTER, {**GOOD, "TYPE": 9}) == (400, code, "Unknown TYPE")


@pytest.mark.parametrize("kind", [1, "1", 2, "2", 3, 4, 5, "5"])
async def test_types_are_read_loosely(client: Client, kind: Any) -> None:
    assert re.fullmatch(r"externalCall\.[0-9a-f]{32}\.[0-9]{10}", await client.register(TYPE=kind))


async def test_the_result_has_the_known_client(client: Client) -> None:
    result = await client.result(REGISTER, GOOD)
    assert result == {
        "CALL_ID": result["CALL_ID"],
        "CRM_CREATED_LEAD": None,
        "CRM_CREATED_ENTITIES": [],
        "CRM_ENTITY_TYPE": "CONTACT",
        "CRM_ENTITY_ID": 1,
    }


async def test_an_unknown_number_without_crm_create_is_nobodys(client: Client) -> None:
    result = await client.result(REGISTER, {**GOOD, "PHONE_NUMBER": "+74950000000"})
    assert (result["CRM_ENTITY_TYPE"], result["CRM_ENTITY_ID"]) == ("", None)


async def test_user_id_wins_over_the_extension(client: Client) -> None:
    call = await client.register(USER_ID=3, USER_PHONE_INNER="101")
    assert client.office.calls[call].user == 3


async def test_the_number_keeps_its_plus_and_loses_its_punctuation(client: Client) -> None:
    call = await client.register(PHONE_NUMBER="+7 (926) 123-45-67")
    assert client.office.calls[call].phone == "+79261234567"


@pytest.mark.parametrize(
    ("given", "started_at"),
    [
        ("2026-11-02T15:00:00+03:00", NOON),
        ("2026-11-02T12:00:00Z", NOON),
        ("2026-11-02T15:00:00", NOON),  # the portal's own zone
        ("Mon, 02 Nov 2026 12:00:00 +0000", NOON),
        ("@1793534400", 1_793_534_400.0),
        ("", NOON),
        (None, NOON),
    ],
)
async def test_start_dates(client: Client, given: str | None, started_at: float) -> None:
    call = await client.register(CALL_START_DATE=given)
    assert client.office.calls[call].started_at == started_at


@pytest.mark.parametrize(
    ("show", "cards"),
    [
        ({}, 1),
        ({"SHOW": 1}, 1),
        ({"SHOW": "N"}, 1),
        ({"SHOW": "false"}, 1),
        ({"SHOW": 0}, 0),
        ({"SHOW": "0"}, 0),
    ],
)
async def test_show_is_phps_truth(client: Client, show: dict[str, Any], cards: int) -> None:
    await client.register(**show)
    assert len(client.office.cards_now(2)) == cards


async def test_an_unknown_line_is_silently_created_trimmed_and_cut(client: Client) -> None:
    call = await client.register(LINE_NUMBER="  " + "9" * 60)
    assert client.office.calls[call].line == "9" * 50
    assert client.office.lines["9" * 50].auto_create


@pytest.mark.parametrize(
    ("second", "same"),
    [
        ({}, True),
        ({"EXTERNAL_CALL_ID": "a"}, True),
        ({"EXTERNAL_CALL_ID": "b"}, False),
        ({"LINE_NUMBER": "74950000001"}, True),
        ({"LINE_NUMBER": "74950000002"}, False),
        ({"USER_PHONE_INNER": "102"}, False),
        ({"TYPE": 3}, False),
        ({"PHONE_NUMBER": "79261234567"}, False),
        ({"PHONE_NUMBER": "+7 926 123 45 67"}, True),
    ],
)
async def test_duplicates(client: Client, second: dict[str, Any], same: bool) -> None:
    first = await client.register(EXTERNAL_CALL_ID="a", LINE_NUMBER="74950000001")
    assert (await client.register(**second) == first) is same


@pytest.mark.parametrize(("later_s", "same"), [(0, True), (1799, True), (1800, False)])
async def test_the_window_counts_from_the_start_date(client: Client, later_s: float, same: bool) -> None:
    first = await client.register(EXTERNAL_CALL_ID="a")
    client.now += later_s
    assert (await client.register(EXTERNAL_CALL_ID="a") == first) is same


async def test_the_window_is_a_knob() -> None:
    async with Client(dedup_window_s=10) as client:
        first = await client.register()
        client.now += 11
        assert await client.register() != first


async def test_back_dated_calls_never_deduplicate(client: Client) -> None:
    past = "2026-11-02T14:00:00+03:00"
    assert await client.register(CALL_START_DATE=past) != await client.register(CALL_START_DATE=past)


async def test_after_finish_the_same_parameters_make_a_new_call(client: Client) -> None:
    first = await client.register(EXTERNAL_CALL_ID="a")
    await client.finish(first)
    assert await client.register(EXTERNAL_CALL_ID="a") != first


async def test_a_duplicate_shows_the_card_again_and_drops_the_rest(client: Client) -> None:
    call = await client.register(SHOW=0, EXTERNAL_CALL_ID="a")
    assert (
        await client.register(CRM_CREATE=1, EXTERNAL_CALL_ID="a", CRM_ENTITY_TYPE="LEAD", CRM_ENTITY_ID=9)
        == call
    )
    assert client.office.seers(call) == {2}
    assert client.office.calls[call].primary == ("CONTACT", 1)


async def test_parameter_names_are_upper_case(client: Client) -> None:
    lower = {"user_id": 2, "phone_number": "+79261234567", "type": 2}
    assert await client.refused(REGISTER, lower) == (400, "", NO_USER)
    client.portal.knobs = client.portal.knobs.with_changes({"strict_param_case": False})
    assert await client.result(REGISTER, lower)


@pytest.mark.parametrize("method", ["show", "hide"])
async def test_show_and_hide_are_false_for_unknown_and_finished_calls(client: Client, method: str) -> None:
    call = await client.finished()
    name = f"telephony.externalCall.{method}"
    assert await client.result(name, {"CALL_ID": call, "USER_ID": 3}) is False
    assert await client.result(name, {"CALL_ID": "externalCall.no"}) is False
    assert await client.result(name) is False


async def test_show_and_hide_take_one_user_many_or_the_registered_one(client: Client) -> None:
    call = await client.register(SHOW=0)
    show, hide = "telephony.externalCall.show", "telephony.externalCall.hide"
    assert await client.result(show, {"CALL_ID": call}) is True
    assert client.office.seers(call) == {2}
    assert await client.result(show, {"CALL_ID": call, "USER_ID": [3, "4"]}) is True
    assert await client.result(show, {"CALL_ID": call, "USER_ID": 999}) is True  # users are not checked
    assert client.office.seers(call) == {2, 3, 4, 999}
    client.now += 5
    assert await client.result(hide, {"CALL_ID": call, "USER_ID": ["3"]}) is True
    assert await client.result(hide, {"CALL_ID": call}) is True
    assert client.office.seers(call) == {4, 999}
    hidden = [card for card in client.office.cards if card.user == 3]
    assert [(card.shown_at, card.hidden_at, card.hidden_by) for card in hidden] == [(NOON, NOON + 5, "hide")]


async def test_a_card_can_be_shown_again(client: Client) -> None:
    call = await client.register()
    await client.result("telephony.externalCall.hide", {"CALL_ID": call})
    await client.result("telephony.externalCall.show", {"CALL_ID": call})
    await client.result("telephony.externalCall.show", {"CALL_ID": call})
    assert [card.hidden_at is None for card in client.office.cards] == [False, True]


async def test_calls_nobody_finished_vanish_after_thirty_days(client: Client) -> None:
    call = await client.register()
    client.now += 30 * 86400 + 1
    assert await client.result("telephony.externalCall.show", {"CALL_ID": call}) is False
    assert client.office.statistics == {}
