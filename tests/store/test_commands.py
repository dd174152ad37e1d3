"""What a portal asks for is kept once, moves forward, and is owed an end until it is closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from callme.crm.commands import Click, CommandState
from callme.store import StepWrite, Store, open_store
from callme.store.commands import Command
from callme.store.river import CommandMove
from callme.wording import Phrase

WHY = Phrase("it was late", "было поздно")


def command(ref: str = "externalCall.1", call: str = "office-1.2", portal: str = "main") -> Command:
    return Command(portal, "office", call, Click(ref, "Анна (2)", "101", "+79261112233", 9.0), 10.0, 24.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "callme.db")
    yield store
    await store.close()


def move(state: CommandState, at: float = 11.0, **more: object) -> StepWrite:
    return StepWrite("office", at, commands=(CommandMove("office-1.2", state, **more),))  # type: ignore[arg-type]


async def test_a_click_is_kept_once_for_each_portal(store: Store) -> None:
    assert await store.hear(command())
    assert not await store.hear(command(call="office-1.4"))
    assert await store.hear(command(call="office-1.6", portal="second"))
    assert [one.call for one in await store.commands("office")] == ["office-1.2", "office-1.6"]
    assert await store.commands("branch") == []


async def test_a_restart_knows_how_far_a_click_is(store: Store, tmp_path: Path) -> None:
    await store.hear(command())
    assert await store.commands("office") == [command()]
    await store.commit(move(CommandState.SENT))
    (sent,) = await store.commands("office")
    assert (sent.state, sent.sent_at) == (CommandState.SENT, 11.0)
    await store.commit(move(CommandState.DIALLED, 12.0))
    (dialled,) = await store.commands("office")
    assert (dialled.state, dialled.sent_at) == (CommandState.DIALLED, 11.0)


async def test_what_is_closed_is_owed_nothing_and_stays_as_it_is(store: Store) -> None:
    await store.hear(command())
    await store.commit(move(CommandState.EXPIRED, why=WHY, closed=True))
    assert await store.commands("office") == []
    await store.commit(move(CommandState.SENT))
    assert await store.commands("office") == []
    assert not await store.hear(command(call="office-1.4"))


def clicked(at: float, call: str) -> Command:
    return replace(command(call=call), click=replace(command().click, at=at))


async def test_a_number_clicked_anew_is_another_command_once_the_first_is_over(store: Store) -> None:
    await store.hear(clicked(9.0, "office-1.2"))
    assert await store.hear(clicked(30.0, "office-1.4")) is None, "the first goes on"
    await store.commit(move(CommandState.REFUSED, why=WHY, closed=True))
    assert await store.hear(clicked(13.9, "office-1.4")) is None, "a nervous finger"
    assert await store.hear(clicked(9.0, "office-1.4")) is None, "the same message, late"
    again = await store.hear(clicked(14.0, "office-1.4"))
    assert again == replace(clicked(14.0, "office-1.4"), again=True)
    assert await store.commands("office") == [again]
    await store.commit(
        StepWrite("office", 15.0, commands=(CommandMove("office-1.4", CommandState.REFUSED, closed=True),))
    )
    third = await store.hear(clicked(20.0, "office-1.6"))
    assert third is not None
    assert third.again
