"""Has a river's steps kept in their order, without the river standing still for each turn of the disk.

A `River` owns one. Steps that come while the disk is at work go together in the next transaction: a call's
first ring, which follows a dozen smaller steps within milliseconds, so waits for one turn of the disk and not
for a dozen. Nothing leaves before it is kept: workers are handed what was committed. It decides nothing and
reads nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from callme.errors import StoreError
from callme.store.river import StepWrite
from callme.store.sqlite import Store
from callme.wording import Phrase

log = structlog.get_logger("callme.river")

WRITE_AGAIN_S = 2.0

AHEAD = 64
"""Steps that may wait for the disk; with more the river stands; the link's own buffer holds what comes."""


class Journal:
    """The steps of one PBX on their way to the disk. `run` until `end`."""

    def __init__(self, pbx: str, store: Store, changed: Callable[[], None]) -> None:
        self.trouble: Phrase | None = None
        self._pbx = pbx
        self._store = store
        self._changed = changed
        self._waiting: deque[StepWrite] = deque()
        self._stirred = asyncio.Event()
        self._room = asyncio.Event()
        self._ending = False

    async def add(self, write: StepWrite) -> None:
        """The next step. Returns at once while there is room."""
        self._waiting.append(write)
        self._stirred.set()
        while len(self._waiting) >= AHEAD:
            self._room.clear()
            await self._room.wait()

    def end(self) -> None:
        """No more comes: `run` returns when all is kept."""
        self._ending = True
        self._stirred.set()

    async def run(self) -> None:
        """Keeps what comes; raises what a fault of our own raised."""
        while self._waiting or not self._ending:
            if not self._waiting:
                self._stirred.clear()
                await self._stirred.wait()
                continue
            together = tuple(self._waiting)
            await self._keep(together)
            for _ in together:
                self._waiting.popleft()
            self._room.set()
            self._changed()

    async def _keep(self, together: tuple[StepWrite, ...]) -> None:
        """Waits for the disk however long it is in trouble."""
        while True:
            try:
                await self._store.commit(*together)
            except StoreError as error:
                if self.trouble is None:
                    log.error("store cannot write; the river stands", pbx=self._pbx, why=str(error.problem))
                self.trouble = error.problem
                self._changed()
                await asyncio.sleep(WRITE_AGAIN_S)
            else:
                if self.trouble is not None:
                    log.info("store writes again", pbx=self._pbx)
                self.trouble = None
                return
