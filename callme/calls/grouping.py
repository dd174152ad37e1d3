"""Which channels belong together: the channels of one PBX, and their clusters by union-find.

Clusters join over linkedid, Local halves, dials, transfers, pickup and unpark. Two clusters that each
already hold a customer's call are linked and stay apart: calls that meet are not one call (law 2).
Uniqueids are text here; their order is by the `epoch.sequence` tail where there is one (`1567020560.9`
before `1567020560.33`), else by arrival.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from callme.calls.facts import Leg
from callme.calls.numbering import Kind, Numbering, hidden, local_stem
from callme.calls.observed import Channel, Stay

_TAIL = re.compile(r"(\d{6,})\.(\d+)$")


def birth_order(channel: Channel) -> tuple[float, int, str]:
    """Sorts channels by birth: seconds and sequence of the uniqueid, arrival where it has none."""
    return _tail(channel.uniqueid) or (channel.born_at, 0, channel.uniqueid)


@lru_cache(maxsize=8192)
def _tail(uniqueid: str) -> tuple[float, int, str] | None:
    found = _TAIL.search(uniqueid)
    return (float(found[1]), int(found[2]), "") if found else None


@dataclass(slots=True, eq=False)
class Cluster:
    """Channels that belong together. `id` is the uniqueid of the one that came first and never changes for
    a cluster that lives on; `linked` are ids of clusters that it met without becoming one with them."""

    id: str
    members: dict[str, Channel] = field(default_factory=dict)
    linkedids: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    dirty: bool = True

    @property
    def alive(self) -> bool:
        """Some channel of it is not hung up."""
        return any(channel.alive for channel in self.members.values())

    def ordered(self) -> list[Channel]:
        """Its channels, eldest first."""
        return sorted(self.members.values(), key=birth_order)


class Switchboard:
    """All channels of one PBX that are alive or were a short while ago, with indexes by bridge, cluster and
    linkedid.

    `bears_call(cluster)` tells whether a cluster already holds a customer's call; it is given by the
    tracker, because that is a question for the derivations.
    """

    def __init__(self, numbering: Numbering, bears_call: Callable[[Cluster], bool]) -> None:
        self.numbering = numbering
        self.channels: dict[str, Channel] = {}
        self.clusters: dict[str, Cluster] = {}
        self.bridges: dict[str, list[tuple[Channel, Stay]]] = {}
        self._home: dict[str, Cluster] = {}
        self._by_linkedid: dict[str, Cluster] = {}
        self._stems: dict[str, str] = {}
        self._whose: dict[str, tuple[str, Numbering, tuple[Kind, str]]] = {}
        self._bears_call = bears_call

    # --------------------------------------------------------------------------------- channels
    def channel(self, leg: Leg, now: float, *, born: bool = False) -> Channel:
        """The channel that the leg names, made if this is its first mention, with what the leg says taken
        over."""
        channel = self.channels.get(leg.uniqueid)
        if channel is None:
            channel = self._introduce(leg, now, born)
            self.cluster_of(channel).dirty = True
            return channel
        linkedid = channel.linkedid
        if channel.learn(leg, now):
            self.cluster_of(channel).dirty = True
            if channel.linkedid != linkedid:
                self._follow_linkedid(channel)
        if born and not channel.born:
            self._born_late(channel, leg)
        return channel

    def _introduce(self, leg: Leg, now: float, born: bool) -> Channel:
        channel = Channel(
            uniqueid=leg.uniqueid,
            name=leg.name,
            linkedid=leg.linkedid or leg.uniqueid,
            first_linkedid=leg.linkedid,
            born_at=now,
            seen_at=now,
            born=born,
            first_state=leg.state,
            first_number=leg.number,
            first_name=leg.caller_name,
            first_context=leg.context,
            first_exten=leg.exten,
        )
        channel.learn(leg, now)
        self.add(channel)
        return channel

    def _born_late(self, channel: Channel, leg: Leg) -> None:
        """Its Newchannel came after another message of the same millisecond: the birth's values are the
        first ones."""
        channel.born = True
        channel.first_state = leg.state
        if not hidden(leg.number):  # a NewCallerid of the same moment may know more than the birth did
            channel.first_number = leg.number
        channel.first_name = leg.caller_name
        channel.first_context = leg.context
        channel.first_exten = leg.exten
        self._whose.pop(channel.uniqueid, None)
        self.cluster_of(channel).dirty = True

    def add(self, channel: Channel) -> None:
        """Takes a new channel in."""
        self.channels[channel.uniqueid] = channel
        cluster = Cluster(channel.uniqueid, {channel.uniqueid: channel}, {channel.linkedid})
        self.clusters[cluster.id] = cluster
        self._home[channel.uniqueid] = cluster
        self._follow_linkedid(channel)
        if channel.is_local:
            self._pair_by_name(channel)

    def restore(self, cluster: Cluster) -> None:
        """Takes a stored cluster in as it was: its channels may share a linkedid with calls that it only
        met."""
        self.clusters[cluster.id] = cluster
        for channel in cluster.members.values():
            self.channels[channel.uniqueid] = channel
            self._home[channel.uniqueid] = cluster
            for stay in channel.stays:
                self.bridges.setdefault(stay.bridge, []).append((channel, stay))
            if channel.is_local:
                self._stems.setdefault(local_stem(channel.name), channel.uniqueid)
        for linkedid in cluster.linkedids:
            self._by_linkedid.setdefault(linkedid, cluster)

    def knows(self, linkedid: str) -> bool:
        """Some channel that we remember has or had that linkedid."""
        return linkedid in self._by_linkedid

    def _pair_by_name(self, channel: Channel) -> None:
        stem = local_stem(channel.name)
        other = self.channels.get(self._stems.setdefault(stem, channel.uniqueid))
        if other is not None and other is not channel and other.half != channel.half and other.alive:
            self.pair(channel, other)
        else:
            self._stems[stem] = channel.uniqueid

    def pair(self, one: Channel, two: Channel) -> None:
        """These are the halves of one Local channel."""
        if one.partner != two.uniqueid or two.partner != one.uniqueid:
            one.partner, two.partner = two.uniqueid, one.uniqueid
            self.join(one, two)

    def partner(self, channel: Channel) -> Channel | None:
        """The other half of a Local channel, if we know it."""
        return self.channels.get(channel.partner) if channel.partner else None

    def kind(self, channel: Channel) -> Kind:
        """What stands behind the channel."""
        return self.whose(channel)[0]

    def extension(self, channel: Channel) -> str | None:
        """The colleague whose phone the channel is, `None` for any other channel."""
        kind, name = self.whose(channel)
        return name if kind is Kind.EXTENSION else None

    def whose(self, channel: Channel) -> tuple[Kind, str]:
        """Kind of the channel, with its extension or its trunk's name. Asked for thousands of times in a
        conference, hence remembered."""
        known = self._whose.get(channel.uniqueid)
        if known is not None and known[0] is channel.name and known[1] is self.numbering:
            return known[2]
        found = self.numbering.of_channel(channel.name, channel.first_context)
        self._whose[channel.uniqueid] = (channel.name, self.numbering, found)
        return found

    def enter(self, channel: Channel, bridge: str, holding: bool, now: float) -> bool:
        """The channel is in the bridge; true if that is news."""
        if not channel.alive or any(stay.bridge == bridge and stay.until is None for stay in channel.stays):
            return False
        stay = Stay(bridge, holding, now)
        channel.stays.append(stay)
        self.bridges.setdefault(bridge, []).append((channel, stay))
        return True

    def leave_unseen(self, channel: Channel, bridge: str, now: float) -> None:
        """The channel was in the bridge, nobody knows since when: a stay of no length is kept, so that who
        was there with it is told as not certain."""
        stay = Stay(bridge, True, now, now)
        channel.unseen = True
        channel.stays.append(stay)
        self.bridges.setdefault(bridge, []).append((channel, stay))

    # --------------------------------------------------------------------------------- clusters
    def cluster_of(self, channel: Channel) -> Cluster:
        """The cluster that the channel belongs to."""
        return self._home[channel.uniqueid]

    def touch(self, *channels: Channel) -> None:
        """Something that matters changed on these channels."""
        for channel in channels:
            self._home[channel.uniqueid].dirty = True

    def _follow_linkedid(self, channel: Channel) -> None:
        known = self._by_linkedid.get(channel.linkedid)
        if known is None:
            cluster = self.cluster_of(channel)
            cluster.linkedids.add(channel.linkedid)
            self._by_linkedid[channel.linkedid] = cluster
        else:
            self._unite(self.cluster_of(channel), known)

    def join(self, one: Channel, two: Channel) -> None:
        """These two channels belong together."""
        self._unite(self.cluster_of(one), self.cluster_of(two))

    def _unite(self, one: Cluster, two: Cluster) -> None:
        if one is two or two.id in one.linked:
            return
        if self._bears_call(one) and self._bears_call(two):
            one.linked.add(two.id)
            two.linked.add(one.id)
            one.dirty = two.dirty = True
            return
        keep, drop = (one, two) if self._outranks(one, two) else (two, one)
        keep.members.update(drop.members)
        keep.linkedids |= drop.linkedids
        keep.linked |= drop.linked - {keep.id}
        keep.dirty = True
        for uniqueid in drop.members:
            self._home[uniqueid] = keep
        for linkedid in drop.linkedids:
            self._by_linkedid[linkedid] = keep
        for met in drop.linked:
            if met in self.clusters:
                self.clusters[met].linked.discard(drop.id)
                self.clusters[met].linked.add(keep.id)
        del self.clusters[drop.id]

    def _outranks(self, one: Cluster, two: Cluster) -> bool:
        """Whose id lives on: the one with the customer's call, else the elder."""
        bears = self._bears_call(one), self._bears_call(two)
        if bears[0] != bears[1]:
            return bears[0]
        return min(map(birth_order, one.members.values())) <= min(map(birth_order, two.members.values()))

    def forget(self, cluster: Cluster) -> None:
        """Drops a cluster whose channels are all gone."""
        for channel in cluster.members.values():
            for stay in channel.stays:
                self._forget_stay(channel, stay.bridge)
            self.channels.pop(channel.uniqueid, None)
            self._home.pop(channel.uniqueid, None)
            self._whose.pop(channel.uniqueid, None)
            stem = local_stem(channel.name)
            if self._stems.get(stem) in (channel.uniqueid, channel.partner):
                self._stems.pop(stem, None)
        for linkedid in cluster.linkedids:
            if self._by_linkedid.get(linkedid) is cluster:
                del self._by_linkedid[linkedid]
        self.clusters.pop(cluster.id, None)

    def _forget_stay(self, channel: Channel, bridge: str) -> None:
        rest = [item for item in self.bridges.get(bridge, ()) if item[0] is not channel]
        if rest:
            self.bridges[bridge] = rest
        else:
            self.bridges.pop(bridge, None)

    def alive(self) -> Iterable[Channel]:
        """Channels that are not hung up."""
        return (channel for channel in self.channels.values() if channel.alive)
