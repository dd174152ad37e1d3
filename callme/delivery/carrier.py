"""Carries out one step of a lane through the portal, and says how it went.

The worker calls it after the step was kept. Whatever happens ends as an outcome: an adapter's own fault
too, so that one lane never takes the others down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from callme.crm.intents import Attach, Finish, Register, Remind, Settle, Transcribe
from callme.crm.port import (
    Ambiguous,
    Attempt,
    Audio,
    Batches,
    Delivered,
    Later,
    Outcome,
    Parcel,
    Portal,
    Refused,
    Reminds,
    Trace,
    Transcribes,
    Unauthorised,
)
from callme.crm.shadow import NOT_SENT
from callme.crm.transcript import Line
from callme.delivery.lane import CARDS, Key, Lane, State
from callme.delivery.ledger import Tried
from callme.delivery.outbox import Send, Sendable, SetCards, is_needless, together
from callme.delivery.recorder import Recorder
from callme.wording import Phrase

log = structlog.get_logger("callme.delivery")

Prepare = Callable[[Attach], Awaitable[Audio | Later | Refused]]
"""Fetches and converts the recording of an order: the PBX's room, which delivery may not see."""

Listen = Callable[[Transcribe], Awaitable[tuple[Line, ...] | Later | Refused]]
"""Has it written down what was said in a recording."""


class Tally(Protocol):
    """Counters that the service keeps for /metrics."""

    def attempted(self, portal: str, kind: str, outcome: str, seconds: float) -> None:
        """One attempt ended so, after so long."""

    def waiting(self, portal: str, lanes: int) -> None:
        """So many lanes are ready or at work."""

    def paused(self, portal: str, yes: bool) -> None:
        """The portal was paused or goes on."""


class NoTally:
    """Counts nothing."""

    def attempted(self, portal: str, kind: str, outcome: str, seconds: float) -> None:
        """Ignored."""

    def waiting(self, portal: str, lanes: int) -> None:
        """Ignored."""

    def paused(self, portal: str, yes: bool) -> None:
        """Ignored."""


BETTER_ONE = Phrase(
    "A more complete recording of this call has been handed over already",
    "Более полная запись этого разговора уже передана",
)
ATTACHED_SO_FAR = Phrase(
    "Attached as far as it is there; the rest is awaited: {why}",
    "Приложено то, что есть; остальное ожидается: {why}",
)
NO_RECORDINGS = Phrase("This CRM takes no recordings", "Эта CRM не принимает записи разговоров")
NO_TRANSCRIPTS = Phrase("This CRM takes no transcripts", "Эта CRM не принимает расшифровки разговоров")
NOBODY_LISTENS = Phrase("Nobody writes calls down here", "Расшифровывать разговоры здесь некому")
NOTHING_SAID = Phrase("Nothing was said in this recording", "В этой записи ничего не сказано")
NO_REMINDERS = Phrase("This CRM reminds nobody of calls", "Эта CRM не напоминает о звонках")
STOPPED_WAITING = Phrase(
    "The portal did not answer in time for the call's record",
    "Портал не ответил вовремя, запись о звонке ушла без этого",
)
FAULT = Phrase(
    "The adapter failed: {error}; the log has the details",
    "Ошибка в адаптере: {error}; подробности в журнале",
)


@dataclass(frozen=True, slots=True)
class Result:
    """How one order of a batch went, and the row to keep."""

    step: Send
    outcome: Outcome
    tried: Tried


