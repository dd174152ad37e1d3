"""The lab's own hand on its PBX: a small AMI connection with all rights.

Waits for the boot, sets AstDB rows, originates, and keeps the raw stream when a recording of it is wanted.
CallMe itself has a far stricter client in `pbx/ami`; this one must stay independent of it, for it judges it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable

from callme.lab.asterisk import LabError
from callme.wording import Phrase

Packet = dict[str, str]


class Console:
    """One logged-in AMI connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)
        self._answers: dict[str, asyncio.Future[Packet]] = {}
        self._booted = asyncio.Event()
        self._channels: dict[str, str] = {}  # Uniqueid → Linkedid, while alive
        self._told: dict[str, str] = {}  # Linkedid → names and numbers of all its channels
        self._hung_up = asyncio.Condition()
        self._reading: asyncio.Task[None] | None = None
        self.on_bytes: Callable[[bytes], None] | None = None
        """Called with every byte that arrives, for a transcript."""

    @classmethod
    async def open(cls, host: str, username: str, secret: str, *, port: int = 5038) -> Console:
        """Connect and log in. Raises OSError while nobody listens, LabError when refused."""
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
        console = cls(reader, writer)
        try:
            await reader.readline()
            console._reading = asyncio.create_task(console._read())
            answer = await console.act("Login", Username=username, Secret=secret)
        except BaseException:
            await console.close()
            raise
        if answer.get("Response") != "Success":
            await console.close()
            raise LabError(
                Phrase(
                    "The lab's PBX refused its own AMI user.",
                    "АТС лаборатории отвергла своего AMI-пользователя.",
                )
            )
        return console

    async def booted(self) -> None:
        """Until the PBX has said FullyBooted."""
        await self._booted.wait()

    async def act(self, action: str, **headers: str) -> Packet:
        """Send one action and give its answer back."""
        ident = f"lab-{next(self._ids)}"
        future: asyncio.Future[Packet] = asyncio.get_running_loop().create_future()
        self._answers[ident] = future
        lines = [f"Action: {action}", f"ActionID: {ident}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            await self._writer.drain()
            return await asyncio.wait_for(future, 10)
        finally:
            self._answers.pop(ident, None)

    async def put(self, row: str, value: str | None) -> None:
        """Set one AstDB row (`CF/105`), or delete it."""
        family, _, key = row.rpartition("/")
        if value is None:
            await self.act("DBDel", Family=family, Key=key)
        else:
            await self.act("DBPut", Family=family, Key=key, Val=value)

    async def quiet(self, numbers: frozenset[str]) -> None:
        """Until the PBX has no channel left of a call in which one of these numbers took part."""
        async with self._hung_up:
            await self._hung_up.wait_for(
                lambda: (
                    not any(
                        number in self._told[one] for one in self._channels.values() for number in numbers
                    )
                )
            )

    async def close(self) -> None:
        """Hang up the connection."""
        if self._reading:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        packet: Packet = {}
        pending = b""
        while chunk := await self._reader.read(1 << 16):
            if self.on_bytes:
                self.on_bytes(chunk)
            *lines, pending = (pending + chunk).split(b"\r\n")
            for line in lines:
                if line:
                    name, _, value = line.decode("utf-8", "replace").partition(": ")
                    packet[name] = value
                elif packet:
                    await self._take(packet)
                    packet = {}
        for future in self._answers.values():
            if not future.done():
                future.set_exception(ConnectionResetError("the PBX closed the AMI connection"))

    async def _take(self, packet: Packet) -> None:
        event = packet.get("Event")
        if event == "FullyBooted":
            self._booted.set()
        elif event == "Newchannel":
            linked = self._channels[packet["Uniqueid"]] = packet["Linkedid"]
            named = f" {packet['Channel']} {packet['CallerIDNum']} {packet['Exten']}"
            self._told[linked] = self._told.get(linked, "") + named
        elif event == "Hangup":
            async with self._hung_up:
                self._channels.pop(packet["Uniqueid"], None)
                self._hung_up.notify_all()
        future = self._answers.get(packet.get("ActionID", ""))
        if "Response" in packet and future and not future.done():
            future.set_result(packet)
