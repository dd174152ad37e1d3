"""How a worker meets a portal that does not answer."""

from __future__ import annotations

import pytest

from callme.crm.port import Ambiguous, Delivered, Later, Outcome, Refused, Unauthorised
from callme.delivery.breaker import LONGEST_REST_S, PAUSE_S, Breaker, after, resumed
from tests.delivery.fakes import WHY


def test_failures_in_a_row_lead_to_single_probes_with_growing_rests() -> None:
    breaker, rests = Breaker(), list[float]()
    for _ in range(9):
        breaker = after(breaker, Later(WHY), 100)
        rests.append(breaker.rest_until - 100 if breaker.probing else 0)
    assert rests == [0, 0, 1, 2, 4, 8, LONGEST_REST_S, LONGEST_REST_S, LONGEST_REST_S]


@pytest.mark.parametrize("outcome", [Delivered(), Refused(WHY)])
def test_an_answer_ends_it(outcome: Outcome) -> None:
    breaker = Breaker(failures=8, rest_until=900, paused=WHY)
    assert after(breaker, outcome, 100) == Breaker()


def test_a_wait_that_the_portal_names_is_no_failure() -> None:
    assert after(Breaker(failures=2), Later(WHY, 5), 0) == Breaker(failures=2)


def test_wrong_credentials_pause_until_a_probe_or_a_person() -> None:
    breaker = after(Breaker(), Unauthorised(WHY), 100)
    assert (breaker.paused, breaker.rest_until, breaker.probing) == (WHY, 100 + PAUSE_S, True)
    again = resumed(breaker)
    assert again.rest_until < 100
    assert again.probing
    assert after(again, Ambiguous(WHY), 100).paused == WHY
