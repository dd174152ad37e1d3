"""What holds whatever a PBX, a network or a restart do to the stream of facts."""

from __future__ import annotations

import json
import random
import time
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callme.calls import facts as f
from callme.calls.facts import DialStatus
from callme.calls.model import Call, CallId, decode, encode
from callme.calls.numbering import Numbering
from callme.calls.tracker import Outcome, Tracker
from callme.pbx.port import Moment
from tests.calls.played import Living, cases, one_by_one
from tests.calls.scene import CUSTOMER, Scene, customers, gist

RECORDED = [case for case in cases() if "freepbx16" not in case.name]


@cache
def facts_of(index: int) -> list[f.Fact]:
    return [moment.facts[0] for moment in one_by_one(RECORDED[index].moments)]


class Watched:
    """A tracker that is looked after at each step."""

    def __init__(self) -> None:
        self.tracker = Tracker("pbx", Numbering())
        self.calls: dict[CallId, Call] = {}

    def take(self, fact: f.Fact, now: float) -> Outcome:
        outcome = self.tracker.step((fact,), now)
        for change in outcome.changes:
            before = self.calls.get(change.call.id)
            assert change.before == before
            assert before is None or before.ended_at is None or change.call.ended_at is not None, "reopened"
            self.calls[change.call.id] = change.call
            assert decode(json.loads(json.dumps(encode(change.call)))) == change.call
        for absorbed in outcome.absorbed:
            del self.calls[absorbed]
        for state in outcome.states.values():
            assert state is None or json.loads(json.dumps(state))["channels"]
        self.consistent()
        return outcome

    def consistent(self) -> None:
        board = self.tracker.board
        housed = [uniqueid for cluster in board.clusters.values() for uniqueid in cluster.members]
        assert sorted(housed) == sorted(board.channels), "a channel has exactly one home"
        for identity, cluster in board.clusters.items():
            assert cluster.id == identity
            for channel in cluster.members.values():
                assert board.cluster_of(channel) is cluster
                assert board.channels[channel.uniqueid] is channel
                if not channel.alive:
                    assert all(stay.until is not None for stay in channel.stays)
                    assert all(dial.until is not None for dial in channel.dials)
        for bridge, members in board.bridges.items():
            assert members, "an empty bridge is kept"
            for channel, stay in members:
                assert stay.bridge == bridge
                assert any(stay is known for known in channel.stays)
                assert channel.uniqueid in board.channels

    def empty(self) -> bool:
        board, tracker = self.tracker.board, self.tracker
        return not any(
            (
                board.channels,
                board.clusters,
                board.bridges,
                board._home,
                board._by_linkedid,
                board._stems,
                tracker._told,
                tracker._stored,
                tracker._dead_since,
                board._whose,
            )
        )


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, len(RECORDED) - 1), min_size=1, max_size=2),
    st.randoms(use_true_random=False),
    st.floats(0.2, 1.0),
)
def test_any_facts_in_any_order(chosen: list[int], chance: random.Random, share: float) -> None:
    """No rubbish raises, reopens a call, or leaves the memory at odds with itself; after a snapshot of an
    empty PBX nothing is left of it."""
    pool = [fact for index in chosen for fact in facts_of(index)]
    chance.shuffle(pool)
    watched, now = Watched(), 1e9
    for fact in pool[: int(len(pool) * share)]:
        now += chance.choice((0, 0, 0.001, 0.03))
        watched.take(fact, now)
    watched.take(f.Snapshot((), now + 1), now + 2)
    watched.take(f.TimePassed(), now + 60)
    assert watched.empty()
    assert all(call.ended_at is not None for call in customers(list(watched.calls.values())))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(RECORDED) - 1), st.floats(0, 1))
def test_restarted_anywhere(index: int, share: float) -> None:
    """A process that dies after any fact and is followed by one that has the stored states and takes a
    snapshot tells the same calls."""
    case = RECORDED[index]
    if "restart" in case.name:
        return
    steps = list(one_by_one(case.moments))
    cut = int(share * len(steps))
    known = played(steps, cut)
    whole = played(steps, len(steps) + 1)
    assert [gist(call)[:-1] for call in known] == [gist(call)[:-1] for call in whole]


