"""Whose recordings stay here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callme.calls.model import Call, Direction, RecordingFile, Sound, Talk
from callme.config import Config, KeepBack, Transcription
from callme.crm import policy
from callme.crm.intents import Attach, Transcribe
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


def intents_of(one: Call, rules: Rules) -> list[str]:
    said, _ = policy.decide(one, Told(), rules)
    return [intent.KIND for intent in said if isinstance(intent, Attach | Transcribe)]


def test_what_is_kept_back_is_not_written_down_either() -> None:
    rules = Rules(transcribe_from_s=0.0)
    assert intents_of(CALL, rules) == ["attach", "transcribe"]
    assert intents_of(CALL, replace(rules, private=Privacy((KeepBack(),), "RU"))) == []


@pytest.mark.parametrize(("from_s", "written"), [(None, False), (0.0, True), (40.0, True), (41.0, False)])
def test_short_calls_are_not_written_down(from_s: float | None, written: bool) -> None:
    talk = replace(CALL, answered_at=1010.0, ended_at=1050.0)
    assert ("transcribe" in intents_of(talk, Rules(transcribe_from_s=from_s))) is written


def test_a_message_is_written_down_however_short() -> None:
    left = replace(CALL, talks=(), recordings=(replace(FILE, kind=Sound.VOICEMAIL),))
    assert intents_of(left, Rules(transcribe_from_s=60.0)) == ["attach", "transcribe"]


@pytest.mark.parametrize(
    ("table", "takes", "from_s"),
    [
        ({}, True, None),
        ({"url": "https://a.example"}, True, 5.0),
        ({"url": "https://a.example"}, False, None),
    ],
)
def test_only_where_somebody_writes_and_the_portal_reads(
    table: dict[str, str], takes: bool, from_s: float | None
) -> None:
    config = Config(transcription=Transcription.model_validate(table), keep_back=(KeepBack(),))
    rules = policy.at_home(Rules(transcripts=takes), config)
    assert rules.transcribe_from_s == from_s
    assert rules.private.rules == (KeepBack(),)
