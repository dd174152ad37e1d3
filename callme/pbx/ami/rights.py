"""What our AMI user may see and do, tried out rather than believed: for `callme doctor`.

A channel to an extension that does not exist is ordered. It rings nobody and is gone in a moment, but its
events show whether class `call` reaches us, whether a filter stands between, and which variables they carry
(seen on Asterisk 16.28 and 22.10: Newchannel and Hangup of both halves, OriginateResponse with reason 0).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from callme.errors import PbxError
from callme.pbx.ami.asking import AskUnansweredError
from callme.pbx.ami.link import Link
from callme.pbx.ami.read import ReadKind
from callme.pbx.ami.session import AmiSettings, Reply
from callme.wording import plain

NOWHERE = "Local/callme-doctor@callme-nowhere/n"
WAIT_S = 3.0
CALL_EVENTS = frozenset(("Newchannel", "Hangup", "OriginateResponse"))
"""What that channel shows where nothing is hidden."""

DIALPLAN_EVENTS = frozenset(("VarSet", "Newexten"))
SYSTEM_ACTION = "DBPut"
"""An action that the right to write `system` alone allows."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What was seen. `events` are the names of those that came, `variables` those that they carried,
    `actions` what we may ask; `ahead_s` how far the PBX's clock is ahead of ours, `None` when it does not
    say; `dialled`: the channel could be ordered."""

    events: frozenset[str]
    variables: frozenset[str]
    actions: frozenset[str]
    ahead_s: float | None
    dialled: bool


async def try_rights(settings: AmiSettings, variables: Iterable[str], clock: Callable[[], float]) -> Rights:
    """One visit; `clock` is the wall time. Raises `PbxError` when the PBX lets nobody in, or not us."""
    link = Link(settings, keep=lambda raw: True, clock=clock)
    seen = _Seen()
    await link.connect()
    listening = asyncio.create_task(seen.listen(link))
    try:
        await seen.until(seen.up)
        if seen.trouble is not None:
            raise seen.trouble
        listed = await link.ask("ListCommands", [], WAIT_S)
        ahead = await _ahead(link, clock)
        dialled = await _order(link, seen, variables)
        actions = frozenset(name for name, _ in listed.response.items())
        return Rights(frozenset(seen.events), frozenset(seen.variables), actions, ahead, dialled)
    finally:
        link.close()
        await listening


class _Seen:
    """What the link brought so far."""

    def __init__(self) -> None:
        self.events: set[str] = set()
        self.variables: set[str] = set()
        self.up = asyncio.Event()
        self.ended = asyncio.Event()
        self.trouble: PbxError | None = None

    async def listen(self, link: Link) -> None:
        async for read in link.reads():
            if read.kind is ReadKind.DOWN and not self.up.is_set():
                self.trouble = PbxError(read.problem or plain("?"), link.cure)
            if read.kind in (ReadKind.UP, ReadKind.DOWN):
                self.up.set()
            for message in read.messages if read.kind is ReadKind.EVENTS else ():
                self.events.add(message.name)
                carried = message.all("ChanVariable")
                self.variables |= {one.partition("=")[0].strip().lstrip("_") for one in carried}
                if message.name == "OriginateResponse":
                    self.ended.set()
        self.up.set()

    @staticmethod
    async def until(event: asyncio.Event) -> bool:
        """Whether it came in time."""
        try:
            async with asyncio.timeout(WAIT_S * 5):
                await event.wait()
        except TimeoutError:
            return False
        return True


async def _ahead(link: Link, clock: Callable[[], float]) -> float | None:
    """The answer was written in the middle of its way, as near as one can tell."""
    before = clock()
    told = (await link.ask("Ping", [], WAIT_S)).response.get("Timestamp")
    after = clock()
    try:
        return float(told) - (before + after) / 2
    except ValueError:
        return None


async def _order(link: Link, seen: _Seen, variables: Iterable[str]) -> bool:
    """Orders the channel and waits for its end. Whether it could be ordered."""
    order = [
        ("ActionID", f"callme-doctor-{uuid.uuid4().hex[:12]}"),
        ("Channel", NOWHERE),
        ("Application", "Wait"),
        ("Data", "0"),
        ("Timeout", "2000"),
        ("Async", "true"),
        *(("Variable", f"{name}=callme-doctor") for name in variables),
    ]
    try:
        reply: Reply = await link.ask("Originate", order, WAIT_S)
    except AskUnansweredError:
        return False
    if not reply.ok:
        return False
    try:
        async with asyncio.timeout(WAIT_S):
            await seen.ended.wait()
    except TimeoutError:
        return True  # its end is hidden from us: that is what we wanted to know
    try:
        async with asyncio.timeout(WAIT_S / 6):
            while "Hangup" not in seen.events:  # noqa: ASYNC110  the answer and the hangups come in any order
                await asyncio.sleep(0.02)
    except TimeoutError:
        return True
    return True
