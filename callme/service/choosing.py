"""Which of a call's files are used: pure decisions between looking at them (`pbx.recordings`) and making one
sound of them (`service.making`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callme.calls.model import Ear, RecordingFile
from callme.calls.stretches import total
from callme.crm.port import Later, Refused
from callme.pbx import shape
from callme.pbx.recordings import Absent, Empty, Found, Missing, NotYet, There
from callme.wording import Phrase

MISSED_S = 1.0
"""So much talk must be in an absent file for it to be waited for though others are there."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is there, and what the call model tells of it."""

    file: RecordingFile
    there: There

    def recorded(self, seconds: float = 0.0) -> shape.Recorded:
        """For `pbx.shape`; without a length only what may be expected of it."""
        return recorded(self.file, seconds)

    @property
    def hears_customer(self) -> bool:
        """The recorded channel's receiving side is the customer's voice."""
        return self.file.hears is Ear.CUSTOMER


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files that are there, best first. `lacking` says what would make the sound more complete, to be
    looked for again in `again_s`."""

    sources: tuple[Source, ...]
    lacking: Phrase | None = None
    again_s: float = 0.0


def recorded(file: RecordingFile, seconds: float = 0.0) -> shape.Recorded:
    """A file of the call model as `pbx.shape` sees it."""
    return shape.Recorded(file.since, file.until or file.since, file.bridged, file.talk, seconds, file.sure)


def choose(files: Sequence[RecordingFile], found: Sequence[Found], *, lost: bool) -> Chosen | Later | Refused:
    """What to do when the files were looked at: use those that are there, or wait for one that is needed.

    A file that may still settle is waited for; one that should be there by now only as long as nothing else
    holds its talk. Of a call that was `lost` with its PBX an absent file never comes.
    """
    seen = list(zip(files, found, strict=True))
    coming = [(file, one) for file, one in seen if isinstance(one, There | NotYet)]
    waits = [one for one in _needed(coming) if isinstance(one, NotYet)]
    if waits:
        soonest = min(waits, key=lambda one: one.wait_s)
        return Later(soonest.why, soonest.wait_s)
    absent = [one for one in found if isinstance(one, Absent)]
    sources = tuple(Source(file, one) for file, one in seen if isinstance(one, There))
    if not sources:
        if absent and not lost:
            return Later(absent[0].why, min(one.wait_s for one in absent))
        return Refused(_why(found))
    hoped = [(file, one) for file, one in seen if isinstance(one, There | Absent)]
    lacking = [one for one in _needed(hoped, MISSED_S) if isinstance(one, Absent)]
    if lacking and not lost:
        return Chosen(sources, lacking[0].why, min(one.wait_s for one in lacking))
    return Chosen(sources)


def _needed(seen: Sequence[tuple[RecordingFile, Found]], worth_s: float = 0.0) -> list[Found]:
    """Those that hold talk which no better one holds."""
    gains = shape.gains([recorded(file) for file, _ in seen])
    return [one for (_, one), gained in zip(seen, gains, strict=True) if gained and total(gained) >= worth_s]


def _why(found: Sequence[Found]) -> Phrase:
    """Why there is no recording; that one is missing weighs more than that one is empty."""
    reasons = [one.why for kind in (Absent, Missing, Empty) for one in found if isinstance(one, kind)]
    return reasons[0]
