"""What systemd hears of the service."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from callme.service.pulse import READY, Pulse


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(5)
        yield line


async def test_it_says_that_it_is_ready_and_feeds_the_watchdog(systemd: socket.socket) -> None:
    pulse = Pulse({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "20000"})
    pulse.tell(READY)
    beating = asyncio.create_task(pulse.beat())
    heard = [await asyncio.to_thread(systemd.recv, 100) for _ in range(3)]
    beating.cancel()
    assert heard == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0callme-test-{os.getpid()}")
        line.settimeout(5)
        Pulse({"NOTIFY_SOCKET": f"@callme-test-{os.getpid()}"}).tell(READY)
        assert line.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"NOTIFY_SOCKET": "/nowhere/at/all"},
        {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
    ],
)
async def test_where_nobody_listens_or_waits_nothing_happens(environ: dict[str, str]) -> None:
    pulse = Pulse(environ)
    pulse.tell(READY)
    await pulse.beat()  # ends at once: there is nothing to feed
    assert pulse.every_s == 0
