"""What delivery needs of a store. The store implements it; the worker knows nothing else of the database.

Every method is one transaction. A store that cannot write raises `callme.errors.StoreError`; the worker
keeps what it has in hand and tries again, so nothing is lost while a disk is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from callme.crm.port import Exchange
from callme.delivery.lane import Key, Lane
from callme.wording import Phrase


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt that came to an end: a row that is never changed. `outcome` is the outcome's class, in
    lower case; `exchanges` is what was asked of the portal and answered, without secrets."""

    kind: str  # of the record, or `cards`
    ordinal: int
    number: int
    at: float
    took_ms: int
    outcome: str
    why: Phrase | None = None
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneWrite:
    """The lane as it is to be kept: its own row, the deliveries named in `touched`, and an attempt that
    ended.

    The wish for cards is not written: it belongs to the river. `next_at` is when the lane wants attention,
    `None` for a lane at rest; `held` is why it stands.
    """

    lane: Lane
    touched: frozenset[Key]
    tried: Tried | None
    next_at: float | None
    held: Phrase | None


@dataclass(frozen=True, slots=True)
class Due:
    """Lanes whose time has come, the longest waiting first, and when the next one will be due (`None`: none
    is)."""

    lanes: tuple[Lane, ...]
    next_at: float | None


class Ledger(Protocol):
    """The durable side of delivery."""

    async def recover(self, portal: str, now: float) -> int:
        """Once at start: what was being sent waits in doubt, every lane that is not settled is due. Answers
        how many deliveries were found being sent."""

    async def due(self, portal: str, now: float, limit: int) -> Due:
        """The lanes to work on at `now`, at most `limit`."""

    async def lane(self, portal: str, call: str) -> Lane | None:
        """One lane as committed."""

    async def save(self, write: LaneWrite) -> None:
        """Keeps it; returns when it is on the disk."""

    async def pause(self, portal: str, why: Phrase | None, at: float) -> None:
        """Notes that the portal is paused and why; `None` ends the pause."""
