"""Who rang for a call and when: the phones of colleagues, and outside phones on their behalf.

Called by `derive.derive_call`; each function gives one field (law 1: whatever order the facts came in).
"""

from __future__ import annotations

from collections.abc import Iterable

from callme.calls.case import Case, outside_number
from callme.calls.facts import DialStatus
from callme.calls.model import (
    Direction,
    Ring,
)
from callme.calls.observed import Channel, Dial
from callme.calls.parties import (
    is_caller,
)


def derive_rang(case: Case) -> tuple[Ring, ...]:
    """Every stretch in which a colleague's phone, or an outside phone on his behalf, rang."""
    found = [ring for channel in case.channels for ring in _rings_of(case, channel)]
    for leg in case.forwarded_legs():
        owner = case.forwarder(leg)
        if owner is not None:
            number = outside_number(leg)
            found += [_ring(owner, leg, dial, number) for dial in leg.dials]
    since = case.outside_since
    if since is not None:
        found = [ring for ring in found if ring.since >= since]
    return tuple(sorted(found, key=lambda ring: (ring.since, ring.extension)))


def _rings_of(case: Case, channel: Channel) -> Iterable[Ring]:
    extension = case.board.extension(channel)
    if extension is None:
        return
    if is_caller(channel):
        return  # it called us; a pickup gives it a DialEnd, but it never rang (asterisk-ami-observed §6)
    for dial in channel.dials:
        yield _ring(extension, channel, dial)
    if not channel.dials and channel.ringing_at is not None:
        yield Ring(extension, channel.ringing_at, channel.up_at or channel.gone_at, channel.name)


def _ring(extension: str, channel: Channel, dial: Dial, via: str = "") -> Ring:
    picked_up = dial.status is DialStatus.ANSWER or (dial.until is None and channel.up_at is not None)
    answered = picked_up and channel.alive
    return Ring(extension, dial.since, _ring_end(channel, dial), channel.name, via, answered)


def _ring_end(channel: Channel, dial: Dial) -> float | None:
    return dial.until if dial.until is not None else (channel.up_at or channel.gone_at)


def derive_ringing_time(
    case: Case, rang: tuple[Ring, ...], answered_at: float | None
) -> tuple[float | None, float | None]:
    """First ring and its end: of our phones for a caller, of the customer's phone for an outgoing call."""
    if case.party.direction is Direction.OUT:
        spans = [(d.since, _ring_end(leg, d)) for leg in case.party.customers for d in leg.dials]
    else:
        spans = [(ring.since, ring.until) for ring in rang]
    if not spans:
        return None, None
    if answered_at is not None:
        return min(since for since, _ in spans), answered_at
    ends = [until for _, until in spans if until is not None]
    return min(since for since, _ in spans), max(ends) if len(ends) == len(spans) else None
