"""How one `callme lab` command reaches a lab that another one keeps running: a Unix socket, a JSON line each
way.

A request is one object with `do`: `call` (a trial), `play` (a scenario's name), `status`, `stop`. Answers are
objects: `seen` for each thing a telephone saw, then one `done`, or one `error`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from callme.errors import CallMeError
from callme.lab import scenarios
from callme.lab.asterisk import home
from callme.lab.lab import Lab
from callme.lab.phones import Seen
from callme.lab.trial import Trial
from callme.wording import LANGUAGES

Answer = dict[str, Any]


def _not_understood(what: object) -> dict[str, str]:
    return {"en": f"The lab does not understand: {what}", "ru": f"Лаборатория не понимает: {what}"}


def sockets() -> list[Path]:
    """The sockets of labs that run, or ran and were killed."""
    return sorted((home() / "seats").glob("*.sock"))


class Desk:
    """The serving end, inside `callme lab up`."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._path = home() / "seats" / f"{lab.pbx.seat.number}.sock"
        self._server: asyncio.Server | None = None
        self.stopped = asyncio.Event()
        """Set when somebody asked the lab to end."""

    async def open(self) -> None:
        """Start to serve."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(0o600)

    async def close(self) -> None:
        """Stop serving."""
        if self._server:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def tell(**answer: object) -> None:
            writer.write(json.dumps(answer).encode() + b"\n")

        try:
            request = json.loads(await reader.readline())
            await self._do(request, tell)
        except CallMeError as error:
            tell(error={language: error.say(language) for language in LANGUAGES})
        except (ValueError, KeyError, TypeError) as error:
            tell(error=_not_understood(error))
        finally:
            with contextlib.suppress(OSError):
                await writer.drain()
                writer.close()

    async def _do(self, request: Answer, tell: Any) -> None:
        pbx = self._lab.pbx
        match request["do"]:
            case "status":
                tell(
                    done={
                        "seat": pbx.seat.number,
                        "asterisk": pbx.release,
                        "host": pbx.host,
                        "log": str(pbx.folder / "log" / "full"),
                    }
                )
            case "stop":
                self.stopped.set()
                tell(done={})
            case "call" | "play" as what:
                scenario = (
                    Trial.read(request["trial"]).scenario()
                    if what == "call"
                    else scenarios.by_name(request["name"])
                )
                self._lab.listen(lambda seen: tell(seen=asdict(seen)))
                try:
                    played = await self._lab.play(scenario)
                finally:
                    self._lab.listen(None)
                tell(done=played.as_json())
            case other:
                tell(error=_not_understood(other))


async def ask(path: Path, request: Answer) -> AsyncIterator[Answer]:
    """The asking end. Raises OSError when that lab is gone."""
    reader, writer = await asyncio.open_unix_connection(path, limit=1 << 20)
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        await writer.drain()
        while line := await reader.readline():
            yield json.loads(line)
    finally:
        writer.close()


def seen_of(answer: Answer) -> Seen:
    """The `seen` of an answer as a value again."""
    return Seen(**answer["seen"])
