"""How many requests a portal may get, as a pure value: a leaky bucket counted by the generic cell rate
algorithm.

`Turnstile` in `gate` is the shell around it. Less urgent requests may not take the last tokens, so that a
card or a click finds one even while a backlog drains (law 9). `now` is an argument, in seconds of any
steady clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from callme.crm.port import Urgency

SHARES: Mapping[Urgency, float] = {
    Urgency.COMMAND: 0.0,
    Urgency.CARD: 0.0,
    Urgency.REGISTER: 0.1,
    Urgency.FINISH: 0.2,
    Urgency.RECORDING: 0.4,
    Urgency.UPKEEP: 0.6,
}
"""The part of the burst that each urgency leaves untouched for more urgent ones."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`rate` requests a second in the long run, `burst` at once after a rest.

    `full_at` is the moment at which the bucket would be whole again if nothing more were sent;
    `quiet_until` is the end of a silence that the portal asked for.
    """

    rate: float
    burst: int
    shares: Mapping[Urgency, float] = field(default_factory=lambda: SHARES)
    full_at: float = float("-inf")
    quiet_until: float = float("-inf")

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.burst < 1:
            raise ValueError("a budget needs a rate above 0 and a burst of at least 1")


def tokens(budget: Budget, now: float) -> float:
    """Requests that could be sent at this very moment, as a fraction."""
    return budget.burst - max(0.0, budget.full_at - now) * budget.rate


def reserve(budget: Budget, urgency: Urgency) -> int:
    """Tokens that a request of this urgency must leave; at most all but one, so that nobody is shut out for
    ever."""
    return min(int(budget.burst * budget.shares.get(urgency, 0.0)), budget.burst - 1)


def wait_s(budget: Budget, urgency: Urgency, now: float) -> float:
    """Seconds until a request of this urgency may be sent; 0 when it may go now."""
    # Counted from `full_at`, not from `tokens`: the same sum each time, so that waiting so long is enough.
    needed = (budget.burst - reserve(budget, urgency) - 1) / budget.rate
    return max(0.0, budget.full_at - needed - now, budget.quiet_until - now)


def spend(budget: Budget, now: float) -> Budget:
    """The budget after one request was sent at `now`."""
    return replace(budget, full_at=max(budget.full_at, now) + 1.0 / budget.rate)


def quiet(budget: Budget, now: float, seconds: float) -> Budget:
    """The budget after the portal asked for silence. A shorter silence never ends a longer one."""
    return replace(budget, quiet_until=max(budget.quiet_until, now + seconds))
