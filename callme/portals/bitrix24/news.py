"""What the portal tells of its clients and employees, and which memories that empties (sheet §2.4).

`bindings` subscribes to it, `listening` hands it over, however it came. Such an event names a client and says
nothing of him, so the answers that hold him are forgotten, and no request is made: ten thousand of them, an
import, cost memory alone. A new client may have a number that was nobody's, so may one that was changed. The
users are read anew when one joins, once in a while however many do; what else changes about them the portal
tells nobody, and the upkeep sees to it. Deals are not remembered, so nothing is asked to be told of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Set
from enum import StrEnum

from callme.portals.bitrix24.clients import ORDER, Clients, number
from callme.portals.bitrix24.webhook import Message


class Act(StrEnum):
    """What became of a client, as the end of the event's name says it."""

    ADD = "ADD"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


OF_CLIENTS = {f"ONCRM{kind}{act}": (kind, act) for kind in ORDER for act in Act}
USER_ADDED = "ONUSERADD"
"""Somebody was invited and has now come in for the first time."""

EVENTS = frozenset({*OF_CLIENTS, USER_ADDED})

ID = "FIELDS][ID"
"""Where the client's id stands in the form: `data[FIELDS][ID]`."""

USERS_PACE_S = 30.0
"""The users are read so seldom, however many join."""


def offered(scopes: Set[str]) -> frozenset[str]:
    """The events of which an application with these rights may be told: the portal knows no others."""
    of_clients = OF_CLIENTS if "crm" in scopes else ()
    return frozenset((*of_clients, *((USER_ADDED,) if "user" in scopes else ())))


class News:
    """What is told of one portal. `read_users` reads them anew and raises nothing."""

    def __init__(self, clients: Clients, read_users: Callable[[], Awaitable[object]]) -> None:
        self._clients = clients
        self._read_users = read_users
        self._reading: asyncio.Task[None] | None = None
        self._more = False  # somebody joined after the reading began

    def hear(self, message: Message) -> None:
        """One event; one of another kind says nothing here."""
        if message.event == USER_ADDED:
            self._joined()
        elif message.event in OF_CLIENTS:
            self._changed(*OF_CLIENTS[message.event], number(message.data.get(ID)))

    def lost(self) -> None:
        """Some of what was told is lost: anything may have changed."""
        self._clients.doubt_all()

    async def close(self) -> None:
        """Ends a reading that goes on."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _changed(self, kind: str, act: Act, id: int) -> None:
        if not id:
            self.lost()
            return
        if act is not Act.ADD:
            self._clients.forget((kind, id))
        if act is not Act.DELETE:
            self._clients.forget_nobodys()

    def _joined(self) -> None:
        self._more = True
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        while self._more:
            self._more = False
            await self._read_users()
            await asyncio.sleep(USERS_PACE_S)
