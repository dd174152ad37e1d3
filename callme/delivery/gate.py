"""The shell around a portal's budget: requests wait here until they may be sent, the most urgent first.

The service makes one `Turnstile` per portal and gives it to the adapter as `callme.crm.port.Gate`. Time is
the event loop's own, which no clock change moves.
"""

from __future__ import annotations

import asyncio
import heapq

from callme.crm.port import Urgency
from callme.delivery.budget import Budget, quiet, spend, tokens, wait_s


class Turnstile:
    """Lets requests through one by one as the budget allows. Implements `callme.crm.port.Gate`."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._arrivals = 0
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, urgency: Urgency) -> None:
        """Returns when a request of this urgency may be sent; its token is spent then."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (urgency, self._arrivals, turn))
        self._admit()
        await turn

    def told_to_wait(self, seconds: float) -> None:
        """The portal asked for quiet: nobody enters for so long."""
        self._budget = quiet(self._budget, asyncio.get_running_loop().time(), seconds)

    @property
    def left(self) -> float:
        """Tokens left at this moment, for metrics."""
        return tokens(self._budget, asyncio.get_running_loop().time())

    @property
    def waiting(self) -> int:
        """Requests that wait, for metrics."""
        return sum(not turn.done() for _, _, turn in self._waiting)

    def _admit(self) -> None:
        """Lets in whoever may go. The head is the most urgent, and who is less urgent never needs less
        budget."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            urgency, _, turn = self._waiting[0]
            if turn.done():  # its request was given up
                heapq.heappop(self._waiting)
                continue
            now = loop.time()
            pause = wait_s(self._budget, urgency, now)
            if pause > 0:
                self._timer = loop.call_later(pause, self._admit)
                return
            heapq.heappop(self._waiting)
            self._budget = spend(self._budget, now)
            turn.set_result(None)
