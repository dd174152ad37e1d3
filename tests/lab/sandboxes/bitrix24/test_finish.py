"""finish: its refusals in order, what it leaves behind, and what it leaves when it fails (§1.3)."""

from __future__ import annotations

from typing import Any

import pytest

from callme.lab.sandboxes.bitrix24.state import Customer
from tests.lab.sandboxes.bitrix24.client import NOON, Client

FINISH = "telephony.externalCall.finish"
NO_USER = "USER_ID or USER_PHONE_INNER should be set"
NOT_FOUND = "Call is not found (call should be registered prior to finishing"
NOT_ACTIVE = "User is not found or is not active"
NOT_A_STRING = "CALL_ID must be a string"

REFUSED = [
    ("no user, before the call is looked at", {"USER_ID": None, "CALL_ID": 5}, "", NO_USER),
    ("unknown extension", {"USER_ID": None, "USER_PHONE_INNER": "999"}, "", NO_USER),
    ("no call", {"CALL_ID": None}, "INVALID_ARGUMENT", NOT_A_STRING),
    ("call as a number", {"CALL_ID": 5}, "INVALID_ARGUMENT", NOT_A_STRING),
    ("call as a list", {"CALL_ID": ["x"]}, "INVALID_ARGUMENT", NOT_A_STRING),
    ("unknown call", {"CALL_ID": "externalCall.no"}, "", NOT_FOUND),
    ("unknown call before the user is judged", {"CALL_ID": "no", "USER_ID": 99}, "", NOT_FOUND),
    ("unknown user", {"USER_ID": 99}, "", NOT_ACTIVE),
]


