"""One call's part of a PBX's transcript, to explain the call or to be given away (law 12).

Called by the service for a call's page. It reads bytes by their headers and knows no call: which channels
belong together is seen from the packets alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from callme.pbx.ami.transcript import Chunk
from callme.pbx.ami.wire import Framer
from callme.pbx.segments import window

MEETING_S = 3600.0
"""So long before a call began it is looked who was in a conference already when the call came to it."""

_IDS = re.compile(rb"\n\w*(?:Uniqueid|Linkedid|UniqueID|LinkedID): (\S*\d\.\d+)(?=\r?\n|$)")
_MARKS = re.compile(rb"Event: (?:FullyBooted|BridgeListItem|BridgeListComplete)\r?\n")
_CHANNELS_END = re.compile(rb"Event: CoreShowChannelsComplete\r?\n")
_CHANNEL = re.compile(rb"Event: CoreShowChannel\r?\n")
_COUNT = re.compile(rb"(\nListItems: )\d+")
_ENTERS = re.compile(rb"Event: (?:BridgeEnter|CoreShowChannel)\r?\n")
_LEAVES = re.compile(rb"Event: BridgeLeave\r?\n")
_BRIDGE = re.compile(rb"\nBridge(?:Uniqueid|Id): ([^\r\n]+)")
_CHANNEL_ID = re.compile(rb"\nUniqueid: ([^\r\n]+)")
_SWAPPED = re.compile(rb"\nSwapUniqueid: ([^\r\n]+)")
_HOLDING = re.compile(rb"\nBridgeTechnology: holding_bridge\r?(?:\n|$)")

Arrived = list[tuple[Chunk, list[bytes]]]
"""Chunks with their packets."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a transcript as the bytes of two files."""

    ami: bytes
    idx: bytes


def cut(folder: Path, since: float, until: float, uniqueids: Iterable[str]) -> Cut | None:
    """The packets of one call: those that name one of its channels, and where the link was lost or made.

    `uniqueids` are any of its channels; those that a packet names together with one of them belong to it
    too, and so on. Who was in a bridge with one of them (a conference, a consultation) comes with his own
    call, for who talked rests on him; whom those met elsewhere does not. Of a snapshot only these channels
    stay, so that no other call's numbers leave with it. `None` when nothing of the call is kept. Blocking.
    """
    arrived = [(chunk, Framer().feed(chunk.data)) for chunk in window(folder, since - MEETING_S, until)]
    inside = [pair for pair in arrived if pair[0].at >= since]
    own = _together(_packets(inside), (one.encode() for one in uniqueids))
    met = _met(arrived, own) - own
    if met:
        inside = _from_birth(arrived, inside, met)
    kept = own | _together(_packets(inside), met)
    return _written(inside, kept, since) if own else None


def _packets(arrived: Arrived) -> Iterable[bytes]:
    return (raw for _, packets in arrived for raw in packets)


def _together(packets: Iterable[bytes], uniqueids: Iterable[bytes]) -> set[bytes]:
    """All channels of the call; empty when no packet names one of them."""
    near: dict[bytes, set[bytes]] = {}
    for raw in packets:
        named = set(_IDS.findall(raw))
        for one in named:
            near.setdefault(one, set()).update(named)
    found: set[bytes] = set()
    coming = list(uniqueids)
    while coming:
        one = coming.pop()
        if one in near and one not in found:
            found.add(one)
            coming.extend(near[one])
    return found


def _met(arrived: Arrived, own: set[bytes]) -> set[bytes]:
    """Channels that were in a bridge while one of these was in it. Who is parked or waits beside others in a
    holding bridge hears none of them. After a loss of the link the snapshot tells who is where."""
    holding = {bridge for raw in _packets(arrived) if _HOLDING.search(raw) for bridge in _BRIDGE.findall(raw)}
    present: dict[bytes, set[bytes]] = {}
    found: set[bytes] = set()
    for chunk, packets in arrived:
        if chunk.fresh:
            present.clear()
        for raw in packets:
            entered, left = _ENTERS.match(raw), _LEAVES.match(raw)
            where, who = _BRIDGE.search(raw), _CHANNEL_ID.search(raw)
            if where is None or who is None or where[1] in holding or not (entered or left):
                continue
            members = present.setdefault(where[1], set())
            members.difference_update(_SWAPPED.findall(raw))
            if left:
                members.discard(who[1])
                continue
            members.add(who[1])
            if not members.isdisjoint(own):
                found |= members
    return found


def _from_birth(arrived: Arrived, inside: Arrived, met: set[bytes]) -> Arrived:
    """The call's own time, and before it the time since somebody whom it met is known of."""
    for index, (_, packets) in enumerate(arrived):
        if any(not met.isdisjoint(_IDS.findall(raw)) for raw in packets):
            return arrived[min(index, len(arrived) - len(inside)) :]
    return inside


def _written(arrived: Arrived, own: set[bytes], since: float) -> Cut:
    start = min(since, arrived[0][0].at)
    ami, lines = bytearray(), [f"# wall {start:.6f}"]
    for chunk, packets in arrived:
        kept = _of_call(packets, own)
        if chunk.fresh:
            lines.append(f"# reconnect {len(ami)}")
        if chunk.asked is not None and kept:
            lines.append(f"# asked {len(ami)} {chunk.asked:.6f}")
        if kept:
            lines.append(f"{chunk.at - start:.3f} {len(ami)}")
            ami += kept
    return Cut(bytes(ami), ("\n".join(lines) + "\n").encode())


def _of_call(packets: list[bytes], own: set[bytes]) -> bytes:
    kept: list[bytes] = []
    channels = 0
    for raw in packets:
        if _CHANNELS_END.match(raw):
            kept.append(_COUNT.sub(rb"\g<1>" + str(channels).encode(), raw))
        elif _MARKS.match(raw):
            kept.append(raw)
        elif not own.isdisjoint(_IDS.findall(raw)):
            channels += _CHANNEL.match(raw) is not None
            kept.append(raw)
    return b"".join(raw + b"\r\n\r\n" for raw in kept)
