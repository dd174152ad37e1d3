"""What the portal tells of its clients and employees: ONCRM… of each change in the CRM, ONUSERADD of who
joins (sheet §2.1, §2.4).

`Teller` watches what happens in the portal. What is bound offline waits to be fetched; what is bound to a
handler is posted, once, when the hit in which it happened is over, equal ones of it as one. `POST
/sandbox/crm` is somebody who works in the CRM, `POST /sandbox/users` somebody who joins:

    {"act": "update", "type": "CONTACT", "id": 1, "phones": ["+79…"], "assigned_by": 2}
    {"id": 20, "name": "Анна", "last_name": "Новая", "extension": "120"}
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callme.lab.sandboxes.bitrix24 import clicking, offline, php
from callme.lab.sandboxes.bitrix24.authority import Installed
from callme.lab.sandboxes.bitrix24.items import KINDS
from callme.lab.sandboxes.bitrix24.rest import Rest
from callme.lab.sandboxes.bitrix24.state import Happening, User

ACTS = {
    "customer.created": "ADD",
    "customer.given": "UPDATE",
    "customer.changed": "UPDATE",
    "customer.deleted": "DELETE",
}
FIELDS: dict[str, Callable[[Any], Any]] = {
    "title": php.text,
    "assigned_by": php.integer,
    "phones": tuple,
    "closed": php.truthy,
}

Post = tuple[str, str, dict[str, Any], int]
"""A handler, and what it is to be told: event, data and when it was queued."""


class Teller:
    """Of one portal. Events wait in `posts` until `run` posts them, or a test does."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self.posts: dict[tuple[str, str, int], Post] = {}  # by handler, event and whom it is about
        self._came = asyncio.Event()
        self.listen(True)

    def listen(self, on: bool) -> None:
        """Whether it watches what happens."""
        watchers = self._rest.office.watchers
        if on and self._watch not in watchers:
            watchers.append(self._watch)
        if not on and self._watch in watchers:
            watchers.remove(self._watch)

    def _watch(self, happening: Happening) -> None:
        told = _told(happening)
        if told is None or self._rest.authority.installed is not Installed.WHOLE:
            return
        event, data = told
        offline.queue(self._rest.office, event, data, happening.at)
        for handler in clicking.bound(self._rest, event):
            about = handler, event, happening.about["id"]
            self.posts.setdefault(about, (handler, event, data, int(happening.at)))
            self._came.set()

    def taken(self) -> list[tuple[str, dict[str, str]]]:
        """Handlers and forms of what waits, which waits no longer."""
        posts, self.posts = self.posts.values(), {}
        token = self._rest.authority.application_token
        return [(handler, clicking.enveloped(event, data, token, at)) for handler, event, data, at in posts]

    async def run(self) -> None:
        """Posts what comes. The portal repeats nothing (§2.1)."""
        while True:
            await self._came.wait()
            self._came.clear()
            for handler, form in self.taken():
                await clicking.post(handler, form)


def routes(rest: Rest, clock: Callable[[], float]) -> list[Route]:
    """Somebody at work in the portal."""
    office = rest.office

    async def crm(request: Request) -> Response:
        wish = await request.json()
        act, kind = php.text(wish.get("act")).lower(), php.text(wish.get("type")).upper()
        key = kind, php.integer(wish.get("id"))
        fields = {name: read(wish[name]) for name, read in FIELDS.items() if name in wish}
        if kind not in KINDS.values() or (act != "add" and key not in office.customers):
            return JSONResponse({"error": "an object of the CRM is needed: type, id"}, 400)
        match act:
            case "add":
                user = php.integer(wish.get("assigned_by")) or 1
                made = office.add_customer(kind, php.text(wish.get("title")), user, fields.get("phones", ()))
                key = kind, made.id
                office.tell("customer.created", clock(), call="", type=kind, id=made.id, title=made.title)
            case "update":
                office.change_customer(key, clock(), **fields)
            case "delete":
                office.delete_customer(key, clock())
            case _:
                return JSONResponse({"error": "act is add, update or delete"}, 400)
        return JSONResponse({"type": key[0], "id": key[1]})

    async def users(request: Request) -> Response:
        try:
            user = User(**await request.json())
        except TypeError as error:
            return JSONResponse({"error": str(error)}, 400)
        office.add_user(user)
        office.tell("user.added", clock(), id=user.id)
        return JSONResponse({"id": user.id})

    return [
        Route("/sandbox/crm", crm, methods=["POST"]),
        Route("/sandbox/users", users, methods=["POST"]),
    ]


def _told(happening: Happening) -> tuple[str, dict[str, Any]] | None:
    """The event of a happening: of a client it says the id alone."""
    about = happening.about
    if happening.kind in ACTS:
        return f"ONCRM{about['type']}{ACTS[happening.kind]}", {"FIELDS": {"ID": about["id"]}}
    if happening.kind == "user.added":
        return "ONUSERADD", {"ID": about["id"], "ACTIVE": 1}
    return None
