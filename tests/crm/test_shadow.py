"""The comparison of shadow mode: which calls are one, what differs, what only one side has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callme.crm.intents import Direction
from callme.crm.shadow import Difference, Entry, Field, compare, same_number

OURS = Entry(
    "office-1.1", Direction.IN, "+79261112233", 1000.0, "Анна (2)", "200", 30, "74950000001", True, 1050.0
)
THEIRS = replace(OURS, ref="externalCall.1", ended_at=0.0)


def test_the_same_call_has_no_differences() -> None:
    found = compare([OURS], [THEIRS])
    assert found.same == found.pairs
    assert (found.only_ours, found.only_theirs) == ((), ())


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        ({"who": "Борис (3)"}, [Difference(Field.WHO, "Анна (2)", "Борис (3)")]),
        ({"result": "304"}, [Difference(Field.RESULT, "200", "304")]),
        ({"duration_s": 45}, [Difference(Field.DURATION, "30 s", "45 s")]),
        ({"duration_s": 31}, []),
        ({"line": ""}, [Difference(Field.LINE, "74950000001", "")]),
        ({"line": "+74950000001"}, []),
        ({"recording": False}, [Difference(Field.RECORDING, "+", "-")]),
        ({"number": "89261112233"}, [Difference(Field.NUMBER, "+79261112233", "89261112233")]),
        ({"number": "79261112233"}, []),
        ({"started_at": 1040.0}, []),
        ({"started_at": 1000.0 - 3 * 3600}, [Difference(Field.START, "", "-3 h")]),
    ],
)
def test_each_field_is_compared(change: dict[str, object], differences: list[Difference]) -> None:
    (pair,) = compare([OURS], [replace(THEIRS, **change)]).pairs  # type: ignore[arg-type]
    assert list(pair.differences) == differences


@pytest.mark.parametrize(
    "change",
    [
        {"number": "79261112234"},
        {"direction": Direction.OUT},
        {"started_at": 1000.0 + 400},
        {"started_at": 1000.0 + 20 * 3600},
    ],
)
def test_another_call_is_not_taken_for_ours(change: dict[str, object]) -> None:
    other = replace(THEIRS, **change)  # type: ignore[arg-type]
    found = compare([OURS], [other])
    assert (found.pairs, found.only_ours, found.only_theirs) == ((), (OURS,), (other,))


def test_a_connector_that_tells_of_a_long_call_when_it_ends_means_the_same_call() -> None:
    long = replace(OURS, ended_at=1600.0)
    assert compare([long], [replace(THEIRS, started_at=1600.0)]).pairs


def test_of_two_calls_of_one_customer_each_finds_its_own() -> None:
    second = replace(OURS, ref="office-2.2", started_at=1080.0, ended_at=1090.0)
    theirs = [replace(THEIRS, ref="b", started_at=1079.0), replace(THEIRS, ref="a", started_at=1003.0)]
    assert [(pair.ours.ref, pair.theirs.ref) for pair in compare([second, OURS], theirs).pairs] == [
        ("office-1.1", "a"),
        ("office-2.2", "b"),
    ]


def test_a_call_that_was_told_twice_is_one_call_and_one_too_many() -> None:
    """What the old connector does to a ring group: one registration for each telephone."""
    found = compare([OURS], [THEIRS, replace(THEIRS, ref="again", started_at=1010.0)])
    assert [pair.theirs.ref for pair in found.pairs] == ["externalCall.1"]
    assert [one.ref for one in found.only_theirs] == ["again"]


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("+79261112233", "89261112233", True),
        ("9261112233", "+79261112233", True),
        ("+79261112233", "101", False),
        ("101", "101", True),
        ("1101", "101", False),
        ("anonymous", "Anonymous", True),
    ],
)
def test_numbers_are_compared_by_their_national_part(one: str, two: str, same: bool) -> None:
    assert same_number(one, two) is same
