"""Whom the portal has under a number, and whose client that is: asked in one place and remembered there.

`callers` asks while a telephone rings, `customers` and `owners` for the record of a call, `listening` and the
adapter before a click is dialled. One request tells all of it (sheet §1.5). An answer is believed for a
minute; `news` makes it forgotten sooner when the portal says that a client has changed, so for each answer it
is known which clients it holds. Nothing is written to the portal here, and no outcome is decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from callme.crm.port import Urgency
from callme.portals.bitrix24 import payloads
from callme.portals.bitrix24.directory import People
from callme.portals.bitrix24.policies import Vip
from callme.portals.bitrix24.rest import Fault, Rest

SEARCH = "telephony.externalCall.searchCrmEntities"
ITEM = "crm.item.get"

ORDER = ("CONTACT", "LEAD", "COMPANY")
TYPE_IDS = {"LEAD": 1, "CONTACT": 3, "COMPANY": 4}

FRESH_S = 60.0
"""Whose a number is, and whether he is at work, is believed for so long."""

STALE_S = 24 * 3600.0
"""So long an answer serves a ringing telephone when the portal gives no new one."""

VIP_S = 600.0
"""A client's mark changes rarely; asking for it is a second request."""

ANSWER_S = 5.0
"""An answer that takes longer is done without: a card or the record of a call waits for it."""

REMEMBERED_MAX = 2000

AT_WORK = {"OPENED": True, "CLOSED": False, "PAUSED": False}
"""`TIMEMAN_STATUS` (sheet §1.5). EXPIRED is yesterday's day that nobody closed, UNAVAILABLE and NOT_INSTALLED
say that nobody counts his hours: of these nothing is known."""

Key = tuple[str, int]
"""A client's kind and id, as the portal names him."""


@dataclass(frozen=True, slots=True)
class Client:
    """One contact, lead or company. `user` is who is responsible, perhaps dismissed (0: nobody); `on_duty`
    whether his workday is open, `None` where nobody counts his hours. A lead that a call has made has no name
    yet."""

    kind: str
    id: int
    name: str
    user: int
    on_duty: bool | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.id


Found = tuple[Client, ...]
"""The clients with a number, nearest first: contacts, leads, companies."""


@dataclass(frozen=True, slots=True)
class _Kept:
    found: Found
    at: float  # when it was asked for


@dataclass(slots=True, eq=False)
class _Flight:
    """A request that is on its way, and what the portal told meanwhile: its answer may be older."""

    began: float
    changed: set[Key] = field(default_factory=set)
    more: bool = False  # a number may have got a client

    def outdated(self, found: Found) -> bool:
        return any(client.key in self.changed for client in found) or (self.more and not found)


@dataclass(frozen=True, slots=True)
class _Asking:
    urgency: Urgency
    task: asyncio.Task[Found | Fault]


