"""`/hooks/<portal>`: where a portal tells us that somebody clicked a number.

Open to the network where the pages are not: the portal's own secret lets it in, and only its adapter can
tell. A click is on the disk when it is acknowledged. Neither body nor secret is ever logged or shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse

LARGEST = 64 * 1024
"""Bytes of one message; a click has about one thousand."""


class Answer(StrEnum):
    """What became of a message."""

    TAKEN = "taken"  # kept, or nothing that concerns us
    FOREIGN = "foreign"  # its sender does not know the portal's secret
    UNCLEAR = "unclear"  # no message of this CRM
    NOWHERE = "nowhere"  # no such portal here, or one that hears nothing
    TROUBLE = "trouble"  # it could not be kept


STATUS = {
    Answer.TAKEN: 200,
    Answer.FOREIGN: 403,
    Answer.UNCLEAR: 400,
    Answer.NOWHERE: 404,
    Answer.TROUBLE: 503,
}


class Ears(Protocol):
    """Who hears what comes in by the door."""

    async def hear(self, portal: str, body: bytes) -> Answer:
        """Sees to one message for that portal."""


def router(ears: Ears) -> APIRouter:
    """The one route."""
    routes = APIRouter()

    @routes.post("/hooks/{portal}", include_in_schema=False)
    async def hook(portal: str, request: Request) -> PlainTextResponse:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST:
                return PlainTextResponse("too large", 413, {"Connection": "close"})
        answer = await ears.hear(portal, bytes(body))
        return PlainTextResponse(answer.value, STATUS[answer])

    return routes
