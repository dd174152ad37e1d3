"""Waiting for something to become true: the one place where tests of running programs poll."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

PAUSE_S = 0.05


async def until(ask: Callable[[], Any], *, within: float, what: str, pause: float = PAUSE_S) -> Any:
    """The first answer of `ask` (a value or an awaitable) that is true, asked every `pause` seconds.
    AssertionError after `within` seconds tells what was awaited and the last answer."""
    deadline = time.monotonic() + within
    while True:
        asked = ask()
        answer = await asked if isawaitable(asked) else asked
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"within {within:g} s not seen: {what}; the last answer was {answer!r}")
        await asyncio.sleep(pause)
