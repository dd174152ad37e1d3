"""Pages that change by themselves: server-sent events, rendered once for all readers of one language.

A reader is never sent a history: each event holds a section of the page as it is now, so whoever is slow
skips what came between and nothing has to be queued for anybody. The watch on the board runs only while
somebody reads.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from callme.web.board import Board
from callme.wording import Language

PING_S = 15.0  # proxies close what is silent for a minute
PACE_S = 0.2  # a busy exchange changes faster than an eye follows
MOST_READERS = 200

Render = Callable[[Language], Awaitable[Mapping[str, str]]]
_log = structlog.get_logger(__name__)


class TooManyReaders(Exception):
    """As many pages are open as we follow."""


@dataclass(slots=True)
class _Screen:
    """What readers of one language see: the text of each section and its encoded event, and the event that
    wakes them."""

    texts: dict[str, str] = field(default_factory=dict)
    frames: dict[str, bytes] = field(default_factory=dict)
    number: int = 0
    readers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, sections: Mapping[str, str]) -> None:
        fresh = {name: text for name, text in sections.items() if self.texts.get(name) != text}
        if not fresh:
            return
        self.number += 1
        self.texts.update(fresh)
        self.frames.update({name: encode(name, text) for name, text in fresh.items()})
        self.wake()

    def wake(self) -> None:
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()


def encode(name: str, text: str) -> bytes:
    """One server-sent event without an id."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: {name}\n{lines}\n".encode()


class Live:
    """The streams of one application. `close` ends them all, so that a server can stop."""

    def __init__(self, board: Board, render: Render) -> None:
        self._board = board
        self._render = render
        self._screens: dict[Language, _Screen] = {}
        self._watch: asyncio.Task[None] | None = None
        self._run = secrets.token_hex(4)  # ids of another run of the program mean nothing to this one
        self._closed = False

    @property
    def readers(self) -> int:
        """How many pages are open."""
        return sum(screen.readers for screen in self._screens.values())

    async def stream(self, language: Language, last_id: str = "") -> AsyncIterator[bytes]:
        """The events for one reader, beginning with every section that he has not seen. Raises
        `TooManyReaders`."""
        if self.readers >= MOST_READERS:
            raise TooManyReaders
        screen = self._screens.setdefault(language, _Screen())
        screen.readers += 1
        try:
            screen.show(await self._render(language))
            if self._watch is None:
                self._watch = asyncio.create_task(self._follow(), name="live pages")
                self._watch.add_done_callback(_ended)
            seen = dict(screen.frames) if last_id == self._id(screen) else {}
            yield b"retry: 2000\n\n"
            while not self._closed and not self._watch.done():
                changed = screen.changed
                fresh = [frame for name, frame in screen.frames.items() if seen.get(name) is not frame]
                if fresh:
                    seen = dict(screen.frames)
                    yield b"".join(fresh) + f"id: {self._id(screen)}\n\n".encode()
                    continue
                try:
                    async with asyncio.timeout(PING_S):
                        await changed.wait()
                except TimeoutError:
                    yield b": ping\n\n"
        finally:
            screen.readers -= 1
            if not self.readers:
                self._stop()

    def close(self) -> None:
        """Ends every stream; call it before the server waits for its connections."""
        self._closed = True
        self._stop()
        for screen in self._screens.values():
            screen.wake()

    def _stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _id(self, screen: _Screen) -> str:
        return f"{self._run}-{screen.number}"

    async def _follow(self) -> None:
        try:
            async with aclosing(self._board.changes()) as changes:
                async for _ in changes:
                    for language, screen in self._screens.items():
                        if screen.readers:
                            screen.show(await self._render(language))
                    await asyncio.sleep(PACE_S)
        finally:
            for screen in self._screens.values():
                screen.wake()


def _ended(watch: asyncio.Task[None]) -> None:
    """Streams end with their watch, and browsers come back by themselves; the log keeps why."""
    if not watch.cancelled() and watch.exception() is not None:
        _log.error("live pages stopped", exc_info=watch.exception())
