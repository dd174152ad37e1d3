"""Whom the portal has under a number is asked once, whoever wants to know, and forgotten when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from callme.crm.commands import Click
from callme.crm.port import Delivered, Urgency
from callme.portals.bitrix24 import clients
from callme.portals.bitrix24.adapter import Bitrix24
from callme.portals.bitrix24.clients import SEARCH, Client, Clients, Found
from callme.portals.bitrix24.rest import Fault, Rest
from tests.portals.bitrix24.scripted import Scripted, attempt, ok, page, portal, ringing
from tests.portals.bitrix24.test_callers import Slow, row

NUMBER, OTHER, NOBODYS = "+79161234567", "+79161234568", "+79161234569"
ANNA, FIRM = ("CONTACT", 5), ("COMPANY", 6)


def has(*keys: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"CRM_ENTITY_TYPE": kind, "CRM_ENTITY_ID": id, "ASSIGNED_BY_ID": 11} for kind, id in keys]


class Book:
    """The memory before a portal in which each number has its clients."""

    def __init__(self) -> None:
        self.has = {NUMBER: has(ANNA, FIRM), OTHER: has(FIRM), NOBODYS: []}
        self.script = Scripted().says(SEARCH, lambda params: ok(self.has[params["PHONE_NUMBER"]]))
        self.bitrix: Bitrix24 = portal(self.script)
        self.clients: Clients = self.bitrix._clients

    @property
    def rest(self) -> Rest:
        return self.bitrix._rest

    async def find(self, number: str, *, anew: bool = False) -> Found:
        found = await self.clients.find(self.rest, number, Urgency.CARD, anew=anew)
        assert not isinstance(found, Fault)
        return found

    async def asked_for(self, *numbers: str) -> list[str]:
        """Of these numbers, those that the portal is asked about when they are wanted."""
        before = len(self.script.asked)
        for number in numbers:
            await self.find(number)
        return [params["PHONE_NUMBER"] for _, params in self.script.asked[before:]]


@pytest.fixture
async def book() -> AsyncIterator[Book]:
    book = Book()
    yield book
    await book.bitrix.close()


ALL = (NUMBER, OTHER, NOBODYS)


async def test_what_is_known_is_asked_once(book: Book) -> None:
    assert await book.asked_for(*ALL, *ALL) == list(ALL)
    assert [client.key for client in await book.find(NUMBER)] == [ANNA, FIRM]


async def test_a_changed_client_is_forgotten_wherever_he_stands(book: Book) -> None:
    await book.asked_for(*ALL)
    book.clients.forget(ANNA)
    assert await book.asked_for(*ALL) == [NUMBER]
    book.clients.forget(FIRM)
    assert await book.asked_for(*ALL) == [NUMBER, OTHER]
    book.clients.forget(("LEAD", 5))
    assert await book.asked_for(*ALL) == []


async def test_that_a_number_is_nobodys_is_forgotten_by_itself(book: Book) -> None:
    await book.asked_for(*ALL)
    book.clients.forget_nobodys()
    assert await book.asked_for(*ALL) == [NOBODYS]


async def test_everything_can_be_doubted_and_serves_on_where_the_portal_is_silent(book: Book) -> None:
    await book.bitrix.refresh()
    await book.asked_for(*ALL)
    book.clients.doubt_all()
    assert await book.asked_for(*ALL) == list(ALL)
    book.clients.doubt_all()
    book.script.says(SEARCH, page(502))
    known = await book.bitrix.who(OTHER, 5)
    assert known is not None
    assert (known.known, known.extension, known.on_duty) == (True, "101", None)


async def test_an_answer_never_takes_the_place_of_a_later_one() -> None:
    slow = Slow(Scripted().says(SEARCH, ok(has(ANNA))))
    bitrix = portal(Scripted(), transport=slow)
    first = asyncio.create_task(bitrix._clients.find(bitrix._rest, NUMBER, Urgency.CARD))
    await slow.came.wait()
    quick = portal(Scripted().says(SEARCH, ok(has(FIRM))))
    await bitrix._clients.find(quick._rest, NUMBER, Urgency.CARD, anew=True)
    slow.opened.set()
    assert await first == clients.read(has(ANNA))
    await quick.close()
    found = await bitrix._clients.find(bitrix._rest, NUMBER, Urgency.CARD)
    assert found == clients.read(has(FIRM))
    await bitrix.close()


async def test_an_answer_follows_its_client_to_another_number(book: Book) -> None:
    await book.asked_for(*ALL)
    book.has[NUMBER], book.has[NOBODYS] = has(FIRM), has(ANNA)
    for number in (NUMBER, NOBODYS):
        await book.find(number, anew=True)
    book.clients.forget(ANNA)
    assert await book.asked_for(*ALL) == [NOBODYS]


async def test_the_eldest_make_room(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "REMEMBERED_MAX", 10)
    many = [f"+7916000000{number}" for number in range(10)]
    book.has |= {number: [] for number in many}
    await book.asked_for(NUMBER, *many)
    assert await book.asked_for(*many) == []
    assert await book.asked_for(NUMBER) == [NUMBER]


@pytest.mark.parametrize(
    ("key", "answer", "kept"),
    [(ANNA, has(ANNA), False), (FIRM, has(ANNA), True), (None, [], False), (None, has(ANNA), True)],
)
async def test_an_answer_that_may_be_older_than_the_news_is_given_and_not_kept(
    key: clients.Key | None, answer: list[dict[str, Any]], kept: bool
) -> None:
    slow = Slow(Scripted().says(SEARCH, ok(answer)))
    bitrix = portal(Scripted(), transport=slow)
    asking = asyncio.create_task(bitrix._clients.find(bitrix._rest, NUMBER, Urgency.CARD))
    await slow.came.wait()
    if key is None:
        bitrix._clients.forget_nobodys()
    else:
        bitrix._clients.forget(key)
    slow.opened.set()
    assert await asking == clients.read(answer)
    assert (bitrix._clients.remembered(NUMBER) is not None) is kept
    await bitrix.close()


async def test_who_is_more_urgent_does_not_wait_behind_who_is_less() -> None:
    slow = Slow(Scripted().says(SEARCH, ok([row()])))
    bitrix = portal(Scripted(), transport=slow)
    find = bitrix._clients.find
    wants = (Urgency.FINISH, Urgency.REGISTER, Urgency.FINISH, Urgency.REGISTER)
    asking = [asyncio.create_task(find(bitrix._rest, NUMBER, urgency)) for urgency in wants]
    await asyncio.sleep(0.01)
    slow.opened.set()
    found = await asyncio.gather(*asking)
    assert {client.name for one in found if not isinstance(one, Fault) for client in one} == {"Иван Петров"}
    assert len(slow._scripted.of(SEARCH)) == 2
    await bitrix.close()


async def test_a_ring_its_record_and_a_click_cost_one_question() -> None:
    script = (
        Scripted().says(SEARCH, ok([row()])).says("telephony.externalCall.register", ok({"CALL_ID": "x"}))
    )
    bitrix = portal(script, cards="responsible")
    await bitrix.refresh()
    known, opened, name = await asyncio.gather(
        bitrix.who(NUMBER, 5),
        bitrix.register(ringing(number=NUMBER), frozenset({"101"}), attempt()),
        bitrix.name_of(Click("c", "B", "101", NUMBER, 0.0)),
    )
    assert known is not None
    assert (known.name, known.extension, name) == ("Иван Петров", "101", "Иван Петров")
    assert isinstance(opened, Delivered)
    assert len(script.of(SEARCH)) == 1
    await bitrix.close()


async def test_a_portal_that_fails_leaves_what_was_known(book: Book) -> None:
    await book.find(NUMBER)
    book.script.says(SEARCH, page(502))
    assert isinstance(await book.clients.find(book.rest, NUMBER, Urgency.CARD, anew=True), Fault)
    remembered = book.clients.remembered(NUMBER)
    assert remembered is not None
    assert remembered[0][0] == Client("CONTACT", 5, "", 11)
