"""The sandbox portal as a program: an ASGI application, and a server for it on a loopback port inside this
process.

    async with SandboxPortal(Knobs(webhook_telephony="allow")) as portal:
        …  # portal.webhook_url, portal.office, portal.faults, portal.requests

`callme demo` and the tests start it; tests may also hand `portal.app` to an HTTP client's ASGI transport
without a port. It keeps everything in memory and is a development stand-in, never a portal for anyone's work.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from callme.lab.sandboxes.bitrix24 import clicking, installation, news, opening, page, readout
from callme.lab.sandboxes.bitrix24.authority import CLIENT_ID, CLIENT_SECRET, Authority
from callme.lab.sandboxes.bitrix24.faults import Faults
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.rest import CLOSE, Asked, Rest, Webhook
from callme.lab.sandboxes.bitrix24.seed import default_office
from callme.lab.sandboxes.bitrix24.state import Office

SECRET = "sandboxsecret"  # noqa: S105 - opens nothing but this stand-in
HOST = "127.0.0.1"
GRACE_S = 2


class SandboxPortal:
    """A strict Bitrix24 portal to try a client against.

    `port` 0 takes a free one. `clock` gives epoch seconds; tests may hand in their own.
    """

    def __init__(
        self,
        knobs: Knobs | None = None,
        *,
        office: Office | None = None,
        host: str = HOST,
        port: int = 0,
        secret: str = SECRET,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.office = office or default_office()
        self.faults = Faults()
        self.host = host
        self.port = port
        self._clock = clock
        self._rest = Rest(self.office, knobs or Knobs(), Webhook(1, secret), self.faults, clock)
        self.teller = news.Teller(self._rest)
        self._telling: asyncio.Task[None] | None = None
        routes = [
            *readout.routes(self._rest, clock),
            *installation.routes(self._rest, clock),
            *clicking.routes(self._rest, clock),
            *news.routes(self._rest, clock),
            *opening.routes(self._rest, clock),
            *page.routes(self.office, clock),
        ]
        self.app = _ClosingApp(Starlette(routes=routes))
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    @property
    def knobs(self) -> Knobs:
        """How the portal behaves; assign another value at any time."""
        return self._rest.knobs

    @knobs.setter
    def knobs(self, knobs: Knobs) -> None:
        self._rest.knobs = knobs

    @property
    def requests(self) -> list[Asked]:
        """REST requests that came, oldest first (a batch is one)."""
        return list(self._rest.requests)

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{self.host}:{self.port}/"

    @property
    def webhook_url(self) -> str:
        """What a client is configured with."""
        webhook = self._rest.webhook
        return f"{self.url}rest/{webhook.user}/{webhook.secret}/"

    @property
    def authority(self) -> Authority:
        """The application's tokens and how far its installation is."""
        return self._rest.authority

    @property
    def application(self) -> dict[str, str]:
        """What a client is configured with instead, to be the portal's local application."""
        portal = self.url.rstrip("/")
        return {
            "domain": portal,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "oauth_server": portal,
        }

    async def install(self, handler: str, *, form: str = "api", user: int = 1) -> tuple[int, str]:
        """Installs the application by a handler: what that answers."""
        return await installation.send(
            self._rest, self.url, self._clock(), handler=handler, form=form, user=user
        )

    def card(self, call: str, user: int) -> dict[str, str]:
        """What that user's browser sends when he opens our tab in the card of that call."""
        query, body = opening.frame(self._rest, self.url, self._clock(), call=call, user=user)
        return {**query, **body}

    async def start(self) -> None:
        """Listen. `OSError` when the port is taken."""
        self._socket = _listener(self.host, self.port)
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self.app,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server = _Server(config)
        self.teller.listen(True)
        self._telling = asyncio.create_task(self.teller.run(), name="sandbox portal's events")
        self._task = asyncio.create_task(self._server.serve([self._socket]), name="sandbox portal")
        await self._server.listening.wait()

    async def stop(self) -> None:
        """Close the event streams, then the server."""
        self._rest.closing.set()
        self.teller.listen(False)
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        if self._socket is not None:
            self._socket.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket that names its protocol: asyncio switches Nagle's delay off only then, and with the
    delay each answer comes 40 ms late (`socket.create_server` leaves the protocol at 0)."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    """Uvicorn inside someone else's loop: says when it listens, leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _ClosingApp:
    """Tells the application how to close its connection without an answer: on the wire under uvicorn, as the
    client's own exception under an ASGI transport, which has no wire."""

    def __init__(self, inner: Starlette) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)

        def close() -> None:
            if transport is None:
                raise httpx2.RemoteProtocolError("Server disconnected without sending a response.")
            transport.close()

        await self._inner({**scope, CLOSE: close}, receive, send)
