"""Calls made up at the command line."""

from __future__ import annotations

import json

from callme.lab.script import Answer, Hang, Ignore, Refuse
from callme.lab.trial import Trial


def test_a_trial_survives_the_way_to_a_running_lab() -> None:
    trial = Trial("inbound", "74950000003", "79000000110", "Rosa", ("102",), ("101",), 4, 6, 9)
    assert Trial.read(json.loads(json.dumps(trial.as_json()))) == trial


def test_inbound_the_named_telephones_answer_or_are_busy_and_the_others_ring() -> None:
    phones = Trial("inbound", "74950000003", "79000000110", "", ("102",), ("101",), 4).scenario().phones
    assert phones["102"] == Answer(4)
    assert phones["101"] == Refuse("486", 4)
    assert phones["103"] == Ignore()


def test_the_talk_is_counted_from_the_person_who_answers_not_from_a_queue_that_takes_the_line() -> None:
    steps = Trial("inbound", "74950000005", "79000000110", "", ("104",), talk_s=6).scenario().steps
    assert any(isinstance(s.deed, Hang) and s.after == ("104", "answer") and s.delay_s == 6 for s in steps)
    assert not any(s.after and s.after[1] == "answered" for s in steps)


def test_an_outgoing_call_is_answered_by_the_outside_number() -> None:
    scenario = Trial("outbound", "79000000201", "101", "", ("79000000201",), (), 3).scenario()
    assert scenario.outside == {"79000000201": Answer(3)}


def test_a_caller_gives_up_in_the_end_whatever_happens() -> None:
    steps = Trial("inbound", "74950000003", "79000000110").scenario().steps
    assert any(isinstance(s.deed, Hang) and s.after is None for s in steps)
