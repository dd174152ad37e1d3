"""Forgets a person who asks for it: the calls of his number, our copies of their audio, and his number and
name in what the PBX said (privacy). Called by the service and by the command line when no service runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from callme.calls.model import Call
from callme.calls.numbering import Numbering
from callme.config import Service
from callme.pbx.ami.wire import escape
from callme.pbx.blanking import blank
from callme.service.transcripts import AFTER_S, BEFORE_S
from callme.store.sqlite import Store


async def nothing_runs(call: str) -> None:
    """Where no service runs nothing has to be stopped."""


async def forget(
    service: Service,
    store: Store,
    number: str,
    now: float,
    stop: Callable[[str], Awaitable[None]] = nothing_runs,
) -> int:
    """How many calls were forgotten; the number may be in its national form. What is being made or written
    down of their recordings is ended first, by `stop`. What the PBX and the portals
    keep is theirs. Raises `StoreError`, `OSError`."""
    gone: list[Call] = []
    for form in dict.fromkeys((number, Numbering(country=service.country).e164(number))):
        while slice_ := await store.erase(form):
            gone += slice_
    for call in gone:
        await stop(str(call.id))
    if gone:
        await asyncio.to_thread(_traces, service.data_dir, gone, number, now)
    return len(gone)


def _traces(data_dir: Path, gone: list[Call], number: str, now: float) -> None:
    for call in gone:
        until = (call.ended_at or now) + AFTER_S
        words = {call.number, call.external, call.name, escape(call.name), *_forms(number)}
        blank(data_dir / "transcripts" / call.pbx, call.started_at - BEFORE_S, until, words)
    _copies(data_dir / "recordings", min(call.started_at for call in gone))


def _forms(number: str) -> Iterable[str]:
    """The number as a PBX may write it: with and without its country's digits."""
    digits = "".join(char for char in number if char.isdigit())
    return (digits, digits[-10:]) if len(digits) >= 10 else (digits,)


def _copies(folder: Path, since: float) -> None:
    """A copy bears no number: all that were made since his first call go, and those of others are made again
    when they are wanted."""
    for file in [*folder.glob("*.*"), *folder.glob("incoming/*")]:
        if file.is_file() and file.stat().st_mtime >= since:
            file.unlink(missing_ok=True)
