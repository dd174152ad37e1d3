"""Who is behind an extension."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from callme.crm.port import Urgency
from callme.http import HttpClient
from callme.portals.bitrix24.credentials import Webhook
from callme.portals.bitrix24.directory import Directory
from callme.portals.bitrix24.rest import Fault, Rest
from callme.wording import Phrase
from tests.portals.bitrix24.scripted import USERS, WEBHOOK, OpenGate, Scripted, ok, page


@asynccontextmanager
async def directory(
    script: Scripted, explicit: Mapping[str, int] | None = None, gate: OpenGate | None = None
) -> AsyncIterator[Directory]:
    async with HttpClient(transport=httpx2.MockTransport(script)) as http:
        yield Directory(Rest(Webhook(WEBHOOK), http, gate or OpenGate()), explicit or {})


class ShutGate(OpenGate):
    """Lets nobody in until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def enter(self, urgency: Urgency) -> None:
        self.reached.set()
        await self.opened.wait()
        await super().enter(urgency)


def user(number: int, extension: str, *, active: Any = True) -> dict[str, Any]:
    return {"ID": str(number), "ACTIVE": active, "NAME": f"U{number}", "UF_PHONE_INNER": extension}


async def refreshed(one: Directory) -> list[str]:
    told = await one.refresh()
    assert not isinstance(told, Fault)
    assert all(isinstance(phrase, Phrase) for phrase in told)
    return [phrase.say("en") for phrase in told]


async def test_all_pages_are_read() -> None:
    def pages(params: dict[str, Any]) -> httpx2.Response:
        start = params["start"]
        rows = [user(number, str(number)) for number in range(start + 1, start + 51)]
        return ok(rows, total=150, **({"next": start + 50} if start < 100 else {}))

    script = Scripted().says("user.get", pages)
    async with directory(script) as one:
        assert await refreshed(one) == []
        assert one.people.user_of("150") == 150
    assert [params["start"] for params in script.of("user.get")] == [0, 50, 100]


async def test_the_portals_filter_is_not_trusted() -> None:
    rows = [user(1, "101", active=False), user(2, "102", active="N"), user(3, "103", active="Y")]
    async with directory(Scripted().says("user.get", ok(rows))) as one:
        await one.refresh()
        assert dict(one.people.by_extension) == {"103": 3}


async def test_the_configuration_wins() -> None:
    async with directory(Scripted(), {"101": 12, "10001": 11}) as one:
        await one.refresh()
        assert dict(one.people.by_extension) == {"101": 12, "10001": 11, "102": 12}


async def test_a_doubled_extension_is_told_and_goes_to_the_elder_account() -> None:
    rows = [user(9, "101"), user(4, "101")]
    async with directory(Scripted().says("user.get", ok(rows))) as one:
        assert "101" in (await refreshed(one))[0]
        assert one.people.user_of("101") == 4
    async with directory(Scripted().says("user.get", ok(rows)), {"101": 9}) as one:
        assert await refreshed(one) == [], "the configuration says whose it is"


async def test_what_changed_since_the_last_copy_is_told() -> None:
    later = [user(11, ""), user(12, "101"), user(13, "103")]
    async with directory(Scripted().says("user.get", [ok(USERS), ok(later)])) as one:
        assert await refreshed(one) == []
        told = await refreshed(one)
    assert [line.split()[1] for line in told] == ["101", "102", "103"]
    assert "U12 (12)" in told[0]
    assert "no longer" in told[1]


async def test_a_failed_refresh_keeps_the_last_good_copy() -> None:
    async with directory(Scripted().says("user.get", [ok(USERS), page(502)])) as one:
        await one.refresh()
        assert isinstance(await one.refresh(), Fault)
        assert one.people.user_of("101") == 11
        assert await one.ready() is None


async def test_a_call_does_not_wait_for_a_refresh_that_goes_on() -> None:
    gate = ShutGate()
    async with directory(Scripted(), gate=gate) as one:
        gate.opened.set()
        await one.refresh()
        gate.opened.clear()
        gate.reached.clear()
        refreshing = asyncio.create_task(one.refresh())
        await gate.reached.wait()
        assert await one.ready() is None
        assert not refreshing.done()
        gate.opened.set()
        await refreshing


async def test_calls_that_ring_together_load_it_once() -> None:
    script = Scripted()
    async with directory(script) as one:
        assert await asyncio.gather(*(one.ready() for _ in range(20))) == [None] * 20
    assert len(script.of("user.get")) == 1


async def test_a_paging_that_goes_nowhere_ends() -> None:
    async with directory(Scripted().says("user.get", ok(USERS, next=0))) as one:
        await one.refresh()
        assert one.people.user_of("101") == 11
