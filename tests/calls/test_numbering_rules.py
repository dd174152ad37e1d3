"""Numbers in one form, whatever a trunk does to them."""

from __future__ import annotations

import pytest

from callme.calls.numbering import Kind, Numbering, NumberRule

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


TOLD = Numbering(
    devices={"101": "101"},
    known_extensions=frozenset({"101", "102"}),
    known_trunks=frozenset({"PJSIP/20100", "PJSIP/doorphone"}),
    shared=frozenset({"600", "700"}),
)


def test_a_trunk_that_the_pbx_told_is_no_colleague_whatever_its_name() -> None:
    assert TOLD.explain("PJSIP/20100-0000001a") == (Kind.TRUNK, "20100", "discovered")
    assert Numbering().explain("PJSIP/20100-0000001a")[0] is Kind.EXTENSION


def test_what_calls_from_within_is_a_telephone_though_it_belongs_to_nobody() -> None:
    assert TOLD.of_channel("PJSIP/doorphone-0000001a", "from-internal")[0] is Kind.EXTENSION
    assert TOLD.of_channel("PJSIP/doorphone-0000001a", "from-pstn")[0] is Kind.TRUNK


def test_a_queue_or_group_is_no_colleague_unless_the_configuration_says_so() -> None:
    by_pattern = Numbering(extensions=("XXX",), shared=frozenset({"600", "700"}))
    assert by_pattern.is_extension("101")
    assert not by_pattern.is_extension("600")
    assert Numbering(extensions=("XXX", "600"), shared=frozenset({"600"})).is_extension("600")
    assert not Numbering(shared=frozenset({"700"})).is_extension("700")
    assert Numbering(known_extensions=frozenset({"101"}), shared=frozenset({"101"})).is_extension("101")
