"""`/lookup/<pbx>`: where a PBX asks who calls while it rings.

Two questions with the same words: `/lookup/<pbx>` is answered the caller's name, one line of text, for
FreePBX's “CallerID Lookup Sources” (which takes the whole answer for the name); `/lookup/<pbx>/extension` is
answered the extension to ring, or nothing. Open to the network where the pages are not: the key of
`[routing]` lets in, as the password of HTTP Basic or as `key=`. Who does not know it gets an empty answer.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse

log = structlog.get_logger("callme.asking")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `by_dialplan`: the extension is wanted, and the dialplan itself goes there."""

    pbx: str
    key: str = field(repr=False)
    number: str
    uniqueid: str
    did: str
    by_dialplan: bool


@dataclass(frozen=True, slots=True)
class Told:
    """The answer. Empty `extension`: the call's ordinary route."""

    name: str
    extension: str


class Lookups(Protocol):
    """Who answers."""

    async def look_up(self, asked: Asked) -> Told | None:
        """The answer; `None` for a stranger."""


def router(lookups: Lookups) -> APIRouter:
    """The two routes."""
    routes = APIRouter()

    @routes.get("/lookup/{pbx}", include_in_schema=False)
    async def name(pbx: str, request: Request) -> PlainTextResponse:
        return await _answer(lookups, _asked(pbx, request, by_dialplan=False))

    @routes.get("/lookup/{pbx}/extension", include_in_schema=False)
    async def extension(pbx: str, request: Request) -> PlainTextResponse:
        return await _answer(lookups, _asked(pbx, request, by_dialplan=True))

    return routes


def _asked(pbx: str, request: Request, *, by_dialplan: bool) -> Asked:
    query = request.query_params
    return Asked(
        pbx,
        _password(request.headers.get("authorization", "")) or query.get("key", ""),
        _number(query.get("number", "")),
        query.get("uniqueid", ""),
        _number(query.get("did", "")),
        by_dialplan,
    )


def _number(text: str) -> str:
    """A number whose `+` may have become a space, because the dialplan did not escape it."""
    return "+" + text.strip() if text.startswith(" ") else text.strip()


def _password(authorization: str) -> str:
    """The password of HTTP Basic; the user's name does not matter."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


async def _answer(lookups: Lookups, asked: Asked) -> PlainTextResponse:
    """Never with a page of error, whatever goes wrong here: the PBX would show it for a name."""
    try:
        told = await lookups.look_up(asked)
    except Exception:
        log.exception("a look-up failed", pbx=asked.pbx)
        return PlainTextResponse("", 500)
    if told is None:
        return PlainTextResponse("", 403)
    return PlainTextResponse(told.extension if asked.by_dialplan else told.name)
