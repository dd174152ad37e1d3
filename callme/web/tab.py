"""Our tab in a CRM's card of a call: `/hooks/<portal>/card`, opened by the CRM in a frame.

Anybody may call this; who it is, the portal's adapter finds out (`service.tabs`), and a button's order bears
the ticket that the page was given. No cookie is set or read, so no other page can press a button. The page
may be framed by that one portal, has no script, and everything in it is escaped. `callme.web.app` mounts the
routes; `web.doors` lets them through.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import PlainTextResponse, Response

from callme.calls.model import Call
from callme.crm.tabs import Order
from callme.web import forms
from callme.web.board import Board
from callme.web.phrases import Words
from callme.web.reading import Reading
from callme.web.timeline import timeline
from callme.wording import Language, Phrase

TOO_LONG = Phrase("This is too long to be a card.", "Для карточки это слишком длинно.")


@dataclass(frozen=True, slots=True)
class View:
    """What one person sees of one call. `past` are earlier calls of the same number; `kept_back`: the
    recording is kept from the portal; `orders` are what he may ask for, of `colleagues` (extension and name).
    """

    call: Call
    past: tuple[Call, ...] = ()
    kept_back: bool = False
    orders: frozenset[Order] = frozenset()
    colleagues: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer. `frame` is the origin that may show it. Without a `view` there is only `said`; with one it
    is what came of an order. `ticket` lets the page ask again."""

    frame: str
    status: HTTPStatus = HTTPStatus.OK
    view: View | None = None
    said: Phrase | None = None
    ticket: str = field(default="", repr=False)


class Tab(Protocol):
    """What the routes need to know."""

    async def open(self, portal: str, fields: Mapping[str, str]) -> Shown | None:
        """The CRM's frame was opened. `None` where no such portal has a tab."""

    async def press(self, portal: str, ticket: str, order: str, to: str) -> Shown | None:
        """A button was pressed; an empty `order` looks again."""


_template = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("tab.html")


def router(tab: Tab, board: Board) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/hooks/{portal}/card")
    async def opened(portal: str, request: Request) -> Response:
        language = forms.language(request, board.language)
        read = await _fields(request, language)
        if isinstance(read, Response):
            return read
        return _page(await tab.open(portal, read), portal, language, board)

    @routes.post("/hooks/{portal}/card/order")
    async def pressed(portal: str, request: Request) -> Response:
        language = forms.language(request, board.language)
        read = await _fields(request, language)
        if isinstance(read, Response):
            return read
        asked = (read.get(name, "") for name in ("ticket", "order", "to"))
        return _page(await tab.press(portal, *asked), portal, language, board)

    return routes


async def _fields(request: Request, language: Language) -> dict[str, str] | Response:
    try:
        return await forms.fields(request)
    except forms.TooLongError:
        return PlainTextResponse(TOO_LONG.say(language), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except forms.NoFormError:
        return PlainTextResponse(forms.NO_FORM.say(language), HTTPStatus.BAD_REQUEST)


def _page(shown: Shown | None, portal: str, language: Language, board: Board) -> Response:
    if shown is None:
        return PlainTextResponse(forms.NO_PORTAL.say(language), HTTPStatus.NOT_FOUND)
    nonce = secrets.token_urlsafe(16)
    words = Words(language)
    html = _template.render(
        w=words,
        r=Reading(words, board.country, board.now()),
        lang=language,
        nonce=nonce,
        portal=portal,
        shown=shown,
        view=shown.view,
        moments=timeline(shown.view.call, words) if shown.view else [],
    )
    framers = shown.frame or "'none'"
    # A policy that names frames outranks X-Frame-Options in every browser.
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors {framers}"
    )
    return HTMLResponse(html, shown.status, {"Content-Security-Policy": policy})
