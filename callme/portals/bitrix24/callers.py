"""Whose a number is in the portal: the clients with it, who is responsible for them, and is he at work.

Asked while a call rings, when seconds count: a number is asked about once at a time, the answer is believed
for a minute, and an old one serves for as long as the portal gives no new one (law 11: a failed look-up harms
no call). What is done about clients when a call is over is `customers`' affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from callme.crm.port import Customer, Urgency
from callme.portals.bitrix24 import payloads
from callme.portals.bitrix24.customers import ANSWER_S, ORDER, SEARCH
from callme.portals.bitrix24.directory import Directory, People
from callme.portals.bitrix24.policies import Vip
from callme.portals.bitrix24.rest import Fault, Rest

ITEM = "crm.item.get"
TYPE_IDS = {"LEAD": 1, "CONTACT": 3, "COMPANY": 4}

FRESH_S = 60.0
"""Who is responsible for a number, and whether he is at work, is believed for so long."""

STALE_S = 24 * 3600.0
"""So long an answer serves when the portal gives no new one."""

VIP_S = 600.0
"""A client's mark changes rarely; asking for it is a second request."""

REMEMBERED_MAX = 2000

AT_WORK = {"OPENED": True, "CLOSED": False, "PAUSED": False}
"""`TIMEMAN_STATUS` (sheet §1.5). EXPIRED is yesterday's day that nobody closed, UNAVAILABLE and NOT_INSTALLED
say that nobody counts his hours: of these nothing is known."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """A row of the portal's answer that has an active user, who is responsible."""

    kind: str
    id: str
    name: str
    user: int
    on_duty: bool | None


@dataclass(slots=True)
class _Kept:
    rows: list[Row]
    at: float
    vip: bool | None = None
    vip_at: float = 0.0


class Callers:
    """The numbers that one portal was asked about."""

    def __init__(self, directory: Directory, vip: Vip | None = None) -> None:
        self._directory = directory
        self._vip = vip
        self._kept: dict[str, _Kept] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def find(self, rest: Rest, number: str, urgency: Urgency) -> list[Row] | None:
        """The clients with that canonical number; `None` when the portal does not say and did not of late."""
        if not self._fresh(number):
            await self._once(("find", number), self._search(rest, number, urgency))
        kept = self._kept.get(number)
        return kept.rows if kept is not None and kept.at > _now() - STALE_S else None

    async def who(self, rest: Rest, number: str, within_s: float) -> Customer | None:
        """What a telephone may show for that number. A request that takes longer goes on for the next caller
        of this number."""
        plain = payloads.phone_number(number)
        if plain == payloads.HIDDEN:
            return Customer(known=False)
        people = self._directory.people
        colleague = people.of_phone(plain)
        if colleague is not None:
            return Customer(True, colleague.name, colleague=True)
        try:
            async with asyncio.timeout(within_s):
                await self.find(rest, plain, Urgency.CARD)
                await self._look_at_mark(rest, plain)
        except TimeoutError:
            pass  # what is known by now is told
        return self._told(plain)

    async def close(self) -> None:
        """Ends what is still being asked."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------------------------------- asking
    async def _once(self, key: tuple[str, str], work: Any) -> None:
        """Does the work, or waits for the same work that goes on already. Whoever stops waiting does not
        stop it."""
        task = self._asking.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(work)
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        else:
            work.close()
        await asyncio.shield(task)

    async def _search(self, rest: Rest, number: str, urgency: Urgency) -> None:
        found = await rest.call(SEARCH, payloads.find_client(number), urgency, reads=True, answer_s=ANSWER_S)
        if isinstance(found, Fault):
            return
        rows = found.result if isinstance(found.result, list) else []
        before = self._kept.get(number)
        kept = _Kept([row for row in rows if isinstance(row, Mapping)], _now())
        if before is not None:
            kept.vip, kept.vip_at = before.vip, before.vip_at
        self._make_room()
        self._kept[number] = kept

    async def _look_at_mark(self, rest: Rest, number: str) -> None:
        kept = self._kept.get(number)
        if self._vip is None or kept is None or kept.vip_at > _now() - VIP_S:
            return
        row = next(iter(_in_order(kept.rows)), None)
        if row is not None:
            await self._once(("mark", number), self._ask_mark(rest, self._vip, row, kept))

    async def _ask_mark(self, rest: Rest, vip: Vip, row: Row, kept: _Kept) -> None:
        params = {
            "entityTypeId": TYPE_IDS[str(row.get("CRM_ENTITY_TYPE"))],
            "id": row.get("CRM_ENTITY_ID"),
            "useOriginalUfNames": "Y",
        }
        found = await rest.call(ITEM, params, Urgency.CARD, reads=True, answer_s=ANSWER_S)
        if isinstance(found, Fault):
            return
        item = found.result.get("item") if isinstance(found.result, Mapping) else None
        kept.vip = vip.marks(item if isinstance(item, Mapping) else {})
        kept.vip_at = _now()

    # ------------------------------------------------------------------------------------------- telling
    def _told(self, number: str) -> Customer | None:
        kept = self._kept.get(number)
        if kept is None or kept.at < _now() - STALE_S:
            return None
        first = next(iter(_in_order(kept.rows)), None)
        if first is None:
            return Customer(known=False)
        people = self._directory.people
        client = responsible(kept.rows, people)
        name = _name(first) if client is None else client.name or _name(first)
        return Customer(
            known=True,
            name=name,
            extension=people.extension_of(client.user) if client is not None else "",
            on_duty=client.on_duty if client is not None and self._fresh(number) else None,
            vip=bool(kept.vip),
        )

    def _fresh(self, number: str) -> bool:
        kept = self._kept.get(number)
        return kept is not None and kept.at > _now() - FRESH_S

    def _make_room(self) -> None:
        if len(self._kept) >= REMEMBERED_MAX:
            eldest = sorted(self._kept, key=lambda number: self._kept[number].at)
            for number in eldest[: REMEMBERED_MAX // 10]:
                del self._kept[number]


def responsible(rows: list[Row], people: People) -> Client | None:
    """Of the clients found, the first with a user who still works here: contacts, leads, companies. The
    portal lists those of dismissed users too (sheet §1.5)."""
    for row in _in_order(rows):
        user = str(row.get("ASSIGNED_BY_ID") or "")
        if user.isdecimal() and int(user) in people.users:
            owner = row.get("ASSIGNED_BY")
            status = owner.get("TIMEMAN_STATUS") if isinstance(owner, Mapping) else None
            return Client(
                kind=str(row.get("CRM_ENTITY_TYPE")),
                id=str(row.get("CRM_ENTITY_ID") or ""),
                name=_name(row),
                user=int(user),
                on_duty=AT_WORK.get(str(status)),
            )
    return None


def _in_order(rows: list[Row]) -> Iterator[Row]:
    for kind in ORDER:
        yield from (row for row in rows if row.get("CRM_ENTITY_TYPE") == kind)


def _name(row: Row) -> str:
    return " ".join(str(row.get("NAME") or "").split())


def _now() -> float:
    return asyncio.get_running_loop().time()
