"""The one thread that writes: it gathers what waits into one transaction, commits, and says so to the event
loop.

Group commit: while the disk syncs one transaction the next writes queue up and share the next sync. A write
that fails alone must not take its neighbours with it, so a failed group is repeated one by one.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from callme.errors import StoreError
from callme.store.engine import said
from callme.wording import Phrase

Item = TypeVar("Item")
T = TypeVar("T")

LARGEST_GROUP = 256

CLOSED = Phrase("The database is closed already", "База уже закрыта")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection, list[Any]], list[Any]]
    item: Any
    landed: Callable[[Any], None] | None
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Writer:
    """Owns the writing engine and its thread."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()
        self.groups = 0
        self.writes = 0

    def submit(
        self,
        work: Callable[[Connection, list[Item]], list[T]],
        item: Item,
        landed: Callable[[T], None] | None = None,
    ) -> asyncio.Future[T]:
        """Queues a write. `work` writes the items of one kind that share a transaction, in their order, and
        answers for each. The future is done when it is on the disk; `landed` runs on the event loop just
        before, even if nobody awaits the future any more. Fails with `StoreError`."""
        if self._closed:
            raise StoreError(CLOSED)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, item, landed, loop, future))
        return future

    def close(self) -> None:
        """Writes what is queued and ends the thread. Blocks; call it off the event loop."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()
        self._engine.dispose()

    # ------------------------------------------------------------------------------------------ the thread
    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            group = [first]
            last = False
            while len(group) < LARGEST_GROUP:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    last = True
                    break
                group.append(job)
            self._write(group)
            if last:
                return

    def _write(self, group: list[_Job]) -> None:
        try:
            results = self._transact(group)
        except Exception as error:  # noqa: BLE001  who waits for the write must hear of whatever it is
            if len(group) > 1:
                for job in group:
                    self._write([job])
            else:
                _report(group, None, said(error, self._path))
        else:
            self.groups += 1
            self.writes += len(group)
            _report(group, results, None)

    def _transact(self, group: list[_Job]) -> list[Any]:
        kinds: dict[Callable[[Connection, list[Any]], list[Any]], list[int]] = {}
        for index, job in enumerate(group):
            kinds.setdefault(job.work, []).append(index)
        results: list[Any] = [None] * len(group)
        with self._engine.begin() as connection:
            for work, places in kinds.items():
                answers = work(connection, [group[place].item for place in places])
                for place, answer in zip(places, answers, strict=True):
                    results[place] = answer
        return results


def _report(group: list[_Job], results: list[Any] | None, failure: Exception | None) -> None:
    """Tells the event loop, once per group."""

    def tell() -> None:
        for index, job in enumerate(group):
            if failure is not None:
                if not job.future.done():
                    job.future.set_exception(failure)
                continue
            result = None if results is None else results[index]
            if job.landed is not None:
                job.landed(result)
            if not job.future.done():
                job.future.set_result(result)

    try:
        group[0].loop.call_soon_threadsafe(tell)
    except RuntimeError:  # the loop has ended: what was written stays written, nobody is left to be told
        return
