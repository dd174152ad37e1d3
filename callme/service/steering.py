"""Who calls, and to whom the call goes: asked by one PBX while a call comes in, answered within a deadline.

A question has three ways in (`service.asking`), one answer: the caller's name, and by the rules of
`crm.steering` an employee. Whatever is slow or broken, the answer comes in time and the call keeps its
ordinary route. A call that was sent to an employee is watched until somebody takes it, and sent on when
nobody does.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from callme.calls import facts as f
from callme.calls.grouping import Switchboard
from callme.calls.numbering import Kind, hidden
from callme.calls.presence import Presence
from callme.calls.steered import Progress, progress
from callme.config import Config
from callme.config.steering import LAST, ROUTE
from callme.crm.port import Customer, Knows
from callme.crm.routing import verdict as routed
from callme.crm.steering import Caller, Verdict, choose, decide, display
from callme.errors import PbxError, StoreError
from callme.pbx import port
from callme.service.clock import local_minute
from callme.service.metrics import Metrics
from callme.store import Reading

log = structlog.get_logger("callme.steering")

EMPLOYEE = "from-did-direct"
"""Where FreePBX sends a call from outside to an extension: follow-me first, then the telephone (sheet
freepbx §1.4)."""

RING = "callme-ring"
"""Where the dialplan itself takes back a call that the employee does not take, if it has this context (see
`setup.hooks`). Without it we watch the call and fetch it back."""

OUTSIDE = "from-pstn"
NAME, RING_S, THEN = "CALLERID(name)", "CALLME_RING", "CALLME_THEN"

RESERVE_S = 0.4
"""Of the deadline, what is kept for the PBX when the CRM takes all it may."""

_EXTEN = re.compile(r"[A-Za-z0-9*#+_-]+")
"""What can stand for a number in a place of the dialplan: neither comma nor bracket."""

REMEMBERED_MAX = 10_000
DAY_S = 24 * 3600.0


class Way(StrEnum):
    """Who moves the call to the employee, and who names the caller."""

    REDIRECT = "redirect"  # we move it, while the PBX waits for the name
    DIALPLAN = "dialplan"  # the dialplan does both with what it is answered
    EXTENSION = "extension"  # the dialplan moves it; it is answered no name, so we put that on the channel


@dataclass(frozen=True, slots=True)
class Question:
    """What the PBX asks: the caller's number as it has it, the uniqueid of his channel, the number that he
    called (may be empty)."""

    number: str
    uniqueid: str
    did: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the telephone shows, and whom to ring for how long; empty `extension`: the ordinary route. `then`
    is the place of the dialplan (`context,exten,1`) for a call that he does not take, empty: the ordinary
    route."""

    name: str
    extension: str = ""
    ring_s: int = 0
    then: str = ""


