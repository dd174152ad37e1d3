"""How long things are kept."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callme.config import Service
from callme.service.keeping import DAY_S, Keeping
from callme.store import CallFilter, Store, open_store
from tests.store.making import call, step

NOW = 1_000 * DAY_S


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "callme.db")
    yield store
    await store.close()


def copy(folder: Path, name: str, days: float, size: int = 10) -> Path:
    """A copy of a recording that was made so many days ago."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    os.utime(file, (NOW - days * DAY_S,) * 2)
    return file


def keeping(store: Store, folder: Path, **service: float) -> Keeping:
    return Keeping(Service.model_validate(service), store, folder, lambda: NOW)


async def test_calls_are_kept_for_so_many_days(store: Store, tmp_path: Path) -> None:
    days = {1: "office-1.1", 99: "office-2.1", 101: "office-3.1"}
    made = [call(name, NOW - ago * DAY_S, ended_at=NOW - ago * DAY_S + 60) for ago, name in days.items()]
    await store.commit(step(calls=tuple(made)))
    await keeping(store, tmp_path, calls_days=100).tidy()
    left = (await store.reading.list_calls(CallFilter(), limit=10)).calls
    assert [str(one.id) for one in left] == ["office-1.1", "office-2.1"]


async def test_without_a_limit_calls_are_kept_for_ever(store: Store, tmp_path: Path) -> None:
    await store.commit(step(calls=(call("office-1.1", 1.0, ended_at=2.0),)))
    await keeping(store, tmp_path).tidy()
    assert (await store.reading.list_calls(CallFilter(), limit=10)).calls


async def test_old_copies_go_and_what_was_given_up(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    new, old = copy(folder, "a.mp3", 29), copy(folder, "b.mp3", 31)
    coming, given_up = copy(folder, "incoming/c.wav", 1), copy(folder, "incoming/d.wav", 3)
    await keeping(store, folder).tidy()
    assert [one.exists() for one in (new, old, coming, given_up)] == [True, False, True, False]


async def test_of_too_much_the_eldest_go(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    files = [copy(folder, f"{days}.mp3", days, size=1_000_000) for days in (1, 2, 3)]
    await keeping(store, folder, recordings_gb=0.002).tidy()
    assert [file.exists() for file in files] == [True, True, False]
