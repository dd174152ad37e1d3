"""Outbound HTTP, as thin as it can be, so that the library beneath it can be changed in this one file.

Portals (and whatever else calls out) use one `HttpClient` each. It answers with one of three things, because
these are what a sender must know: *an answer*, *surely not sent*, or *sent and unknown*. It follows no
redirect, verifies every certificate, caps what it reads, and never puts an address into a text: addresses
may hold secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from callme.errors import ConfigError
from callme.wording import Phrase, plain

ANSWER_CAP = 8 * 1024 * 1024
"""Bytes of an answer that are read at most; no answer of a portal that is worth reading is longer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The server answered. Header names are lower case; `body` is whole."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The connection never stood: the server has surely not seen the request."""

    why: Phrase


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request, or a part of it, went out and no whole answer came: it may have been carried out."""

    why: Phrase


Reply = Answer | NotSent | NoAnswer


@dataclass(frozen=True, slots=True)
class Upload:
    """A file for a multipart form: the form's field, the name to tell, the media type and the file itself."""

    field: str
    name: str
    media_type: str
    file: Path


class HttpClient:
    """One pool of connections with its own time limits and trust.

    `connect_s` and `answer_s` bound connecting and the whole exchange, in seconds. `ca_file` adds
    authorities to those that the system trusts. `transport` replaces the network (tests, a sandbox in the
    same process).
    """

    def __init__(
        self,
        *,
        agent: str = "CallMe",
        connect_s: float = 5.0,
        answer_s: float = 30.0,
        ca_file: Path | None = None,
        answer_cap: int = ANSWER_CAP,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._answer_s = answer_s
        self._cap = answer_cap
        self._client = httpx2.AsyncClient(
            headers={"User-Agent": agent, "Accept": "application/json"},
            # `asyncio.timeout` below bounds the whole exchange; the library's own clocks restart per read.
            timeout=httpx2.Timeout(answer_s, connect=connect_s, pool=answer_s),
            verify=trust(ca_file) if transport is None else True,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def post_json(
        self,
        url: str,
        content: Any,
        *,
        headers: Mapping[str, str] | None = None,
        answer_s: float | None = None,
    ) -> Reply:
        """Posts `content` as JSON."""
        return await self._send(answer_s, "POST", url, json=content, headers=dict(headers or {}))

    async def get(self, url: str, params: Mapping[str, str], *, answer_s: float | None = None) -> Reply:
        """Gets an address with these parameters in its query."""
        return await self._send(answer_s, "GET", url, params=dict(params))

    async def head(self, url: str, headers: Mapping[str, str]) -> Reply:
        """What the server says of an address without sending what is there."""
        return await self._send(None, "HEAD", url, headers=dict(headers))

    async def download(
        self, url: str, into: Path, have: int, headers: Mapping[str, str], heard: Callable[[int], None]
    ) -> Reply:
        """Writes what is there into a file, behind the `have` bytes that it holds where the server knows
        ranges, else from its beginning; `heard` is told the bytes so far. It may take any time as long as
        something comes. Only an answer of 200 or 206 changes the file; `OSError` when it cannot be written.
        """
        asked = {**headers, "Range": f"bytes={have}-"} if have else dict(headers)
        limits = httpx2.Timeout(self._answer_s, connect=self._client.timeout.connect)
        try:
            async with self._client.stream("GET", url, headers=asked, timeout=limits) as answer:
                if answer.status_code in (200, 206):
                    await _written(answer, into, have if answer.status_code == 206 else 0, heard)
                return Answer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()})
        except httpx2.HTTPError as error:
            return _failed(error, self._answer_s)

    async def post_file(
        self,
        url: str,
        upload: Upload,
        *,
        headers: Mapping[str, str] | None = None,
        answer_s: float | None = None,
    ) -> Reply:
        """Posts a file as multipart form, read piece by piece. `OSError` when the file cannot be opened."""
        handle = await asyncio.to_thread(upload.file.open, "rb")
        with handle:
            files = {upload.field: (upload.name, handle, upload.media_type)}
            return await self._send(answer_s, "POST", url, files=files, headers=dict(headers or {}))

    async def close(self) -> None:
        """Gives the connections back."""
        await self._client.aclose()

    async def _send(self, answer_s: float | None, verb: str, url: str, **parts: Any) -> Reply:
        limit = answer_s or self._answer_s
        try:
            async with (
                asyncio.timeout(limit),
                self._client.stream(
                    verb, url, timeout=httpx2.Timeout(limit, connect=self._client.timeout.connect), **parts
                ) as answer,
            ):
                return await self._read(answer)
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            return _failed(error, limit)

    async def _read(self, answer: httpx2.Response) -> Reply:
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > self._cap:
                return NoAnswer(
                    Phrase(
                        "The answer is longer than {cap} bytes and was not read.",
                        "Ответ длиннее {cap} байт и не прочитан.",
                    ).given(cap=self._cap)
                )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, headers, bytes(body))


