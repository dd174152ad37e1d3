"""Takes numbers of payment cards out of what was said. Pure.

`service.speech` calls it before lines are kept or handed on. A card's number has 13 to 19 digits and proves
itself by its last one (ISO/IEC 7812, Luhn); how its digits are grouped does not matter, nor whether the one
who spoke paused so long that they stand in several lines. Digits that were written as words, and numbers with
a misheard digit, are not recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from callme.crm.transcript import Line

SHORTEST, LONGEST = 13, 19
HIDDEN = "••••"

ASIDE = 24
"""Letters of a line without digits (“yes, go on”) that may stand between two parts of a number."""

_GROUP = re.compile(r"\d+")
_GAP = re.compile(r"[^\w]*")


@dataclass(frozen=True, slots=True)
class _Group:
    """Digits side by side in one line."""

    line: int
    start: int
    end: int
    digits: str


def redacted(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The same lines, `HIDDEN` in the place of each card's number, in every line that holds a part of it."""
    hidden: set[_Group] = set()
    for side in {line.side for line in lines}:
        for run in _runs([(at, line.text) for at, line in enumerate(lines) if line.side is side]):
            hidden |= _cards(run)
    spans: dict[int, list[_Group]] = {}
    for group in sorted(hidden, key=lambda one: (one.line, one.start)):
        spans.setdefault(group.line, []).append(group)
    return tuple(
        replace(line, text=_without(line.text, spans[at])) if at in spans else line
        for at, line in enumerate(lines)
    )


def _runs(texts: Iterable[tuple[int, str]]) -> list[list[_Group]]:
    """Groups with nothing but spaces and punctuation between them, also across lines."""
    runs: list[list[_Group]] = []
    tail: str | None = None  # what stands behind the last group
    for at, text in texts:
        groups = [_Group(at, found.start(), found.end(), found.group()) for found in _GROUP.finditer(text)]
        if not groups:
            tail = tail if len(text) <= ASIDE else None
            continue
        for group in groups:
            begun = runs[-1][-1].end if runs and runs[-1][-1].line == at else 0
            between = (tail or "") + text[begun : group.start]
            if tail is not None and _GAP.fullmatch(between):
                runs[-1].append(group)
            else:
                runs.append([group])
            tail = ""
        tail = text[groups[-1].end :]
    return runs


def _cards(run: Sequence[_Group]) -> set[_Group]:
    """The groups that are parts of a card's number, whichever of them it begins with."""
    found: set[_Group] = set()
    for first in range(len(run)):
        digits = ""
        for last in range(first, len(run)):
            digits += run[last].digits
            if len(digits) > LONGEST:
                break
            if len(digits) >= SHORTEST and _proves_itself(digits):
                found.update(run[first : last + 1])
    return found


def _proves_itself(digits: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and total > 0


def _without(text: str, groups: Sequence[_Group]) -> str:
    """The text without those digits, groups that only spaces part as one."""
    said, at = "", 0
    for group in groups:
        between = text[at : group.start]
        if not (said.endswith(HIDDEN) and _GAP.fullmatch(between)):
            said += between + HIDDEN
        at = group.end
    return said + text[at:]
