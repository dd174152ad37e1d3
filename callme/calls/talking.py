"""Who talked with the customer and when, and how he went from one to another.

Called by `derive.derive_call`; each function gives one field (law 1: whatever order the facts came in).
"""

from __future__ import annotations

from callme.calls.case import Case, outside_number
from callme.calls.model import (
    Direction,
    Hold,
    Talk,
    Transfer,
    TransferKind,
)
from callme.calls.observed import Channel, Handover, overlap
from callme.calls.whose import derive_caller, derive_external

AT_ONCE_S = 0.05
LED_THERE_S = 1.0
"""A transfer within a second of the customer's first dial is the one that led to it, whichever was seen
first."""


def derive_talks(case: Case) -> tuple[Talk, ...]:
    """Who talked with the customer and when."""
    here = case.anchor is not None and case.anchor.alive
    return tuple(
        Talk(*_talker(case, item.channel), item.since, item.until, present=here and item.channel.alive)
        for item in case.together
    )


def _talker(case: Case, channel: Channel) -> tuple[str, str | None]:
    extension = case.board.extension(channel)
    if extension is not None:
        return extension, extension
    return outside_number(channel), case.forwarder(channel) if channel.dials else None


def derive_answered_by(case: Case, talks: tuple[Talk, ...]) -> str | None:
    """Who answered first: a colleague (also when he forwarded), else the outside number that did."""
    if not talks:
        return None
    if case.party.direction is Direction.OUT:
        return derive_external(case) or None
    return talks[0].extension or talks[0].who


def derive_via(case: Case, talks: tuple[Talk, ...]) -> str | None:
    """The outside number to which the call was forwarded and where somebody answered."""
    numbers = {outside_number(leg) for leg in case.forwarded_legs() if not case.transferred_out(leg)}
    return next((talk.who for talk in talks if talk.who in numbers), None)


def derive_last_talker(talks: tuple[Talk, ...]) -> Talk | None:
    """The talk that ended last; of those that end together the one that began last."""
    if not talks:
        return None
    return max(talks, key=lambda talk: (float("inf") if talk.until is None else talk.until, talk.since))


def derive_owner(case: Case, talks: tuple[Talk, ...]) -> str | None:
    """The colleague whose call it is: who talked last; without a talk, who called out."""
    own = tuple(talk for talk in talks if talk.extension)
    last = derive_last_talker(own)
    return last.extension if last is not None else derive_caller(case)


def derive_holds(case: Case) -> tuple[Hold, ...]:
    """Stretches in which a talking colleague had put the customer on hold."""
    found: list[Hold] = []
    for item in case.together:
        extension = case.board.extension(item.channel)
        for span in item.channel.holds if extension else ():
            part = overlap(span.since, span.until, item.since, item.until)
            if part is not None:
                found.append(Hold(str(extension), *part))
    return tuple(sorted(found, key=lambda hold: hold.since))


def derive_transfers(case: Case, talks: tuple[Talk, ...]) -> tuple[Transfer, ...]:
    """Hand-overs of the customer; a blind transfer that only parked him is the parking, and who talked next
    after a parking that timed out is whom he went to."""
    found: list[Transfer] = []
    for channel in [*case.party.customers, *(c for c in case.channels if c not in case.party.customers)]:
        parked = [h.at for h in channel.handovers if h.kind == "park"]
        for handover in channel.handovers:
            if handover.kind == "blind" and any(abs(at - handover.at) < 1.0 for at in parked):
                continue
            by = case.person(handover.by)
            to = _taker(case, talks, channel, handover, by)
            if not to and handover.kind == "park" and not channel.alive:
                continue  # he gave up in the parking: he went to nobody
            found.append(Transfer(TransferKind(handover.kind), by, to, handover.at))
    since = case.outside_since
    if since is not None:
        found = [transfer for transfer in found if transfer.at >= since + LED_THERE_S]
    return tuple(sorted(found, key=lambda transfer: transfer.at))


def _taker(case: Case, talks: tuple[Talk, ...], channel: Channel, handover: Handover, by: str) -> str:
    """To whom it went. A colleague may be joined with the customer as well as the customer with him; behind a
    Local channel is whoever talked next, of a group or not."""
    if not handover.to:
        return _next_talker(talks, handover.at, by)
    target = case.board.channels.get(handover.to)
    if target is not None and target in case.party.customers:
        return case.person(channel.uniqueid)
    if target is not None and target.is_local:
        talked = _next_talker(talks, handover.at, by)
        if talked not in ("", by):
            return talked
    return case.person(handover.to)


def _next_talker(talks: tuple[Talk, ...], at: float, by: str) -> str:
    """Who came to talk with the customer when or after he was handed over; back to `by` where nobody else
    did."""
    came = [talk for talk in talks if talk.since >= at - AT_ONCE_S]
    others = [talk for talk in came if talk.who != by]
    return next((talk.extension or talk.who for talk in others or came), "")
