"""Who may look: the check in front of every page and API answer, and the headers behind it.

Pages show every call, so they are open only to this machine, unless a user and password are configured;
then everybody needs them, and may do what his role allows. A browser that was tricked into asking us under
a foreign name (DNS rebinding) is sent away: the `Host` must be an address, this machine, or the host of
`public_url`. `/healthz` and `/readyz` are free, since they tell no call; so is `/hooks/…`, where CRMs call
and which tells a call only to whom the CRM itself names, `/lookup/…`, where a PBX shows a key of its own, and
the addresses of an older connector.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callme.config import Person, Role, Service, is_loopback
from callme.web.guest import LOCAL, Guest
from callme.web.olddoors import FORWARDED
from callme.wording import Phrase

FREE = frozenset({"/healthz", "/readyz"})
HOOKS = ("/hooks/", "/lookup/")
"""CRMs and PBXs call these from elsewhere; each finds out by itself who is calling."""

MISDIRECTED = Phrase(
    "CallMe does not know this host name as its own. Open it by [service] public_url, or correct public_url.",
    "CallMe не знает такого имени хоста. Откройте его по [service] public_url или исправьте public_url.",
)
CLOSED = Phrase(
    "These pages are for this machine only. Set [service] web_user and web_password to open them to others.",
    "Эти страницы видны только с этой машины. Чтобы открыть их, задайте [service] web_user и web_password.",
)
WHO = Phrase("User and password, please.", "Нужны имя и пароль.")

SAFE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Doors:
    """ASGI middleware: lets a request in or answers it, and puts the safe headers on every answer."""

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        people: Iterable[Person] = (),
        old: frozenset[str] = frozenset(),
    ) -> None:
        """`people` may come in beside the one who manages. `old` are the last parts of paths at which an
        older connector was called (see `web.olddoors`)."""
        self._app = app
        self._old = old
        self._public = (urlsplit(service.public_url).hostname or "").lower()
        self._guarded = service.guarded
        self._keys = [_key(service.web_user, service.web_password, Role.MANAGE)]
        self._keys += [_key(one.id, one.password, one.role) for one in people]
        self._language = service.language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault(
                    "Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store"
                )
            await send(message)

        path = scope["path"]
        # Of what has a line break in it no route of theirs takes the path, so it is not let in for theirs.
        old = path.rpartition("/")[2] in self._old and path.isprintable()
        free = path in FREE or path.startswith(HOOKS) or old
        answer = None if free else self._answer(Headers(scope=scope))
        if isinstance(answer, Response):
            await answer(scope, receive, safely)
            return
        if answer is not None:
            scope.setdefault("state", {})["guest"] = answer
        await self._app(scope, receive, safely)

    def _answer(self, headers: Headers) -> Response | Guest:
        """Who it is, or why he stays outside."""
        host = host_of(headers.get("host", ""))
        here = is_loopback(host) and not any(name in headers for name in FORWARDED)
        if not (is_loopback(host) or is_address(host) or (host and host == self._public)):
            return PlainTextResponse(MISDIRECTED.say(self._language), 421)
        if self._guarded:
            return self._known(headers.get("authorization", "")) or self._ask()
        return LOCAL if here else PlainTextResponse(CLOSED.say(self._language), 403)

    def _ask(self) -> Response:
        return PlainTextResponse(
            WHO.say(self._language), 401, {"WWW-Authenticate": 'Basic realm="CallMe", charset="UTF-8"'}
        )

    def _known(self, authorization: str) -> Guest | None:
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        # All are compared whatever the first says, as digests of one length, so that time tells nothing.
        tried = _digest(user), _digest(password)
        fits = [
            hmac.compare_digest(tried[0], name) & hmac.compare_digest(tried[1], secret)
            for name, secret, _ in self._keys
        ]
        return next(
            (Guest(user, key[2]) for key, fit in zip(self._keys, fits, strict=True) if fit and colon), None
        )


def _key(name: str, password: SecretStr, role: Role) -> tuple[bytes, bytes, Role]:
    return _digest(name), _digest(password.get_secret_value()), role


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def host_of(header: str) -> str:
    """The host of a `Host` header without its port."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def is_address(host: str) -> bool:
    """An address was typed by a person or a proxy: rebinding needs a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
