"""The budget's invariants: in no stretch of time are more requests let through than rate and burst allow,
and a less urgent request never takes the tokens that are kept for more urgent ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callme.crm.port import Urgency
from callme.delivery.budget import Budget, quiet, reserve, spend, tokens, wait_s


def drain(budget: Budget, urgency: Urgency, now: float) -> tuple[Budget, int]:
    """Everything that may go at this moment."""
    sent = 0
    while wait_s(budget, urgency, now) == 0:
        budget, sent = spend(budget, now), sent + 1
        assert sent <= budget.burst
    return budget, sent


@pytest.mark.parametrize(
    ("urgency", "sent"),
    [
        (Urgency.COMMAND, 50),
        (Urgency.CARD, 50),
        (Urgency.REGISTER, 45),
        (Urgency.FINISH, 40),
        (Urgency.RECORDING, 30),
        (Urgency.UPKEEP, 20),
    ],
)
def test_each_urgency_leaves_its_reserve(urgency: Urgency, sent: int) -> None:
    left, gone = drain(Budget(2, 50), urgency, 0)
    assert gone == sent
    assert tokens(left, 0) == pytest.approx(50 - sent)
    assert wait_s(left, Urgency.CARD, 0) == 0 or sent == 50


@given(
    st.floats(0.1, 50),
    st.integers(1, 60),
    st.lists(st.tuples(st.sampled_from(Urgency), st.floats(0, 20)), max_size=80),
)
def test_never_more_than_rate_and_burst_allow(
    rate: float, burst: int, asked: list[tuple[Urgency, float]]
) -> None:
    budget, now, sent = Budget(rate, burst), 0.0, list[float]()
    for urgency, later in asked:
        now += later
        wait = wait_s(budget, urgency, now)
        if wait > 0:
            now += wait + 1e-6
        assert wait_s(budget, urgency, now) == 0, "waiting as told was not enough"
        assert tokens(budget, now) >= reserve(budget, urgency) + 1 - 1e-3
        budget = spend(budget, now)
        sent.append(now)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + (sent[last] - sent[first]) * rate + 1e-3


def test_a_portals_silence_holds_everyone_and_a_shorter_one_does_not_end_it() -> None:
    budget = quiet(quiet(Budget(2, 50), 100, 30), 110, 5)
    assert wait_s(budget, Urgency.COMMAND, 110) == 20
    assert wait_s(budget, Urgency.COMMAND, 130) == 0


@pytest.mark.parametrize("urgency", list(Urgency))
def test_the_smallest_burst_still_lets_everyone_through(urgency: Urgency) -> None:
    assert wait_s(Budget(1, 1), urgency, 0) == 0


@pytest.mark.parametrize(("rate", "burst"), [(0, 5), (-1, 5), (1, 0)])
def test_a_budget_of_nothing_is_no_budget(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="rate above 0"):
        Budget(rate, burst)
