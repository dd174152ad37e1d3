"""The heart: facts in, changes of calls out. All that a fact does to the memory of a PBX is written in this
file.

    step(facts, now) → Outcome(changes, anomalies, deadline)

Pure: no clock, no I/O, no log; `now` is the shell's wall time. A fact that fits nothing we know leaves the
memory as it was and comes back as an anomaly. What a fact means for a call is not decided here but derived
from the memory (`calls.derive`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from callme.calls import facts as f
from callme.calls.derive import Case, call_id, derive_call
from callme.calls.grouping import Cluster, Switchboard
from callme.calls.model import Call, CallId, Direction
from callme.calls.numbering import Numbering
from callme.calls.observed import Channel, Dial, Handover, Span, Waiting, decode_channel, encode_channel
from callme.calls.parties import Party, parties

LINGER_S = 20.0
"""Facts about a dead channel may still come (a NewCallerid after the Hangup was seen); so long its memory
is kept."""

CERTAIN_S = 0.001
"""What was seen in a moment lasted at least that moment: a talk that we went blind upon was a talk."""

STATE_VERSION = 1

_STATUS_RANK = (
    f.DialStatus.OTHER,
    f.DialStatus.CANCEL,
    f.DialStatus.NO_ANSWER,
    f.DialStatus.UNAVAILABLE,
    f.DialStatus.CONGESTION,
    f.DialStatus.BUSY,
    f.DialStatus.ANSWER,
)
"""One leg may get two DialEnds in the same millisecond, in any order (queues: NOANSWER and CANCEL): the one
that says more counts."""


@dataclass(frozen=True, slots=True)
class Change:
    """A call as it is now, and as it was told before (`None`: it is new)."""

    call: Call
    before: Call | None


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An observation that the model did not expect. `what` is a fixed word, `about` names the thing."""

    what: str
    about: str


@dataclass(slots=True)
class Outcome:
    """What a step brought. `absorbed` are calls that turned out to be part of others; `states` is what to
    keep so that a restart can go on, by cluster (`None`: forget it); `deadline` is when `TimePassed` is
    wanted at the latest."""

    changes: list[Change] = field(default_factory=list)
    absorbed: list[CallId] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    states: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    deadline: float | None = None


