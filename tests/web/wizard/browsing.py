"""A browser in the wizard, as far as it matters: it keeps its cookie and sends forms of ours."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from callme.setup.house import look
from callme.setup.visit import Visit
from callme.web.wizard.key import Key
from callme.web.wizard.pages import create_wizard
from tests.setup.playing import World, wish


@dataclass
class Clock:
    """Seconds that pass when they are told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Browser:
    """One browser and the wizard that it looks at."""

    client: httpx2.AsyncClient
    key: Key
    visit: Visit
    world: World
    clock: Clock
    app: FastAPI
    seen: list[str] = field(default_factory=list)

    async def enter(self, word: str | None = None) -> httpx2.Response:
        """Opens the address that the terminal shows."""
        return await self.get(f"/enter?key={self.key.word if word is None else word}")

    async def get(self, path: str) -> httpx2.Response:
        return self._noted(await self.client.get(path, headers={"Accept-Language": "en"}))

    async def post(self, path: str, **values: str) -> httpx2.Response:
        """Sends a form of ours."""
        return self._noted(await self.client.post(path, data={"form": self.key.form, **values}))

    async def follow(self, answer: httpx2.Response) -> str:
        """The page that an answer leads to, as text."""
        assert answer.status_code == 303, answer.text
        return await self.text(answer.headers["location"])

    async def text(self, path: str) -> str:
        """A page as text: without marks, blanks joined."""
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text
        return plain(answer.text)

    async def plan(self) -> str:
        """The mark of the plan that the review shows."""
        found = re.search(r'name="mark" value="(\w+)"', (await self.get("/review")).text)
        assert found
        return found[1]

    def _noted(self, answer: httpx2.Response) -> httpx2.Response:
        self.seen.append(answer.text)
        return answer


def plain(page: str) -> str:
    """The words of a page."""
    bare = re.sub(r"<[^>]+>", " ", page.partition("<main>")[2])
    return re.sub(r"\s+", " ", html.unescape(bare))


@asynccontextmanager
async def browsing(
    root: Path, *sets: str, world: World | None = None, host: str = "127.0.0.1:8099", **more: Any
) -> AsyncIterator[Browser]:
    """A wizard for the tree under `root`, and a browser that was not let in yet."""
    wanted, world, clock = wish(root, *sets, **more), world or World(), Clock()

    visit = Visit(wanted, lambda: look(wanted.root, wanted.etc, ("no-such-programme",)), world.trials, "en")
    key = Key(clock)
    app = create_wizard(visit, key, "1.2.3", "en", here=True)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        yield Browser(client, key, visit, world, clock, app)
