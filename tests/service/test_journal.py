"""Steps on their way to the disk: in order, together while it is at work, whole when it is in trouble."""

from __future__ import annotations

import asyncio

import pytest

from callme.errors import StoreError
from callme.service import journal
from callme.service.journal import Journal
from callme.store import StepWrite, Store
from callme.wording import Phrase


class Disk(Store):
    """A store that takes its time, and refuses so many times. `kept` is a list per transaction."""

    def __init__(self, refusals: int = 0) -> None:
        self.kept: list[list[float]] = []
        self.refusals = refusals
        self.turn = asyncio.Event()

    async def commit(self, *writes: StepWrite) -> None:
        await self.turn.wait()
        if self.refusals:
            self.refusals -= 1
            raise StoreError(Phrase("full", "полон"))
        self.kept.append([write.at for write in writes])


def write(at: float) -> StepWrite:
    return StepWrite("office", at)


async def kept_by(disk: Disk, steps: int) -> Journal:
    made = Journal("office", disk, lambda: None)
    running = asyncio.ensure_future(made.run())
    await made.add(write(0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for at in range(1, steps):
        await made.add(write(at))
    disk.turn.set()
    made.end()
    await running
    return made


async def test_what_comes_while_the_disk_works_goes_together_and_in_order() -> None:
    disk = Disk()
    await kept_by(disk, 5)
    assert disk.kept == [[0], [1, 2, 3, 4]]


async def test_a_disk_in_trouble_is_told_of_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "WRITE_AGAIN_S", 0.0)
    disk = Disk(refusals=2)
    made = await kept_by(disk, 3)
    assert disk.kept == [[0], [1, 2]]
    assert made.trouble is None


async def test_the_river_stands_when_too_much_waits() -> None:
    disk = Disk()
    made = Journal("office", disk, lambda: None)
    running = asyncio.ensure_future(made.run())
    for at in range(journal.AHEAD - 1):
        await made.add(write(at))
    standing = asyncio.ensure_future(made.add(write(99)))
    await asyncio.sleep(0.01)
    assert not standing.done()
    disk.turn.set()
    await standing
    made.end()
    await running
    assert sum(map(len, disk.kept)) == journal.AHEAD
