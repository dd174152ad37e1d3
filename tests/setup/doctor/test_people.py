"""Telephones and people that know each other, or not."""

from __future__ import annotations

from callme.setup.doctor.people import compare
from callme.setup.doctor.signs import Level

PHONES = {"101": "Anna", "102": "Boris"}


def test_all_known() -> None:
    (sign,) = compare("office", "main", PHONES, {"101": "Anna (3)", "102": "Boris (4)"})
    assert (sign.level, "2 belong together" in sign.found.say("en")) == (Level.WELL, True)


def test_strangers_on_both_sides_are_named() -> None:
    nobodys, absent = compare("office", "main", PHONES, {"101": "Anna (3)", "109": "Clara (5)"})
    assert "102 Boris" in nobodys.found.say("ru")
    assert "109 Clara (5)" in absent.found.say("ru")
    assert {nobodys.level, absent.level} == {Level.HINT}


def test_a_pbx_that_tells_nothing_blames_nobody() -> None:
    (sign,) = compare("office", "main", {}, {"101": "Anna"})
    assert sign.level is Level.WELL


def test_many_are_counted() -> None:
    (sign, _) = compare("office", "main", {str(one): "" for one in range(200, 230)}, {"101": "Anna"})
    assert "+22" in sign.found.say("en")