class Carrier:
    """Sends steps to one portal."""

    def __init__(
        self,
        portal: Portal,
        prepare: Prepare,
        clock: Callable[[], float],
        tally: Tally,
        *,
        listen: Listen | None = None,
        shadow: bool = False,
    ) -> None:
        """`shadow`: nothing is sent; every step counts as done."""
        self._listen = listen
        self._portal = portal
        self._shadow = shadow
        self._prepare = prepare
        self._clock = clock
        self._tally = tally

    async def attempt(self, lane: Lane, step: Sendable, probing: bool) -> tuple[Outcome, Tried]:
        """Sends it and answers with the outcome and the row to keep. While `probing`, failures are logged
        as debug."""
        now, recorder = self._clock(), Recorder()
        attempt = _circumstances(lane, step, now, recorder)
        kind, ordinal = key = step.key if isinstance(step, Send) else (CARDS, 0)
        delivery = f"{kind}/{ordinal}"
        with structlog.contextvars.bound_contextvars(portal=lane.portal, call=lane.call, delivery=delivery):
            outcome = await self._ask(lane, step, attempt)
        return outcome, self._ended(lane, key, attempt, recorder, outcome, probing)

    async def attempt_together(
        self, loads: Sequence[tuple[Lane, tuple[Send, ...]]], probing: bool
    ) -> list[list[Result]]:
        """Sends the records of several lanes at once. Of each lane the first step was begun, one behind it
        was not. Answers for each lane with the results of what was asked, in its order."""
        now = self._clock()
        noted = [[_noted(lane, step, now) for step in steps] for lane, steps in loads]
        outcomes = await self._ask_together(
            [Parcel(tuple((one.order, one.attempt) for one in steps)) for steps in noted]
        )
        return [
            [
                Result(
                    one.step,
                    outcome,
                    self._ended(lane, one.step.key, one.attempt, one.recorder, outcome, probing),
                )
                for one, outcome in zip(steps, ended, strict=False)
            ]
            for (lane, _), steps, ended in zip(loads, noted, outcomes, strict=True)
        ]

    async def _ask_together(self, parcels: list[Parcel]) -> list[tuple[Outcome, ...]]:
        assert isinstance(self._portal, Batches)  # noqa: S101  only such a portal is asked
        try:
            with structlog.contextvars.bound_contextvars(portal=self._portal.id):
                return await self._portal.batch(parcels)
        except Exception as error:
            log.exception("adapter failed")
            return [(Ambiguous(FAULT.given(error=type(error).__name__)),)] * len(parcels)

    def _ended(
        self, lane: Lane, key: Key, attempt: Attempt, recorder: Recorder, outcome: Outcome, probing: bool
    ) -> Tried:
        """Counts and logs the attempt that ended, and answers with its row."""
        kind, ordinal = key
        took = max(0.0, self._clock() - attempt.now)
        name = type(outcome).__name__.lower()
        why = outcome.notice if isinstance(outcome, Delivered) else outcome.why
        self._tally.attempted(lane.portal, kind, name, took)
        _say(lane, f"{kind}/{ordinal}", attempt.number, outcome, probing)
        return Tried(
            kind, ordinal, attempt.number, attempt.now, round(took * 1000), name, why, recorder.exchanges
        )

    def orders(self, lane: Lane, step: Sendable, now: float) -> tuple[Send, ...]:
        """What of the lane may travel with others'."""
        able = isinstance(self._portal, Batches) and self._portal.capabilities.batch > 0
        return together(lane, step, now) if able and not self.withholds(lane) else ()

    def withholds(self, lane: Lane) -> bool:
        """Whether nothing of this call may reach the portal: shadow mode is on, or was when it began."""
        return self._shadow or any(one.record.about.shadow for one in lane.deliveries)

    async def _ask(self, lane: Lane, step: Sendable, attempt: Attempt) -> Outcome:
        try:
            if self.withholds(lane):
                return await self._withhold(step)
            if isinstance(step, SetCards):
                return await self._ask_cards(lane, step, attempt)
            match step.record:
                case Register() as order:
                    return await self._portal.register(order, step.show, attempt)
                case Finish() as order:
                    return await self._portal.finish(order, attempt)
                case Attach() as order:
                    return await self._ask_attach(lane, order, attempt)
                case Transcribe() as order:
                    return await self._ask_transcript(lane, order, attempt)
                case Remind() | Settle() as order:
                    needless = is_needless(lane, order) and not attempt.doubt
                    return Delivered() if needless else await self._ask_reminder(order, attempt)
        except Exception as error:
            log.exception("adapter failed")
            return Ambiguous(FAULT.given(error=type(error).__name__))

    async def _withhold(self, step: Sendable) -> Outcome:
        """Done without the portal. A recording is looked for all the same: whether it can be had is part of
        what shadow mode shows. Nobody listens to it."""
        if isinstance(step, SetCards):
            return Delivered(shown=step.show, notice=NOT_SENT)
        if isinstance(step.record, Attach) and self._portal.capabilities.recordings:
            audio = await self._prepare(step.record)
            if isinstance(audio, Later | Refused):
                return audio
        return Delivered(shown=step.show, notice=NOT_SENT)

    async def _ask_cards(self, lane: Lane, step: SetCards, attempt: Attempt) -> Outcome:
        if not self._portal.capabilities.cards:
            return Delivered(shown=step.show)
        limit = asyncio.timeout(None if step.until is None else max(0.0, step.until - self._clock()))
        try:
            async with limit:
                return await self._portal.cards(lane.call, step.show, step.hide, attempt)
        except TimeoutError:
            if not limit.expired():
                raise
        return Ambiguous(STOPPED_WAITING)

    async def _ask_reminder(self, order: Remind | Settle, attempt: Attempt) -> Outcome:
        if not isinstance(self._portal, Reminds):
            return Refused(NO_REMINDERS)
        if isinstance(order, Remind):
            return await self._portal.remind(order, attempt)
        return await self._portal.settle(order, attempt)

    async def _ask_attach(self, lane: Lane, order: Attach, attempt: Attempt) -> Outcome:
        if not self._portal.capabilities.recordings:
            return Refused(NO_RECORDINGS)
        if _is_surpassed(lane, order):
            return Delivered(notice=BETTER_ONE)
        audio = await self._prepare(order)
        if isinstance(audio, Later | Refused):
            return audio
        outcome = await self._portal.attach(order, audio, attempt)
        if not isinstance(outcome, Delivered):
            return outcome
        if audio.lacking is not None:
            return Later(ATTACHED_SO_FAR.given(why=audio.lacking), audio.again_s, outcome.memory)
        return outcome if audio.notice is None else replace(outcome, notice=outcome.notice or audio.notice)

    async def _ask_transcript(self, lane: Lane, order: Transcribe, attempt: Attempt) -> Outcome:
        if not isinstance(self._portal, Transcribes):
            return Refused(NO_TRANSCRIPTS)
        if self._listen is None:
            return Refused(NOBODY_LISTENS)
        if _is_surpassed(lane, order):
            return Delivered(notice=BETTER_ONE)
        lines = await self._listen(order)
        if isinstance(lines, Later | Refused):
            return lines
        if not lines:
            return Delivered(notice=NOTHING_SAID)
        return await self._portal.transcribe(order, lines, attempt)


