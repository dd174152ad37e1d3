"""`/setup`: what the set-up wrote and what differs from it by now, for whoever manages.

Only shown: the service runs without the rights to write a PBX's files; the page tells the commands that do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from callme.config import Role
from callme.setup.changing import Command, needed
from callme.setup.standing import Standing
from callme.web.board import Board
from callme.web.guest import admit
from callme.web.pages import spoken
from callme.web.wizard import looks
from callme.web.wizard.words import P

PATH = "/setup"
WAYS = (
    (("setup", "--web"), P.BY_PAGES),
    (("setup",), P.BY_TERMINAL),
    (("doctor",), P.LOOK_CLOSER),
    (("setup", "--undo"), P.TAKE_BACK),
)


def router(stand: Callable[[], Standing], board: Board) -> APIRouter:
    """The one address."""
    routes = APIRouter(include_in_schema=False)
    turn = asyncio.Lock()  # it reads all of Asterisk's files: one reader at a time

    @routes.get(PATH)
    async def show(request: Request) -> Response:
        admit(request, Role.MANAGE)
        async with turn:
            found = await asyncio.to_thread(stand)
        orders = [
            Command(("sudo", "callme", *words, "--config", str(found.config)), why) for words, why in WAYS
        ]
        return looks.page(
            "standing.html",
            spoken(request, board.language),
            board.version,
            found=found,
            ways=orders,
            amiss=bool(needed(found.changes)) or found.problem is not None,
        )

    return routes
