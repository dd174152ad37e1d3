"""Who talked with the customer and when: bridge stays laid over one another, joined through Local halves.

Only stays in real bridges count: holding bridges (parking, waiting) are no talk, and a channel that is
merely Up is an IVR, a queue or voicemail (law 3). Where a BridgeEnter was missed, an answer seen on every
dial of the way stands in for it, and the stretch is marked as not certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callme.calls.facts import DialStatus
from callme.calls.grouping import Switchboard
from callme.calls.numbering import Kind
from callme.calls.observed import Channel, overlap

SEAM_S = 0.5
"""Bridges are left and entered again when Local channels are optimised away or a colleague is swapped in;
up to half a second of that is one talk."""


@dataclass(slots=True)
class Together:
    """The customer's channel and `channel` heard each other; `path` are the Local halves between them."""

    channel: Channel
    since: float
    until: float | None
    path: tuple[str, ...] = ()
    certain: bool = True


def together(board: Switchboard, customer: Channel) -> list[Together]:
    """All stretches in which a person's channel was joined with the customer's, in order of their
    beginning."""
    found: list[Together] = []
    for stay in customer.stays:
        if not stay.holding:
            found.extend(_walk(board, stay.bridge, stay.since, stay.until, (customer.uniqueid,)))
    return _without_seams(found)


def _walk(
    board: Switchboard, bridge: str, since: float, until: float | None, visited: tuple[str, ...]
) -> Iterator[Together]:
    for other, stay in board.bridges.get(bridge, ()):
        if other.uniqueid in visited:
            continue
        part = overlap(since, until, stay.since, stay.until)
        if part is None:
            continue
        if not other.is_local:
            if board.kind(other) in (Kind.EXTENSION, Kind.TRUNK):
                yield Together(other, *part, path=visited[1:])
            continue
        partner = board.partner(other)
        if partner is None or partner.uniqueid in visited:
            continue
        for far in partner.stays:
            common = overlap(*part, far.since, far.until)
            if common is not None and not far.holding:
                yield from _walk(board, far.bridge, *common, (*visited, other.uniqueid, partner.uniqueid))


def _without_seams(found: list[Together]) -> list[Together]:
    found.sort(key=lambda item: item.since)
    merged: list[Together] = []
    last: dict[str, Together] = {}
    for item in found:
        before = last.get(item.channel.uniqueid)
        if before is not None and (before.until is None or item.since - before.until <= SEAM_S):
            if before.until is not None:
                before.until = None if item.until is None else max(before.until, item.until)
            before.path = tuple(dict.fromkeys((*before.path, *item.path)))
        else:
            last[item.channel.uniqueid] = item
            merged.append(item)
    return merged


def answered_without_bridge(board: Switchboard, customer: Channel, channel: Channel) -> Together | None:
    """The talk of a dialled channel whose bridge we did not see: every dial between it and the customer was
    answered, and the customer's line is up."""
    if customer.up_at is None and not customer.stays:
        return None
    chain = _chain(board, channel, customer)
    if not chain or any(status is not DialStatus.ANSWER for _, status in chain):
        return None
    since = max(at for at, _ in chain if at is not None)
    ends = [end for end in (channel.gone_at, customer.gone_at) if end is not None]
    until = min(ends) if ends else None
    return None if until is not None and until <= since else Together(channel, since, until, certain=False)


def _chain(board: Switchboard, channel: Channel, customer: Channel) -> list[tuple[float | None, DialStatus]]:
    """End and status of each dial from the channel up to the customer; empty when the way does not lead
    there."""
    found: list[tuple[float | None, DialStatus]] = []
    current: Channel | None = channel
    for _ in range(32):
        if current is None or not current.dials:
            return []
        dial = current.dials[-1]
        if dial.until is None:
            return []
        found.append((dial.until, dial.status))
        caller = board.channels.get(dial.caller or "")
        if caller is customer:
            return found
        if caller is None or not caller.is_local:
            return []
        current = board.partner(caller) if caller.half == "2" else caller
    return []
