"""How a worker behaves towards a portal that does not answer, as a pure value.

While a portal is down every lane would find that out for itself; after a few failures in a row one request
at a time probes it, with growing rests. Any answer that is not a failure ends that at once. Wrong
credentials pause the portal: it is probed every few minutes and says so meanwhile (law 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from callme.crm.port import Ambiguous, Delivered, Later, Outcome, Refused, Unauthorised
from callme.wording import Phrase

TRUSTED_FAILURES = 3
LONGEST_REST_S = 15.0
PAUSE_S = 300.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """`failures` in a row; nothing is sent before `rest_until`; `paused` is why the portal is paused."""

    failures: int = 0
    rest_until: float = float("-inf")
    paused: Phrase | None = None

    @property
    def probing(self) -> bool:
        """One request at a time."""
        return self.paused is not None or self.failures >= TRUSTED_FAILURES


def after(breaker: Breaker, outcome: Outcome, now: float) -> Breaker:
    """The breaker after that outcome of a request."""
    match outcome:
        case Unauthorised(why=why):
            return Breaker(breaker.failures, now + PAUSE_S, why)
        case Later(wait_s=None) | Ambiguous():
            failures = breaker.failures + 1
            rest = min(LONGEST_REST_S, 2.0 ** min(failures - TRUSTED_FAILURES, 10))
            if failures < TRUSTED_FAILURES:
                return replace(breaker, failures=failures)
            return replace(breaker, failures=failures, rest_until=now + rest)
        case Later():
            # The portal speaks, and its own wait is kept by the lane or the gate: neither well nor down.
            return breaker
        case _:
            return Breaker()


def telling(outcomes: Sequence[Outcome]) -> Outcome:
    """Of the outcomes of one request that carried many orders, the one that speaks of the portal: refused
    credentials, else that anything at all was understood, else the first failure."""
    for kinds in (Unauthorised, (Delivered, Refused)):
        for outcome in outcomes:
            if isinstance(outcome, kinds):
                return outcome
    return outcomes[0]


def resumed(breaker: Breaker) -> Breaker:
    """A person asked to try again now. Still probing: the first answer decides."""
    return replace(breaker, rest_until=float("-inf"))