def played(steps: list[Moment], cut: int) -> list[Call]:
    tracker, living = Tracker("pbx", Numbering()), Living()
    states: dict[str, dict[str, Any]] = {}
    calls: dict[CallId, Call] = {}

    def take(fact: f.Fact, at: float) -> None:
        outcome = tracker.step((fact,), at)
        calls.update({change.call.id: change.call for change in outcome.changes})
        for absorbed in outcome.absorbed:
            calls.pop(absorbed, None)
        for identity, state in outcome.states.items():
            if state is None:
                states.pop(identity, None)
            else:
                states[identity] = json.loads(json.dumps(state))

    late = 0.0
    for number, step in enumerate(steps):
        if number == cut:
            late = 1.0  # so long nobody listened
            tracker = Tracker("pbx", Numbering())
            stored = [decode(json.loads(json.dumps(encode(call)))) for call in calls.values()]
            assert tracker.restore(states, customers(stored)) == []
            take(living.snapshot(step.at + late), step.at + late)
        take(step.facts[0], step.at + late)
        living.take(step.facts[0])
    take(f.TimePassed(), steps[-1].at + 60)
    assert states == {}, "states of calls that are over are kept"
    return sorted(customers(list(calls.values())), key=lambda call: (call.started_at, call.id))


def test_state_of_another_version_is_left_alone() -> None:
    tracker = Tracker("pbx", Numbering())
    (odd,) = tracker.restore({"1.1": {"version": 99, "channels": [{}]}}, ())
    assert (odd.what, odd.about) == ("state of another version", "1.1")
    assert not tracker.board.channels


def test_linked_calls_stay_apart_over_a_restart() -> None:
    scene = Scene()
    one, two = scene.customer_calls(), scene.customer_calls(number="79169990106")
    room = scene.meet(one)
    two.linkedid = one.linkedid  # Asterisk gives both the older one
    scene.meet(two, bridge=room)
    before = Tracker("pbx", Numbering())
    states: dict[str, Any] = {}
    for moment in scene.moments:
        states.update(before.step(moment.facts, moment.at).states)
    after = Tracker("pbx", Numbering())
    after.restore(json.loads(json.dumps(states)), before.calls())
    after.step((f.TimePassed(),), scene.now)
    assert sorted(after.calls(), key=str) == sorted(before.calls(), key=str)
    assert {call.external for call in after.calls()} == {CUSTOMER, "79169990106"}


class TestBlind:
    def talking(self) -> tuple[Scene, Watched]:
        scene, watched = Scene(), Watched()
        customer = scene.customer_calls()
        phone = scene.rings(customer, "101")
        scene.wait(2)
        scene.talk(customer, phone)
        for moment in scene.moments:
            watched.take(moment.facts[0], moment.at)
        return scene, watched

    def test_pbx_booted_in_between(self) -> None:
        """Its channels cannot have lived through that; the end is the last thing that is certain."""
        scene, watched = self.talking()
        watched.take(f.LinkDown(), scene.now + 5)
        watched.take(f.LinkUp(booted_at=scene.now + 20), scene.now + 30)
        (call,) = watched.calls.values()
        assert call.ended_at == pytest.approx(scene.now + 5)
        assert (call.lost, call.answered_by) == (True, "101")
        assert call.talk_s == pytest.approx(5, abs=0.01)

    @pytest.mark.parametrize("booted_at", [None, 0.0, -1e12])
    def test_pbx_lived_on(self, booted_at: float | None) -> None:
        scene, watched = self.talking()
        watched.take(f.LinkDown(), scene.now + 5)
        watched.take(f.LinkUp(booted_at=booted_at), scene.now + 30)
        (call,) = watched.calls.values()
        assert call.open

    def test_snapshot_knows_it_no_more(self) -> None:
        scene, watched = self.talking()
        watched.take(f.LinkDown(), scene.now + 5)
        watched.take(f.Snapshot((), scene.now + 30), scene.now + 30)
        (call,) = watched.calls.values()
        assert call.ended_at == pytest.approx(scene.now + 5)
        assert (call.lost, call.hung_up_by) == (True, None)
        watched.take(scene.moments[0].facts[0], scene.now + 31)  # a ghost of it
        (call,) = watched.calls.values()
        assert not call.open

    def test_many_breaks_keep_the_first_moment(self) -> None:
        scene, watched = self.talking()
        for later in (5, 6, 7):
            watched.take(f.LinkDown(), scene.now + later)
        watched.take(f.Snapshot((), scene.now + 30), scene.now + 30)
        (call,) = watched.calls.values()
        assert call.ended_at == pytest.approx(scene.now + 5, abs=0.01)


