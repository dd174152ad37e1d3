"""The values that delivery works on: a lane, its deliveries, and the wish for cards.

A *lane* is the ordered deliveries of one call to one portal. `outbox` decides on it, the worker carries it,
the store keeps it. Everything here is frozen: a change makes a new lane. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from callme.crm.intents import Attach, Cards, Finish, Record, Register, Remind, Settle, Transcribe
from callme.crm.port import Memory
from callme.wording import Phrase


class State(StrEnum):
    """Where one delivery stands."""

    WAITING = "waiting"  # → sending
    SENDING = "sending"  # → done | refused | waiting (try again; after a kill: waiting in doubt)
    DONE = "done"  # the end
    REFUSED = "refused"  # → waiting, only when a person asks for a retry


Key = tuple[str, int]
"""Kind and ordinal: names a delivery within its lane."""

_ORDER = (Register.KIND, Finish.KIND, Attach.KIND, Transcribe.KIND, Remind.KIND, Settle.KIND)
_RANK = {kind: rank for rank, kind in enumerate(_ORDER)}
CARDS = "cards"
"""Stands in an attempt's `kind` for an order about cards, which has no delivery of its own."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record on its way. Times are epoch seconds; `first_at` is the moment of the first attempt."""

    record: Record
    created_at: float
    state: State = State.WAITING
    attempts: int = 0
    next_at: float = 0.0
    doubt: bool = False  # an earlier attempt may have been done unseen; true until it is delivered
    first_at: float | None = None
    why: Phrase | None = None  # of the last attempt that did not succeed

    @property
    def key(self) -> Key:
        """Kind and ordinal."""
        return (self.record.KIND, self.record.ordinal)


@dataclass(frozen=True, slots=True)
class Lane:
    """One call and one portal.

    `wanted` maps each extension that should see the card to the moment since when; of them `asking` should
    only if the portal calls the client theirs. `shown` was acknowledged
    by the portal; `doubted` were sent a card whose acknowledgement we did not get: they may see it and are
    owed a hide too.
    """

    portal: str
    call: str
    deliveries: tuple[Delivery, ...] = ()
    memory: Memory = field(default_factory=dict)
    wanted: Mapping[str, float] = field(default_factory=dict)
    shown: frozenset[str] = frozenset()
    doubted: frozenset[str] = frozenset()
    card_tries: int = 0
    card_next_at: float = 0.0
    asking: frozenset[str] = frozenset()

    def of(self, kind: str) -> tuple[Delivery, ...]:
        """The deliveries of one kind, in order."""
        return tuple(delivery for delivery in self.deliveries if kind == delivery.record.KIND)

    def get(self, key: Key) -> Delivery:
        """The delivery of that key; `KeyError` when the lane has none."""
        for delivery in self.deliveries:
            if delivery.key == key:
                return delivery
        raise KeyError(key)

    def put(self, changed: Delivery) -> Lane:
        """The lane with that delivery in the place of its former self."""
        return replace(
            self, deliveries=tuple(changed if one.key == changed.key else one for one in self.deliveries)
        )

    @property
    def over(self) -> bool:
        """The call has ended: its finish is here, whether delivered or not."""
        return bool(self.of(Finish.KIND))

    @property
    def closed(self) -> bool:
        """The portal knows the end."""
        ends = self.of(Finish.KIND)
        return bool(ends) and all(end.state is State.DONE for end in ends)


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a commit brought for one lane; given to the worker in memory right after the commit.

    `fresh` says that the lane began with this commit, so that nothing needs to be read. `reload` says that
    rows were changed behind the worker's back (a person's retry): what it has in memory is stale. `begun` is
    the whole of a fresh lane whose register was kept as begun with it: it is to be sent now.
    """

    portal: str
    call: str
    at: float
    records: tuple[Record, ...] = ()
    cards: Cards | None = None
    fresh: bool = False
    reload: bool = False
    begun: Lane | None = None


def wish(wanted: Mapping[str, float], seers: Iterable[str], at: float) -> dict[str, float]:
    """The new wish; who was wanted before keeps the moment since when."""
    return {seer: wanted.get(seer, at) for seer in sorted(seers)}


def extend(lane: Lane, handed: HandOver) -> Lane:
    """The lane with what a commit brought. The same hand-over twice changes nothing the second time."""
    known = {delivery.key for delivery in lane.deliveries}
    fresh = [
        Delivery(record, handed.at) for record in handed.records if (record.KIND, record.ordinal) not in known
    ]
    if fresh:
        ended = any(isinstance(delivery.record, Finish) for delivery in fresh)
        lane = replace(lane, deliveries=in_order((*lane.deliveries, *fresh)))
        if ended:
            # The hides that are owed before finish get a try of their own, whatever the shows had come to.
            lane = replace(lane, card_tries=0, card_next_at=0.0)
    if handed.cards is not None:
        wanted = wish(lane.wanted, handed.cards.seers, handed.at)
        lane = replace(lane, asking=handed.cards.asking)
        if wanted != lane.wanted:
            # A new wish is tried at once: waits that the portal asked for are kept by its gate.
            lane = replace(lane, wanted=wanted, card_tries=0, card_next_at=0.0)
    return lane


def in_order(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Register, finish, attach, transcribe, remind, settle; within a kind by ordinal."""
    return tuple(sorted(deliveries, key=lambda one: (_RANK[one.record.KIND], one.record.ordinal)))
