"""The pages: the dashboard and one call, in the reader's language, and the stream that keeps the dashboard
live.

Language: `?lang=`, else the browser's wish, else the configuration's. Templates escape everything that
they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import PlainTextResponse, Response

from callme.calls.model import Call
from callme.config import Role
from callme.web.archive import Archive
from callme.web.board import BadCursor, Board, CallQuery
from callme.web.guest import Guest, guest_of
from callme.web.live import MOST_READERS, Live
from callme.web.phrases import Words
from callme.web.reading import Reading
from callme.web.spoken import spoken as lines_of
from callme.web.timeline import timeline
from callme.wording import LANGUAGES, Language

ROWS = 50
DAY_S = 86_400.0
SECTIONS = ("state", "now", "recent")

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Pages:
    """Renders pages from a board."""

    def __init__(self, board: Board, kept: Archive | None = None, *, setup: bool = False) -> None:
        """`kept` are the calls' recordings; `setup`: there is a page of what the set-up wrote."""
        self._board = board
        self._kept = kept
        self._setup = setup
        self.live = Live(board, self.sections)

    def _context(self, language: Language) -> dict[str, Any]:
        words = Words(language)
        reading = Reading(words, self._board.country, self._board.now())
        return {"w": words, "r": reading, "lang": language, "version": self._board.version}

    async def _dashboard(self, language: Language, after: str | None) -> dict[str, Any]:
        board = self._board
        page = await board.list_calls(CallQuery(open=False, limit=ROWS, after=after))
        return {
            **self._context(language),
            "links": await board.links(),
            "portals": await board.portals(),
            "oddities": await board.oddities_since(board.now() - DAY_S),
            "calls": (await board.list_calls(CallQuery(open=True, limit=200))).rows,
            "rows": page.rows,
            "next": page.next,
            "after": after,
        }

    async def sections(self, language: Language) -> Mapping[str, str]:
        """The parts of the dashboard that change by themselves."""
        context = await self._dashboard(language, None)
        return {name: _templates.get_template(f"_{name}.html").render(context) for name in SECTIONS}

    async def dashboard(self, language: Language, after: str | None, guest: Guest) -> HTMLResponse:
        """The first page, with what the guest may do. `after` shows earlier calls, which do not move."""
        try:
            context = await self._dashboard(language, after)
        except BadCursor:
            return self._nothing(language, "bad_cursor", 400)
        context["sets_up"] = self._setup and guest.role.covers(Role.MANAGE)
        return HTMLResponse(_templates.get_template("dashboard.html").render(context))

    async def call(self, language: Language, call_id: str, guest: Guest, address: str) -> HTMLResponse:
        """Everything about one call that the guest may know; that he reads what was said is noted, with his
        address."""
        story = await self._board.story(call_id)
        if story is None:
            return self._nothing(language, "not_found", 404)
        context = self._context(language)
        context |= {"story": story, "call": story.call, "moments": timeline(story.call, context["w"])}
        context |= await self._said(story.call, context["w"], guest, address)
        context |= await self._sound(story.call, guest)
        return HTMLResponse(_templates.get_template("call.html").render(context))

    async def _said(self, call: Call, words: Words, guest: Guest, address: str) -> dict[str, Any]:
        kept = self._kept
        if kept is None or call.open or not guest.role.covers(Role.LISTEN):
            return {"said": []}
        said = lines_of(await kept.said(call.id), call, words)
        if said:
            await kept.listened(call.id, guest.name, address)
        return {"said": said}

    async def _sound(self, call: Call, guest: Guest) -> dict[str, Any]:
        """The player, and what was said and noted of the recording."""
        kept, manages = self._kept, guest.role.covers(Role.MANAGE)
        there = kept is not None and bool(call.recordings) and not call.open
        return {
            "audible": there and guest.role.covers(Role.LISTEN),
            "manages": there and manages,
            "kept_back": await kept.kept_back(call.id) if kept is not None and there else None,
            "listeners": await kept.listeners(call.id) if kept is not None and there and manages else (),
        }

    def _nothing(self, language: Language, what: str, status: int) -> HTMLResponse:
        context = {**self._context(language), "what": what}
        return HTMLResponse(_templates.get_template("nothing.html").render(context), status)


def router(pages: Pages, board: Board) -> APIRouter:
    """The routes of the pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def dashboard(request: Request, after: str | None = None) -> HTMLResponse:
        return await pages.dashboard(spoken(request, board.language), after, guest_of(request))

    @routes.get("/calls/{call_id}")
    async def call(request: Request, call_id: str) -> HTMLResponse:
        address = request.client.host if request.client else ""
        return await pages.call(spoken(request, board.language), call_id, guest_of(request), address)

    @routes.get("/live")
    async def live(request: Request) -> Response:
        if pages.live.readers >= MOST_READERS:
            return PlainTextResponse("", 503, {"Retry-After": "30"})
        language = spoken(request, board.language)
        stream = pages.live.stream(language, request.headers.get("last-event-id", ""))
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return routes


def spoken(request: Request, otherwise: Language) -> Language:
    """The language for this reader."""
    asked = request.query_params.get("lang", "")
    wishes = [asked, *_wishes(request.headers.get("accept-language", ""))]
    for wish in wishes:
        for language in LANGUAGES:
            if wish.lower().split("-")[0] == language:
                return language
    return otherwise


def _wishes(header: str) -> list[str]:
    """The languages of an `Accept-Language` header, the dearest first."""
    weighed = []
    for part in header.split(","):
        tag, _, weight = part.partition(";")
        try:
            value = float(weight.partition("=")[2] or 1)
        except ValueError:
            continue
        if tag.strip() and value > 0:
            weighed.append((-value, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]