def test_a_day_of_calls_leaves_nothing() -> None:
    watched, scene = Watched(), Scene()
    for number in range(40):
        scene = Scene()
        scene.now += number * 100
        for _ in range(number):
            next(scene._number)
        customer = scene.customer_calls()
        near, far = scene.local(customer, "101@from-queue")
        phone = scene.rings(far, "101")
        scene.talk(far, phone)
        scene.talk(customer, near)
        scene.say(f.OriginateEnded("somebody's", customer.uniqueid, True, 4))
        scene.wait(1)
        scene.hangs_up(customer, near, far, phone)
        for moment in scene.moments:
            watched.take(moment.facts[0], moment.at)
    watched.take(f.TimePassed(), scene.now + 60)
    assert len(watched.calls) == 40
    assert watched.empty()


@pytest.mark.parametrize("number", ["9" * 40, "+" + "7" * 25, "00" * 15, "12#34*", "Петя", "\x00"])
def test_odd_numbers(number: str) -> None:
    scene = Scene()
    customer = scene.customer_calls(number=number, name="Ёжик «Ж» \\x")
    phone = scene.rings(customer, "101")
    scene.talk(customer, phone)
    scene.wait()
    scene.hangs_up(customer, phone)
    call = scene.call()
    assert (call.external, call.name, call.answered_by) == (number, "Ёжик «Ж» \\x", "101")


@pytest.mark.parametrize(
    ("outside", "inside", "seconds"), [(15, 15, 3), pytest.param(60, 40, 30, marks=pytest.mark.long)]
)
def test_huge_conference_stays_quick(outside: int, inside: int, seconds: int) -> None:
    scene = Scene()
    members = [scene.customer_calls(number=f"7916{number:07d}") for number in range(outside)]
    members += [scene.phone_calls(f"{200 + number}", "800") for number in range(inside)]
    for member in members:
        scene.up(member)
        scene.meet(member, bridge="room")
        member.linkedid = members[0].linkedid
        scene.wait(0.1)
    for member in members:
        scene.hangs_up(member)
    tracker = Tracker("pbx", Numbering())
    began = time.process_time()
    for moment in scene.moments:
        tracker.step(moment.facts, moment.at)
    assert time.process_time() - began < seconds
    assert len(customers(tracker.calls())) == outside
    assert {call.answered_by for call in customers(tracker.calls())} == {"200"}


def test_two_ends_of_one_ringing_in_any_order() -> None:
    """A queue sends NOANSWER and CANCEL for one leg in one millisecond: what says more counts."""
    seen = set()
    for order in ((0, 1), (1, 0)):
        scene = Scene()
        customer = scene.customer_calls()
        phone = scene.rings(customer, "101")
        scene.wait(5)
        for index in order:
            scene.ended(customer, phone, (DialStatus.NO_ANSWER, DialStatus.CANCEL)[index])
        scene.gone(phone, cause=0)
        scene.wait(5)
        scene.gone(customer)
        seen.add(scene.call().disposition)
    assert seen == {"no-answer"}
