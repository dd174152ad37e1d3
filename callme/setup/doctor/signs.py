"""What the doctor saw: one sign each, with what it means, the one command that cures it, and whether it may
be put right without asking. Values only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from callme.crm.port import Finding
from callme.wording import Phrase


class Level(StrEnum):
    """How bad it is."""

    WELL = "well"
    HINT = "hint"  # works, and could be better
    ILL = "ill"


class Area(StrEnum):
    """Which part of a call's way."""

    FILES = "files"
    MACHINE = "machine"
    NETWORK = "network"
    PBX = "pbx"
    PORTAL = "portal"
    PEOPLE = "people"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Fix:
    """Something safe that the doctor may do by himself. `act` raises `OSError`."""

    what: Phrase
    act: Callable[[], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing looked at. `means` says why it matters, `cure` what to do: a command where there is one."""

    area: Area
    level: Level
    topic: Phrase
    found: Phrase
    means: Phrase | None = None
    cure: Phrase | None = None
    fix: Fix | None = None


def well(area: Area, topic: Phrase, found: Phrase) -> Sign:
    """Nothing to do."""
    return Sign(area, Level.WELL, topic, found)


def of_findings(area: Area, findings: Iterable[Finding]) -> list[Sign]:
    """What `callme check` found; a cure beside something that is well is a hint."""
    return [Sign(area, _level(one), one.topic, one.found, None, one.cure) for one in findings]


def _level(finding: Finding) -> Level:
    if not finding.well:
        return Level.ILL
    return Level.HINT if finding.cure is not None else Level.WELL
