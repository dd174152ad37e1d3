"""Every recorded call is told right, in whatever pieces and order its events arrive.

The truth beside each transcript comes from what the SIP phones were told to do and what they saw.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callme.calls import facts as f
from callme.calls.model import Call, Direction
from callme.lab import scenarios
from callme.pbx.ami.transcript import Chunk, moments
from callme.pbx.port import Moment
from tests.calls.played import (
    Case,
    cases,
    expected,
    matching,
    one_by_one,
    play,
    reconnected_after,
    shuffled,
    told,
)

ALL = cases()
SMALL = cases(9_000)
NAMED = {*scenarios.ALL}
EVERY_EVENT = [
    pytest.param(
        case,
        id=case.name,
        marks=pytest.mark.long
        if case.name.startswith("lab16/") or case.name.partition("/")[2] not in NAMED
        else [],
    )
    for case in ALL
]
"""Several situations in one call have so many events that each in turn is for `make test-long`; so are calls
on a plan of Macro, of which the same ones are there from Asterisk 22."""
SPOKEN_RING = {
    # The script counts the wait before follow-me's second leg as ringing; the phones saw 4.1 s.
    "freepbx16/in_followme_mobile_answers": 4.1,
}


def check(call: Call, truth: dict[str, Any], name: str) -> None:
    """Everything that the truth says of the call."""
    assert told(call) == expected(truth)
    assert call.ended_at is not None
    if not call.lost:  # when the PBX is killed only what was seen until then is certain
        assert call.talk_s == pytest.approx(truth["talk_s"], abs=1)
    assert call.ring_s == pytest.approx(SPOKEN_RING.get(name, truth["ring_s"]), abs=1)
    if truth["recording"] is not None:
        assert bool(call.talks and call.recordings) is truth["recording"]
    if truth["crm"]["user"] is not None and call.talks:
        assert call.owner == truth["crm"]["user"]
    if truth.get("hangup_by"):
        assert str(call.hung_up_by) == truth["hangup_by"]
    assert call.via == truth.get("via_external")
    assert call.certain


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
class TestToldRight:
    def test_whole(self, case: Case) -> None:
        for call, truth in matching(play(case.moments), case.truth):
            check(call, truth, case.name)

    def test_fact_by_fact(self, case: Case) -> None:
        for call, truth in matching(play(one_by_one(case.moments)), case.truth):
            check(call, truth, case.name)

    @pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 12))])
    def test_with_events_of_a_millisecond_shuffled(self, case: Case, seed: int) -> None:
        for call, truth in matching(play(shuffled(case.moments, seed)), case.truth):
            check(call, truth, case.name)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_split_at_every_byte(case: Case) -> None:
    """The stream cut after each single byte gives the same facts, hence the same calls."""
    pieces = [
        Chunk(chunk.at, chunk.data[index : index + 1], fresh=chunk.fresh and index == 0)
        for chunk in case.chunks
        for index in range(len(chunk.data))
    ]
    whole = [fact for step in case.moments for fact in step.facts]
    assert [fact for step in moments(pieces) for fact in step.facts] == whole


@pytest.mark.parametrize("case", EVERY_EVENT)
def test_reconnect_after_every_event(case: Case) -> None:
    """The link breaks and comes back with a snapshot, after each event in turn: the call is told the same."""
    for index in range(len(list(one_by_one(case.moments)))):
        for call, truth in matching(play(reconnected_after(case.moments, index)), case.truth):
            assert told(call) == expected(truth), index
            assert call.ended_at is not None


@pytest.mark.parametrize("case", EVERY_EVENT)
def test_one_event_lost(case: Case) -> None:
    """Each event in turn never arrives: the call may lose detail, but it ends once, for the right customer,
    and names no wrong answerer as certain."""
    steps = list(one_by_one(case.moments))
    for index, lost in enumerate(steps):
        if isinstance(lost.facts[0], f.LinkUp | f.LinkDown):
            continue
        calls = play([step for number, step in enumerate(steps) if number != index], close=True)
        told_to_crm = [call for call in calls if call.direction is not Direction.INTERNAL]
        truths = [truth for truth in case.truth if truth["crm"]["calls"]]
        assert len(told_to_crm) == len(truths), (index, lost)
        for call, truth in zip(told_to_crm, truths, strict=True):
            assert call.ended_at is not None, (index, lost)
            assert call.direction.value == truth["direction"], (index, lost)
            if call.certain:
                assert call.answered_by in (truth["answered_by"], None), (index, lost)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(SMALL), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_interleaved_calls_never_mix(chosen: list[Case], chance: Any) -> None:
    """Several recordings played at the same time on one PBX, each with uniqueids of its own, come out as if
    alone."""
    streams = [
        list(_renamed(case, number)) for number, case in enumerate(chosen) if "restart" not in case.name
    ]
    mixed = sorted(
        (step.at - stream[0].at + 1e9 + chance.random(), number, index, step)
        for number, stream in enumerate(streams)
        for index, step in enumerate(stream)
    )
    heads = [0] * len(streams)
    order: list[Moment] = []
    for at, number, _, _ in mixed:
        order.append(Moment(at, streams[number][heads[number]].facts))
        heads[number] += 1
    together = sorted(_gist(call) for call in play(order))
    alone = sorted(_gist(call) for stream in streams for call in play(stream))
    assert together == alone


def _gist(call: Call) -> str:
    words = told(call)
    return repr(
        [words[key] for key in ("direction", "external", "answered_by", "final_talker", "disposition")]
    )


def _renamed(case: Case, number: int) -> list[Moment]:
    """The recording with uniqueids, channel names and bridges of its own."""
    mark = b"%x" % (number + 2)
    data = b"".join(chunk.data for chunk in case.chunks)
    data = re.sub(rb"((?:queid|kedid): )1", rb"\g<1>" + mark + b"1", data)
    data = re.sub(rb"(Channel: [^\r]*-)0([0-9a-f]{7})", rb"\g<1>" + mark + rb"\g<2>", data)
    data = re.sub(rb"(BridgeUniqueid: )", rb"\g<1>" + mark, data)
    whole = next(iter(moments([Chunk(case.chunks[0].at, data)])))
    facts = [fact for fact in whole.facts if not isinstance(fact, f.LinkUp)]
    return [Moment(float(index), (fact,)) for index, fact in enumerate(facts)]
