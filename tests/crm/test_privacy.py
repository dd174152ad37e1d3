"""Whose recordings stay here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callme.calls.model import Call, Direction, RecordingFile, Talk
from callme.config import KeepBack
from callme.crm import policy
from callme.crm.intents import Attach
from callme.crm.policy import Rules, Told
from callme.crm.privacy import Privacy
from tests.store.making import call

FILE = RecordingFile("/monitor/a.wav", "1.1", "PJSIP/trunk-1", 1010.0, 1050.0)
CALL = replace(
    call(ended_at=1060.0, talks=(Talk("203", "203", 1010.0, 1050.0),), recordings=(FILE,)),
    line="74950000001",
    owner="203",
)


def attached(one: Call, *rules: KeepBack) -> bool:
    said, _ = policy.decide(one, Told(), Rules(private=Privacy(rules, "RU")))
    return any(isinstance(intent, Attach) for intent in said)


@pytest.mark.parametrize(
    "rule",
    [
        KeepBack(),
        KeepBack(pbx="office"),
        KeepBack(line="8 (495) 000-00-01"),
        KeepBack(direction="in"),
        KeepBack(extensions=("20X",)),
        KeepBack(line="74950000001", direction="in", extensions=("101", "203")),
    ],
)
def test_what_a_rule_fits_stays(rule: KeepBack) -> None:
    assert attached(CALL)
    assert not attached(CALL, rule)


@pytest.mark.parametrize(
    "rule",
    [
        KeepBack(pbx="branch"),
        KeepBack(line="74950000002"),
        KeepBack(direction="out"),
        KeepBack(extensions=("10X",)),
        KeepBack(line="74950000001", extensions=("101",)),
    ],
)
def test_what_it_does_not_fit_goes(rule: KeepBack) -> None:
    assert attached(CALL, rule)


def test_a_call_that_was_given_on_goes_by_all_who_talked() -> None:
    given = replace(CALL, talks=(Talk("101", "101", 1010.0, 1020.0), *CALL.talks), owner="203")
    assert not attached(given, KeepBack(extensions=("101",)))


def test_who_called_out_counts_too() -> None:
    out = replace(CALL, direction=Direction.OUT, caller="205", owner="205", talks=CALL.talks)
    assert not attached(out, KeepBack(direction="out", extensions=("205",)))
