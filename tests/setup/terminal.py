"""A person at a real terminal: a pseudo-terminal in which a command runs, questions awaited and answered."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import select
import time
from collections.abc import Sequence
from pathlib import Path

from tests.live.process import CALLME, environ

WAIT_S = 30.0


def _typed(master: int, dialogue: Sequence[tuple[str, str]], heard: list[str]) -> None:
    """Waits for each question and types its answer. Blocking."""
    for question, reply in dialogue:
        until = time.monotonic() + WAIT_S
        while question not in heard[0]:
            left = until - time.monotonic()
            assert left > 0, f"never asked: {question}\n{heard[0]}"
            if select.select([master], [], [], left)[0]:
                heard[0] += os.read(master, 65536).decode("utf-8", "replace")
        heard.append(heard[0])
        heard[0] = heard[0].partition(question)[2]
        os.write(master, f"{reply}\n".encode())


async def typed(
    folder: Path, arguments: Sequence[str], dialogue: Sequence[tuple[str, str]]
) -> tuple[int, str]:
    """A run in a pseudo-terminal: its exit code, and all that stood on the screen."""
    master, slave = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            CALLME, *arguments, cwd=folder, env=environ(TERM="xterm"), stdin=slave, stdout=slave,
            stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        heard = [""]
        try:
            await asyncio.to_thread(_typed, master, dialogue, heard)
            rest = await asyncio.to_thread(_rest, master)
            async with asyncio.timeout(WAIT_S):
                code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return code, "".join(heard[1:]) + heard[0] + rest
    finally:
        os.close(master)


def _rest(master: int) -> str:
    """What is still said, until the other side is gone."""
    said = b""
    with contextlib.suppress(OSError):  # the end of a pseudo-terminal
        while chunk := os.read(master, 65536):
            said += chunk
    return said.decode("utf-8", "replace")
