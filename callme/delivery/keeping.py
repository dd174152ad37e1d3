"""Has the worker's lanes kept, however long the store is in trouble: what is in hand must not be lost.

`worker` asks it before anything is sent and after each outcome. It decides nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from callme.delivery.breaker import Breaker
from callme.delivery.lane import Lane
from callme.delivery.ledger import Due, LaneWrite, Ledger, Tried
from callme.delivery.outbox import Rules, Send, Sendable, due_at, hold
from callme.errors import StoreError

log = structlog.get_logger("callme.delivery")


class Keeper:
    """The ledger of one portal's worker. `stopping` is set when the worker ends."""

    def __init__(
        self, portal: str, ledger: Ledger, rules: Rules, rest_s: float, stopping: asyncio.Event
    ) -> None:
        self._portal = portal
        self._ledger = ledger
        self._rules = rules
        self._rest_s = rest_s
        self._stopping = stopping

    async def keep(
        self, lane: Lane, done: Sendable | None, begun: Sendable | None, tried: Tried | None, now: float
    ) -> None:
        """The lane after a step that is done, with the attempt that ended, and before one that begins."""
        touched = frozenset(step.key for step in (done, begun) if isinstance(step, Send))
        write = LaneWrite(lane, touched, tried, due_at(lane, now, self._rules), hold(lane))
        await self.persist(lambda: self._ledger.save(write))

    async def recover(self, clock: Callable[[], float]) -> None:
        """What an earlier process was sending waits in doubt."""

        async def recovered() -> None:
            doubted = await self._ledger.recover(self._portal, clock())
            if doubted:
                log.warning("deliveries found half sent", portal=self._portal, deliveries=doubted)

        await self.persist(recovered)

    async def due(self, now: float, limit: int) -> Due | None:
        """The lanes whose time has come; `None` while the store cannot be read."""
        try:
            return await self._ledger.due(self._portal, now, limit)
        except StoreError as error:
            log.error("store cannot be read", portal=self._portal, error=str(error))
            return None

    async def lane(self, call: str) -> Lane | None:
        """The lane as committed."""
        lanes: list[Lane | None] = []

        async def read() -> None:
            lanes.append(await self._ledger.lane(self._portal, call))

        await self.persist(read)
        return lanes[-1]

    async def note(self, before: Breaker, after: Breaker, now: float) -> None:
        """How the portal is, where that has changed; a pause is kept."""
        if before.probing and not after.probing:
            log.info("portal is back", portal=self._portal)
        elif after.probing and not before.probing and after.paused is None:
            log.warning("portal does not answer; one request at a time probes it", portal=self._portal)
        if (before.paused is None) == (after.paused is None):
            return
        if after.paused is not None:
            log.error("portal paused", portal=self._portal, why=str(after.paused))
        await self.persist(lambda: self._ledger.pause(self._portal, after.paused, now))

    async def persist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Has it written; shielded, since a result in hand must not be lost."""
        told = False
        while True:
            try:
                await asyncio.shield(asyncio.ensure_future(write()))
            except StoreError as error:
                if self._stopping.is_set():
                    raise
                if not told:
                    log.error("store cannot write; deliveries stand", portal=self._portal, error=str(error))
                    told = True
                try:
                    async with asyncio.timeout(self._rest_s):
                        await self._stopping.wait()
                except TimeoutError:
                    continue
            else:
                if told:
                    log.info("store writes again", portal=self._portal)
                return
