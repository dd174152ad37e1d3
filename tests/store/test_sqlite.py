"""The store on SQLite: what every store does, and what only a file can go through."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from callme.errors import StoreError
from callme.store import open_reading, open_store
from tests.delivery.fakes import register
from tests.store.conformance import Reopen, StoreConformance
from tests.store.making import call, step


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "callme.db"


class TestSqlite(StoreConformance):
    """SQLite keeps the store's contract."""

    @pytest.fixture
    def reopen(self, path: Path) -> Reopen:
        return lambda: open_store(f"sqlite:///{path}")


async def test_the_disk_is_synced_at_each_commit(path: Path) -> None:
    store = open_store(path)
    try:
        engine = store._writer._engine
        with engine.connect() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
    finally:
        await store.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15000}


async def test_nobody_else_on_the_machine_reads_the_calls(path: Path) -> None:
    store = open_store(path)
    await store.commit(step(calls=(call(),)))
    try:
        assert not {file.name for file in path.parent.iterdir() if file.stat().st_mode & 0o007}
        assert path.parent.stat().st_mode & 0o007 == 0
    finally:
        await store.close()


async def test_two_services_cannot_share_a_database(path: Path) -> None:
    store = open_store(path)
    try:
        with pytest.raises(StoreError, match="Another CallMe works with"):
            open_store(path)
    finally:
        await store.close()
    await open_store(path).close()


async def test_a_second_program_may_look_but_not_write(path: Path) -> None:
    store = open_store(path)
    await store.commit(step(calls=(call(),)))
    reading = open_reading(path)
    try:
        assert len((await reading.list_calls()).calls) == 1
        with pytest.raises(StoreError, match="cannot be written"):
            await reading.ask(lambda connection: connection.exec_driver_sql("DELETE FROM calls"))
    finally:
        await reading.close()
        await store.close()


def test_looking_at_what_is_not_there_says_so(path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        open_reading(path)
    assert not path.exists()


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"these are my holiday pictures" * 100)
    with pytest.raises(StoreError, match=r"is damaged or is no CallMe database(?s:.)*backup"):
        open_store(path)
    assert path.read_bytes().startswith(b"these are my holiday pictures")


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path / "file" / "callme.db")
    assert str(tmp_path / "file") in str(caught.value)


async def test_a_full_disk_loses_nothing_and_ends_by_itself(path: Path) -> None:
    store = open_store(path)
    try:
        await store.commit(step(register("a")))
        engine = store._writer._engine
        with engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        big = step(register("b"), states={"b": {"filler": "x" * 100_000}})
        with pytest.raises(StoreError, match=r"No space is left(?s:.)*Free space"):
            await store.commit(big)
        assert {row.call for row in await store.reading.deliveries()} == {"a"}
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        await store.commit(big)
        assert {row.call for row in await store.reading.deliveries()} == {"a", "b"}
    finally:
        await store.close()


async def test_a_locked_database_is_named_with_its_cure(path: Path) -> None:
    store = open_store(path)
    other = sqlite3.connect(path, isolation_level=None)
    try:
        with store._writer._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 10")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"is locked(?s:.)*Another program holds it"):
            await store.commit(step(register()))
        other.execute("ROLLBACK")
        await store.commit(step(register()))
    finally:
        other.close()
        await store.close()


async def test_a_closed_store_refuses_and_closes_twice(path: Path) -> None:
    store = open_store(path)
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.commit(step(register()))


def test_what_is_opened_is_given_back(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(StoreError):
            open_store(path)
    assert len(os.listdir("/proc/self/fd")) == before
