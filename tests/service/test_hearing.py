"""What portals say, by whatever way: kept before it is acknowledged. A portal that changed is looked at."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from callme.config import Config
from callme.crm.commands import Click, Heard, Hearing, Keep
from callme.errors import StoreError
from callme.service.hearing import Ears
from callme.web.webhooks import Answer
from callme.wording import plain

CLICK = Click("call", "Anna", "101", "+79990000000", 1000.0)


class Waiting:
    """A portal in which messages wait."""

    id = "main"

    def __init__(self, *messages: Hearing) -> None:
        self.messages = list(messages)
        self.kept: list[bool] = []
        self.empty = asyncio.Event()

    async def fetch(self, clock: Callable[[], float], keep: Keep) -> float:
        while self.messages:
            self.kept.append(await keep(self.messages.pop(0)))
        self.empty.set()
        return 60.0

    async def hear(self, body: bytes, now: float) -> Hearing:
        return Heard(stirred=True)


class Disk:
    """The clicks of a PBX whose disk may be full."""

    def __init__(self) -> None:
        self.full = False
        self.taken: list[Click] = []

    async def take(self, portal: str, click: Click, max_age_s: float) -> bool:
        if self.full:
            raise StoreError(plain("disk full"))
        self.taken.append(click)
        return True


def ears(portal: Waiting, disk: Disk, stirred: list[str]) -> Ears:
    river: Any = SimpleNamespace(id="office", clicks=disk, knows=lambda extension: True)
    portals: Any = [portal]
    return Ears(Config(), portals, [river], lambda: 1000.0, stirred.append)


async def test_waiting_messages_are_fetched_and_one_that_is_not_kept_is_said_to_be_so() -> None:
    portal, disk = Waiting(Heard(CLICK), Heard()), Disk()
    for full in (False, True):
        disk.full = full
        portal.messages.append(Heard(CLICK))
        portal.empty.clear()
        ((name, work),) = ears(portal, disk, []).fetching().items()
        assert name == "messages of main"
        fetching = asyncio.create_task(work)
        async with asyncio.timeout(5):
            await portal.empty.wait()
        fetching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await fetching
    assert portal.kept == [True, True, True, False]
    assert disk.taken == [CLICK, CLICK]


async def test_a_portal_that_changed_is_looked_at_at_once() -> None:
    stirred: list[str] = []
    assert await ears(Waiting(), Disk(), stirred).hear("main", b"x") is Answer.TAKEN
    assert stirred == ["main"]
