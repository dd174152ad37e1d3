"""A worker's lanes in memory, which of them share slots, and how much it does at once. `worker` alone uses
them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from callme.crm.intents import Attach, Register, Transcribe
from callme.crm.port import Outcome, Unauthorised
from callme.delivery.lane import Lane
from callme.delivery.outbox import Send, Sendable, SetCards


class Track(IntEnum):
    """Lanes of a kind share slots, so that a backlog never takes those of a call that rings now."""

    LIVE = 0  # cards, and the register of a call that goes on
    RECORD = 1  # what is told of calls that are over
    RECORDING = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a worker does at once."""

    slots: tuple[int, int, int] = (32, 8, 2)  # per track
    batches: int = 4  # of the record slots at once: a portal works on one after the other's commands
    lanes: int = 500  # lanes that one reading of the table brings
    keep_s: float = 5.0  # a lane that waits longer is left to the table
    look_s: float = 60.0  # the table is looked at this often though nothing is due: rows changed from outside
    rest_s: float = 5.0  # between tries of a store that cannot write


@dataclass(slots=True)
class Entry:
    """A lane in memory. `lane` is `None` until it has been read."""

    call: str
    lane: Lane | None = None
    busy: bool = False  # being read or carried
    queued: bool = False
    stale: bool = False  # rows changed since they were read


@dataclass(frozen=True, slots=True)
class Cargo:
    """A lane that is carried now: its step, and where it travels with others what of it does."""

    entry: Entry
    step: Sendable
    orders: tuple[Send, ...] = ()

    @property
    def lane(self) -> Lane:
        """The lane as it is now."""
        assert self.entry.lane is not None  # noqa: S101  only lanes that were read are carried
        return self.entry.lane


def track(lane: Lane, step: Sendable) -> Track:
    """Whose slots the step takes."""
    if isinstance(step, SetCards):
        return Track.LIVE
    match step.record:
        case Register() if not lane.over:
            return Track.LIVE
        case Attach() | Transcribe():
            return Track.RECORDING
        case _:
            return Track.RECORD


def of_the_file(step: Sendable, outcome: Outcome) -> bool:
    """Whether the outcome may speak of a recording's file or of what is said in it, not of the portal."""
    filed = isinstance(step, Send) and isinstance(step.record, Attach | Transcribe)
    return filed and not isinstance(outcome, Unauthorised)
