"""The named scenarios: whole, told apart, and in the field names of the recorded truth files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from callme.lab import scenarios
from callme.lab.numbering import EXTENSIONS, SECOND_PHONE
from callme.lab.script import Dial, Scenario
from callme.lab.truth import Truth, TruthCall, problems

EACH = pytest.mark.parametrize("scenario", scenarios.ALL.values(), ids=lambda scenario: str(scenario.name))


def test_no_two_scenarios_share_a_name() -> None:
    assert len(scenarios.ALL) == len(scenarios.FIRST) + len(scenarios.MORE) + len(scenarios.ALONE)


@EACH
def test_every_telephone_that_rings_is_named(scenario: Scenario) -> None:
    rung = {phone for call in scenario.truth.calls for step in call.rang for phone in step}
    assert rung <= set(scenario.phones)
    assert set(scenario.phones) <= set(EXTENSIONS) | set(SECOND_PHONE.values())


@EACH
def test_every_step_waits_for_something_that_can_happen(scenario: Scenario) -> None:
    legs = {step.deed.leg for step in scenario.steps if isinstance(step.deed, Dial)}
    legs |= set(scenario.phones) | ({"prov", "back"} if scenario.outside else set())
    assert {step.after[0] for step in scenario.steps if step.after} <= legs
    assert {leg for leg, _ in scenario.truth.seen} <= legs


def test_customers_have_numbers_of_their_own_so_that_recordings_can_be_told_apart() -> None:
    callers = Counter(
        number
        for scenario in scenarios.ALL.values()
        for number in {step.deed.caller for step in scenario.steps if isinstance(step.deed, Dial)}
        if len(number) > 6
    )
    assert [number for number, count in callers.items() if count > 1] == []


@EACH
def test_truth_has_the_field_names_of_recorded_truth(scenario: Scenario) -> None:
    recorded = json.loads(
        (
            Path(__file__).parent.parent / "transcripts" / "plain16" / "in_blind_transfer.truth.json"
        ).read_text()
    )["calls"][0]
    for call in scenario.truth.calls:
        assert set(recorded) - {"note", "transfers"} <= set(call.as_json())
        assert set(recorded["crm"]) == set(call.as_json()["crm"])  # type: ignore[call-overload]


def test_what_the_telephones_saw_is_compared_in_order_within_a_leg() -> None:
    truth = Truth((), (("101", "invite"), ("101", "answer"), ("102", "invite")))
    assert problems(truth, [("102", "invite"), ("101", "invite"), ("101", "answer"), ("101", "gotbye")]) == ()
    assert problems(truth, [("101", "answer"), ("101", "invite"), ("102", "invite")]) == (
        "101: meant invite, answer; saw answer, invite",
    )
    assert problems(truth, [("101", "invite"), ("101", "answer"), ("102", "invite"), ("103", "invite")]) == (
        "103: was rung, which was not meant",
    )


def test_a_missed_call_is_an_inbound_one_that_no_person_answered() -> None:
    assert TruthCall("in", "7", "8", disposition="voicemail").missed
    assert not TruthCall("in", "7", "8", disposition="answered").missed
    assert not TruthCall("out", "7", "8", disposition="busy").missed
