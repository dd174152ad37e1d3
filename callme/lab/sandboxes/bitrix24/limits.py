"""How much a client may ask: the leaky bucket over requests and the operating time of each method (sheet
§4.1, §4.2).

Pure counters; `now` is an argument. The REST layer asks them before it does anything.
"""

from __future__ import annotations

from collections import defaultdict

from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.refusal import Refusal


class LeakyBucket:
    """Requests of each source address: +1 per request, −Y each second, refused above X."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def admit(self, source: str, now: float, knobs: Knobs) -> None:
        """Count one request. `Refusal` 503 when there are too many; switched off with `rate_limit_x=0`."""
        if not knobs.rate_limit_x:
            return
        level, since = self._levels.get(source, (0.0, now))
        level = max(0.0, level - max(0.0, now - since) * knobs.rate_limit_y_per_s)
        refused = level + 1 > knobs.rate_limit_x
        if not refused or knobs.rate_limit_counts_refused:
            level += 1
        self._levels[source] = (level, now)
        if refused:
            raise Refusal(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")


class OperatingTime:
    """Seconds of execution of each method of one webhook, in one-minute buckets over ten minutes."""

    def __init__(self) -> None:
        self._spent: defaultdict[str, dict[int, tuple[float, float]]] = defaultdict(dict)

    def check(self, method: str, now: float, knobs: Knobs) -> None:
        """`Refusal` 429 when the sum already exceeds the limit before this call."""
        if knobs.operating_limit_s and self.used(method, now, knobs) > knobs.operating_limit_s:
            raise Refusal(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")

    def spend(self, method: str, now: float, seconds: float, knobs: Knobs) -> None:
        """Count a call's execution time; shorter calls than the least counted are free."""
        if seconds < knobs.operating_min_counted_s:
            return
        number = int(now // knobs.operating_bucket_s)
        first, sum_s = self._spent[method].get(number, (now, 0.0))
        self._spent[method][number] = (first, sum_s + seconds)

    def used(self, method: str, now: float, knobs: Knobs) -> float:
        """The sum that counts now."""
        buckets = self._spent[method]
        for number in [n for n, (first, _) in buckets.items() if first + knobs.operating_window_s <= now]:
            del buckets[number]
        return sum(seconds for _, seconds in buckets.values())

    def reset_at(self, method: str, now: float, knobs: Knobs) -> int | None:
        """When the oldest bucket drops out, in epoch seconds; `None` when nothing was counted."""
        self.used(method, now, knobs)
        firsts = [first for first, _ in self._spent[method].values()]
        return int(min(firsts)) + knobs.operating_window_s if firsts else None
