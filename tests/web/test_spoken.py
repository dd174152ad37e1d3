"""Who is named beside a line of what was said."""

from __future__ import annotations

from dataclasses import replace

from callme.calls.model import Talk
from callme.crm.transcript import Line, Side
from callme.web.phrases import Words
from callme.web.spoken import spoken
from tests.web.boards import call

LINES = (Line(Side.CUSTOMER, 0.0, 1.0, "Алло"), Line(Side.EMPLOYEE, 59.99, 62.0, "Да"))


def names(*talked: str, name: str = "") -> list[str]:
    talks = tuple(Talk(who, who, 1.0, 2.0) for who in talked)
    made = replace(call("9", 100, ended_at=1.0), talks=talks, name=name)
    return [line.who for line in spoken(LINES, made, Words("en"))]


def test_one_employee_is_named_and_one_of_several_is_not_guessed() -> None:
    assert names("101") == ["Customer", "Employee 101"]
    assert names("101", "101", name="Иван") == ["Иван", "Employee 101"]
    assert names("101", "102") == ["Customer", "Employee"]
    assert names() == ["Customer", "Employee"]


def test_a_time_is_never_beyond_the_second_that_is_meant() -> None:
    made = call("9", 100, ended_at=1.0)
    assert [line.clock for line in spoken(LINES, made, Words("ru"))] == ["0:00", "0:59"]
