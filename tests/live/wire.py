"""The network between the service and a PBX or a portal: a TCP relay that can be cut, frozen and slowed."""

from __future__ import annotations

import asyncio
import contextlib

READ = 1 << 16


class Wire:
    """Relays every connection to one address. `cut` breaks what is open and refuses what comes, `freeze`
    keeps connections open and passes nothing on (a half-open link), `mend` makes all well again."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.port = 0
        self.delay_s = 0.0
        """Every read is passed on so much later."""

    async def __aenter__(self) -> Wire:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def cut(self) -> None:
        """Break every connection; refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()
        self._flows.set()
        tasks = tuple(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def freeze(self) -> None:
        """Nothing comes through, and nobody is told."""
        self._flows.clear()

    async def mend(self) -> None:
        """Let things pass. A frozen connection is dead for good: both ends have given up on it or will."""
        if not self._flows.is_set():
            await self.cut()
        if self._server is None:
            self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self._writers.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                far_reader, far = await asyncio.open_connection(*self._to)
                self._writers.add(far)
                there = asyncio.ensure_future(self._pump(reader, far))
                back = asyncio.ensure_future(self._pump(far_reader, writer))
                try:
                    await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    there.cancel()
                    back.cancel()
                    await asyncio.gather(there, back, return_exceptions=True)
        finally:
            for end in (writer, far):
                if end is not None:
                    self._writers.discard(end)
                    end.transport.abort()
            self._open.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while read := await reader.read(READ):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await self._flows.wait()
            writer.write(read)
            await writer.drain()
