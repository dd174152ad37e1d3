"""What is forgotten, and what never is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from callme.calls.model import Call
from callme.crm.intents import Attach, CallFacts, Direction, Finish, Register, Result, Transcribe
from callme.delivery.lane import HandOver, State
from callme.delivery.ledger import LaneWrite, Tried
from callme.store import CallFilter, Store, open_store
from callme.store.listening import Heard, KeptBack
from callme.store.pruning import SLICE
from callme.store.schema import metadata
from tests.store.making import call, step

OLD, NEW = 1_000.0, 9_000.0
BEFORE = 5_000.0


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "callme.db")
    yield store
    await store.close()


def over(ident: str, at: float, **changed: Any) -> Call:
    return call(ident, at, ended_at=at + 60, **changed)


async def told(store: Store, one: Call, *, delivered: bool) -> None:
    """The call was told to a portal, which has taken it or not."""
    about = CallFacts(str(one.id), Direction.IN, one.number, "", one.line, one.started_at)
    finish = Finish(about, "101", Result.NO_ANSWER, 0, one.ended_at or 0.0)
    await store.commit(step(Register(about, "101"), finish, calls=(one,)))
    if not delivered:
        return
    lane = await store.lane("main", str(one.id))
    assert lane is not None
    for one in lane.deliveries:
        lane = lane.put(replace(one, state=State.DONE))
    keys = frozenset(one.key for one in lane.deliveries)
    await store.save(LaneWrite(lane, keys, Tried("finish", 0, 1, 1.0, 5, "delivered"), None, None))


async def left(store: Store) -> dict[str, int]:
    """Rows of each table that has any."""
    counted = await store.reading.ask(
        lambda connection: {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }
    )
    return {name: count for name, count in counted.items() if count}


async def names(store: Store) -> set[str]:
    return {str(one.id) for one in (await store.reading.list_calls(CallFilter(), limit=500)).calls}


async def test_an_old_call_goes_with_everything_about_it(store: Store) -> None:
    await told(store, over("office-1.1", OLD), delivered=True)
    await store.note_heard(Heard("office-1.1", OLD, "anna", "10.0.0.7"))
    await store.keep_back(KeptBack("office-1.1", OLD, "anna"))
    assert await store.prune(BEFORE) == 1
    assert await left(store) == {}
    assert await names(store) == set()


async def test_what_is_new_open_or_not_yet_told_stays(store: Store) -> None:
    await told(store, over("office-1.1", OLD), delivered=False)
    await store.commit(step(calls=(call("office-2.1", OLD), over("office-3.1", NEW))))
    assert await store.prune(BEFORE) == 0
    assert await names(store) == {"office-1.1", "office-2.1", "office-3.1"}


async def test_a_long_past_goes_slice_by_slice(store: Store) -> None:
    await store.commit(step(calls=tuple(over(f"office-{one}.1", OLD + one) for one in range(SLICE + 7))))
    assert await store.prune(BEFORE) == SLICE
    assert await store.prune(BEFORE) == 7
    assert await store.prune(BEFORE) == 0


async def test_a_number_is_forgotten_and_no_other(store: Store) -> None:
    await told(store, over("office-1.1", NEW, number="+79261112233"), delivered=True)
    others = over("office-2.1", NEW, number="+79261112234"), over("office-3.1", NEW, number="+9261112233")
    await store.commit(step(calls=others))
    assert [str(one.id) for one in await store.erase("+7 926 111-22-33")] == ["office-1.1"]
    assert await store.erase("+7 926 111-22-33") == ()
    assert await names(store) == {"office-2.1", "office-3.1"}


async def test_no_number_forgets_nothing(store: Store) -> None:
    await store.commit(step(calls=(over("office-1.1", OLD, number="", external=""),)))
    assert await store.erase("anonymous") == ()
    assert await names(store) == {"office-1.1"}


async def test_nothing_of_the_forgotten_is_left_in_the_file(store: Store, tmp_path: Path) -> None:
    await told(
        store, replace(over("office-1.1", NEW, number="+79261112233"), name="Незабудкин"), delivered=True
    )
    await store.erase("79261112233")
    await store.close()
    kept = b"".join(file.read_bytes() for file in sorted(tmp_path.glob("callme.db*")))  # noqa: ASYNC240
    assert "Незабудкин".encode() not in kept
    assert b"79261112233" not in kept


async def test_who_listened_is_told_newest_first(store: Store) -> None:
    for at, who in ((1.0, "anna"), (2.0, "boris")):
        await store.note_heard(Heard("office-1.1", at, who, "127.0.0.1"))
    assert [one.who for one in await store.heard("office-1.1")] == ["boris", "anna"]
    assert await store.heard("office-2.1") == ()


async def test_the_first_who_keeps_a_recording_back_is_named(store: Store) -> None:
    await store.keep_back(KeptBack("office-1.1", 1.0, "anna"))
    await store.keep_back(KeptBack("office-1.1", 2.0, "boris"))
    said = await store.held_back("office-1.1")
    assert said is not None
    assert said.who == "anna"


async def test_a_recording_on_its_way_does_not_keep_who_asks_to_be_forgotten(store: Store) -> None:
    """Nor does an attempt that ends afterwards bring a word of it back."""
    one = over("office-1.1", OLD, number="+79261112233")
    await told(store, one, delivered=True)
    about = CallFacts(str(one.id), Direction.IN, one.number, "", one.line, one.started_at)
    other = CallFacts("office-2.1", Direction.IN, "+79260000000", "", one.line, one.started_at)
    orders = Attach(about, "office", "/a.wav", NEW), Transcribe(about, "office", "/a.wav", NEW)
    await store.commit(step(*orders))
    await store.commit(step(Register(other, "101")))
    lane, neighbour = await store.lane("main", "office-1.1"), await store.lane("main", "office-2.1")
    assert lane is not None
    assert neighbour is not None
    sending = lane.put(replace(lane.of(Attach.KIND)[0], state=State.SENDING))
    await store.save(LaneWrite(sending, frozenset({(Attach.KIND, 0)}), None, 1.0, None))
    assert await store.prune(NEW * 2) == 0, "by age nothing goes that waits"
    heard: list[HandOver] = []
    store.on_hand_over(heard.append)
    assert [str(gone.id) for gone in await store.erase("+79261112233")] == ["office-1.1"]
    assert [(got.portal, got.call, got.reload) for got in heard] == [("main", "office-1.1", True)]
    tried = Tried(Attach.KIND, 0, 1, 1.0, 5, "later")
    await asyncio.gather(
        store.save(LaneWrite(lane, frozenset({(Attach.KIND, 0)}), tried, None, None)),
        store.save(LaneWrite(neighbour, frozenset(), Tried("register", 0, 1, 1.0, 5, "later"), None, None)),
    )
    assert await store.lane("main", "office-1.1") is None
    assert (await left(store))["attempts"] == 1
