"""Addresses at which an older connector was called, such as its script on the PBX: they keep working here.

Which there are is told by the portals; the path's last part counts, in whatever folder the script lay. Open
where the pages are not, as the hooks are: each request is proven by the portal's adapter. A source address
counts only where no proxy stands between. Neither fields nor secrets are ever logged or shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

from callme.web.webhooks import LARGEST, STATUS, Answer

FIELDS_MAX = 200
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers by which a proxy shows: then the address that we see is its own."""


class OldDoors(Protocol):
    """Who answers there."""

    @property
    def names(self) -> frozenset[str]:
        """The last parts of the paths."""

    async def knock(self, door: str, fields: Mapping[str, str], source: str) -> tuple[Answer, str]:
        """Sees to one request; what became of it, and the older connector's own words. `source` is empty
        where it cannot be known."""


def router(doors: OldDoors) -> APIRouter:
    """The routes: each door by itself and in any folder. To be included before all others, so that no path
    that is let in unasked leads elsewhere."""
    routes = APIRouter(include_in_schema=False)
    for name in sorted(doors.names):
        for path in (f"/{name}", f"/{{folder:path}}/{name}"):
            routes.add_api_route(path, _asked(doors, name), methods=["GET", "POST"], response_model=None)
    return routes


def _asked(doors: OldDoors, name: str) -> Callable[[Request], Awaitable[PlainTextResponse]]:
    async def asked(request: Request) -> PlainTextResponse:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return PlainTextResponse("", 400)
        if body is None:
            return PlainTextResponse("too large", 413, {"Connection": "close"})
        try:
            fields = dict(request.query_params) | _form(body)
        except ValueError:
            return PlainTextResponse("not a form", 400)
        answer, text = await doors.knock(name, fields, _source(request))
        return PlainTextResponse(text if answer is Answer.TAKEN else answer.value, STATUS[answer])

    return asked


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _form(body: bytes) -> dict[str, str]:
    """The fields, as PHP would have read them: what is no pair is passed over. `ValueError` for too many."""
    text = body.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))


def _source(request: Request) -> str:
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return ""
    return request.client.host
