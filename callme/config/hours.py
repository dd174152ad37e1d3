"""Hours of a week as people write them: `mon-fri 09:00-18:00`, `sat,sun 10:00-16:00`, `22:00-06:00`.

Used by the configuration, which refuses what cannot be read, and by the rules that ask whether it is such an
hour. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN = 24 * 60
_SPAN = re.compile(
    r"(?:(?P<days>[a-z,\s-]+?)\s+)?(?P<h1>\d{1,2}):(?P<m1>\d\d)\s*-\s*(?P<h2>\d{1,2}):(?P<m2>\d\d)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of these days (0 is Monday), in minutes from midnight; `until` is not part of it. One that
    ends before it begins goes over midnight and belongs to the day on which it begins."""

    days: frozenset[int]
    since: int
    until: int

    def holds(self, weekday: int, minute: int) -> bool:
        """Whether that minute of that day is in it."""
        if self.since < self.until:
            return weekday in self.days and self.since <= minute < self.until
        return (weekday in self.days and minute >= self.since) or (
            (weekday - 1) % 7 in self.days and minute < self.until
        )


def read(text: str) -> Span:
    """One stretch. `ValueError` when it cannot be understood."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(text)
    since = _minute(found["h1"], found["m1"])
    until = _minute(found["h2"], found["m2"])
    if since == until:
        raise ValueError(text)
    return Span(_days(found["days"] or "mon-sun"), since, until)


def within(texts: Iterable[str], weekday: int, minute: int) -> bool:
    """Whether one of these stretches holds the minute."""
    return any(read(text).holds(weekday, minute) for text in texts)


def _minute(hour: str, minute: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > DAY_MIN:
        raise ValueError(f"{hour}:{minute}")
    return total


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        begin, end = DAYS.index(first), DAYS.index(last if dash else first)
        found.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(found)
