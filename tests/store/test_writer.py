"""The writer thread by itself: what shares a transaction, and whom a failure reaches."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from callme.errors import StoreError
from callme.store.engine import writing
from callme.store.writer import Writer


def table(connection: Connection, items: Sequence[int]) -> list[None]:
    """Makes the table."""
    connection.exec_driver_sql("CREATE TABLE t (x)")
    return [None] * len(items)


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    path = tmp_path / "callme.db"
    writer = Writer(writing(path), path)
    await writer.submit(table, 0)
    yield writer
    await asyncio.to_thread(writer.close)


def put(connection: Connection, items: Sequence[int]) -> list[int]:
    """Writes numbers; refuses 13."""
    for item in items:
        connection.exec_driver_sql("INSERT INTO t VALUES (?)", (item,))
        if item == 13:
            raise LookupError("13")
    return [len(items)] * len(items)


def kept(connection: Connection, items: Sequence[int]) -> list[list[int]]:
    """What the table holds."""
    return [[row[0] for row in connection.exec_driver_sql("SELECT x FROM t")]] * len(items)


async def test_what_waits_while_the_disk_is_busy_shares_the_next_transaction(writer: Writer) -> None:
    busy = threading.Event()

    def hold(_: Connection, items: Sequence[int]) -> list[bool]:
        return [busy.wait(10)] * len(items)

    held = writer.submit(hold, 0)
    before = writer.groups
    shared = [writer.submit(put, number) for number in range(5)]
    busy.set()
    assert await held
    assert await asyncio.gather(*shared) == [5] * 5
    assert writer.groups - before <= 2


async def test_a_failure_reaches_its_own_caller_alone_and_leaves_no_trace(writer: Writer) -> None:
    results = await asyncio.gather(*(writer.submit(put, n) for n in (12, 13, 14)), return_exceptions=True)
    assert [type(one) for one in results] == [int, LookupError, int]
    found: list[int] = await writer.submit(kept, 0)
    assert sorted(found) == [12, 14]


async def test_what_landed_is_told_before_the_caller_goes_on(writer: Writer) -> None:
    told: list[int] = []
    await writer.submit(put, 1, told.append)
    assert told == [1]


async def test_close_writes_what_is_queued_first(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    writer = Writer(writing(path), path)
    made = writer.submit(table, 0)
    last = writer.submit(put, 1)
    await asyncio.to_thread(writer.close)
    await made
    assert await last == 1
    with pytest.raises(StoreError, match="closed"):
        writer.submit(put, 2)
