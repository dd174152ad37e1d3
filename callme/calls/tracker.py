"""The heart: facts in, changes of calls out. The state of one PBX's calls, and the step that moves it on.

    step(facts, now) → Outcome(changes, anomalies, deadline)

Pure: no clock, no I/O, no log; `now` is the shell's wall time. What a fact says is written into the memory
by `calls.intake`; what that means for a call is derived from the memory (`calls.derive`). Here it is seen
what changed, what has to be stored, and what may be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from callme.calls import facts as f
from callme.calls.case import Case
from callme.calls.derive import call_id, derive_call
from callme.calls.grouping import Cluster, Switchboard
from callme.calls.intake import Anomaly, Intake
from callme.calls.model import Call, CallId, Direction
from callme.calls.numbering import Numbering
from callme.calls.observed import decode_channel, encode_channel
from callme.calls.parties import Party, parties

LINGER_S = 20.0
"""Facts about a dead channel may still come (a NewCallerid after the Hangup was seen); so long its memory
is kept."""

STATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Change:
    """A call as it is now, and as it was told before (`None`: it is new)."""

    call: Call
    before: Call | None


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
        self._intake = Intake(self.board)
        self._told: dict[str, dict[CallId, Call]] = {}  # cluster -> its calls as last told
        self._stored: set[str] = set()
        self._dead_since: dict[str, float] = {}

    # --------------------------------------------------------------------------------- the step
    def step(self, seen: Iterable[f.Fact], now: float) -> Outcome:
        """Takes the facts of one moment and tells what they changed."""
        outcome = Outcome()
        for fact in seen:
            self._intake.take(fact, now)
        outcome.anomalies, self._intake.anomalies = self._intake.anomalies, []
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
            elif now - since >= LINGER_S and not self._needed(dead, now):
                self._forget(dead, outcome)
        if self._dead_since:
            # One that is still needed by another is looked at again later.
            due = [since + LINGER_S for since in self._dead_since.values()]
            outcome.deadline = min(at if at > now else now + LINGER_S for at in due)

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
        else:
            self._dead_since.setdefault(cluster.id, now)
        if (cluster.alive and changed) or self._needed(cluster, now):
            outcome.states[cluster.id] = self.save(cluster)
            self._stored.add(cluster.id)
        elif not cluster.alive and cluster.id in self._stored:
            self._stored.discard(cluster.id)
            outcome.states[cluster.id] = None

    def _needed(self, cluster: Cluster, now: float) -> bool:
        """Somebody of a call that goes on, or ended a moment ago, was in a bridge with one of its channels
        (a conference, a joined consultation): that call's talks rest on these stays, whether or not their
        channels live on."""
        for channel in cluster.members.values():
            for stay in channel.stays:
                for other, _ in self.board.bridges.get(stay.bridge, ()):
                    home = self.board.cluster_of(other)
                    ended = self._dead_since.get(home.id, now)
                    if home is not cluster and (home.alive or now - ended < LINGER_S):
                        return True
        return False

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

    def restore(
        self,
        states: Mapping[str, Mapping[str, Any]],
        calls: Iterable[Call],
        watched_until: float | None = None,
    ) -> list[Anomaly]:
        """Goes on where an earlier process stopped: we have been blind since the last thing it saw, or
        since it was last known to watch."""
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
            self._told[identity] = {}
        for call in calls:
            known = self.board.channels.get(str(call.id).removeprefix(f"{self.pbx}-"))
            if known is not None:
                self._told.setdefault(self.board.cluster_of(known).id, {})[call.id] = call
        seen = [channel.seen_at for channel in self.board.alive()]
        if seen and watched_until is not None:
            seen.append(watched_until)
        self._intake.blind_since = max(seen) if seen else None
        return anomalies
