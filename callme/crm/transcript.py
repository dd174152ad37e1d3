"""What was said in a call, line by line, and how a transcriber's answer becomes that.

`service.speech` reads answers with it, a portal gets the lines. Who speaks is known from the side of a stereo
recording, or because only the caller can be heard; else it stays unknown. Pure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto
from typing import Any

from callme.wording import Phrase

LINES_MAX = 20_000
"""More than anybody can say in a day."""

ALIKE_S = 0.1
"""The same words on both sides at the same time, within so many seconds, are one sound: a stretch of the
recording that is mono stands on both."""


class Side(StrEnum):
    """Who speaks."""

    CUSTOMER = "customer"
    EMPLOYEE = "employee"
    UNKNOWN = ""


class Voices(Enum):
    """Who can be heard where in a recording."""

    APART = auto()  # the customer on the left, the employee on the right
    TOGETHER = auto()
    CUSTOMER = auto()  # he alone: the message that he left


@dataclass(frozen=True, slots=True)
class Line:
    """One stretch of speech; `start` and `end` in seconds from the recording's beginning."""

    side: Side
    start: float
    end: float
    text: str

    def plain(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"side": self.side.value, "start": self.start, "end": self.end, "text": self.text}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Line:
        """What `plain` gave. `KeyError`, `ValueError`, `TypeError` for anything else."""
        start, end = float(stored["start"]), float(stored["end"])
        return cls(Side(stored["side"]), start, end, str(stored["text"]))


class Garbled(Exception):
    """The answer cannot be read; `why` says where."""

    def __init__(self, why: Phrase) -> None:
        super().__init__(why.say("en"))
        self.why = why


NO_JSON = Phrase("it is no JSON", "это не JSON")
NO_LIST = Phrase("it holds no list of segments", "в нём нет списка фрагментов")
TOO_MANY = Phrase("it has more than {most} segments", "в нём больше {most} фрагментов")
NO_SEGMENT = Phrase(
    "its segment {number} is not like {example}",
    "фрагмент {number} записан не так, как {example}",
    {"example": '{"side": "left", "start": 0.0, "end": 1.5, "text": "…"}'},
)

_HEARD = {
    "left": Side.CUSTOMER,
    "right": Side.EMPLOYEE,
    "customer": Side.CUSTOMER,
    "employee": Side.EMPLOYEE,
}
_TRACKS = ("left", "right")


def understand(answer: bytes, voices: Voices) -> tuple[Line, ...]:
    """The lines of a transcriber's answer, in order: JSON objects one a line, a list of them, or an object
    whose `segments` are such a list. Raises `Garbled`."""
    lines = [
        line
        for number, segment in enumerate(_segments(answer), start=1)
        if (line := _line(segment, number, voices)).text
    ]
    lines.sort(key=lambda line: (line.start, line.end))
    return _told_once(lines)


def _segments(answer: bytes) -> list[Any]:
    text = answer.decode("utf-8", "replace").strip("\ufeff \t\r\n")
    try:
        found = json.loads(text) if text else []
    except (ValueError, RecursionError):
        found = _each_line(text)
    if isinstance(found, Mapping):
        found = found.get("segments", [found])
    if not isinstance(found, list):
        raise Garbled(NO_LIST)
    if len(found) > LINES_MAX:
        raise Garbled(TOO_MANY.given(most=LINES_MAX))
    return found


def _each_line(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise Garbled(NO_JSON) from None


def _line(segment: Any, number: int, voices: Voices) -> Line:
    fields = segment if isinstance(segment, Mapping) else {}
    start, end, text = _seconds(fields.get("start")), _seconds(fields.get("end")), fields.get("text")
    if start is None or end is None or not isinstance(text, str):
        raise Garbled(NO_SEGMENT.given(number=number))
    said = "".join(char if char.isprintable() else " " for char in text)
    return Line(_side(fields.get("side"), voices), start, max(start, end), " ".join(said.split()))


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _side(told: Any, voices: Voices) -> Side:
    word = told.strip().lower() if isinstance(told, str) else ""
    if voices is Voices.CUSTOMER:
        return Side.CUSTOMER
    if voices is Voices.TOGETHER and word in _TRACKS:
        return Side.UNKNOWN
    return _HEARD.get(word, Side.UNKNOWN)


def _told_once(lines: Iterable[Line]) -> tuple[Line, ...]:
    """What stands on both sides is told once, of nobody."""
    told: list[Line] = []
    for line in lines:
        twin = _twin(told, line)
        if twin is None:
            told.append(line)
        else:
            told[twin] = replace(told[twin], side=Side.UNKNOWN)
    return tuple(told)


def _twin(told: list[Line], line: Line) -> int | None:
    """Where the same sound stands of the other side."""
    for at in range(len(told) - 1, -1, -1):
        other = told[at]
        if line.start - other.start > ALIKE_S:
            break
        apart = {line.side, other.side} == {Side.CUSTOMER, Side.EMPLOYEE}
        if apart and abs(line.end - other.end) <= ALIKE_S and line.text.casefold() == other.text.casefold():
            return at
    return None
