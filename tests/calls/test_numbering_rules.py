"""Numbers in one form, whatever a trunk does to them."""

from __future__ import annotations

import pytest

from callme.calls.numbering import Numbering, NumberRule

RULES = (
    NumberRule(trunk="PJSIP/mango-*", digits=10, add="+7"),
    NumberRule(strip="98", add="8"),
    NumberRule(trunk="berlin", strip="0", add="+49"),
)


@pytest.mark.parametrize(
    ("number", "trunk", "form"),
    [
        ("9161234567", "mango-1", "+79161234567"),
        ("989161234567", "any", "+79161234567"),
        ("030123456", "berlin", "+4930123456"),
        ("89161234567", "any", "+79161234567"),
        ("81049301234567", "any", "+49301234567"),
        ("0049301234567", "any", "+49301234567"),
        ("+79161234567", "any", "+79161234567"),
        ("79161234567,102", "any", "+79161234567"),
        ("79161234567#102", "any", "+79161234567"),
        ("8 (916) 123-45-67 x102", "any", "+79161234567"),
        ("112", "any", "112"),
        ("102", "mango-1", "102"),
        ("anonymous", "any", ""),
        ("*97", "any", "*97"),
    ],
)
def test_one_form(number: str, trunk: str, form: str) -> None:
    assert Numbering(country="RU", rules=RULES).e164(number, trunk) == form


def test_a_line_loses_its_plus_and_gains_its_country() -> None:
    numbering = Numbering(country="RU", rules=RULES)
    assert numbering.line("4951234567", "mango-1") == "74951234567"
    assert numbering.line("sales") == "sales"
