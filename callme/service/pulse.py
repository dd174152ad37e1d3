"""Tells systemd that the service is ready, alive and stopping (sd_notify(3)); nothing where none listens.

Only `service.running` calls it. The watchdog is fed from the service's own loop, so a loop that hangs is
noticed and the service started anew.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping

READY, STOPPING, ALIVE = b"READY=1", b"STOPPING=1", b"WATCHDOG=1"


class Pulse:
    """The line to systemd, as its environment describes it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        wait = environ.get("WATCHDOG_USEC", "")
        meant = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self.every_s = int(wait) / 2e6 if wait.isdecimal() and meant and self._address else 0.0
        """So often it must be fed; 0 when nobody waits for it."""

    def tell(self, word: bytes) -> None:
        """Says it. That systemd cannot be told is no reason to fail: it restarts us in that case."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            try:
                line.sendto(word, address)
            except OSError:
                return

    async def beat(self) -> None:
        """Feeds the watchdog for ever."""
        while self.every_s:
            self.tell(ALIVE)
            await asyncio.sleep(self.every_s)
