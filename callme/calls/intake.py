"""What each fact does to the memory of a PBX. All that is ever written into it is written in this file.

Called by the tracker for every fact. Nothing is decided here: what the memory means for a call is derived
from it (`calls.derive`). A fact that fits nothing we know leaves the memory as it was and is noted as an
anomaly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from callme.calls import facts as f
from callme.calls.grouping import Switchboard
from callme.calls.observed import Channel, Dial, Handover, Recording, Span, Waiting

CERTAIN_S = 0.001
"""What was seen in a moment lasted at least that moment: a talk that we went blind upon was a talk."""

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
class Anomaly:
    """An observation that the model did not expect. `what` is a fixed word, `about` names the thing."""

    what: str
    about: str


class Intake:
    """The one who writes into a switchboard. `blind_since` is when we last saw anything, while we are
    blind."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board
        self.blind_since: float | None = None
        self.anomalies: list[Anomaly] = []

    def take(self, fact: f.Fact, now: float) -> None:
        """Writes down what the fact says."""
        _TAKE[type(fact)](self, fact, now)

    def _channel(self, leg: f.Leg, now: float, *, born: bool = False) -> Channel:
        return self.board.channel(leg, now, born=born)

    def _seen(self, fact: f.ChannelSeen, now: float) -> None:
        self._channel(fact.leg, now, born=fact.born)

    def _variable(self, fact: f.VariableSet, now: float) -> None:
        channel = self._channel(fact.leg, now)
        if channel.set_variable(fact.name, fact.value, now):
            self.board.touch(channel)

    def _application(self, fact: f.ApplicationRan, now: float) -> None:
        channel = self._channel(fact.leg, now)
        if len(channel.applications) < 64 and all(
            name != fact.application for name, _ in channel.applications
        ):
            channel.applications.append((fact.application, now))
            self.board.touch(channel)

    def _dialled(self, fact: f.Dialled, now: float) -> None:
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
        if caller is not None:  # before the dial is known: by it alone a leg would bear the caller's call
            self.board.join(caller, dest)
        dest.dials.append(dial)
        self.board.touch(dest)
        return dest, dial

    def _dial_ended(self, fact: f.DialEnded, now: float) -> None:
        if fact.caller is None and not self._awaits_originate(fact.dest):
            return  # the other half of a click-to-call gets a DialEnd that belongs to no dial (facts §4)
        dest, dial = self._dial(fact.caller, fact.dest, now, ended=True)
        if _STATUS_RANK.index(fact.status) > _STATUS_RANK.index(dial.status):
            dial.status = fact.status
        if dial.until is None:
            dial.until = now
        dial.forward = dial.forward or fact.forward
        self.board.touch(dest)

    def _progressed(self, fact: f.DialProgressed, now: float) -> None:
        dest = self._channel(fact.dest, now)
        if dest.heard_at is None:
            dest.heard_at = now
            self.board.touch(dest)

    def _awaits_originate(self, leg: f.Leg) -> bool:
        channel = self.board.channels.get(leg.uniqueid)
        return channel is not None and any(dial.caller is None for dial in channel.dials)

    def _entered(self, fact: f.BridgeEntered, now: float) -> None:
        channel = self._channel(fact.leg, now)
        swapped = self.board.channels.get(fact.swap)
        if swapped is not None and swapped.leave(fact.bridge, now):
            self.board.touch(swapped)
        if self.board.enter(channel, fact.bridge, fact.holding, now):
            self._touch_bridge(channel, fact.bridge)

    def _left(self, fact: f.BridgeLeft, now: float) -> None:
        channel = self._channel(fact.leg, now)
        if channel.leave(fact.bridge, now):
            self._touch_bridge(channel, fact.bridge)
        elif all(stay.bridge != fact.bridge for stay in channel.stays):
            self.board.leave_unseen(channel, fact.bridge, now)
            self._touch_bridge(channel, fact.bridge)
            self.anomalies.append(Anomaly("left a bridge it was never seen in", channel.name))

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

    def _paired(self, fact: f.LocalPaired, now: float) -> None:
        self.board.pair(self._channel(fact.one, now), self._channel(fact.two, now))

    def _blind(self, fact: f.BlindTransferred, now: float) -> None:
        by, who = self._channel(fact.by, now), self._channel(fact.who, now)
        who.handovers.append(Handover("blind", by.uniqueid, fact.exten, now))
        self.board.join(by, who)
        self.board.touch(who)

    def _attended(self, fact: f.AttendedTransferred, now: float) -> None:
        first, second = self._channel(fact.first, now), self._channel(fact.second, now)
        transferee = self._channel(fact.transferee, now) if fact.transferee is not None else None
        target = self._channel(fact.target, now) if fact.target is not None else None
        if transferee is not None:
            # By feature code the event names no target and the transferer twice: who talks next tells.
            dialled = second.first_exten if second is not first else ""
            to = target.uniqueid if target is not None else dialled
            transferee.handovers.append(Handover("attended", first.uniqueid, to, now))
            self.board.touch(transferee)
            self.board.join(transferee, target if target is not None else second)
        self.board.join(first, second)

    def _picked_up(self, fact: f.PickedUp, now: float) -> None:
        picker, target = self._channel(fact.picker, now), self._channel(fact.target, now)
        target.handovers.append(Handover("pickup", target.uniqueid, picker.uniqueid, now))
        self.board.join(target, picker)
        self.board.touch(target)

    def _parked(self, fact: f.Parked, now: float) -> None:
        parkee = self._channel(fact.parkee, now)
        parkee.handovers.append(Handover("park", fact.parker, "", now))
        self.board.touch(parkee)

    def _unparked(self, fact: f.Unparked, now: float) -> None:
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

    def _hold(self, fact: f.HoldChanged, now: float) -> None:
        channel = self._channel(fact.leg, now)
        current = channel.holds[-1] if channel.holds and channel.holds[-1].until is None else None
        if fact.held and current is None and channel.alive:
            channel.holds.append(Span(now))
        elif not fact.held and current is not None:
            current.until = now
        else:
            return  # an Unhold without a Hold comes before each blind transfer (facts §6)
        self.board.touch(channel)

    def _queue_joined(self, fact: f.QueueJoined, now: float) -> None:
        channel = self._channel(fact.leg, now)
        channel.queues.append(Waiting(fact.queue, now, None if channel.alive else now))
        self.board.touch(channel)

    def _queue_left(self, fact: f.QueueLeft, now: float) -> None:
        channel = self._channel(fact.leg, now)
        for waiting in channel.queues:
            if waiting.queue == fact.queue and waiting.until is None:
                waiting.until = now
                self.board.touch(channel)

    def _hangup_asked(self, fact: f.HangupAsked, now: float) -> None:
        channel = self._channel(fact.leg, now)
        if channel.asked_at is None:
            channel.asked_at = now
            self.board.touch(channel)

    def _hung_up(self, fact: f.HungUp, now: float) -> None:
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

    def _originated(self, fact: f.OriginateEnded, now: float) -> None:
        channel = self.board.channels.get(fact.uniqueid)
        if channel is not None and fact.action_id and "CALLME_COMMAND" not in channel.variables:
            channel.set_variable("CALLME_COMMAND", fact.action_id, now)
            self.board.touch(channel)

    def _file_noted(self, fact: f.FileNoted, now: float) -> None:
        """Later evidence than a variable: only where no variable told. The end of FreePBX's file names is the
        recorded channel's uniqueid, which need not be the noted one's (sheet freepbx §2.3)."""
        recorded = fact.name.rpartition("-")[2].rpartition(".")[0]
        channel = self.board.channels.get(recorded) or self.board.channels.get(fact.uniqueid)
        if channel is None:
            return
        members = self.board.cluster_of(channel).members.values()
        told = [recording.path for member in members for recording in member.recordings]
        if all(path.rpartition("/")[2] != fact.name for path in told):
            channel.recordings.append(Recording(fact.name, now))
            self.board.touch(channel)

    # -------------------------------------------------------------------------------- blindness
    def _link_down(self, fact: f.LinkDown, now: float) -> None:
        if self.blind_since is None:
            self.blind_since = now

    def _link_up(self, fact: f.LinkUp, now: float) -> None:
        """A PBX that started after we last heard of a channel cannot have it any more."""
        if fact.booted_at is None:
            return
        for channel in list(self.board.alive()):
            if channel.seen_at < fact.booted_at - 1.0:
                self._vanish(channel)

    def _snapshot(self, fact: f.Snapshot, now: float) -> None:
        """What lives is as the PBX says; what it does not name, and what we did not hear of since we asked,
        is gone."""
        living = {live.leg.uniqueid for live in fact.legs}
        for channel in list(self.board.alive()):
            if channel.uniqueid not in living and channel.seen_at < fact.asked_at:
                self._vanish(channel)
        for live in fact.legs:
            self._refresh(live, fact.asked_at, now)
        self.blind_since = None

    def _refresh(self, live: f.LiveLeg, asked_at: float, now: float) -> None:
        known = self.board.channels.get(live.leg.uniqueid)
        if known is not None and (not known.alive or known.seen_at >= asked_at):
            return  # what we heard since we asked is newer than the answer
        channel = self._channel(live.leg, now)
        for stay in channel.stays:
            if stay.until is None and stay.bridge != live.bridge:
                stay.until = now
                channel.patchy = True
                self._touch_bridge(channel, stay.bridge)
        if live.bridge and self.board.enter(channel, live.bridge, live.holding, now):
            channel.patchy = True
            self._touch_bridge(channel, live.bridge)

    def _vanish(self, channel: Channel) -> None:
        """Its end was not seen. The last certain moment is when its phone asked for it, else when we went
        blind."""
        if channel.asked_at is not None:
            at = channel.asked_at
        elif self.blind_since is not None:
            at = max(self.blind_since, channel.seen_at)
        else:
            at = channel.seen_at
        channel.vanished = channel.asked_at is None
        self._end(channel, at + CERTAIN_S)

    def _time_passed(self, fact: f.TimePassed, now: float) -> None:
        """Only the settling after each step was wanted."""


_TAKE: dict[type, Callable[[Intake, Any, float], None]] = {
    f.ChannelSeen: Intake._seen,
    f.VariableSet: Intake._variable,
    f.ApplicationRan: Intake._application,
    f.Dialled: Intake._dialled,
    f.DialEnded: Intake._dial_ended,
    f.DialProgressed: Intake._progressed,
    f.BridgeEntered: Intake._entered,
    f.BridgeLeft: Intake._left,
    f.LocalPaired: Intake._paired,
    f.BlindTransferred: Intake._blind,
    f.AttendedTransferred: Intake._attended,
    f.PickedUp: Intake._picked_up,
    f.Parked: Intake._parked,
    f.Unparked: Intake._unparked,
    f.HoldChanged: Intake._hold,
    f.QueueJoined: Intake._queue_joined,
    f.QueueLeft: Intake._queue_left,
    f.HangupAsked: Intake._hangup_asked,
    f.HungUp: Intake._hung_up,
    f.OriginateEnded: Intake._originated,
    f.FileNoted: Intake._file_noted,
    f.LinkUp: Intake._link_up,
    f.LinkDown: Intake._link_down,
    f.Snapshot: Intake._snapshot,
    f.TimePassed: Intake._time_passed,
}
