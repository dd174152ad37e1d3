"""The words that a portal gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callme.crm.intents import Direction, Finish, Result
from callme.portals.bitrix24 import payloads
from tests.portals.bitrix24.scripted import MOSCOW, about, ended, ringing


@pytest.mark.parametrize(
    ("number", "phrased"),
    [
        ("+79161234567", "+79161234567"),
        ("+7 (916) 123-45-67", "+79161234567"),
        ("89161234567", "89161234567"),
        ("", payloads.HIDDEN),
        ("0", payloads.HIDDEN),
        ("anonymous", payloads.HIDDEN),
        ("user101", payloads.HIDDEN),
        ("+123456789012345678901234", "+1234567890123456789"),
    ],
)
def test_a_number_has_one_canonical_form(number: str, phrased: str) -> None:
    assert payloads.phone_number(number) == phrased


@given(st.text())
def test_no_number_is_one_that_the_portal_refuses(number: str) -> None:
    phrased = payloads.phone_number(number)
    assert 0 < len(phrased) <= 20
    assert phrased.removeprefix("+").isascii()
    assert phrased.removeprefix("+").isdecimal()
    assert phrased.strip("+") != "0"


def test_the_placeholder_of_a_hidden_caller_is_no_extension() -> None:
    assert len(payloads.HIDDEN) > 4


def test_an_incoming_call_is_registered_with_explicit_flags_and_offset() -> None:
    params = payloads.register(ringing(), 11, show=True, create=True, zone=MOSCOW)
    assert params == {
        "USER_ID": 11,
        "PHONE_NUMBER": "+79161234567",
        "TYPE": 2,
        "CALL_START_DATE": "2026-01-01T03:00:00+03:00",
        "CRM_CREATE": 1,
        "SHOW": 1,
        "EXTERNAL_CALL_ID": "office-1767225600.1",
    }


def test_only_a_line_that_the_portal_has_is_named() -> None:
    order = ringing()
    named = payloads.register(
        order, 11, show=False, create=False, zone=MOSCOW, line="74950000001", source="WEB"
    )
    assert (named["LINE_NUMBER"], named["CRM_SOURCE"]) == ("74950000001", "WEB")
    unnamed = payloads.register(order, 11, show=False, create=False, zone=MOSCOW)
    assert {"LINE_NUMBER", "CRM_SOURCE"}.isdisjoint(unnamed)


def test_the_flag_of_a_line_is_a_letter() -> None:
    assert payloads.line("1", "one", True)["CRM_AUTO_CREATE"] == "Y"
    assert payloads.line("1", "one", False)["CRM_AUTO_CREATE"] == "N"
    assert "CRM_AUTO_CREATE" not in payloads.line("1", "one", None)


def test_a_hidden_caller_never_becomes_a_client() -> None:
    params = payloads.register(ringing(number=""), 11, show=True, create=True, zone=MOSCOW)
    assert (params["CRM_CREATE"], params["PHONE_NUMBER"]) == (0, payloads.HIDDEN)


def test_an_outgoing_call_is_of_type_one() -> None:
    order = ringing(direction=Direction.OUT)
    assert payloads.register(order, 11, show=False, create=False, zone=UTC)["TYPE"] == 1


@given(st.text(min_size=1, max_size=200))
def test_the_external_id_always_fits(call: str) -> None:
    assert len(payloads.external_id(call)) <= 64


def test_long_call_ids_stay_apart() -> None:
    one, two = "x" * 90 + "1", "x" * 90 + "2"
    assert payloads.external_id(one) != payloads.external_id(two)
    assert payloads.external_id("office-1.1") == "office-1.1"


@given(st.floats(min_value=0, max_value=4e9))
def test_a_start_date_keeps_its_moment(epoch: float) -> None:
    assert datetime.fromisoformat(payloads.start_date(epoch, MOSCOW)).timestamp() == int(epoch)


@pytest.mark.parametrize("result", sorted(set(Result) - {Result.ANSWERED, Result.BLOCKED}))
def test_every_incoming_call_that_nobody_answered_is_missed(result: Result) -> None:
    params = payloads.finish(ended(result=result, talk_s=9), "id", 11, chat=False)
    assert (params["STATUS_CODE"], params["DURATION"]) == ("304", 0)


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (Result.ANSWERED, "200"),
        (Result.NO_ANSWER, "480"),
        (Result.BUSY, "486"),
        (Result.DECLINED, "603"),
        (Result.CANCELLED, "603-S"),
        (Result.FAILED, "503"),
        (Result.VOICEMAIL, "480"),
        (Result.AFTER_HOURS, "OTHER"),
        (Result.UNKNOWN, "OTHER"),
    ],
)
def test_the_end_of_an_outgoing_call_has_its_code(result: Result, code: str) -> None:
    assert payloads.status_code(Direction.OUT, result) == code


@pytest.mark.parametrize(
    ("cause", "code"), [(1, "404"), (28, "484"), (3, "484"), (20, "480"), (34, "503"), (None, "503")]
)
def test_why_an_outgoing_call_failed_is_told_where_it_is_known(cause: int | None, code: str) -> None:
    assert payloads.status_code(Direction.OUT, Result.FAILED, cause) == code
    assert payloads.status_code(Direction.OUT, Result.BUSY, cause) == "486"


@pytest.mark.parametrize("direction", list(Direction))
def test_a_blocked_call_is_not_missed(direction: Direction) -> None:
    assert payloads.status_code(direction, Result.BLOCKED) == "423"


def test_a_rating_goes_with_the_record_of_a_talk() -> None:
    told = replace(ended(), vote=5)
    assert payloads.finish(told, "id", 11, chat=False)["VOTE"] == 5
    assert "VOTE" not in payloads.finish(ended(), "id", 11, chat=False)
    assert "VOTE" not in payloads.finish(replace(told, result=Result.BUSY), "id", 11, chat=False)


def test_an_answered_call_lasts_at_least_a_second() -> None:
    order = Finish(about(), "101", Result.ANSWERED, 0, 0.0)
    params = payloads.finish(order, "id", 11, chat=True)
    assert (params["DURATION"], params["STATUS_CODE"], params["ADD_TO_CHAT"]) == (1, "200", 1)


def test_cards_name_each_user_once() -> None:
    assert payloads.cards("id", [12, 11, 12]) == {"CALL_ID": "id", "USER_ID": [11, 12]}
