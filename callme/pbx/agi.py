"""A FastAGI server: the dialplan asks by `AGI(agi://host:port/…)`, and gets variables set on its channel.

Given to the service, which says what to answer. One question per connection; Asterisk itself waits without
end for an answer once it is connected (sheet freepbx §6.2), so everything here has a limit. The protocol is
that of res_agi, Asterisk 13–22: lines of `agi_name: value` and an empty one, then a command and its `200
result=…` in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

LINE_MAX = 8192
LINES_MAX = 200
GUESTS_MAX = 200
"""Connections at once; one more is closed unheard, and the dialplan goes on without an answer."""

QUESTION_S = 2.0
ANSWER_S = 7.0
"""So long the answer may take to be found, and each command to be obeyed."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the dialplan sent: the path of the address without its slash, `agi_arg_…` in order, and the other
    `agi_…` values without that prefix."""

    script: str
    arguments: tuple[str, ...] = field(default=(), repr=False)  # one of them is the key
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


Answer = Callable[[Question], Awaitable[Iterable[tuple[str, str]]]]
"""Gives the variables to set, names with their values; none: the question is not answered."""


class BrokenTalkError(Exception):
    """The other side does not speak AGI, or went away."""


class AgiServer:
    """Listens for questions. `start`, `close`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listens there; the address, with the port that the system chose for 0. Raises `OSError`."""
        self._server = await asyncio.start_server(self._welcome, host, port, limit=LINE_MAX)
        address = self._server.sockets[0].getsockname()
        return str(address[0]), int(address[1])

    async def close(self) -> None:
        """Ends listening and every talk."""
        if self._server is not None:
            self._server.close()
        for guest in self._guests:
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._guests) >= GUESTS_MAX:
            writer.close()
            return
        self._guests.add(task)
        try:
            await self._talk(reader, writer)
        except (BrokenTalkError, TimeoutError, OSError):
            pass  # the dialplan goes on as if it had not asked
        finally:
            self._guests.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(QUESTION_S):
            question = await _question(reader)
        async with asyncio.timeout(ANSWER_S):
            variables = await self._answer(question)
        for name, value in variables:
            async with asyncio.timeout(ANSWER_S):
                writer.write(f"SET VARIABLE {name} {quoted(value)}\n".encode())
                await writer.drain()
                if not await _obeyed(reader):
                    return


def quoted(value: str) -> str:
    """A value as one word of an AGI command; what would end the line becomes a space."""
    line = "".join(sign if sign.isprintable() else " " for sign in value)
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'


def question_of(lines: Iterable[str]) -> Question:
    """The question in those lines. `BrokenTalkError` when they are not AGI."""
    values: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.startswith("agi_"):
            raise BrokenTalkError(line[:40])
        values[name.removeprefix("agi_")] = value.strip()
    arguments = sorted(
        (int(number), value)
        for name, value in values.items()
        if (number := name.removeprefix("arg_")) != name and number.isdecimal()
    )
    plain = {name: value for name, value in values.items() if not name.startswith("arg_")}
    return Question(plain.get("network_script", "").strip("/"), tuple(value for _, value in arguments), plain)


async def _question(reader: asyncio.StreamReader) -> Question:
    lines: list[str] = []
    while line := await _line(reader):
        lines.append(line)
        if len(lines) > LINES_MAX:
            raise BrokenTalkError("too many lines")
    return question_of(lines)


async def _obeyed(reader: asyncio.StreamReader) -> bool:
    """Whether the command was done; the channel may hang up in between."""
    line = await _line(reader)
    while line.startswith("520-"):  # a usage text goes over several lines
        line = await _line(reader)
    return line.startswith("200 ")


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        raw = await reader.readline()
    except ValueError as error:
        raise BrokenTalkError("a line without end") from error
    if not raw.endswith(b"\n"):
        raise BrokenTalkError("it went away")
    return raw.decode("utf-8", "replace").rstrip("\r\n")