class Clients:
    """The clients of one portal, as far as it was asked about them."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}  # by canonical number
        self._holding: dict[Key, set[str]] = {}  # the numbers whose answers hold a client
        self._nobody: set[str] = set()  # the numbers that were nobody's
        self._marks: dict[Key, tuple[bool, float]] = {}
        self._doubted_at = float("-inf")  # what was asked for earlier is not believed any more
        self._flights: set[_Flight] = set()
        self._asking: dict[str, _Asking] = {}
        self._marking: dict[Key, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # ------------------------------------------------------------------------------------------- asking
    async def find(self, rest: Rest, number: str, urgency: Urgency, *, anew: bool = False) -> Found | Fault:
        """The clients with that canonical number, from memory unless `anew`. Who stops waiting does not stop
        the request: its answer serves the next one who asks."""
        kept = self._kept.get(number)
        if kept is not None and not anew and self._fresh(kept.at, FRESH_S):
            return kept.found
        if rest.gathers:  # what travels with others waits for them, and must not wait for one another
            return await self._search(rest, number, urgency)
        asking = self._asking.get(number)
        if anew or asking is None or asking.urgency > max(urgency, Urgency.CARD):
            asking = _Asking(urgency, self._begun(self._search(rest, number, urgency)))
            self._asking[number] = asking
            asking.task.add_done_callback(lambda task: self._asked(number, task))
        return await asyncio.shield(asking.task)

    def remembered(self, number: str) -> tuple[Found, bool] | None:
        """What is known of that number without asking, for a day, and whether it is still believed."""
        kept = self._kept.get(number)
        if kept is None or kept.at < _now() - STALE_S:
            return None
        return kept.found, self._fresh(kept.at, FRESH_S)

    async def look_at_mark(self, rest: Rest, client: Client, vip: Vip) -> None:
        """Has the client's mark read unless that was done of late. Who stops waiting does not stop it."""
        _, at = self._marks.get(client.key, (False, float("-inf")))
        if self._fresh(at, VIP_S):
            return
        task = self._marking.get(client.key)
        if task is None or task.done():
            task = self._marking[client.key] = self._begun(self._read_mark(rest, client, vip))
            task.add_done_callback(lambda _: self._marking.pop(client.key, None))
        await asyncio.shield(task)

    def marked(self, client: Client) -> bool:
        """Whether the client was last seen to bear the mark."""
        return self._marks.get(client.key, (False, 0.0))[0]

    async def close(self) -> None:
        """Ends what is still being asked."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begun(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _asked(self, number: str, task: asyncio.Task[Found | Fault]) -> None:
        asking = self._asking.get(number)
        if asking is not None and asking.task is task:
            del self._asking[number]

    async def _search(self, rest: Rest, number: str, urgency: Urgency) -> Found | Fault:
        flight = _Flight(_now())
        self._flights.add(flight)
        try:
            told = await rest.call(
                SEARCH, payloads.find_client(number), urgency, reads=True, answer_s=ANSWER_S
            )
        finally:
            self._flights.discard(flight)
        if isinstance(told, Fault):
            return told
        found = read(told.result)
        before = self._kept.get(number)
        if before is None or before.at <= flight.began:
            self.forget_number(number)
            if not flight.outdated(found):
                self._keep(number, found, flight.began)
        return found

    async def _read_mark(self, rest: Rest, client: Client, vip: Vip) -> None:
        params = {"entityTypeId": TYPE_IDS[client.kind], "id": client.id, "useOriginalUfNames": "Y"}
        flight = _Flight(_now())
        self._flights.add(flight)
        try:
            told = await rest.call(ITEM, params, Urgency.CARD, reads=True, answer_s=ANSWER_S)
        finally:
            self._flights.discard(flight)
        if isinstance(told, Fault) or client.key in flight.changed:
            return
        item = told.result.get("item") if isinstance(told.result, Mapping) else None
        if len(self._marks) >= REMEMBERED_MAX:
            self._marks.clear()
        self._marks[client.key] = vip.marks(item if isinstance(item, Mapping) else {}), flight.began

    # ---------------------------------------------------------------------------------------- forgetting
    def forget(self, key: Key) -> None:
        """That client has changed or is gone: every answer that holds him is forgotten."""
        for number in tuple(self._holding.get(key, ())):
            self.forget_number(number)
        self._marks.pop(key, None)
        for flight in self._flights:
            flight.changed.add(key)

    def forget_nobodys(self) -> None:
        """Some number may have got a client: that a number is nobody's is forgotten."""
        for number in tuple(self._nobody):
            self.forget_number(number)
        for flight in self._flights:
            flight.more = True

    def doubt_all(self) -> None:
        """Anything may have changed: nothing is believed any more. It serves on where the portal gives no
        answer."""
        self._doubted_at = _now()

    def made(self, number: str) -> None:
        """A client with that number was made."""
        self.forget_number(number)
        for flight in self._flights:
            flight.more = True

    def forget_number(self, number: str) -> None:
        """What is remembered of that canonical number."""
        kept = self._kept.pop(number, None)
        self._nobody.discard(number)
        for client in kept.found if kept is not None else ():
            numbers = self._holding[client.key]
            numbers.discard(number)
            if not numbers:
                del self._holding[client.key]

    def _fresh(self, at: float, for_s: float) -> bool:
        return at > max(_now() - for_s, self._doubted_at)

    def _keep(self, number: str, found: Found, at: float) -> None:
        if len(self._kept) >= REMEMBERED_MAX:
            eldest = sorted(self._kept, key=lambda one: self._kept[one].at)
            for one in eldest[: REMEMBERED_MAX // 10]:
                self.forget_number(one)
        self._kept[number] = _Kept(found, at)
        for client in found:
            self._holding.setdefault(client.key, set()).add(number)
        if not found:
            self._nobody.add(number)


def read(told: Any) -> Found:
    """The clients in an answer of the search."""
    rows = [row for row in told if isinstance(row, Mapping)] if isinstance(told, list) else []
    return tuple(_client(kind, row) for kind in ORDER for row in rows if row.get("CRM_ENTITY_TYPE") == kind)


def responsible(found: Iterable[Client], people: People) -> Client | None:
    """Of the clients found, the first with a user who still works here. The portal lists those of dismissed
    users too (sheet §1.5)."""
    return next((client for client in found if client.user in people.users), None)


def nearest(found: Sequence[Client], entity: str) -> Client | None:
    """The one of the card that was clicked (`CONTACT:7`), else the first."""
    for client in found:
        if f"{client.kind}:{client.id}" == entity:
            return client
    return found[0] if found else None


def _client(kind: str, row: Mapping[str, Any]) -> Client:
    owner = row.get("ASSIGNED_BY")
    status = owner.get("TIMEMAN_STATUS") if isinstance(owner, Mapping) else None
    return Client(
        kind=kind,
        id=number(row.get("CRM_ENTITY_ID")),
        name=" ".join(str(row.get("NAME") or "").split()),
        user=number(row.get("ASSIGNED_BY_ID")),
        on_duty=AT_WORK.get(str(status)),
    )


def number(value: Any) -> int:
    """An id as the portal prints it; 0 for what is none."""
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() else 0


def _now() -> float:
    return asyncio.get_running_loop().time()