class Tracker:
    """The calls of one PBX."""

    def __init__(self, pbx: str, numbering: Numbering) -> None:
        self.pbx = pbx
        self.board = Switchboard(numbering, self._bears_call)
        self._told: dict[str, dict[CallId, Call]] = {}  # cluster -> its calls as last told
        self._stored: set[str] = set()
        self._dead_since: dict[str, float] = {}
        self._blind_since: float | None = None

    # --------------------------------------------------------------------------------- the step
    def step(self, seen: Iterable[f.Fact], now: float) -> Outcome:
        """Takes the facts of one moment and tells what they changed."""
        outcome = Outcome()
        for fact in seen:
            _TAKE[type(fact)](self, fact, now, outcome)
        self._settle(now, outcome)
        return outcome

    def calls(self) -> list[Call]:
        """All calls in memory as last told."""
        return [call for calls in self._told.values() for call in calls.values()]

    def _bears_call(self, cluster: Cluster) -> bool:
        return any(party.direction is not Direction.INTERNAL for party in parties(self.board, cluster))

    def _settle(self, now: float, outcome: Outcome) -> None:
        for gone in [known for known in self._told if known not in self.board.clusters]:
            self._move_told(gone, outcome)
        for cluster in [c for c in self.board.clusters.values() if c.dirty]:
            cluster.dirty = False
            changed = self._tell(cluster, outcome)
            self._keep(cluster, now, outcome, changed)
        for identity, since in list(self._dead_since.items()):
            dead = self.board.clusters.get(identity)
            if dead is None:
                del self._dead_since[identity]
            elif now - since >= LINGER_S:
                self._forget(dead, outcome)
        if self._dead_since:
            outcome.deadline = min(self._dead_since.values()) + LINGER_S

    def _move_told(self, gone: str, outcome: Outcome) -> None:
        """Its cluster became part of another: the calls that go on there are the same, the others were
        absorbed."""
        self._dead_since.pop(gone, None)
        if gone in self._stored:
            self._stored.discard(gone)
            outcome.states[gone] = None
        for identity, call in self._told.pop(gone).items():
            uniqueid = str(identity).removeprefix(f"{self.pbx}-")
            channel = self.board.channels.get(uniqueid)
            if channel is None:
                continue
            self._told.setdefault(self.board.cluster_of(channel).id, {})[identity] = call

    def _tell(self, cluster: Cluster, outcome: Outcome) -> bool:
        """Derives the cluster's calls again; true if one differs from what was told."""
        found = parties(self.board, cluster)
        told = self._told.setdefault(cluster.id, {})
        now_told: dict[CallId, Call] = {}
        changes = len(outcome.changes)
        for party in found:
            case = Case(self.pbx, self.board, cluster, party, len(found) == 1)
            call = derive_call(case, self._linked(cluster, found, party))
            before = told.get(call.id)
            if before is not None and before.ended_at is not None and call.ended_at is None:
                outcome.anomalies.append(Anomaly("something of a call came after its end", str(call.id)))
                call = before
            now_told[call.id] = call
            if call != before:
                outcome.changes.append(Change(call, before))
        outcome.absorbed.extend(identity for identity in told if identity not in now_told)
        self._told[cluster.id] = now_told
        return len(outcome.changes) > changes

    def _linked(self, cluster: Cluster, found: list[Party], party: Party) -> tuple[CallId, ...]:
        others = [call_id(self.pbx, other.key) for other in found if other is not party]
        for met in sorted(cluster.linked):
            others.extend(identity for identity in self._told.get(met, ()))
        return tuple(others)

    def _keep(self, cluster: Cluster, now: float, outcome: Outcome, changed: bool) -> None:
        if cluster.alive:
            self._dead_since.pop(cluster.id, None)
            if changed:
                outcome.states[cluster.id] = self.save(cluster)
                self._stored.add(cluster.id)
            return
        self._dead_since.setdefault(cluster.id, now)
        if cluster.id in self._stored:
            self._stored.discard(cluster.id)
            outcome.states[cluster.id] = None

    def _forget(self, cluster: Cluster, outcome: Outcome) -> None:
        self.board.forget(cluster)
        self._told.pop(cluster.id, None)
        self._dead_since.pop(cluster.id, None)
        if cluster.id in self._stored:
            self._stored.discard(cluster.id)
            outcome.states[cluster.id] = None

    # ----------------------------------------------------------------------------------- memory
    def save(self, cluster: Cluster) -> dict[str, Any]:
        """The cluster as JSON-ready data, with its format version."""
        return {
            "version": STATE_VERSION,
            "linked": sorted(cluster.linked),
            "linkedids": sorted(cluster.linkedids),
            "channels": [encode_channel(channel) for channel in cluster.ordered()],
        }

    def restore(self, states: Mapping[str, Mapping[str, Any]], calls: Iterable[Call]) -> list[Anomaly]:
        """Goes on where an earlier process stopped: we have been blind since the last thing it saw."""
        anomalies = []
        for identity, state in states.items():
            if state.get("version") != STATE_VERSION:
                anomalies.append(Anomaly("state of another version", identity))
                continue
            channels = [decode_channel(dict(stored)) for stored in state["channels"]]
            self.board.restore(
                Cluster(
                    identity,
                    {channel.uniqueid: channel for channel in channels},
                    set(state.get("linkedids", ())),
                    set(state["linked"]),
                )
            )
            self._stored.add(identity)
        for call in calls:
            known = self.board.channels.get(str(call.id).removeprefix(f"{self.pbx}-"))
            if known is not None:
                self._told.setdefault(self.board.cluster_of(known).id, {})[call.id] = call
        seen = [channel.seen_at for channel in self.board.alive()]
        self._blind_since = max(seen) if seen else None
        return anomalies

    # ------------------------------------------------------------------------------------ facts
    def _channel(self, leg: f.Leg, now: float, *, born: bool = False) -> Channel:
        return self.board.channel(leg, now, born=born)

    def _seen(self, fact: f.ChannelSeen, now: float, outcome: Outcome) -> None:
        self._channel(fact.leg, now, born=fact.born)

    def _variable(self, fact: f.VariableSet, now: float, outcome: Outcome) -> None:
        channel = self._channel(fact.leg, now)
        if channel.set_variable(fact.name, fact.value, now):
            self.board.touch(channel)

    def _application(self, fact: f.ApplicationRan, now: float, outcome: Outcome) -> None:
        channel = self._channel(fact.leg, now)
        if len(channel.applications) < 64 and all(
            name != fact.application for name, _ in channel.applications
        ):
            channel.applications.append((fact.application, now))
            self.board.touch(channel)

    def _dialled(self, fact: f.Dialled, now: float, outcome: Outcome) -> None:
        self._dial(fact.caller, fact.dest, now, fact.dial_string)

    def _dial(
        self,
        caller_leg: f.Leg | None,
        dest_leg: f.Leg,
        now: float,
        dial_string: str = "",
        *,
        ended: bool = False,
    ) -> tuple[Channel, Dial]:
        """The dial of that caller on that channel, made if it is new."""
        dest = self._channel(dest_leg, now)
        caller = self._channel(caller_leg, now) if caller_leg is not None else None
        identity = caller.uniqueid if caller is not None else None
        for dial in dest.dials:
            # Another caller with the end of a ringing that goes on took the dialling channel's place: who
            # transfers while the colleague rings is replaced by a Local half (bridge.c).
            if dial.caller == identity or (ended and caller is not None and dial.until is None):
                dial.dial_string = dial.dial_string or dial_string
                if caller is not None:
                    self.board.join(caller, dest)
                return dest, dial
        dial = Dial(identity, now, dial_string)
        if caller is not None and caller_leg is not None:
            dial.shown, dial.context, dial.exten = caller_leg.number, caller_leg.context, caller_leg.exten
        if not dest.alive:
            dial.until = now
        dest.dials.append(dial)
        self.board.touch(dest)
        if caller is not None:
            self.board.join(caller, dest)
        return dest, dial

    def _dial_ended(self, fact: f.DialEnded, now: float, outcome: Outcome) -> None:
        if fact.caller is None and not self._awaits_originate(fact.dest):
            return  # the other half of a click-to-call gets a DialEnd that belongs to no dial (facts §4)
        dest, dial = self._dial(fact.caller, fact.dest, now, ended=True)
        if _STATUS_RANK.index(fact.status) > _STATUS_RANK.index(dial.status):
            dial.status = fact.status
        if dial.until is None:
            dial.until = now
        dial.forward = dial.forward or fact.forward
        self.board.touch(dest)

    def _awaits_originate(self, leg: f.Leg) -> bool:
        channel = self.board.channels.get(leg.uniqueid)
        return channel is not None and any(dial.caller is None for dial in channel.dials)

    def _entered(self, fact: f.BridgeEntered, now: float, outcome: Outcome) -> None:
        channel = self._channel(fact.leg, now)
        swapped = self.board.channels.get(fact.swap)
        if swapped is not None and swapped.leave(fact.bridge, now):
            self.board.touch(swapped)
        if self.board.enter(channel, fact.bridge, fact.holding, now):
            self._touch_bridge(channel, fact.bridge)

    def _left(self, fact: f.BridgeLeft, now: float, outcome: Outcome) -> None:
        channel = self._channel(fact.leg, now)
        if channel.leave(fact.bridge, now):
            self._touch_bridge(channel, fact.bridge)
        elif all(stay.bridge != fact.bridge for stay in channel.stays):
            outcome.anomalies.append(Anomaly("left a bridge it was never seen in", channel.name))

    def _touch_bridge(self, channel: Channel, bridge: str) -> None:
        """Whoever is in that bridge, also beyond Local halves, may have a new partner."""
        reached: set[str] = set()
        waiting = [bridge]
        self.board.touch(channel)
        while waiting:
            current = waiting.pop()
            if current in reached:
                continue
            reached.add(current)
            for other, _ in self.board.bridges.get(current, ()):
                self.board.touch(other)
                partner = self.board.partner(other)
                if partner is not None:
                    waiting.extend(stay.bridge for stay in partner.stays)

    def _paired(self, fact: f.LocalPaired, now: float, outcome: Outcome) -> None:
        self.board.pair(self._channel(fact.one, now), self._channel(fact.two, now))

    def _blind(self, fact: f.BlindTransferred, now: float, outcome: Outcome) -> None:
        by, who = self._channel(fact.by, now), self._channel(fact.who, now)
        who.handovers.append(Handover("blind", by.uniqueid, fact.exten, now))
        self.board.join(by, who)
        self.board.touch(who)

    def _attended(self, fact: f.AttendedTransferred, now: float, outcome: Outcome) -> None:
        first, second = self._channel(fact.first, now), self._channel(fact.second, now)
        transferee = self._channel(fact.transferee, now) if fact.transferee is not None else None
        target = self._channel(fact.target, now) if fact.target is not None else None
        if transferee is not None:
            to = target.uniqueid if target is not None else second.first_exten
            transferee.handovers.append(Handover("attended", first.uniqueid, to, now))
            self.board.touch(transferee)
            self.board.join(transferee, target if target is not None else second)
        self.board.join(first, second)

    def _picked_up(self, fact: f.PickedUp, now: float, outcome: Outcome) -> None:
        picker, target = self._channel(fact.picker, now), self._channel(fact.target, now)
        target.handovers.append(Handover("pickup", target.uniqueid, picker.uniqueid, now))
        self.board.join(target, picker)
        self.board.touch(target)

    def _parked(self, fact: f.Parked, now: float, outcome: Outcome) -> None:
        parkee = self._channel(fact.parkee, now)
        parkee.handovers.append(Handover("park", fact.parker, "", now))
        self.board.touch(parkee)

    def _unparked(self, fact: f.Unparked, now: float, outcome: Outcome) -> None:
        parkee = self._channel(fact.parkee, now)
        if fact.retriever is None:
            return
        retriever = self._channel(fact.retriever, now)
        for handover in reversed(parkee.handovers):
            if handover.kind == "park" and not handover.to:
                handover.to = retriever.uniqueid
                break
        self.board.join(parkee, retriever)
        self.board.touch(parkee)

    def _hold(self, fact: f.HoldChanged, now: float, outcome: Outcome) -> None:
        channel = self._channel(fact.leg, now)
        current = channel.holds[-1] if channel.holds and channel.holds[-1].until is None else None
        if fact.held and current is None and channel.alive:
            channel.holds.append(Span(now))
        elif not fact.held and current is not None:
            current.until = now
        else:
            return  # an Unhold without a Hold comes before each blind transfer (facts §6)
        self.board.touch(channel)

    def _queue_joined(self, fact: f.QueueJoined, now: float, outcome: Outcome) -> None:
        channel = self._channel(fact.leg, now)
        channel.queues.append(Waiting(fact.queue, now, None if channel.alive else now))
        self.board.touch(channel)

    def _queue_left(self, fact: f.QueueLeft, now: float, outcome: Outcome) -> None:
        channel = self._channel(fact.leg, now)
        for waiting in channel.queues:
            if waiting.queue == fact.queue and waiting.until is None:
                waiting.until = now
                self.board.touch(channel)

    def _hangup_asked(self, fact: f.HangupAsked, now: float, outcome: Outcome) -> None:
        channel = self._channel(fact.leg, now)
        if channel.asked_at is None:
            channel.asked_at = now
            self.board.touch(channel)

    def _hung_up(self, fact: f.HungUp, now: float, outcome: Outcome) -> None:
        if fact.leg.uniqueid not in self.board.channels and not self.board.knows(fact.leg.linkedid):
            return  # a channel of a call that was over before we looked
        channel = self._channel(fact.leg, now)
        if not channel.alive and not channel.vanished:
            return
        channel.vanished = False
        channel.cause = fact.cause
        self._end(channel, now)

    def _end(self, channel: Channel, at: float) -> None:
        bridges = [stay.bridge for stay in channel.stays if stay.until is None]
        channel.end(at)
        self.board.touch(channel)
        for bridge in bridges:
            self._touch_bridge(channel, bridge)

    def _originated(self, fact: f.OriginateEnded, now: float, outcome: Outcome) -> None:
        channel = self.board.channels.get(fact.uniqueid)
        if channel is not None and fact.action_id and "CALLME_COMMAND" not in channel.variables:
            channel.set_variable("CALLME_COMMAND", fact.action_id, now)
            self.board.touch(channel)

    # -------------------------------------------------------------------------------- blindness
    def _link_down(self, fact: f.LinkDown, now: float, outcome: Outcome) -> None:
        if self._blind_since is None:
            self._blind_since = now

    def _link_up(self, fact: f.LinkUp, now: float, outcome: Outcome) -> None:
        """A PBX that started after we last heard of a channel cannot have it any more."""
        if fact.booted_at is None:
            return
        for channel in list(self.board.alive()):
            if channel.seen_at < fact.booted_at - 1.0:
                self._vanish(channel)

    def _snapshot(self, fact: f.Snapshot, now: float, outcome: Outcome) -> None:
        """What lives is as the PBX says; what it does not name, and what we did not hear of since we asked,
        is gone."""
        living = {live.leg.uniqueid for live in fact.legs}
        for channel in list(self.board.alive()):
            if channel.uniqueid not in living and channel.seen_at < fact.asked_at:
                self._vanish(channel)
        for live in fact.legs:
            self._refresh(live, fact.asked_at, now)
        self._blind_since = None

    def _refresh(self, live: f.LiveLeg, asked_at: float, now: float) -> None:
        known = self.board.channels.get(live.leg.uniqueid)
        if known is not None and (not known.alive or known.seen_at >= asked_at):
            return  # what we heard since we asked is newer than the answer
        channel = self._channel(live.leg, now)
        for stay in channel.stays:
            if stay.until is None and stay.bridge != live.bridge:
                stay.until = now
                self._touch_bridge(channel, stay.bridge)
        if live.bridge and self.board.enter(channel, live.bridge, live.holding, now):
            self._touch_bridge(channel, live.bridge)

    def _vanish(self, channel: Channel) -> None:
        """Its end was not seen. The last certain moment is when its phone asked for it, else when we went
        blind."""
        if channel.asked_at is not None:
            at = channel.asked_at
        elif self._blind_since is not None:
            at = max(self._blind_since, channel.seen_at)
        else:
            at = channel.seen_at
        channel.vanished = channel.asked_at is None
        self._end(channel, at + CERTAIN_S)

    def _time_passed(self, fact: f.TimePassed, now: float, outcome: Outcome) -> None:
        """Only the settling after each step was wanted."""


_TAKE: dict[type, Callable[[Tracker, Any, float, Outcome], None]] = {
    f.ChannelSeen: Tracker._seen,
    f.VariableSet: Tracker._variable,
    f.ApplicationRan: Tracker._application,
    f.Dialled: Tracker._dialled,
    f.DialEnded: Tracker._dial_ended,
    f.BridgeEntered: Tracker._entered,
    f.BridgeLeft: Tracker._left,
    f.LocalPaired: Tracker._paired,
    f.BlindTransferred: Tracker._blind,
    f.AttendedTransferred: Tracker._attended,
    f.PickedUp: Tracker._picked_up,
    f.Parked: Tracker._parked,
    f.Unparked: Tracker._unparked,
    f.HoldChanged: Tracker._hold,
    f.QueueJoined: Tracker._queue_joined,
    f.QueueLeft: Tracker._queue_left,
    f.HangupAsked: Tracker._hangup_asked,
    f.HungUp: Tracker._hung_up,
    f.OriginateEnded: Tracker._originated,
    f.LinkUp: Tracker._link_up,
    f.LinkDown: Tracker._link_down,
    f.Snapshot: Tracker._snapshot,
    f.TimePassed: Tracker._time_passed,
}
