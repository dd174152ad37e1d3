"""When a look into the statistics that found nothing is believed: never while the portal may be at it."""

from __future__ import annotations

import pytest

from callme.crm.port import Attempt
from callme.portals.bitrix24.statistics import LOOKED, WORKS_S, too_early

SENT = 1_767_225_600.25


def looks(number: int, after_s: float, memory: dict[str, str] | None = None) -> tuple[float, str] | None:
    """An attempt of that number so long after the first: how long to wait, and what to remember."""
    early = too_early(Attempt(number, True, memory or {}, SENT + after_s, SENT))
    if early is None:
        return None
    assert early.wait_s is not None
    return early.wait_s, early.memory[LOOKED]


@pytest.mark.parametrize("after_s", [3.0, WORKS_S - 1])
def test_the_second_attempt_waits_until_the_first_cannot_be_at_work(after_s: float) -> None:
    assert looks(2, after_s) == (pytest.approx(WORKS_S - after_s), f"2 {SENT}")
    assert looks(2, WORKS_S) is None


def test_attempts_that_only_looked_do_not_prolong_the_wait() -> None:
    assert looks(3, 40.0, {LOOKED: f"2 {SENT}"}) == (pytest.approx(WORKS_S - 40.0), f"3 {SENT}")
    assert looks(3, WORKS_S, {LOOKED: f"2 {SENT}"}) is None


def test_what_was_sent_again_since_the_last_look_is_waited_for_anew() -> None:
    # The third attempt believed the look and sent; it got no answer either.
    assert looks(4, 200.0, {LOOKED: f"2 {SENT}"}) == (WORKS_S, f"4 {SENT + 200.0}")
    assert looks(7, 500.0) == (WORKS_S, f"7 {SENT + 500.0}")
    assert looks(8, 500.0 + WORKS_S, {LOOKED: f"7 {SENT + 500.0}"}) is None
