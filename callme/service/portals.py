"""The portals of the service: each planned, opened with its budget, and worked for.

A portal never blocks another (law 9): each has its own worker, gate and connections.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from callme.config import Config
from callme.crm.commands import Click, Names
from callme.crm.installation import Home, Installed, Installs, Verdict
from callme.crm.port import Portal, Unauthorised
from callme.delivery.budget import Budget
from callme.delivery.carrier import Listen, Prepare
from callme.delivery.gate import Turnstile
from callme.delivery.lane import HandOver
from callme.delivery.ledger import LaneWrite
from callme.delivery.worker import Worker
from callme.portals import registry
from callme.portals.registry import Plan
from callme.service.metrics import Metrics
from callme.store.sqlite import Store
from callme.wording import Phrase

REFRESH_S = 300.0
"""People and lines of a portal change rarely; five minutes is how long a new colleague waits for his
cards."""


def plans(config: Config) -> list[Plan]:
    """Every portal's own keys checked. Raises `ConfigError`."""
    base = config.path.parent if config.path is not None else Path()
    source = str(config.path or "callme.toml")
    folder, address = config.service.data_dir, config.service.public_url
    return [
        registry.plan(
            one.crm,
            one.id,
            one.settings,
            source=source,
            base=base,
            home=Home(folder, address, one.shadow, config.service.language),
        )
        for one in config.portal
    ]


def local_zone() -> tzinfo:
    """This machine's zone, in which times are told to a portal (with their offset)."""
    return datetime.now(UTC).astimezone().tzinfo or UTC


def opened(plan: Plan) -> Portal:
    """The portal with a gate of its own."""
    gate = Turnstile(Budget(plan.requests_per_second, plan.burst))
    return plan.open(gate, local_zone())


class Desk:
    """All portals with their workers."""

    def __init__(
        self,
        plans_: list[Plan],
        store: Store,
        prepare: Prepare,
        listen: Listen,
        metrics: Metrics,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self.portals = [opened(plan) for plan in plans_]
        ledger = _WatchedLedger(store, changed)
        self.workers = {
            portal.id: Worker(
                portal, ledger, prepare, clock, listen=listen, tally=metrics, shadow=plan.home.quiet
            )
            for plan, portal in zip(plans_, self.portals, strict=True)
        }
        self.shadows = frozenset(plan.id for plan in plans_ if plan.home.quiet)
        self._changed = changed
        self._stirred = {portal.id: asyncio.Event() for portal in self.portals}
        self.unfit: dict[str, Unauthorised] = {}  # portals that refused even to be read
        store.on_hand_over(self._hand_over, self._at_once)

    def _hand_over(self, handed: HandOver) -> None:
        worker = self.workers.get(handed.portal)
        if worker is not None:
            worker.take(handed)
        self._changed()

    def _at_once(self, portal: str) -> bool:
        worker = self.workers.get(portal)
        return worker is not None and worker.at_once()

    def work(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What runs as long as the service does, by name: a worker for each portal."""
        return {f"worker of {name}": worker.run() for name, worker in self.workers.items()}

    def upkeep(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What is cancelled at the end: each portal's caches are kept fresh."""
        return {f"refresh of {portal.id}": self._refresh(portal) for portal in self.portals}

    async def _refresh(self, portal: Portal) -> None:
        while True:
            before = self.unfit.get(portal.id)
            answer = await portal.refresh()
            if isinstance(answer, Unauthorised):
                self.unfit[portal.id] = answer
            else:
                self.unfit.pop(portal.id, None)
            if self.unfit.get(portal.id) != before:
                self._changed()
            stirred = self._stirred[portal.id]
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stirred.wait(), REFRESH_S)
            stirred.clear()

    def stir(self, portal: str) -> None:
        """Something has changed in that portal: it is looked at again at once, and asked again if it had
        refused us."""
        self._stirred[portal].set()
        self.workers[portal].resume()

    async def install(self, portal: str, fields: Mapping[str, str]) -> Installed | None:
        """What a CRM sent when our application was installed in it; `None` when there is no such portal."""
        for one in self.portals:
            if one.id == portal and isinstance(one, Installs):
                done = await one.install(fields)
                if done.verdict is Verdict.KEPT:
                    self.stir(portal)  # subscriptions and the tab wait for no upkeep
                    self._changed()
                return done
        return None

    async def name_of(self, portal: str, click: Click) -> str:
        """Whom that portal has under the clicked number."""
        for one in self.portals:
            if one.id == portal and isinstance(one, Names):
                return await one.name_of(click)
        return ""

    def stop(self) -> None:
        """Nothing new is sent."""
        for worker in self.workers.values():
            worker.stop()

    async def close(self) -> None:
        """Gives the connections back."""
        await asyncio.gather(*(portal.close() for portal in self.portals))


class _WatchedLedger:
    """The store as the workers' ledger; says so when something that pages show was kept."""

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed
        self.recover, self.due, self.lane = store.recover, store.due, store.lane

    async def save(self, write: LaneWrite) -> None:
        await self._store.save(write)
        self._changed()

    async def pause(self, portal: str, why: Phrase | None, at: float) -> None:
        await self._store.pause(portal, why, at)
        self._changed()