class Steering:
    """The incoming calls of one PBX."""

    def __init__(
        self,
        config: Config,
        source: port.Pbx,
        board: Switchboard,
        portals: Mapping[str, object],
        reading: Reading,
        metrics: Metrics,
        clock: Callable[[], float],
        minute: Callable[[float], tuple[int, int]] = local_minute,
    ) -> None:
        """`board` is where the river keeps what lives on the PBX; it is only looked at. `minute` gives the
        local weekday and minute of a moment."""
        self.id = source.id
        self._config = config
        self._source = source
        self._board = board
        self._portals = portals
        self._reading = reading
        self._metrics = metrics
        self._clock = clock
        self._minute = minute
        self._answered: dict[str, str] = {}  # uniqueid → the name that was told
        self._watches: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------------------------- the answer
    async def ask(self, question: Question, way: Way) -> Reply:
        """The answer, within the deadline. A call that asks again (its route begins anew after an employee
        did not answer) is answered at once and not sent anywhere."""
        if question.uniqueid in self._answered:
            return Reply(self._answered[question.uniqueid])
        loop = asyncio.get_running_loop()
        began = loop.time()
        name = display("", question.number)
        self._remember(question.uniqueid, name)
        found: Verdict | None = None
        try:
            async with asyncio.timeout(self._config.routing.deadline):
                caller = await self._caller(question)
                name = display(caller.customer.name if caller.customer else "", question.number)
                self._answered[question.uniqueid] = name
                found = await self._verdict(caller)
                if not await self._act(question, found, way, name):
                    found = replace(found, extension="")
        except TimeoutError:
            log.info("caller not looked up in time", pbx=self.id, call=self._call(question))
            found = None
        took = loop.time() - began
        self._tell(question, found, took)
        if found is None or not found.extension:
            return Reply(name)
        return Reply(name, found.extension, found.ring_s, self._how(question, found)[THEN])

    def _tell(self, question: Question, found: Verdict | None, took: float) -> None:
        self._metrics.looked_up(self.id, _outcome(found), took)
        log.info(
            "caller looked up",
            pbx=self.id,
            call=self._call(question),
            rule=found.rule if found is not None else None,
            to=(found.extension if found is not None else "") or "ordinary route",
            why=str(found.why) if found is not None else "too late",
            took_ms=round(took * 1000),
        )

    async def _caller(self, question: Question) -> Caller:
        channel = self._board.channels.get(question.uniqueid)
        trunk = self._board.whose(channel)[1] if channel is not None else ""
        number = self._board.numbering.e164(question.number, trunk)
        line = self._board.numbering.line(question.did or (channel.first_exten if channel else ""), trunk)
        weekday, minute = self._minute(self._clock())
        customer, last = await asyncio.gather(self._who(number, line), self._last(number))
        return Caller(self.id, line, number, weekday, minute, customer, last or None)

    async def _who(self, number: str, line: str) -> Customer | None:
        if hidden(number):
            return Customer(known=False)
        portal = self._portals.get(routed(self._config, self.id, line).portal or "")
        if not isinstance(portal, Knows):
            return None
        deadline = self._config.routing.deadline
        return await portal.who(number, max(deadline - RESERVE_S, deadline / 2))

    async def _last(self, number: str) -> str:
        if hidden(number) or not any(LAST in steer.to for steer in self._config.steer):
            return ""
        since = self._clock() - self._config.routing.last_days * DAY_S
        try:
            return await self._reading.last_talker(self.id, number, since)
        except StoreError as error:
            log.warning("last talker not found out", pbx=self.id, why=str(error.problem))
            return ""

    async def _verdict(self, caller: Caller) -> Verdict:
        choice = choose(self._config, caller)
        extensions = [one.extension for one in choice.candidates]
        states = await asyncio.gather(*map(self._presence, extensions))
        return decide(choice, caller, dict(zip(extensions, states, strict=True)))

    async def _presence(self, extension: str) -> Presence:
        try:
            return await self._source.presence(extension)
        except PbxError:
            return Presence.UNKNOWN

    # ------------------------------------------------------------------------------------- the sending
    async def _act(self, question: Question, found: Verdict, way: Way, name: str) -> bool:
        """What has to be done beside answering; false when the call cannot go to the employee."""
        sent = bool(found.extension) and self._source.state.up and self._may_be_sent(question.uniqueid)
        if way is Way.EXTENSION:
            how = self._how(question, found) if sent else {}
            await self._set(question, {NAME: name, **how})
        if sent and way is Way.REDIRECT:
            return await self._redirect(question, found)
        return sent

    def _how(self, question: Question, found: Verdict) -> dict[str, str]:
        """How long he is rung, and where the call goes then, for the dialplan."""
        then = "" if found.then == ROUTE else ",".join((*self._place(found.then, question), "1"))
        return {RING_S: str(found.ring_s), THEN: then}

    async def _set(self, question: Question, values: Mapping[str, str]) -> None:
        try:
            for name, value in values.items():
                await self._source.set_variable(question.uniqueid, name, value)
        except PbxError as error:
            log.warning("variable not set", pbx=self.id, call=self._call(question), why=str(error.problem))

    async def _redirect(self, question: Question, found: Verdict) -> bool:
        """Moves the call to the employee: in a context that takes it back itself, or under our eyes."""
        channel = self._board.channels.get(question.uniqueid)
        since, was_up = self._clock(), channel is not None and channel.up_at is not None
        watch: asyncio.Task[None] | None = None
        try:
            if await self._source.has_context(RING):
                place = self._place(found.then, question)
                how = {RING_S: str(found.ring_s), THEN: ",".join((*place, "1"))}
                await self._set(question, how)
                await self._source.redirect(question.uniqueid, RING, found.extension)
            else:
                watch = self._watch(question, found, since, was_up)
                await self._source.redirect(question.uniqueid, EMPLOYEE, found.extension)
        except port.UnsureError as error:  # it may have been sent: then somebody must take it
            log.warning("call perhaps sent", pbx=self.id, call=self._call(question), why=str(error.problem))
        except PbxError as error:
            if watch is not None:
                watch.cancel()
            log.warning("call not sent", pbx=self.id, call=self._call(question), why=str(error.problem))
            return False
        return True

    def _may_be_sent(self, uniqueid: str) -> bool:
        """A call from outside with which nobody talks. One that we have not seen yet is one: the PBX asks
        about it as it comes in."""
        channel = self._board.channels.get(uniqueid)
        if channel is None:
            return True
        talks = any(stay.until is None for stay in channel.stays)
        return channel.alive and not talks and self._board.kind(channel) is Kind.TRUNK

    def _watch(self, question: Question, found: Verdict, since: float, was_up: bool) -> asyncio.Task[None]:
        stirred = self._watches[question.uniqueid] = asyncio.Event()
        work = self._watching(question, found, since, was_up, stirred)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(question.uniqueid, done))
        return task

    def _ended(self, uniqueid: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._watches.pop(uniqueid, None)

    async def _watching(
        self, question: Question, found: Verdict, since: float, was_up: bool, stirred: asyncio.Event
    ) -> None:
        """Until somebody takes the call, or it is sent on."""
        while True:
            stirred.clear()
            now = self._clock()
            state = progress(self._board, question.uniqueid, since, was_up=was_up)
            if state in (Progress.TAKEN, Progress.GONE):
                return
            if state is Progress.FAILED or now >= since + found.ring_s:
                await self._send_on(question, found, state)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stirred.wait(), since + found.ring_s - now)

    async def _send_on(self, question: Question, found: Verdict, state: Progress) -> None:
        context, exten = self._place(found.then, question)
        log.info(
            "employee did not take the call",
            pbx=self.id,
            call=self._call(question),
            extension=found.extension,
            state=state.value,
            to=f"{context},{exten}",
        )
        try:
            await self._source.redirect(question.uniqueid, context, exten)
        except PbxError as error:
            log.warning("call not sent on", pbx=self.id, call=self._call(question), why=str(error.problem))

    # ------------------------------------------------------------------------------------ from the river
    def saw(self, seen: Sequence[f.Fact]) -> None:
        """Something happened on the PBX, and the board knows it."""
        for event in self._watches.values():
            event.set()
        for fact in seen:
            if isinstance(fact, f.HungUp):
                self._answered.pop(fact.leg.uniqueid, None)

    async def run(self) -> None:
        """Until it is cancelled; calls that are watched then follow the employee's own rules."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _remember(self, uniqueid: str, name: str) -> None:
        if len(self._answered) >= REMEMBERED_MAX:  # of calls whose end we did not see
            self._answered.pop(next(iter(self._answered)))
        self._answered[uniqueid] = name

    def _place(self, then: str, question: Question) -> tuple[str, str]:
        """Context and number of the place where a call goes that nobody took; its ordinary route begins where
        its channel came in."""
        if then == ROUTE:
            channel = self._board.channels.get(question.uniqueid)
            if channel is not None and channel.first_context and channel.first_exten:
                return channel.first_context, channel.first_exten
            return OUTSIDE, question.did if _EXTEN.fullmatch(question.did) else "s"
        context, comma, exten = then.partition(",")
        return (context, exten) if comma else (EMPLOYEE, then)

    def _call(self, question: Question) -> str:
        return f"{self.id}-{question.uniqueid}"


def _outcome(found: Verdict | None) -> str:
    if found is None:
        return "late"
    return "sent" if found.extension else "ordinary"