def _is_surpassed(lane: Lane, order: Attach | Transcribe) -> bool:
    """The same of a more complete recording was handed over."""
    return any(one.record.ordinal > order.ordinal and one.state is State.DONE for one in lane.of(order.KIND))


def _circumstances(lane: Lane, step: Sendable, now: float, trace: Trace) -> Attempt:
    if isinstance(step, SetCards):
        return Attempt(lane.card_tries, lane.card_tries > 1, lane.memory, now, now, trace, lane.asking)
    one = lane.get(step.key)
    first_at = now if one.first_at is None else one.first_at
    return Attempt(one.attempts, one.doubt, lane.memory, now, first_at, trace, lane.asking)


@dataclass(frozen=True, slots=True)
class _Noted:
    """One order of a batch with its circumstances."""

    step: Send
    order: Register | Finish
    attempt: Attempt
    recorder: Recorder


def _noted(lane: Lane, step: Send, now: float) -> _Noted:
    assert isinstance(step.record, Register | Finish)  # noqa: S101  nothing else travels with others
    recorder, one = Recorder(), lane.get(step.key)
    attempt = _circumstances(lane, step, now, recorder)
    if one.state is State.WAITING:  # behind its register, and begun when that is done
        attempt = replace(attempt, number=one.attempts + 1)
    return _Noted(step, step.record, attempt, recorder)


def _say(lane: Lane, delivery: str, number: int, outcome: Outcome, probing: bool) -> None:
    """One log line per attempt; while the portal is down its failures are no news (docs: logging)."""
    said = log.bind(portal=lane.portal, call=lane.call, delivery=delivery, attempt=number)
    match outcome:
        case Delivered(notice=None):
            said.debug("delivered")
        case Delivered(notice=notice) if notice is NOT_SENT:
            said.debug("not sent: shadow mode")
        case Delivered(notice=notice) if delivery.startswith(Transcribe.KIND):
            said.info("delivered", notice=str(notice))  # what a recording does not tell is no trouble
        case Delivered(notice=notice):
            said.warning("delivered", notice=str(notice))
        case Refused(why=why):
            said.warning("refused", why=str(why))
        case Unauthorised(why=why):
            said.error("unauthorised", why=str(why))
        case Later(why=why) | Ambiguous(why=why) if probing:
            said.debug("failed", outcome=type(outcome).__name__.lower(), why=str(why))
        case Later(why=why) | Ambiguous(why=why):
            said.info("failed", outcome=type(outcome).__name__.lower(), why=str(why))
