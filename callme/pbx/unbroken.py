"""Waits for work in a thread to its end, even when whoever waits is told to stop: a thread cannot be broken
off, and what it writes after its owner was thought gone would be left behind.

Used where recordings and what was said in them are written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def unbroken(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` answers, done in a thread. Cancelled, it is cancelled when the thread is done."""
    doing = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait({doing})
        if not doing.cancelled():
            doing.exception()  # seen: nobody is left to be told of it
        raise
