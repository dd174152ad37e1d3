"""The office's own time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from callme.service.clock import local_minute


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("at", "expected"),
    [(1_764_000_000.0, (0, 17 * 60)), (1_764_003_661.0, (0, 18 * 60 + 1)), (1_782_000_000.0, (6, 2 * 60))],
    ids=["winter", "a minute past", "summer"],
)
def test_the_weeks_minute_follows_summer_time(at: float, expected: tuple[int, int]) -> None:
    assert local_minute(at) == expected