@pytest.mark.parametrize(
    ("params", "code", "text"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_finish_refuses(client: Client, params: dict[str, Any], code: str, text: str) -> None:
    call = await client.register()
    assert await client.refused(FINISH, {"CALL_ID": call, "USER_ID": 2, **params}) == (400, code, text)
    assert call in client.office.calls
    assert client.office.statistics == {}


@pytest.mark.parametrize(
    ("knobs", "text"),
    [
        ({}, NOT_FOUND),
        ({"closing_bracket": True}, NOT_FOUND + ")"),
        ({"docs_message_variants": True}, NOT_FOUND + ")"),
    ],
)
async def test_a_second_finish_finds_no_call(knobs: dict[str, Any], text: str) -> None:
    async with Client(**knobs) as client:
        call = await client.finished()
        assert await client.refused(FINISH, {"CALL_ID": call, "USER_ID": 2}) == (400, "", text)
        assert len(client.office.statistics) == 1


async def test_the_result_is_the_record(client: Client) -> None:
    call = await client.register(LINE_NUMBER="74950000001", EXTERNAL_CALL_ID="office-1.1")
    assert await client.finish(call, DURATION="61", USER_PHONE_INNER="102", VOTE=5, COST="1.5") == {
        "CALL_ID": call,
        "EXTERNAL_CALL_ID": "office-1.1",
        "PORTAL_USER_ID": 3,
        "PHONE_NUMBER": "+79261234567",
        "PORTAL_NUMBER": "74950000001",
        "INCOMING": "2",
        "CALL_DURATION": 61,
        "CALL_START_DATE": {},
        "CALL_STATUS": 1,
        "CALL_VOTE": 5,
        "COST": 1.5,
        "COST_CURRENCY": "",
        "CALL_FAILED_CODE": "200",
        "CALL_FAILED_REASON": "",
        "REST_APP_ID": None,
        "REST_APP_NAME": False,
        "CRM_ACTIVITY_ID": 1,
        "COMMENT": None,
        "CRM_ENTITY_TYPE": "CONTACT",
        "CRM_ENTITY_ID": 1,
        "ID": 1,
    }
    assert client.office.calls == {}


@pytest.mark.parametrize(
    ("given", "code", "status"),
    [
        ({"DURATION": 5}, "200", 1),
        ({}, "304", 0),
        ({"DURATION": 0, "STATUS_CODE": "200"}, "200", 0),
        ({"STATUS_CODE": "486"}, "486", 0),
        ({"STATUS_CODE": "anything"}, "anything", 0),
    ],
)
async def test_codes_are_stored_as_given(
    client: Client, given: dict[str, Any], code: str, status: int
) -> None:
    result = await client.finish(await client.register(), **given)
    assert (result["CALL_FAILED_CODE"], result["CALL_STATUS"]) == (code, status)


async def test_without_a_line_the_portal_number_is_the_bare_app(client: Client) -> None:
    assert (await client.finish(await client.register()))["PORTAL_NUMBER"] == "REST_APP:"


async def test_only_the_finishing_users_card_is_hidden(client: Client) -> None:
    call = await client.register()
    await client.result("telephony.externalCall.show", {"CALL_ID": call, "USER_ID": [3]})
    await client.finish(call)
    assert client.office.cards_now(2) == []
    assert [card.call for card in client.office.cards_now(3)] == [call]
    assert await client.result("telephony.externalCall.hide", {"CALL_ID": call, "USER_ID": 3}) is False


async def test_a_customer_created_by_the_call_goes_to_who_talked(client: Client) -> None:
    call = await client.register(PHONE_NUMBER="+74957654321", CRM_CREATE=1)
    await client.finish(call, DURATION=3, USER_PHONE_INNER="102")
    assert client.office.customers["LEAD", 1].assigned_by == 3
    assert client.office.customers["CONTACT", 1].assigned_by == 2  # others keep theirs


async def test_without_a_customer_there_is_no_activity(client: Client) -> None:
    result = await client.finish(await client.register(PHONE_NUMBER="+74957654321"), DURATION=3)
    assert result["CRM_ACTIVITY_ID"] is False
    assert result["ERRORS"] == {
        "ACTIVITY_CREATION": "Could not find associated crm entity for the current call"
    }
    assert "CRM_ENTITY_TYPE" not in result
    assert client.office.activities == {}


async def test_a_customer_who_appeared_during_the_call_is_found(client: Client) -> None:
    call = await client.register(PHONE_NUMBER="+74957654321")
    client.office.add_customer("CONTACT", "Новый", 2, ("84957654321",))
    assert (await client.finish(call, DURATION=3))["CRM_ACTIVITY_ID"] == 1


async def test_an_internal_call_has_nothing_to_do_with_the_crm(client: Client) -> None:
    call = await client.register(PHONE_NUMBER="103", CRM_CREATE=1)
    result = await client.finish(call, DURATION=3)
    assert (result["CRM_ACTIVITY_ID"], "ERRORS" in result) == (None, False)
    assert ("LEAD", 1) not in client.office.customers


@pytest.mark.parametrize(
    ("kind", "knob", "completed", "direction"),
    [
        (1, False, True, 2),
        (2, False, False, 1),
        (2, True, True, 1),
        (3, False, True, 1),
        (4, False, False, 2),
    ],
)
async def test_activities(kind: int, knob: bool, completed: bool, direction: int) -> None:
    async with Client(incoming_activity_completed=knob) as client:
        call = await client.register(TYPE=kind)
        await client.finish(call, DURATION=30, USER_PHONE_INNER="102")
        activity = client.office.activities[1]
        assert (activity.completed, activity.direction, activity.responsible) == (completed, direction, 3)
        assert (activity.started_at, activity.ended_at, activity.origin) == (NOON, NOON + 30, f"VI_{call}")


@pytest.mark.parametrize(
    ("kind", "code", "listed"), [(2, "304", 1), (3, "304", 1), (1, "304", 0), (2, "486", 0), (2, "603", 0)]
)
async def test_only_304_of_an_incoming_call_is_a_missed_call(
    client: Client, kind: int, code: str, listed: int
) -> None:
    await client.finish(await client.register(TYPE=kind), STATUS_CODE=code)
    assert len(client.office.missed) == listed


@pytest.mark.parametrize(
    ("phone", "kind", "code", "called_back"),
    [
        ("+79261234567", 1, "200", True),
        ("79261234567", 1, "200", False),  # another string
        ("+79261234567", 2, "200", False),
        ("+79261234567", 1, "486", False),
    ],
)
async def test_calling_back_closes_the_missed_call(
    client: Client, phone: str, kind: int, code: str, called_back: bool
) -> None:
    await client.finish(await client.register())
    again = await client.register(PHONE_NUMBER=phone, TYPE=kind, USER_PHONE_INNER="102")
    await client.finish(again, STATUS_CODE=code, DURATION=5, USER_PHONE_INNER="102")
    assert client.office.missed[0].called_back is called_back


@pytest.mark.parametrize(
    ("default", "given", "told"),
    [
        (0, {}, 0),
        (1, {}, 1),
        (0, {"ADD_TO_CHAT": 1}, 1),
        (0, {"ADD_TO_CHAT": "N"}, 1),
        (1, {"ADD_TO_CHAT": "0"}, 0),
    ],
)
async def test_add_to_chat(default: int, given: dict[str, Any], told: int) -> None:
    async with Client(finish_add_to_chat_default=default) as client:
        await client.finish(await client.register(), DURATION=1, **given)
        assert len(client.office.chat) == told


async def test_a_blocked_call_is_not_told_in_the_chat(client: Client) -> None:
    await client.finish(await client.register(), STATUS_CODE="423", ADD_TO_CHAT=1)
    assert client.office.chat == []


@pytest.mark.parametrize(
    ("registered", "finished"),
    [
        ({"PHONE_NUMBER": "1" * 21, "CRM_ENTITY_TYPE": "CONTACT", "CRM_ENTITY_ID": 1}, {}),
        ({"EXTERNAL_CALL_ID": "x" * 65}, {}),
        ({}, {"STATUS_CODE": "x" * 256}),
        ({}, {"FAILED_REASON": "x" * 256}),
        ({}, {"COST_CURRENCY": "x" * 51}),
        ({}, {"RECORD_URL": "http://127.0.0.1/" + "x" * 2000}),
    ],
)
async def test_fields_too_long_break_finish_after_the_activity(
    client: Client, registered: dict[str, Any], finished: dict[str, Any]
) -> None:
    call = await client.register(**registered)
    for attempt in (1, 2):
        status, code, text = await client.refused(FINISH, {"CALL_ID": call, "USER_ID": 2, **finished})
        assert (status, code) == (400, "")
        assert text.startswith("Unexpected database error")
        assert len(client.office.activities) == attempt  # a blind retry doubles it
    assert call in client.office.calls
    assert client.office.statistics == {}


async def test_fields_just_short_enough_pass(client: Client) -> None:
    call = await client.register(PHONE_NUMBER="1" * 20, EXTERNAL_CALL_ID="x" * 64)
    assert await client.finish(call, FAILED_REASON="x" * 255)


async def test_a_record_url_that_is_no_text_is_refused_after_the_fact(client: Client) -> None:
    call = await client.register()
    body = await client.refused(FINISH, {"CALL_ID": call, "USER_ID": 2, "RECORD_URL": "http://x/\ud800"})
    assert body == (400, "", "RECORD_URL contains invalid symbols for UTF-8 encoding")
    assert len(client.office.statistics) == 1
    assert call not in client.office.calls


async def test_a_record_url_that_cannot_be_fetched_fails_silently(client: Client) -> None:
    result = await client.finish(await client.register(), RECORD_URL="http://127.0.0.1:9/a.mp3")
    assert result["CALL_RECORD_URL"] == "http://127.0.0.1:9/a.mp3"
    assert client.office.recordings == {}


async def test_the_deal_of_a_contact_is_bound_too(client: Client) -> None:
    for closed in (False, True):
        number = client.office.next_id("DEAL")
        client.office.customers["DEAL", number] = Customer(
            "DEAL", number, "Сделка", 2, contact=1, closed=closed
        )
    await client.finish(await client.register(), DURATION=1)
    assert client.office.activities[1].bindings == (("CONTACT", 1), ("DEAL", 1))
