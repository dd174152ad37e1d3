"""The store on SQLite: the river's commits, delivery's ledger, and what a restart goes on with.

The service opens one per data folder. A lock file keeps a second service from delivering the same calls
twice. Pages read through `Store.reading`, on connections of their own.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from callme.calls.model import Call
from callme.delivery.lane import HandOver, Lane
from callme.delivery.ledger import Due, LaneWrite
from callme.errors import StoreError
from callme.store import commands, ledger, listening, pruning, steps
from callme.store.commands import Command
from callme.store.engine import explained, reading, writing
from callme.store.listening import Heard, KeptBack
from callme.store.migrations import upgrade
from callme.store.reading import Reading
from callme.store.river import Resume, StepWrite
from callme.store.steps import Work
from callme.store.writer import Writer
from callme.wording import Phrase

IN_USE = Phrase(
    "Another CallMe works with the database {path}",
    "С базой {path} уже работает другой CallMe",
)
IN_USE_CURE = Phrase(
    "Stop it first, or give this one its own service.data_dir",
    "Сначала остановите его или задайте этому свою папку service.data_dir",
)


def path_of(where: str | Path) -> Path:
    """The file that `where` names: a path or `sqlite:///path`."""
    text = str(where)
    return Path(text.removeprefix("sqlite:///")) if text.startswith("sqlite:///") else Path(text)


def open_store(where: str | Path) -> Store:
    """Opens the database, makes it if there is none, and brings it to this version's schema.

    `where` is a file or `sqlite:///file`. Raises `StoreError` when it cannot be used or another service
    uses it.
    """
    path = path_of(where)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        lock = _lock(path)
    try:
        with explained(path):
            if not path.exists():
                path.touch(0o640)  # nobody else on this machine reads calls; SQLite's other files follow it
        engine = writing(path)
        with explained(path), engine.begin() as connection:
            upgrade(connection)
    except BaseException:
        os.close(lock)
        raise
    return Store(path, Writer(engine, path), lock)


def open_reading(where: str | Path) -> Reading:
    """The database for looking only, while a service may be running. It must exist; `StoreError` when it
    does not."""
    path = path_of(where)
    with explained(path):
        path.stat()
    return Reading(reading(path, 1), path)


def _lock(path: Path) -> int:
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StoreError(IN_USE.given(path=str(path)), IN_USE_CURE) from None
    return handle


class Store:
    """One database. Methods are called on the event loop and never block it. Implements
    `delivery.ledger.Ledger`."""

    def __init__(self, path: Path, writer: Writer, lock: int) -> None:
        self.path = path
        self.reading = Reading(reading(path, 4), path)
        self._writer = writer
        self._lock = lock
        self._hand_over: Callable[[HandOver], None] | None = None
        self._at_once: Callable[[str], bool] = lambda portal: False

    def on_hand_over(
        self, callback: Callable[[HandOver], None], at_once: Callable[[str], bool] | None = None
    ) -> None:
        """Called on the event loop, in the order of commits, for each lane that a commit touched. `at_once`
        says of a portal whether its worker would send a new call's register right away: then the commit that
        brings it keeps its beginning too (`HandOver.begun`), and the worker need not write first."""
        self._hand_over = callback
        if at_once is not None:
            self._at_once = at_once

    @property
    def groups(self) -> int:
        """Transactions so far, for metrics: many writes share one when the disk is the slow part."""
        return self._writer.groups

    async def close(self) -> None:
        """Writes what is queued and gives everything back."""
        await asyncio.to_thread(self._writer.close)
        await self.reading.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # ------------------------------------------------------------------------------------------ the river
    async def commit(self, *writes: StepWrite) -> None:
        """One transaction for all of them; afterwards the touched lanes are handed to their workers."""
        portals = {portal for write in writes for portal, _ in write.intents}
        work = Work(writes, frozenset(filter(self._at_once, portals)))
        await self._writer.submit(steps.write, work, self._landed)

    async def load(self, pbx: str) -> Resume:
        """What the PBX's tracker and the policy go on with."""
        return await self.reading.ask(lambda connection: steps.load(connection, pbx))

    async def hear(self, command: Command) -> Command | None:
        """Keeps what a portal asks for, as it is kept; nothing when that click is kept already."""
        return await self._writer.submit(commands.add, command)

    async def commands(self, pbx: str) -> list[Command]:
        """The commands that the PBX still owes an end, oldest first."""
        return await self.reading.ask(lambda connection: commands.unclosed(connection, pbx))

    # ------------------------------------------------------------------------------------------ people
    async def note_heard(self, heard: Heard) -> None:
        """Keeps who listened to a recording."""
        await self._writer.submit(listening.note, heard)

    async def heard(self, call: str) -> tuple[Heard, ...]:
        """Who listened to the call's recording, newest first."""
        return await self.reading.ask(lambda connection: listening.heard(connection, call))

    async def keep_back(self, said: KeptBack) -> None:
        """From now on the call's recording is uploaded nowhere."""
        await self._writer.submit(listening.keep_back, said)

    async def held_back(self, call: str) -> KeptBack | None:
        """Who said that the call's recording is uploaded nowhere."""
        return await self.reading.ask(lambda connection: listening.held_back(connection, call))

    async def prune(self, before: float) -> int:
        """Forgets a slice of what is older; see `store.pruning`."""
        return await self._writer.submit(pruning.prune, before)

    async def erase(self, number: str) -> tuple[Call, ...]:
        """Forgets a slice of the calls of one number; see `store.pruning`."""

        def landed(erased: pruning.Erased) -> None:
            self._landed(erased[1])

        calls, _ = await self._writer.submit(pruning.erase, number, landed)
        return calls

    def _landed(self, handed: tuple[HandOver, ...]) -> None:
        if self._hand_over is not None:
            for one in handed:
                self._hand_over(one)

    # ------------------------------------------------------------------------------------------ delivery
    async def recover(self, portal: str, now: float) -> int:
        """See `Ledger.recover`."""
        return await self._writer.submit(ledger.recover, (portal, now))

    async def due(self, portal: str, now: float, limit: int) -> Due:
        """See `Ledger.due`."""
        return await self.reading.ask(lambda connection: ledger.due(connection, portal, now, limit))

    async def lane(self, portal: str, call: str) -> Lane | None:
        """See `Ledger.lane`."""
        return await self.reading.ask(lambda connection: ledger.lane(connection, portal, call))

    async def save(self, write: LaneWrite) -> None:
        """See `Ledger.save`."""
        await self._writer.submit(ledger.save, write)

    async def pause(self, portal: str, why: Phrase | None, at: float) -> None:
        """See `Ledger.pause`."""
        await self._writer.submit(ledger.pause, (portal, why, at))

    async def retry(self, delivery: int, now: float) -> bool:
        """A person asks to send a refused or waiting delivery now. False when there is none of that id, or
        when it is done or on its way."""

        def landed(handed: HandOver | None) -> None:
            if handed is not None:
                self._landed((handed,))

        found = await self._writer.submit(ledger.retry, (delivery, now), landed)
        return found is not None
