"""Many calls that are over, told in few requests: law 10 when the budget is short.

The adapter's `batch` makes one `Backlog` for the parcels that it was handed. Each order is carried out by
`registering` and `finishing`, side by side with the others; what they ask of the portal waits here until
all of them wait, and leaves as one batch. A finish travels right behind the register of its call and names
the call by what that answered. Whether an earlier batch without an answer was done is looked up first, and
that it was not is believed only when the portal cannot be at it any more: a service that was killed is back
in seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from callme.crm.intents import Finish, Register
from callme.crm.port import Ambiguous, Attempt, Delivered, Outcome, Parcel, Urgency
from callme.portals.bitrix24 import notices
from callme.portals.bitrix24.batches import result_of
from callme.portals.bitrix24.finishing import Finishing
from callme.portals.bitrix24.owners import Owners
from callme.portals.bitrix24.registering import REGISTER, Registering
from callme.portals.bitrix24.rest import Command, Done, Fault, Rest
from callme.portals.bitrix24.statistics import Absent, Row, Sealed, look_up_ours, too_early

URGENCY = Urgency.FINISH

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class _Seat:
    """One call's place in the batch: `key` names its register there, `finishing` began when that was put in
    line."""

    place: int
    behind: tuple[Finish, Attempt] | None = None
    asked: bool = False
    answered: bool = False
    call_id: str = ""  # what the portal answered to the register that was asked first
    finishing: asyncio.Task[Outcome] | None = None

    @property
    def key(self) -> str:
        return f"c{self.place}"

    @property
    def promise(self) -> str:
        """Stands for the call's id in a batch that holds its register."""
        return result_of(self.key, "CALL_ID")


@dataclass(frozen=True, slots=True)
class _Waiting:
    seat: _Seat
    command: Command
    answer: asyncio.Future[Done | Fault]


