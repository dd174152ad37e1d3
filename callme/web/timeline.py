"""A call's history as lines in the order of time, from its rings, talks, holds and hand-overs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callme.calls.model import Call, Direction
from callme.web.phrases import Words


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: `kind` chooses its look (begin, ring, talk, hold, transfer, end); `until` ends a stretch
    of time."""

    at: float
    kind: str
    text: str
    until: float | None = None


_ORDER = ("begin", "ring", "talk", "hold", "transfer", "end")


def timeline(call: Call, words: Words) -> list[Moment]:
    """All that happened, first things first."""
    return sorted(_moments(call, words), key=lambda moment: (moment.at, _ORDER.index(moment.kind)))


def _moments(call: Call, w: Words) -> Iterator[Moment]:
    yield Moment(call.started_at, "begin", _beginning(call, w))
    for ring in call.rang:
        yield Moment(ring.since, "ring", w("ev_ring", who=ring.extension), ring.until)
    for talk in call.talks:
        who = talk.who if talk.extension in (None, talk.who) else f"{talk.extension} ({talk.who})"
        yield Moment(talk.since, "talk", w("ev_talk", who=who), talk.until)
    for hold in call.holds:
        yield Moment(hold.since, "hold", w("ev_hold", who=hold.who), hold.until)
    for hand in call.transfers:
        yield Moment(hand.at, "transfer", w(f"ev_{hand.kind}", by=hand.by, to=hand.to))
    if call.ended_at is not None:
        text = w.ev_lost if call.lost else w.ev_end
        if call.hung_up_by and not call.lost:
            text = f"{text}: {w.hung_up_by.lower()} {w('side', call.hung_up_by)}"
        yield Moment(call.ended_at, "end", text)


def _beginning(call: Call, w: Words) -> str:
    if call.direction is Direction.IN:
        return w.began_in
    return w(f"began_{call.direction}", who=call.caller or "—")
