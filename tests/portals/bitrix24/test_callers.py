"""Whose a number is, asked while it rings: one request, kept, and an old answer rather than none."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from callme.crm.port import Customer, Knows, Urgency
from callme.portals.bitrix24 import clients
from callme.portals.bitrix24.adapter import Bitrix24
from callme.portals.bitrix24.clients import ITEM, SEARCH
from callme.portals.bitrix24.policies import Vip
from tests.portals.bitrix24.scripted import USERS, OpenGate, Scripted, bad, lost, ok, page, portal

NUMBER = "+79261234567"
BORIS, CLARA = 11, 12  # 101 and 102


def row(
    kind: str = "CONTACT", user: Any = BORIS, name: str = "Иван Петров", status: str = "OPENED"
) -> dict[str, Any]:
    return {
        "CRM_ENTITY_TYPE": kind,
        "CRM_ENTITY_ID": 5,
        "ASSIGNED_BY_ID": user,
        "NAME": name,
        "ASSIGNED_BY": {"ID": str(user), "TIMEMAN_STATUS": status, "USER_PHONE_INNER": None},
    }


def script(*rows: dict[str, Any]) -> Scripted:
    return Scripted().says(SEARCH, ok(list(rows)))


async def asked(scripted: Scripted, number: str = NUMBER, **settings: Any) -> Customer | None:
    bitrix = portal(scripted, **settings)
    assert isinstance(bitrix, Knows)
    await bitrix.refresh()
    try:
        return await bitrix.who(number, 5)
    finally:
        await bitrix.close()


async def test_a_client_with_his_responsible() -> None:
    assert await asked(script(row())) == Customer(True, "Иван Петров", "101", on_duty=True)


async def test_nobody_has_the_number() -> None:
    assert await asked(script()) == Customer(known=False)


async def test_a_hidden_number_is_nobodys_and_nothing_is_asked() -> None:
    scripted = script(row())
    assert await asked(scripted, "anonymous") == Customer(known=False)
    assert scripted.of(SEARCH) == []


@pytest.mark.parametrize(
    ("status", "on_duty"),
    [("OPENED", True), ("CLOSED", False), ("PAUSED", False), ("EXPIRED", None), ("UNAVAILABLE", None),
     ("NOT_INSTALLED", None), ("", None)],
)  # fmt: skip
async def test_whether_his_workday_is_open(status: str, on_duty: bool | None) -> None:
    found = await asked(script(row(status=status)))
    assert found is not None
    assert found.on_duty is on_duty


async def test_contacts_before_companies_and_nobody_who_left() -> None:
    found = await asked(
        script(row("COMPANY", CLARA, "ООО"), row("CONTACT", 99, "Иван"), row("LEAD", BORIS, "Лид"))
    )
    assert found == Customer(True, "Лид", "101", on_duty=True)


async def test_a_client_whose_responsible_left_is_known_by_name() -> None:
    assert await asked(script(row(user=99))) == Customer(True, "Иван Петров")


async def test_an_employees_own_mobile_is_known_without_asking() -> None:
    users = [{**USERS[1], "PERSONAL_MOBILE": "8 (926) 123-45-67"}, USERS[2]]
    scripted = script(row()).says("user.get", ok(users))
    assert await asked(scripted) == Customer(True, "Boris B", colleague=True)
    assert scripted.of(SEARCH) == []


async def test_it_is_asked_once_a_minute_ahead_of_records() -> None:
    scripted, gate = script(row()), OpenGate()
    bitrix = portal(scripted, gate)
    await bitrix.refresh()
    for _ in range(3):
        await bitrix.who(NUMBER, 5)
    await bitrix.close()
    assert len(scripted.of(SEARCH)) == 1
    assert Urgency.CARD in gate.entered


@pytest.mark.parametrize("trouble", [page(502), lost(), bad(401, "expired_token"), ok({"odd": 1})])
async def test_where_the_portal_fails_nothing_is_known(trouble: Any) -> None:
    found = await asked(Scripted().says(SEARCH, trouble))
    assert found in (None, Customer(known=False))
    assert (found is None) == (not isinstance(trouble, httpx2.Response) or trouble.status_code != 200)


async def test_an_old_answer_rather_than_none_but_not_his_workday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "FRESH_S", -1.0)
    bitrix = portal(Scripted().says(SEARCH, [ok([row()]), page(502)]))
    await bitrix.refresh()
    await bitrix.who(NUMBER, 5)
    assert await bitrix.who(NUMBER, 5) == Customer(True, "Иван Петров", "101", on_duty=None)
    await bitrix.close()


class Slow(httpx2.AsyncBaseTransport):
    """Answers a search only when it is told to."""

    def __init__(self, scripted: Scripted) -> None:
        self._scripted = scripted
        self.came, self.opened = asyncio.Event(), asyncio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if SEARCH in str(request.url):
            self.came.set()
            await self.opened.wait()
        return self._scripted(request)


async def test_who_does_not_wait_any_longer_leaves_the_answer_to_the_next() -> None:
    slow = Slow(script(row()))
    bitrix = portal(Scripted(), transport=slow)
    await bitrix.refresh()
    assert await bitrix.who(NUMBER, 0.01) is None
    together = asyncio.gather(bitrix.who(NUMBER, 5), bitrix.who(NUMBER, 5))
    await asyncio.sleep(0)
    slow.opened.set()
    assert await together == [Customer(True, "Иван Петров", "101", on_duty=True)] * 2
    assert len(slow._scripted.of(SEARCH)) == 1
    await bitrix.close()


async def test_a_close_does_not_wait_for_a_slow_portal() -> None:
    slow = Slow(script(row()))
    bitrix: Bitrix24 = portal(Scripted(), transport=slow)
    await bitrix.refresh()
    await bitrix.who(NUMBER, 0.01)
    async with asyncio.timeout(2):
        await bitrix.close()


# ----------------------------------------------------------------------------------------------- VIP
@pytest.mark.parametrize(
    ("vip", "item", "marked"),
    [
        ({"field": "UF_CRM_VIP"}, {"UF_CRM_VIP": "1"}, True),
        ({"field": "UF_CRM_VIP"}, {"UF_CRM_VIP": True}, True),
        ({"field": "UF_CRM_VIP"}, {"UF_CRM_VIP": "0"}, False),
        ({"field": "UF_CRM_VIP"}, {"UF_CRM_VIP": None}, False),
        ({"field": "UF_CRM_VIP"}, {"UF_CRM_VIP": []}, False),
        ({"field": "UF_CRM_VIP"}, {}, False),
        ({"field": "TYPE_ID", "values": ["VIP", "PARTNER"]}, {"typeId": "VIP"}, True),
        ({"field": "TYPE_ID", "values": ["VIP"]}, {"typeId": "CLIENT"}, False),
        ({"field": "UF_CRM_KIND", "values": ["44"]}, {"UF_CRM_KIND": [12, 44]}, True),
    ],
)
def test_a_field_marks_an_important_client(vip: dict[str, Any], item: dict[str, Any], marked: bool) -> None:
    assert Vip.model_validate(vip).marks(item) is marked


async def test_the_mark_is_a_second_request_and_kept() -> None:
    scripted = script(row()).says(ITEM, ok({"item": {"UF_CRM_VIP": "1"}}))
    bitrix = portal(scripted, vip={"field": "UF_CRM_VIP"})
    await bitrix.refresh()
    for _ in range(2):
        found = await bitrix.who(NUMBER, 5)
        assert found is not None
        assert found.vip
    await bitrix.close()
    assert scripted.of(ITEM) == [{"entityTypeId": 3, "id": 5, "useOriginalUfNames": "Y"}]


async def test_a_mark_that_cannot_be_read_makes_nobody_important() -> None:
    scripted = script(row()).says(ITEM, bad(400, "NOT_FOUND"))
    found = await asked(scripted, vip={"field": "UF_CRM_VIP"})
    assert found == Customer(True, "Иван Петров", "101", on_duty=True)