@dataclass(slots=True)
class Backlog:
    """One batch of the worker. `looks`: the statistics may be read, so that a lost answer can be cleared up;
    without that a finish never travels with its register."""

    registering: Registering
    finishing: Finishing
    owners: Owners
    rest: Rest
    looks: bool
    answer_s: float
    _alive: int = 0  # orders at work: when all of them wait here, what waits is sent
    _line: list[_Waiting] = field(default_factory=list)
    _sending: asyncio.Task[None] | None = None
    _names: int = 0

    async def carry(self, parcels: Sequence[Parcel]) -> list[tuple[Outcome, ...]]:
        """See `crm.port.Batches`. An adapter's fault is a doubt of its own call alone."""
        seats = [_Seat(place) for place in range(len(parcels))]
        self._alive = len(parcels)
        work = [self._carry_one(seat, parcel) for seat, parcel in zip(seats, parcels, strict=True)]
        try:
            return list(await asyncio.gather(*work))
        finally:
            for seat in seats:
                if seat.finishing is not None:
                    seat.finishing.cancel()
            if self._sending is not None:
                self._sending.cancel()

    # ------------------------------------------------------------------------------------- one call
    async def _carry_one(self, seat: _Seat, parcel: Parcel) -> tuple[Outcome, ...]:
        (order, attempt), *behind = parcel.orders
        try:
            if isinstance(order, Finish):
                return (await self.finishing.finish(self._way(seat, attempt), order, attempt),)
            finish = next(((one, its) for one, its in behind if isinstance(one, Finish)), None)
            return await self._carry_both(seat, order, attempt, finish)
        except Exception as error:
            log.exception("adapter failed", call=order.about.call)
            return (Ambiguous(notices.fault(error)),)
        finally:
            self._leave()

    async def _carry_both(
        self, seat: _Seat, order: Register, attempt: Attempt, behind: tuple[Finish, Attempt] | None
    ) -> tuple[Outcome, ...]:
        rest = self._way(seat, attempt)
        if attempt.doubt and self.looks:
            row = await look_up_ours(rest, order.about.call, URGENCY)
            match row:
                case Fault():
                    return (row.outcome,)
                case Row():
                    return _done_before(row, behind)
                case Absent() if (early := too_early(attempt)) is not None:
                    return (early,)
                case Absent() if behind is not None and attempt.first_at >= behind[0].ended_at:
                    # Only whole batches were tried: what is not in the statistics was not done.
                    attempt = replace(attempt, doubt=False)
                case Absent() | Sealed():
                    pass
        if behind is not None and self.looks:
            # Whose it is, is asked ahead and known for a minute: the finish then stands in one batch with
            # the register.
            await self.owners.of_finish(self._way(seat, behind[1]), behind[0])
            seat.behind = behind
        opened = await self.registering.register(rest, order, frozenset(), attempt)
        if isinstance(opened, Delivered) and seat.finishing is not None and seat.call_id:
            return opened, await self._joined(seat.finishing)
        if seat.finishing is not None:  # the register failed, or a second request for it was needed
            seat.finishing.cancel()
        if not isinstance(opened, Delivered) or seat.behind is None or seat.finishing is not None:
            return (opened,)
        finish, its = seat.behind  # the portal was asked nothing: it gave us the call itself
        known = replace(its, memory={**its.memory, **opened.memory})
        return opened, await self.finishing.finish(self._way(seat, its), finish, known)

    async def _joined(self, finishing: asyncio.Task[Outcome]) -> Outcome:
        self._leave()
        try:
            return await finishing
        finally:
            self._alive += 1

    def _begin_finish(self, seat: _Seat) -> None:
        """The register stands in line: its finish gets in line behind it."""
        assert seat.behind is not None  # noqa: S101  asked only then
        order, attempt = seat.behind
        memory = {**attempt.memory, "call": seat.promise}
        attempt = replace(attempt, memory=memory)
        self._alive += 1
        closing = self.finishing.finish(self._way(seat, attempt), order, attempt)
        seat.finishing = asyncio.get_running_loop().create_task(self._counted(closing, order))

    async def _counted(self, closing: Coroutine[Any, Any, Outcome], order: Finish) -> Outcome:
        try:
            return await closing
        except Exception as error:
            log.exception("adapter failed", call=order.about.call)
            return Ambiguous(notices.fault(error))
        finally:
            self._leave()

    # ------------------------------------------------------------------------------------- the line
    def _way(self, seat: _Seat, attempt: Attempt) -> Rest:
        def gather(command: Command) -> Awaitable[Done | Fault]:
            return self._ask(seat, command)

        return self.rest.gathering(gather, attempt.trace)

    async def _ask(self, seat: _Seat, command: Command) -> Done | Fault:
        near = self.rest.blocked(command.method, backlog=True)
        if near is not None:
            return near
        if seat.answered:
            kept = {name: seat.call_id if it == seat.promise else it for name, it in command.params.items()}
            command = replace(command, params=kept)
        self._names += 1
        first = command.method == REGISTER and not seat.asked
        seat.asked = seat.asked or first
        named = replace(command, key=seat.key if first else f"{seat.key}_{self._names}")
        waiting = _Waiting(seat, named, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        if first and seat.behind is not None:
            self._begin_finish(seat)
        self._send_if_all_wait()
        try:
            return await waiting.answer
        finally:
            if waiting in self._line:
                self._line.remove(waiting)

    def _leave(self) -> None:
        self._alive -= 1
        self._send_if_all_wait()

    def _send_if_all_wait(self) -> None:
        if self._line and len(self._line) >= self._alive and self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        """Sends what stands in line, in as many requests as it takes; the commands of one call stay
        together."""
        line, self._line = sorted(self._line, key=lambda one: one.seat.place), []
        sent = 0
        try:
            while sent < len(line):
                part = line[sent : sent + _whole_calls(line[sent:], self.rest.batch_size)]
                found = await self.rest.many([one.command for one in part], URGENCY, self.answer_s)
                sent += len(part)
                for one, answer in zip(part, found, strict=True):
                    _tell(one, answer)
        except Exception as error:
            log.exception("adapter failed")
            for one in line:
                if not one.answer.done():
                    one.answer.set_exception(error)
        self._sending = None
        self._send_if_all_wait()


def _tell(one: _Waiting, answer: Done | Fault) -> None:
    if one.command.key == one.seat.key:
        one.seat.answered = True
        result = answer.result if isinstance(answer, Done) else None
        one.seat.call_id = str(result.get("CALL_ID") or "") if isinstance(result, dict) else ""
    if not one.answer.done():
        one.answer.set_result(answer)


def _whole_calls(line: list[_Waiting], most: int) -> int:
    """How many of the line go into a request of at most `most` commands, no call being torn apart."""
    if len(line) <= most:
        return len(line)
    size = most
    while size > 1 and line[size].seat is line[size - 1].seat:
        size -= 1
    return size


def _done_before(row: Row, behind: tuple[Finish, Attempt] | None) -> tuple[Outcome, ...]:
    opened = Delivered({"call": row.call_id, "user": row.user, "seers": "", "finished": row.id})
    return (opened,) if behind is None else (opened, Delivered({"finished": row.id, "user": row.user}))
