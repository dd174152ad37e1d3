"""Of whom somebody is reminded stands in the deliveries: who is reached later settles that, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callme.crm.intents import CallFacts, Cards, Direction, Finish, Reached, Register, Remind, Result, Settle
from callme.delivery.lane import HandOver
from callme.store import StepWrite, Store, open_store
from callme.store.steps import REMINDED_S
from tests.store.making import call, step

NUMBER = "+74951234567"


class Shelf:
    """A store and what it handed to the workers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handed: list[HandOver] = []
        self.store = self._open()

    def _open(self) -> Store:
        store = open_store(self.path / "callme.db")
        store.on_hand_over(self.handed.append)
        return store

    async def restart(self) -> None:
        await self.store.close()
        self.store = self._open()

    @property
    def settled(self) -> list[str]:
        return [
            record.about.call for one in self.handed for record in one.records if isinstance(record, Settle)
        ]


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    shelf = Shelf(tmp_path)
    yield shelf
    await shelf.store.close()


def about(name: str, at: float, number: str = NUMBER) -> CallFacts:
    return CallFacts(name, Direction.IN, number, "", "", at)


def missed(name: str, at: float, number: str = NUMBER, portal: str = "main") -> StepWrite:
    facts = about(name, at, number)
    told = (
        Register(facts, None),
        Finish(facts, None, Result.NO_ANSWER, 0, at),
        Remind(facts, None, at),
    )
    return step(*told, at=at, portal=portal, calls=(call(name, at, number=number, ended_at=at),))


def reached(name: str, at: float, number: str = NUMBER, portal: str = "main") -> StepWrite:
    facts = about(name, at, number)
    return step(
        Register(facts, "101"),
        Reached(facts, "101"),
        at=at,
        portal=portal,
        calls=(call(name, at, number=number),),
    )


async def test_who_is_reached_settles_all_his_missed_calls_once(shelf: Shelf) -> None:
    await shelf.store.commit(missed("office-1.1", 10.0))
    await shelf.store.commit(missed("office-2.1", 20.0))
    await shelf.restart()
    await shelf.store.commit(reached("office-3.1", 30.0))
    assert shelf.settled == ["office-1.1", "office-2.1"]
    await shelf.store.commit(reached("office-4.1", 40.0))
    assert shelf.settled == ["office-1.1", "office-2.1"]
    lane = await shelf.store.lane("main", "office-1.1")
    assert lane is not None
    (settle,) = lane.of(Settle.KIND)
    assert settle.record == Settle(about("office-1.1", 10.0), 30.0, "101")
    assert "office-1.1" in {one.call for one in (await shelf.store.due("main", 30.0, 10)).lanes}


@pytest.mark.parametrize(
    "later",
    [
        reached("office-2.1", 20.0, "+74951234568"),
        reached("office-2.1", 20.0, portal="second"),
        reached("office-2.1", 5.0),
        reached("office-2.1", 20.0 + REMINDED_S),
    ],
    ids=["another number", "another portal", "before he called", "a month later"],
)
async def test_others_settle_nothing(shelf: Shelf, later: StepWrite) -> None:
    await shelf.store.commit(missed("office-1.1", 10.0))
    await shelf.store.commit(later)
    assert shelf.settled == []


async def test_both_in_one_group_of_commits(shelf: Shelf) -> None:
    """A missed call after the talk, written in the same transaction, stays open."""
    steps = (missed("office-1.1", 10.0), reached("office-2.1", 20.0), missed("office-3.1", 30.0))
    await asyncio.gather(*(shelf.store.commit(one) for one in steps))
    assert shelf.settled == ["office-1.1"]


async def test_a_hidden_number_settles_nobodys(shelf: Shelf) -> None:
    await shelf.store.commit(missed("office-1.1", 10.0, "123"))
    await shelf.store.commit(reached("office-2.1", 20.0, "123"))
    assert shelf.settled == []


async def test_whose_card_depends_on_the_client_is_kept_with_the_wish(shelf: Shelf) -> None:
    facts, both = about("office-1.1", 10.0), frozenset({"101", "102"})
    await shelf.store.commit(step(Register(facts, "101"), Cards(facts, both, both), calls=(call(),)))
    await shelf.restart()
    lane = await shelf.store.lane("main", "office-1.1")
    assert lane is not None
    assert (set(lane.wanted), lane.asking) == (both, both)
    await shelf.store.commit(step(Cards(facts, both, frozenset({"102"})), at=1001.0))
    lane = await shelf.store.lane("main", "office-1.1")
    assert lane is not None
    assert lane.asking == frozenset({"102"})
