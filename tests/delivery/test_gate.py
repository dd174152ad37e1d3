"""The turnstile in front of a portal, under virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from callme.crm.port import Urgency
from callme.delivery.budget import Budget
from callme.delivery.gate import Turnstile
from tests.delivery.fakes import play


def test_the_most_urgent_goes_first_and_within_an_urgency_the_first() -> None:
    async def story(clock: Callable[[], float]) -> list[str]:
        gate, order = Turnstile(Budget(1, 1)), list[str]()

        async def go(name: str, urgency: Urgency) -> None:
            await gate.enter(urgency)
            order.append(f"{name} {clock():g}")

        async with asyncio.TaskGroup() as group:
            for name, urgency in (
                ("first", Urgency.UPKEEP),
                ("finish a", Urgency.FINISH),
                ("finish b", Urgency.FINISH),
                ("card", Urgency.CARD),
            ):
                group.create_task(go(name, urgency))
        return order

    assert play(story) == ["first 0", "card 1", "finish a 2", "finish b 3"]


def test_a_card_finds_a_token_while_a_backlog_drains() -> None:
    async def story(clock: Callable[[], float]) -> float:
        gate = Turnstile(Budget(2, 50))

        async def drain() -> None:
            while True:
                await gate.enter(Urgency.FINISH)

        backlog = [asyncio.ensure_future(drain()) for _ in range(8)]
        await asyncio.sleep(60.2)
        before = clock()
        await gate.enter(Urgency.CARD)
        for one in backlog:
            one.cancel()
        await asyncio.gather(*backlog, return_exceptions=True)
        return clock() - before

    assert play(story) == 0


def test_silence_and_a_request_that_was_given_up() -> None:
    async def story(clock: Callable[[], float]) -> tuple[float, int, float]:
        gate = Turnstile(Budget(1, 1))
        gate.told_to_wait(7)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await gate.enter(Urgency.COMMAND)
        waiting = gate.waiting
        await gate.enter(Urgency.UPKEEP)
        return clock(), waiting, gate.left

    assert play(story) == (7, 0, 0)
