"""One connection to a PBX: bytes into the session, what happened into a bounded queue, timers, answers.

Made by `ami.client`, which makes the next one when this one is over, and by `ami.probe`. Everything about the
protocol is in `ami.session`. It never connects again by itself and never sends an action twice: an answer
that got lost with the connection is the asker's to judge (facts: ecosystem §1, freepbx §4.5).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import ssl
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import cast

from callme.errors import PbxError
from callme.pbx.ami.asking import RIGHTS, UNANSWERED, AskUnansweredError
from callme.pbx.ami.read import Read, ReadKind
from callme.pbx.ami.session import (
    AmiSettings,
    Booted,
    Events,
    Gone,
    Happening,
    LoggedIn,
    LoginRefused,
    Replied,
    Reply,
    Session,
)
from callme.wording import Phrase, plain

LOOK_AHEAD = 2 << 20
"""Bytes of reads that may wait for their consumer before the socket is left alone."""

_READ_WEIGHT = 512
"""What a read costs beside its bytes."""

SNAPSHOT_PATIENCE = 30.0
"""Seconds after which a snapshot that did not come may be asked for anew."""

_SNAPSHOT = ("CoreShowChannels", "BridgeList", "ParkedCalls")

CLOSED_BY_US = Phrase("the link to the PBX was closed by CallMe", "соединение с АТС закрыл сам CallMe")
NO_WAY = Phrase("cannot connect to {host}:{port}: {why}", "не удаётся соединиться с {host}:{port}: {why}")
NOBODY_LISTENS = Phrase("nothing listens there", "там никто не отвечает")
NOBODY_LISTENS_CURE = Phrase(
    "is Asterisk running? set “enabled = yes” in manager.conf and take “port” and “bindaddr” from there",
    "запущен ли Asterisk? задайте «enabled = yes» в manager.conf и возьмите оттуда port и bindaddr",
)
UNREACHABLE = Phrase("the machine cannot be reached", "машина недоступна")
NO_SUCH_HOST = Phrase("there is no such host name", "такого имени нет")
TIMED_OUT = Phrase("no answer within {seconds} s", "нет ответа за {seconds} с")
NETWORK_CURE = Phrase(
    "check “host” and “port” of [[pbx]], the network and the firewall",
    "проверьте host и port в [[pbx]], сеть и межсетевой экран",
)
BAD_CERTIFICATE = Phrase(
    "the certificate of the PBX is not trusted ({why}); give its issuer as ca_file",
    "сертификату АТС нельзя доверять ({why}); укажите сертификат издателя в ca_file",
)
NO_TLS = Phrase(
    "TLS failed ({why}); is this the TLS port of the PBX (5039)?",
    "не удалось установить TLS ({why}); это точно TLS-порт АТС (5039)?",
)
BAD_CA_FILE = Phrase("ca_file cannot be read: {why}", "не удаётся прочитать ca_file: {why}")
NO_SNAPSHOT = Phrase(
    "the PBX does not tell which calls are open ({why}); {cure}",
    "АТС не сообщает, какие звонки сейчас идут ({why}); {cure}",
)


@dataclass(slots=True)
class _Snapshot:
    """Lists that were asked for together: ActionID of each, and its answer once it is there."""

    asked_at: float
    steady: float
    replies: dict[str, Reply | None]


class Link(asyncio.Protocol):
    """One connection: bytes into the session, what happened into a bounded queue, timers, answers to
    askers."""

    def __init__(
        self, settings: AmiSettings, keep: Callable[[bytes], bool], clock: Callable[[], float]
    ) -> None:
        self.up = False
        self.refused = False
        self.problem: Phrase | None = None  # why it is over, or what is wrong although it is up
        self.cure: Phrase | None = None  # what to do about a connection that could not be made
        self._settings = settings
        self._keep = keep
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._transport: asyncio.Transport | None = None
        self._queue: deque[Read] = deque()
        self._waiting = 0  # what the queue weighs
        self._wake = asyncio.Event()
        self._paused = False
        self._over = False
        self._timer: asyncio.TimerHandle | None = None
        self._answers: dict[str, asyncio.Future[Reply]] = {}
        self._snapshot: _Snapshot | None = None
        self._announced = False  # UP was said for this login

    # --------------------------------------------------------------------------- for the client
    async def connect(self) -> None:
        """Open the connection; a failure becomes a DOWN read."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.connect_timeout):
                await self._loop.create_connection(
                    lambda: self,
                    settings.host,
                    settings.port,
                    ssl=_tls(settings) if settings.tls else None,
                    server_hostname=settings.host if settings.tls else None,
                )
        except PbxError as error:
            self._end(error.problem)
        except ssl.SSLCertVerificationError as error:
            self._end(self._no_way(BAD_CERTIFICATE.given(why=plain(error.verify_message))))
        except ssl.SSLError as error:
            self._end(self._no_way(NO_TLS.given(why=plain(error.reason or error))))
        except TimeoutError:
            self.cure = NETWORK_CURE
            self._end(self._no_way(TIMED_OUT.given(seconds=f"{settings.connect_timeout:g}")))
        except (OSError, UnicodeError) as error:
            why, self.cure = _why(error)
            self._end(self._no_way(why))

    async def reads(self) -> AsyncIterator[Read]:
        """What the connection brings; ends with DOWN."""
        while True:
            while self._queue:
                read = self._queue.popleft()
                self._waiting -= len(read.raw) + _READ_WEIGHT
                if self._paused and self._waiting <= LOOK_AHEAD // 2:
                    self._resume()
                yield read
            if self._over:
                return
            self._wake.clear()
            await self._wake.wait()

    async def ask(self, action: str, headers: list[tuple[str, str]], timeout: float) -> Reply:
        """One action and its answer, whatever it says. `AskUnansweredError` if none comes."""
        session = self._live()
        action_id = session.ask(action, headers)
        answer: asyncio.Future[Reply] = self._loop.create_future()
        self._answers[action_id] = answer
        self._flush()
        try:
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError as error:
            why = TIMED_OUT.given(seconds=f"{timeout:g}")
            raise AskUnansweredError(UNANSWERED.given(action=plain(action), why=why)) from error
        except _LostError as error:
            raise AskUnansweredError(UNANSWERED.given(action=plain(action), why=error.why)) from error
        finally:
            self._answers.pop(action_id, None)
            session.forget(action_id)

    def ask_snapshot(self) -> None:
        """Ask for the lists, unless that is under way."""
        session, steady = self._live(), self._loop.time()
        if self._snapshot is not None:
            if steady - self._snapshot.steady < SNAPSHOT_PATIENCE:
                return
            for action_id in self._snapshot.replies:
                session.forget(action_id)
        self._snapshot = _Snapshot(self._clock(), steady, {session.ask(one): None for one in _SNAPSHOT})
        self._flush()

    def close(self) -> None:
        """Give the connection up; whoever waits for an answer learns it."""
        self._end(CLOSED_BY_US)

    # ---------------------------------------------------------------------------- from the loop
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._over:  # closed while the connection was being made
            self._transport.abort()
            return
        wire: socket.socket | None = transport.get_extra_info("socket")
        if wire is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._session = Session(
            self._settings,
            keep=self._keep,
            private=self._settings.tls or _is_loopback(transport.get_extra_info("peername")),
            nonce=uuid.uuid4().hex[:12],
            now=self._loop.time(),
        )
        self._arm()

    def data_received(self, data: bytes) -> None:
        if not self._over and self._session is not None:
            self._happened(self._session.receive(data, self._loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over and self._session is not None:
            self._happened(self._session.ended())

    def _on_timer(self) -> None:
        self._timer = None
        session, now = self._live(), self._loop.time()
        if self._paused:
            session.heard(now)  # we are not listening: silence says nothing about the PBX
        self._happened(session.tick(now))

    # ----------------------------------------------------------------------------------- inside
    def _happened(self, happenings: list[Happening]) -> None:
        at = self._clock()
        for happening in happenings:
            match happening:
                case LoggedIn():
                    self.up = True
                    self.ask_snapshot()
                case Booted():
                    if self._announced:
                        self.ask_snapshot()
                    self._announce(at, happening.uptime)
                case Events():
                    self._announce_once(at)
                    self._put(Read(ReadKind.EVENTS, at, happening.messages, happening.raw))
                case Replied():
                    self._announce_once(at)
                    self._answered(happening.reply, at)
                case LoginRefused():
                    self.refused = True
                    self._end(happening.problem)
                case Gone():
                    self._end(happening.reason)
        self._flush()

    def _announce_once(self, at: float) -> None:
        """Without read `system` there is no FullyBooted; what comes first instead says that the link
        works."""
        if self.up and not self._announced:
            self._announce(at, None)

    def _announce(self, at: float, uptime: int | None) -> None:
        self._announced = True
        self._put(Read(ReadKind.UP, at, uptime=uptime, version=self._live().version))

    def _answered(self, reply: Reply, at: float) -> None:
        answer = self._answers.get(reply.action_id)
        if answer is not None and not answer.done():
            answer.set_result(reply)
        snapshot = self._snapshot
        if snapshot is None or reply.action_id not in snapshot.replies:
            return
        snapshot.replies[reply.action_id] = reply
        replies = [one for one in snapshot.replies.values() if one is not None]
        if len(replies) < len(snapshot.replies):
            return
        self._snapshot = None
        if not replies[0].ok:  # no list of channels: an empty snapshot would end every call
            words = plain(replies[0].response.get("Message"))
            self.problem = NO_SNAPSHOT.given(why=words, cure=RIGHTS)
            return
        self.problem = None
        given = [one for one in replies if one.ok]
        messages = tuple(item for one in given for item in one.items)
        raw = b"".join(one.raw for one in given)
        self._put(Read(ReadKind.SNAPSHOT, at, messages, raw, asked_at=snapshot.asked_at))

    def _put(self, read: Read) -> None:
        self._queue.append(read)
        self._waiting += len(read.raw) + _READ_WEIGHT
        self._wake.set()
        if self._waiting >= LOOK_AHEAD and not self._paused and not self._over and self._transport:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        self._paused = False
        if self._over or self._transport is None:
            return
        self._live().heard(self._loop.time())
        self._transport.resume_reading()

    def _flush(self) -> None:
        """Send what the session wants sent, and set the timer by its deadline."""
        if self._over or self._session is None or self._transport is None:
            return
        if data := self._session.take_bytes():
            self._transport.write(data)
        self._arm()

    def _arm(self) -> None:
        """A timer that is running is left alone: it looks at the deadline anew when it fires, so that a read
        costs no timer."""
        deadline = self._live().deadline()
        if deadline is not None and (self._timer is None or self._timer.when() > deadline):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(deadline, self._on_timer)

    def _end(self, why: Phrase) -> None:
        if self._over:
            return
        self._over = True
        self.up = False
        self.problem = why
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(_LostError(why))
        self._put(Read(ReadKind.DOWN, self._clock(), problem=why))

    def _live(self) -> Session:
        if self._session is None:
            raise RuntimeError("the session begins with the connection")
        return self._session

    def _no_way(self, why: Phrase) -> Phrase:
        return NO_WAY.given(host=self._settings.host, port=self._settings.port, why=why)


class _LostError(Exception):
    """The connection ended while an answer was awaited."""

    def __init__(self, why: Phrase) -> None:
        super().__init__(why)
        self.why = why


def _tls(settings: AmiSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise PbxError(BAD_CA_FILE.given(why=plain(error.strerror or error))) from error


_KNOWN: dict[int | None, tuple[Phrase, Phrase]] = {
    errno.ECONNREFUSED: (NOBODY_LISTENS, NOBODY_LISTENS_CURE),
    errno.EHOSTUNREACH: (UNREACHABLE, NETWORK_CURE),
    errno.ENETUNREACH: (UNREACHABLE, NETWORK_CURE),
}


def _why(error: Exception) -> tuple[Phrase, Phrase]:
    """What is known of the common troubles, and what to do; else the system's words (asyncio's own name the
    address once more)."""
    if isinstance(error, socket.gaierror):
        return NO_SUCH_HOST, NETWORK_CURE
    number = error.errno if isinstance(error, OSError) else None
    if number in _KNOWN:
        return _KNOWN[number]
    return plain(os.strerror(number) if number and number > 0 else error), NETWORK_CURE


def _is_loopback(peer: tuple[str, int] | str | None) -> bool:
    if not isinstance(peer, tuple):
        return False
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(peer[0]).is_loopback
    return False
