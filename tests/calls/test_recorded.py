"""What is certain of the files of a call."""

from __future__ import annotations

from collections.abc import Iterator

from callme.calls import facts as f
from callme.calls.model import Call
from callme.pbx.port import Moment
from tests.calls.played import Living, cases, one_by_one, play

CASE = next(case for case in cases() if case.name == "plain16/in_direct_answered")


def _without_the_answer(steps: list[Moment]) -> Iterator[Moment]:
    """Nobody watches from the moment before they are put together until a second later."""
    living, back_at, back = Living(), float("inf"), False
    for step in steps:
        (fact,) = step.facts
        if step.at >= back_at and not back:
            back = True
            yield Moment(back_at, (f.LinkUp(None), living.snapshot(back_at)))
        living.take(fact)
        if back_at == float("inf") and isinstance(fact, f.BridgeEntered):
            back_at = step.at + 1.0
            yield Moment(step.at, (f.LinkDown(),))
        elif back or back_at == float("inf"):
            yield step


def _only(calls: list[Call]) -> Call:
    (call,) = calls
    return call


def test_of_a_call_that_was_watched_all_is_sure() -> None:
    call = _only(play(CASE.moments))
    assert call.recordings
    assert all(file.sure for file in call.recordings)


def test_of_a_talk_that_began_unseen_nothing_is() -> None:
    call = _only(play(_without_the_answer(list(one_by_one(CASE.moments)))))
    assert call.talks
    assert call.recordings
    assert not any(file.sure for file in call.recordings)