async def _written(answer: httpx2.Response, into: Path, at: int, heard: Callable[[int], None]) -> None:
    """The body from that position on."""
    file = await asyncio.to_thread(into.open, "r+b" if at else "wb")
    with file:
        file.seek(at)
        async for piece in answer.aiter_bytes():
            await asyncio.to_thread(file.write, piece)
            at += len(piece)
            heard(at)
        file.truncate(at)


def _failed(error: Exception, limit: float) -> NotSent | NoAnswer:
    """What became of a request that brought no answer."""
    if isinstance(
        error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError
    ):
        return NotSent(_unreachable(error))
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return NotSent(Phrase("The address is not a web address.", "Адрес не является веб-адресом."))
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return NoAnswer(
            Phrase("No answer within {seconds} s.", "Нет ответа за {seconds} с.").given(seconds=round(limit))
        )
    return NoAnswer(
        Phrase(
            "The connection broke before the whole answer came.",
            "Соединение оборвалось раньше, чем пришёл весь ответ.",
        )
    )


def trust(ca_file: Path | None) -> Any:
    """The TLS settings of a client: the system's authorities and, if given, those in `ca_file`.
    `ConfigError` for a file that is missing or holds no certificate."""
    context = httpx2.create_ssl_context(trust_env=False)
    if ca_file is None:
        return context
    try:
        context.load_verify_locations(cafile=str(ca_file))
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            Phrase(
                "The file of certificate authorities {file} cannot be used: {reason}.",
                "Файл удостоверяющих центров {file} использовать нельзя: {reason}.",
            ).given(file=ca_file, reason=error.strerror or type(error).__name__),
            Phrase(
                "Give ca_file the path of a PEM file with the authority's certificate.",
                "Укажите в ca_file путь к файлу PEM с сертификатом центра.",
            ),
        ) from None
    return context


def _unreachable(error: Exception) -> Phrase:
    """Why the connection did not stand, in words. Library texts are looked at, never passed on."""
    text = str(error).lower()
    if "certificate" in text:
        return Phrase(
            "The server's certificate is not trusted (self-signed, expired or for another name).",
            "Сертификату сервера нельзя доверять (самоподписанный, просрочен или выдан на другое имя).",
        )
    if "ssl" in text or "tls" in text:
        return Phrase("The TLS handshake failed.", "Не удалось установить защищённое соединение (TLS).")
    if isinstance(error, httpx2.TimeoutException):
        return Phrase(
            "The server does not accept the connection in time.", "Сервер не принимает соединение вовремя."
        )
    if "name or service" in text or "name resolution" in text or "nodename" in text or "getaddrinfo" in text:
        return Phrase("The server's name is not known to DNS.", "Имя сервера не найдено в DNS.")
    if "refused" in text or "all connection attempts failed" in text:
        return Phrase("The server refuses the connection.", "Сервер отказывает в соединении.")
    return Phrase("The server cannot be reached.", "Сервер недоступен.")


def server_words(text: str, limit: int = 300) -> Phrase:
    """A server's own words for use inside a phrase: one line, not too long."""
    line = " ".join(text.split())
    return plain(line if len(line) <= limit else line[: limit - 1] + "…")
