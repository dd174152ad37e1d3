"""The story as it is printed: order, lines that belong together, colours, both languages."""

from __future__ import annotations

import pytest

from callme.lab.telling import HOLD_S, Ink, Line, Side, Teller, settled
from callme.wording import Language, Phrase

RINGS = Phrase("ringing: {who}", "звонит: {who}")
OPENS = Phrase("card opens for {who}", "карточка открылась: {who}")


def ring(at: float, who: str) -> Line:
    return Line(at, Side.PHONES, RINGS, (who,), "invite")


def told(lines: list[Line], language: Language = "en", *, colour: bool = False) -> list[str]:
    said: list[str] = []
    teller = Teller(language, Ink(colour), said.append)
    teller.act(Phrase("Call", "Звонок"), 100)
    for line in lines:
        teller.hear(line)
    teller.flush()
    return said[2:]


def test_what_was_heard_late_is_told_at_its_place() -> None:
    card = Line(100.2, Side.CRM, OPENS, ("101",))
    assert told([card, ring(100.1, "101")]) == [
        "    0.10 s  ☎ phones  ringing: 101",
        "    0.20 s  ▣ CRM     card opens for 101",
    ]


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "    0.10 s  ☎ phones  ringing: 101, 102 and 103"),
        ("ru", "    0,10 с  ☎ телефоны  звонит: 101, 102 и 103"),
    ],
)
def test_telephones_that_ring_together_are_one_line(language: Language, line: str) -> None:
    assert told([ring(100.2, "103"), ring(100.1, "101"), ring(100.15, "102")], language) == [line]


def test_a_later_ring_is_a_line_of_its_own() -> None:
    assert len(told([ring(100, "101"), ring(105, "102")])) == 2


def test_in_one_moment_causes_come_before_effects() -> None:
    card, phone = Line(100, Side.CRM, OPENS, ("101",)), ring(100, "101")
    assert settled([card, phone], 101)[0] == [phone, card]


def test_a_telephone_that_writes_late_is_still_told_first() -> None:
    phone, sees = ring(100.01, "101"), Line(100, Side.CALLME, Phrase("sees it", "видит"))
    assert settled([sees, phone], 101)[0] == [phone, sees]


def test_a_line_waits_for_earlier_ones() -> None:
    late = Line(100.6, Side.CRM, OPENS, ("101",))
    assert settled([late], 100.5 - HOLD_S) == ([], [late])


def test_colours_are_left_out_where_nobody_sees_them() -> None:
    assert "\x1b" not in "".join(told([ring(100, "101")]))
    assert "\x1b[36m" in "".join(told([ring(100, "101")], colour=True))
