"""In front of every page of the wizard: whose browser it is, under which name it came, the safe headers."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callme.config import is_loopback
from callme.web.doors import SAFE_HEADERS, host_of, is_address
from callme.web.wizard.key import Key
from callme.web.wizard.words import P
from callme.wording import Language

COOKIE = "callme_setup"
ENTER = "/enter"
STATIC = "/static/"


class Gate:
    """ASGI middleware. `here`: the wizard listens to this machine alone, so that a foreign name in the
    address means a page elsewhere that was pointed at us."""

    def __init__(self, app: ASGIApp, key: Key, language: Language, *, here: bool) -> None:
        self._app = app
        self._key = key
        self._language = language
        self._here = here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers[name] = value
                headers["Cache-Control"] = "no-cache" if scope["path"].startswith(STATIC) else "no-store"
            await send(message)

        answer = self._refusal(scope["path"], Headers(scope=scope))
        await (answer or self._app)(scope, receive, safely)

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        host = host_of(headers.get("host", ""))
        if self._here and not (is_loopback(host) or is_address(host)):
            return PlainTextResponse(P.MISDIRECTED.say(self._language), 421)
        if path == ENTER or path.startswith(STATIC):
            return None
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        return None if self._key.knows(cookie) else PlainTextResponse(P.CLOSED.say(self._language), 403)
