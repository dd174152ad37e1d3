"""Shadow mode: what CallMe would have told a CRM, beside what the CRM was told by somebody else.

While a portal is in shadow mode another connector still tells it of the calls. Here are the words in which a
portal lists both sides (`Entry`), and the pure comparison that `callme shadow` prints. An adapter makes
entries of its CRM's own list and of our records alike, so that what differs in them differs for the CRM's
users. Nothing here names a CRM, reads a clock or sends anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from callme.crm.intents import Direction, Finish, Register
from callme.crm.port import Later, Refused, Unauthorised
from callme.wording import Phrase

NOT_SENT = Phrase(
    "Shadow mode: worked out and kept, not sent to the CRM",
    "Теневой режим: подготовлено и сохранено, в CRM не отправлено",
)

NEAR_S = 120.0
"""Two clocks, and a connector that tells of a call late, may be so far apart."""

HOUR_S = 3600.0
ZONES = 14
"""A connector that told its local time without its zone is wrong by whole hours, at most so many."""

DURATION_S = 2
"""Seconds by which two measures of one talk may differ."""

SHORTEST = 7
"""Digits at the end of a number that have to be the same where one side lacks the code of the country."""


class Field(StrEnum):
    """What is compared of a call."""

    NUMBER = "number"
    WHO = "who"
    RESULT = "result"
    DURATION = "duration"
    LINE = "line"
    RECORDING = "recording"
    START = "start"


LABELS = {
    Field.NUMBER: Phrase("number", "номер"),
    Field.WHO: Phrase("employee", "сотрудник"),
    Field.RESULT: Phrase("result", "итог"),
    Field.DURATION: Phrase("duration", "длительность"),
    Field.LINE: Phrase("line", "линия"),
    Field.RECORDING: Phrase("recording", "запись"),
    Field.START: Phrase("start", "начало"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One call as the CRM lists it, or as it would. `ref` is its id on that side, `number` and `line` in the
    CRM's spelling, `who` the employee as people know him, `result` the CRM's code, `duration_s` the CRM's
    duration. Times are epoch seconds; `ended_at` is 0 where the CRM does not keep it."""

    ref: str
    direction: Direction
    number: str
    started_at: float
    who: str
    result: str
    duration_s: int
    line: str = ""
    recording: bool = False
    ended_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What we would have told of one call: its records, and whether a recording of it was found."""

    register: Register
    finish: Finish
    recording: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that the two sides tell differently."""

    field: Field
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One call that both sides have; no differences: they tell the same."""

    ours: Entry
    theirs: Entry
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Calls on both sides, on ours alone, on theirs alone; each in the order of time."""

    pairs: tuple[Pair, ...]
    only_ours: tuple[Entry, ...]
    only_theirs: tuple[Entry, ...]

    @property
    def same(self) -> tuple[Pair, ...]:
        """The calls that both sides tell alike."""
        return tuple(pair for pair in self.pairs if not pair.differences)

    @property
    def different(self) -> tuple[Pair, ...]:
        """The calls that both sides have and tell differently."""
        return tuple(pair for pair in self.pairs if pair.differences)


Unlisted = Later | Refused | Unauthorised


@runtime_checkable
class Compares(Protocol):
    """A portal whose calls can be read back. One that cannot simply lacks the methods. Both only ask."""

    async def listed(self, since: float, until: float) -> tuple[Entry, ...] | Unlisted:
        """The calls that began in that time, whoever told the CRM of them; or why they cannot be had."""

    async def would_list(self, calls: Sequence[Shadowed]) -> tuple[Entry, ...] | Unlisted:
        """The same calls as this portal would list them, had they been told."""


def compare(ours: Sequence[Entry], theirs: Sequence[Entry]) -> Comparison:
    """Both sides, call by call. Each entry is in one pair at most: the nearest in time first, then those
    that are whole hours apart, since a connector may tell a time without its zone."""
    found: dict[int, int] = {}
    taken: set[int] = set()
    for apart in (_near, _near_by_hours):
        candidates = sorted(
            (distance, mine, other)
            for mine, one in enumerate(ours)
            for other, two in enumerate(theirs)
            if mine not in found
            and other not in taken
            and one.direction is two.direction
            and same_number(one.number, two.number)
            and (distance := apart(one, two)) is not None
        )
        for _, mine, other in candidates:
            if mine not in found and other not in taken:
                found[mine] = other
                taken.add(other)
    pairs = tuple(
        Pair(ours[mine], theirs[other], differences(ours[mine], theirs[other]))
        for mine, other in sorted(found.items(), key=lambda pair: ours[pair[0]].started_at)
    )
    return Comparison(
        pairs,
        tuple(_in_time(one for place, one in enumerate(ours) if place not in found)),
        tuple(_in_time(one for place, one in enumerate(theirs) if place not in taken)),
    )


def differences(ours: Entry, theirs: Entry) -> tuple[Difference, ...]:
    """What the two tell differently of one call."""
    said = (
        (Field.NUMBER, ours.number, theirs.number, _digits(ours.number) == _digits(theirs.number)),
        (Field.WHO, ours.who, theirs.who, ours.who == theirs.who),
        (Field.RESULT, ours.result, theirs.result, ours.result == theirs.result),
        (
            Field.DURATION,
            f"{ours.duration_s} s",
            f"{theirs.duration_s} s",
            abs(ours.duration_s - theirs.duration_s) <= DURATION_S,
        ),
        (Field.LINE, ours.line, theirs.line, _digits(ours.line) == _digits(theirs.line)),
        (Field.RECORDING, _yes(ours.recording), _yes(theirs.recording), ours.recording == theirs.recording),
        (Field.START, "", _shift(theirs.started_at - ours.started_at), _near(ours, theirs) is not None),
    )
    return tuple(Difference(field, mine, other) for field, mine, other, same in said if not same)


def same_number(one: str, two: str) -> bool:
    """Whether two spellings mean one number: one may lack the code of the country, or have the national
    prefix in its place. Hidden callers are alike."""
    first, second = _digits(one), _digits(two)
    if first == second:
        return True
    size = min(len(first), len(second), 10)
    return size >= SHORTEST and first[-size:] == second[-size:]


def _near(one: Entry, two: Entry) -> float | None:
    """How far apart they began, `None` when that is too far. One that is told when it ends counts as near."""
    begun = abs(two.started_at - one.started_at)
    if begun <= NEAR_S or one.started_at <= two.started_at <= one.ended_at + NEAR_S:
        return begun
    return None


def _near_by_hours(one: Entry, two: Entry) -> float | None:
    apart = two.started_at - one.started_at
    hours = round(apart / HOUR_S)
    rest = abs(apart - hours * HOUR_S)
    return rest if 0 < abs(hours) <= ZONES and rest <= NEAR_S else None


def _digits(text: str) -> str:
    digits = "".join(sign for sign in text if sign in "0123456789")
    return digits or text.casefold()


def _shift(seconds: float) -> str:
    return f"{seconds / HOUR_S:+.0f} h"


def _yes(value: bool) -> str:
    return "+" if value else "-"


def _in_time(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda one: one.started_at)
