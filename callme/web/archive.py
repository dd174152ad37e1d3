"""Recordings on the pages: heard by who may, noted who did, kept back or forgotten by who manages.

The audio is what a portal gets, made by the service from the PBX's files; this module hands it out in ranges,
so that a player can seek.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from callme.config import Role
from callme.crm.transcript import Line
from callme.web.guest import admit
from callme.wording import Language, Phrase

ORDER = "send the header X-CallMe: 1 with an order"


@dataclass(frozen=True, slots=True)
class Sound:
    """A call's recording, ready to be heard."""

    file: Path
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class NoSound:
    """Why there is nothing to hear. `wait_s`: ask again then; `None` when it will not get better."""

    why: Phrase
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who heard a recording: when (epoch seconds), who, from which address."""

    at: float
    who: str
    address: str


@dataclass(frozen=True, slots=True)
class KeptBack:
    """Somebody said that the call's recording is uploaded nowhere."""

    at: float
    who: str


class Archive(Protocol):
    """What is kept of calls beyond their record. Fulfilled by the service."""

    async def sound(self, call: str) -> Sound | NoSound | None:
        """The call's recording; `None` when there is no such call."""

    async def said(self, call: str) -> tuple[Line, ...]:
        """What was said in it, as far as it was written down; nothing where nobody did."""

    async def listened(self, call: str, who: str, address: str) -> None:
        """Somebody asks for a part of it, as a player does again and again: notes that he listens."""

    async def listeners(self, call: str) -> tuple[Listener, ...]:
        """Who heard it, newest first."""

    async def keep_back(self, call: str, who: str) -> bool:
        """The recording is uploaded nowhere from now on; false when there is no such call."""

    async def kept_back(self, call: str) -> KeptBack | None:
        """Who said so."""

    async def forget(self, number: str) -> int:
        """Forgets all calls of a number that are over and told to everybody; how many those were."""


class Number(BaseModel):
    """Whose calls are to be forgotten."""

    number: str = Field(min_length=3, max_length=40, pattern=r"\d")


class Forgotten(BaseModel):
    """How many calls were forgotten."""

    forgotten: int


class Kept(BaseModel):
    """The call whose recording is kept back."""

    call: str


class ListenerBody(BaseModel):
    """Somebody who heard a recording."""

    at: float
    who: str
    address: str


class Listeners(BaseModel):
    """Who heard a recording, newest first."""

    listeners: list[ListenerBody]


def router(archive: Archive, language: Language) -> APIRouter:
    """The doors to recordings."""
    routes = APIRouter()

    @routes.get("/recordings/{call_id}", include_in_schema=False)
    async def recording(request: Request, call_id: str) -> FileResponse:
        guest = admit(request, Role.LISTEN)
        found = await archive.sound(call_id)
        if found is None:
            raise HTTPException(404, "there is no call with this id")
        if isinstance(found, NoSound):
            again = {} if found.wait_s is None else {"Retry-After": str(max(1, round(found.wait_s)))}
            raise HTTPException(503 if again else 404, found.why.say(language), again)
        await archive.listened(call_id, guest.name, request.client.host if request.client else "")
        headers = {"Cache-Control": "private, no-store"}
        return FileResponse(
            found.file,
            media_type=found.media_type,
            filename=found.name,
            content_disposition_type="inline",
            headers=headers,
        )

    @routes.get("/api/v1/calls/{call_id}/listeners")
    async def listeners(request: Request, call_id: str) -> Listeners:
        """Who heard the call's recording. For those who manage."""
        admit(request, Role.MANAGE)
        heard = await archive.listeners(call_id)
        return Listeners(
            listeners=[ListenerBody(at=one.at, who=one.who, address=one.address) for one in heard]
        )

    @routes.post(
        "/api/v1/calls/{call_id}/keep-back",
        responses={
            403: {"description": "The header or the role is missing"},
            404: {"description": "No call"},
        },
    )
    async def keep_back(
        request: Request, call_id: str, x_callme: Annotated[str | None, Header()] = None
    ) -> Kept:
        """The call's recording is never uploaded, unless it is already. Send `X-CallMe: 1` with it."""
        guest = _orders(request, x_callme)
        if not await archive.keep_back(call_id, guest):
            raise HTTPException(404, "there is no call with this id")
        return Kept(call=call_id)

    @routes.post("/api/v1/forget", responses={403: {"description": "The header or the role is missing"}})
    async def forget(
        request: Request, whose: Number, x_callme: Annotated[str | None, Header()] = None
    ) -> Forgotten:
        """Forgets everything of the calls of one number here: their records, our copies of the audio, what
        the PBX said. What the PBX and the portal keep is theirs. Send `X-CallMe: 1` with it."""
        _orders(request, x_callme)
        return Forgotten(forgotten=await archive.forget(whose.number))

    return routes


def _orders(request: Request, header: str | None) -> str:
    """Who gives the order; a page of somebody else's cannot send the header."""
    if not header:
        raise HTTPException(403, ORDER)
    return admit(request, Role.MANAGE).name
