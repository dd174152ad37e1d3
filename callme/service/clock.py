"""The wall clock that the river runs by: it never goes back, so that no call ends before it began."""

from __future__ import annotations

import time
from collections.abc import Callable


class WallClock:
    """Epoch seconds; a clock that is set back stands still until it has caught up (DESIGN §2)."""

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self._last = 0.0

    def __call__(self) -> float:
        self._last = max(self._last, self._read())
        return self._last


def local_minute(at: float) -> tuple[int, int]:
    """Day of the week (0 is Monday) and minute of the day of an epoch second, as clocks on this machine's
    walls showed it: summer time included, whenever we were started."""
    then = time.localtime(at)
    return then.tm_wday, then.tm_hour * 60 + then.tm_min
