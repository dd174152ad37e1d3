"""Which numbers a click dials, and how."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callme.calls.model import Call, CallId, Direction, Disposition, Ring, Side
from callme.calls.numbering import pattern
from callme.crm.commands import BUSY, NO_WAY_OUT, NOT_PICKED_UP, SILENT, Click, dialled, fruitless, keys
from callme.wording import Phrase


@pytest.mark.parametrize(
    ("number", "plus", "prefix", "expected"),
    [
        ("+79261112233", "", "", "79261112233"),
        ("+7 (926) 111-22-33", "00", "", "0079261112233"),
        ("+79261112233", "+", "9", "9+79261112233"),
        ("8 926 111 22 33", "00", "", "89261112233"),
        ("112", "", "", "112"),
    ],
)
def test_the_form_that_the_pbx_dials(number: str, plus: str, prefix: str, expected: str) -> None:
    assert dialled(number, plus, prefix, ()) == expected


@pytest.mark.parametrize(
    "number",
    [
        "",
        "+",
        "1",
        "*72",
        "#21",
        "101&PJSIP/102",
        "79261112233,1",
        "7926\r\nExten: 1",
        "+7926²",
        "9" * 21,
        "++7926",
    ],
)
def test_what_is_no_number_is_not_dialled(number: str) -> None:
    assert isinstance(dialled(number, "", "", ()), Phrase)


def test_forbidden_numbers_are_named() -> None:
    refusal = dialled("+8809 123-45-67", "", "", [pattern("8809*")])
    assert isinstance(refusal, Phrase)
    assert refusal.say("en") == "calls to 88091234567 are forbidden here"


def test_a_click_survives_a_restart() -> None:
    click = Click("externalCall.1", "Anna (2)", "101", "+79261112233", 1.5, "74950000001")
    assert Click.from_json({**click.to_json(), "newer": 1}) == click


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("123", "123"),
        ("ext. 12 #", "12#"),
        ("w1,2", "w1wwww2"),
        ("W9*", "w9*"),
        ("1\r\nAction: Command", "1"),
        ("1" * 60, "1" * 40),
    ],
)
def test_keys_are_digits_signs_and_pauses(text: str, expected: str) -> None:
    assert keys(text) == expected


RANG = (Ring("101", 11.0, 14.0),)


def over(disposition: Disposition, **more: object) -> Call:
    plain = Call(
        CallId("office-1.2"), "office", Direction.OUT, "", "", "", "", "", "101", 10.0, ended_at=20.0
    )
    return replace(plain, disposition=disposition, **{"rang": RANG, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (over(Disposition.NO_ANSWER), NOT_PICKED_UP),
        (over(Disposition.BUSY), BUSY),
        (over(Disposition.UNKNOWN, rang=()), SILENT),
        (over(Disposition.FAILED, rang=()), SILENT),
        (over(Disposition.CANCELLED, rang=(), hung_up_by=Side.PBX), SILENT),
        (over(Disposition.CANCELLED, hung_up_by=Side.PBX), NO_WAY_OUT),
        (over(Disposition.CANCELLED, hung_up_by=Side.AGENT), None),
        (over(Disposition.DECLINED), None),
        (over(Disposition.NO_ANSWER, trunk="trunk-prov"), None),  # the customer's telephone rang
        (over(Disposition.NO_ANSWER, rang=(*RANG, Ring("102", 12.0, 14.0))), None),  # a colleague's did
        (over(Disposition.UNKNOWN, rang=(), lost=True), None),
        (over(Disposition.NO_ANSWER, ended_at=None), None),
    ],
)
def test_why_the_customer_was_never_reached(call: Call, why: Phrase | None) -> None:
    said = fruitless(call)
    assert (said.en if said else None) == (why.en if why else None)
