"""What was said in a call as a page shows it: who speaks, when, what. Pure; used by `pages`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from callme.calls.model import Call
from callme.crm.transcript import Line, Side
from callme.web.phrases import Words


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line. `start` is in seconds from the recording's beginning, `clock` the same as a person reads it;
    `side` is customer, employee or empty."""

    start: float
    clock: str
    side: str
    who: str
    text: str


def spoken(lines: Iterable[Line], call: Call, words: Words) -> list[Spoken]:
    """The lines in their order. An employee is named where only one talked: which of several speaks, the
    recording does not tell."""
    talked = {talk.extension or talk.who for talk in call.talks}
    employee = words.said_employee if len(talked) != 1 else words("said_by", who=next(iter(talked)))
    names = {
        Side.CUSTOMER: call.name or words.said_customer,
        Side.EMPLOYEE: employee,
        Side.UNKNOWN: words.said_unknown,
    }
    return [
        Spoken(round(line.start, 1), _clock(line.start), line.side.value, names[line.side], line.text)
        for line in lines
    ]


def _clock(start: float) -> str:
    minutes, seconds = divmod(int(start), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
