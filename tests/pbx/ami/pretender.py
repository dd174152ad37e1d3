"""An AMI server on a loopback socket that does what a test tells it to."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from callme.pbx.ami.wire import Framer, Message, parse

END = b"\r\n\r\n"
CHALLENGE = "840415273"
BOOTED = (
    "Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 261\r\nLastReload: 261\r\nStatus: Fully Booted"
)


def packet(*lines: str) -> bytes:
    return "\r\n".join(lines).encode() + END


def answer(action: Message, *lines: str, status: str = "Success") -> bytes:
    return packet(f"Response: {status}", f"ActionID: {action.get('ActionID')}", *lines)


def refuse(action: Message, words: str) -> bytes:
    return answer(action, f"Message: {words}", status="Error")


def listing(action: Message, *items: tuple[str, ...]) -> bytes:
    """A whole action list in the manner of Asterisk 16."""
    mark = f"ActionID: {action.get('ActionID')}"
    parts = [answer(action, "EventList: start", "Message: will follow")]
    parts += [packet(item[0], mark, *item[1:]) for item in items]
    complete = f"Event: {action.name}Complete"
    return b"".join(parts) + packet(complete, mark, "EventList: Complete", f"ListItems: {len(items)}")


@dataclass
class Pretender:
    """What the server does, and what it was sent."""

    username: str = "callme"
    secret: str = "s3cret"
    banner: bytes = b"Asterisk Call Manager/5.0.5\r\n"
    md5: bool = True
    booted: str = BOOTED
    channels: list[tuple[str, ...]] = field(default_factory=list)
    replies: dict[str, Callable[[Message], bytes | None]] = field(default_factory=dict)
    port: int = 0
    connections: int = 0
    actions: list[tuple[int, Message]] = field(default_factory=list)
    writer: asyncio.StreamWriter | None = None
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    serving: set[asyncio.Future[None]] = field(default_factory=set)

    def names(self) -> list[str]:
        """Names of the actions that came, in order."""
        return [action.name for _, action in self.actions]

    async def seen(self, name: str, count: int = 1) -> Message:
        """The `count`th action of that name, as soon as it is there."""
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: self.names().count(name) >= count)
        return [action for _, action in self.actions if action.name == name][count - 1]

    def send(self, data: bytes) -> None:
        assert self.writer is not None
        self.writer.write(data)

    def cut(self) -> None:
        """End the connection as a crash does."""
        assert self.writer is not None
        self.writer.transport.abort()

    def _reply(self, action: Message) -> bytes | None:
        if action.name in self.replies:
            return self.replies[action.name](action)
        match action.name:
            case "Challenge":
                if not self.md5:
                    return refuse(action, "Must specify AuthType")
                return answer(action, f"Challenge: {CHALLENGE}")
            case "Login":
                return self._login(action)
            case "Ping":
                return answer(action, "Ping: Pong", "Timestamp: 1795453573.322")
            case "CoreShowChannels":
                return listing(action, *self.channels)
            case "BridgeList" | "ParkedCalls":
                return listing(action)
        return refuse(action, "Invalid/unknown command")

    def _login(self, action: Message) -> bytes:
        proof = hashlib.md5((CHALLENGE + self.secret).encode(), usedforsecurity=False).hexdigest()
        right = action.get("Key") == proof if action.get("AuthType") else action.get("Secret") == self.secret
        if action.get("Username") != self.username or not right:
            return refuse(action, "Authentication failed")
        accepted = answer(action, "Message: Authentication accepted")
        return accepted + self.booted.encode() + END if self.booted else accepted

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.serving.add(done)
        number, self.writer = self.connections, writer
        framer = Framer()
        writer.write(self.banner)
        try:
            while data := await reader.read(65536):
                for raw in framer.feed(data):
                    action = parse(raw)
                    self.actions.append((number, action))
                    reply = self._reply(action)
                    if reply is not None:
                        writer.write(reply)
                    if reply is not None and b"Authentication failed" in reply:
                        writer.close()
                async with self.arrived:
                    self.arrived.notify_all()
        except ConnectionError:
            return  # the client may break the connection off at any time
        finally:
            writer.close()
            done.set_result(None)


@asynccontextmanager
async def pretend(pbx: Pretender, tls: ssl.SSLContext | None = None) -> AsyncIterator[Pretender]:
    """That server, listening while the block runs."""
    server = await asyncio.start_server(pbx._serve, "127.0.0.1", 0, ssl=tls)
    pbx.port = server.sockets[0].getsockname()[1]
    try:
        yield pbx
    finally:
        server.close()
        if pbx.writer is not None:
            pbx.writer.transport.abort()
        await asyncio.gather(*pbx.serving)
        await server.wait_closed()
