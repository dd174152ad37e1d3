"""Forgets what is old: calls with all that was told of them, and our own copies of recordings.

Run by the service beside everything else, in slices that no ring has to wait for. The PBX's files are never
touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from callme.config import Service
from callme.errors import StoreError
from callme.store.pruning import SLICE
from callme.store.sqlite import Store

log = structlog.get_logger("callme.keeping")

LOOK_S = 3600.0
DAY_S = 86_400.0
BREATH_S = 0.05
"""Between two slices: what calls write goes first."""
INCOMING_S = 2 * DAY_S
"""What was fetched to be converted and lies for so long was given up."""


class Keeping:
    """How long things are kept. `copies` is the folder of our copies of recordings."""

    def __init__(self, service: Service, store: Store, copies: Path, clock: Callable[[], float]) -> None:
        self._service = service
        self._store = store
        self._copies = copies
        self._clock = clock

    async def run(self) -> None:
        """For ever, each hour."""
        while True:
            await self.tidy()
            await asyncio.sleep(LOOK_S)

    async def tidy(self) -> None:
        """Once: forgets old calls, deletes old copies."""
        if self._service.calls_days:
            await self._prune(self._clock() - self._service.calls_days * DAY_S)
        try:
            gone = await asyncio.to_thread(self._sweep, self._clock())
        except OSError as error:
            log.warning("copies of recordings cannot be deleted", why=error.strerror)
            return
        if gone:
            log.info("copies of recordings deleted", count=gone)

    async def _prune(self, before: float) -> None:
        forgotten, slice_ = 0, SLICE
        while slice_ == SLICE:
            try:
                slice_ = await self._store.prune(before)
            except StoreError as error:
                log.warning("old calls cannot be forgotten now", why=str(error.problem))
                return
            forgotten += slice_
            await asyncio.sleep(BREATH_S)
        if forgotten:
            log.info("old calls forgotten", count=forgotten, days=self._service.calls_days)

    def _sweep(self, now: float) -> int:
        """Deletes what is too old, then the eldest of what is too much."""
        if not self._copies.is_dir():
            return 0
        gone = 0
        for file in (self._copies / "incoming").glob("*"):
            if file.is_file() and file.stat().st_mtime < now - INCOMING_S:
                file.unlink(missing_ok=True)
                gone += 1
        files = [
            (one.stat().st_mtime, one.stat().st_size, one)
            for one in self._copies.glob("*.*")
            if one.is_file()
        ]
        total = sum(size for _, size, _ in files)
        oldest = now - self._service.recordings_days * DAY_S
        for changed, size, file in sorted(files, key=lambda one: one[0]):
            if changed >= oldest and total <= self._service.recordings_gb * 1e9:
                break
            file.unlink(missing_ok=True)
            total -= size
            gone += 1
        return gone
