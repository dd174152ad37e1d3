"""Which numbers a click dials, and how."""

from __future__ import annotations

import pytest

from callme.calls.numbering import pattern
from callme.crm.commands import Click, dialled
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
