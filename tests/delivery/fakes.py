"""What delivery's tests play with: calls to tell of, a fake portal, a ledger in memory, virtual time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from callme.crm.intents import (
    Attach,
    CallFacts,
    Cards,
    Direction,
    Finish,
    Intent,
    Reached,
    Register,
    Remind,
    Result,
    Settle,
    Transcribe,
)
from callme.crm.port import Attempt, Audio, Capabilities, Delivered, Finding, Later, Outcome, Refused
from callme.crm.transcript import Line
from callme.delivery.lane import HandOver, Lane, extend
from callme.delivery.ledger import Due, LaneWrite, Tried
from callme.delivery.outbox import due_at, interrupted
from callme.wording import Phrase

T = TypeVar("T")

PORTAL = "main"
WHY = Phrase("no luck", "не вышло")


def about(call: str = "office-1.1") -> CallFacts:
    return CallFacts(call, Direction.IN, "+74951234567", "", "+74950000001", 1000.0)


def register(call: str = "office-1.1") -> Register:
    return Register(about(call), "101")


def finish(call: str = "office-1.1") -> Finish:
    return Finish(about(call), "101", Result.ANSWERED, 7, 1010.0)


def attach(call: str = "office-1.1", ordinal: int = 0) -> Attach:
    return Attach(about(call), "office", f"/monitor/{ordinal}.wav", 1010.0, ordinal)


def transcribe(call: str = "office-1.1", ordinal: int = 0) -> Transcribe:
    return Transcribe(about(call), "office", f"/monitor/{ordinal}.wav", 1010.0, ordinal)


def cards(*seers: str, call: str = "office-1.1") -> Cards:
    return Cards(about(call), frozenset(seers))


def handed(*intents: Intent, at: float = 0.0, fresh: bool = False) -> HandOver:
    """What a commit of these intents hands over."""
    wishes = [one for one in intents if isinstance(one, Cards)]
    records = tuple(one for one in intents if not isinstance(one, Cards | Reached))
    return HandOver(PORTAL, intents[0].about.call, at, records, wishes[-1] if wishes else None, fresh)


def lane_of(*intents: Intent, at: float = 0.0) -> Lane:
    return extend(Lane(PORTAL, intents[0].about.call), handed(*intents, at=at))


class FakePortal:
    """A portal that keeps what it was told by call id. `answer` decides each order's outcome; what it
    leaves open is delivered. Every order is in `log` as (time, call, word)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.id = PORTAL
        self.capabilities = Capabilities(cards=True, live_register=True, recordings=True)
        self.clock = clock
        self.log: list[tuple[float, str, str]] = []
        self.attempts: list[Attempt] = []
        self.answer: Callable[[str, str], Outcome | None] = lambda word, call: None
        self.takes_s: Callable[[str, str], float] = lambda word, call: 0.01
        self.at_work: dict[str, int] = {}
        self.most_at_once = 0
        self.seen: dict[str, frozenset[str]] = {}

    async def _order(self, word: str, call: str, attempt: Attempt) -> Outcome | None:
        self.log.append((self.clock(), call, word))
        self.attempts.append(attempt)
        attempt.trace.note(word, "heard")
        self.at_work[call] = self.at_work.get(call, 0) + 1
        assert self.at_work[call] == 1, f"two orders of {call} at once"
        self.most_at_once = max(self.most_at_once, sum(self.at_work.values()))
        try:
            await asyncio.sleep(self.takes_s(word, call))
        finally:
            self.at_work[call] -= 1
        return self.answer(word, call)

    async def register(self, order: Register, show: frozenset[str], attempt: Attempt) -> Outcome:
        word = f"register({','.join(sorted(show))})"
        answer = await self._order(word, order.about.call, attempt)
        if answer is not None:
            return answer
        return Delivered({"id": f"portal-{order.about.call}"}, shown=show if len(show) == 1 else None)

    async def cards(self, call: str, show: frozenset[str], hide: frozenset[str], attempt: Attempt) -> Outcome:
        word = f"cards(+{','.join(sorted(show))} -{','.join(sorted(hide))})"
        answer = await self._order(word, call, attempt)
        if answer is not None:
            return answer
        self.seen[call] = (self.seen.get(call, frozenset()) | show) - hide
        return Delivered(shown=show)

    async def finish(self, order: Finish, attempt: Attempt) -> Outcome:
        return await self._order("finish", order.about.call, attempt) or Delivered()

    async def attach(self, order: Attach, audio: Audio, attempt: Attempt) -> Outcome:
        return await self._order(f"attach {order.ordinal}", order.about.call, attempt) or Delivered()

    async def transcribe(self, order: Transcribe, lines: Sequence[Line], attempt: Attempt) -> Outcome:
        word = f"transcribe {order.ordinal}: {' / '.join(line.text for line in lines)}"
        return await self._order(word, order.about.call, attempt) or Delivered({"transcript": "9"})

    async def remind(self, order: Remind, attempt: Attempt) -> Outcome:
        return await self._order("remind", order.about.call, attempt) or Delivered({"task": "7"})

    async def settle(self, order: Settle, attempt: Attempt) -> Outcome:
        return await self._order("settle", order.about.call, attempt) or Delivered()

    async def check(self) -> list[Finding]:
        return []

    async def refresh(self) -> Outcome | None:
        return None

    async def close(self) -> None:
        return None

    def words(self, call: str = "office-1.1") -> list[str]:
        return [word for _, of, word in self.log if of == call]


async def prepare(order: Attach) -> Audio | Later | Refused:
    return Audio(Path(order.path), "call.mp3", "audio/mpeg", 7.0)


class MemoryLedger:
    """A ledger in memory that keeps what was saved, as a database would."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.lanes: dict[str, Lane] = {}
        self.next_at: dict[str, float | None] = {}
        self.held: dict[str, Phrase | None] = {}
        self.tried: list[Tried] = []
        self.paused: list[str | None] = []
        self.failures: list[Exception] = []
        self.read_s = 0.0
        self.look_s = 0.0

    def commit(self, *intents: Intent) -> HandOver:
        """As the river's commit does: keeps the intents and answers with the hand-over."""
        now = self.clock()
        call = intents[0].about.call
        one = handed(*intents, at=now, fresh=call not in self.lanes)
        self.lanes[call] = extend(self.lanes.get(call, Lane(PORTAL, call)), one)
        self.next_at[call] = now
        return one

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    async def recover(self, portal: str, now: float) -> int:
        for call, lane in self.lanes.items():
            self.lanes[call] = interrupted(lane, now)
            if not isinstance(self.held.get(call), Phrase):
                self.next_at[call] = self.next_at.get(call) or due_at(self.lanes[call], now)
        return 0

    async def due(self, portal: str, now: float, limit: int) -> Due:
        self._fail()
        known = [(at, call) for call, at in self.next_at.items() if at is not None]
        lanes = tuple(self.lanes[call] for at, call in sorted(known) if at <= now)
        found = Due(lanes[:limit], min((at for at, _ in known if at > now), default=None))
        await asyncio.sleep(self.look_s)  # as old as a snapshot is when it arrives
        return found

    async def lane(self, portal: str, call: str) -> Lane | None:
        self._fail()
        found = self.lanes.get(call)
        await asyncio.sleep(self.read_s)  # as old as a snapshot is when it arrives
        return found

    async def save(self, write: LaneWrite) -> None:
        self._fail()
        call = write.lane.call
        kept = self.lanes[call]
        for key in write.touched:
            kept = kept.put(write.lane.get(key))
        wanted = kept.wanted
        self.lanes[call] = replace(write.lane, deliveries=kept.deliveries, wanted=wanted)
        self.next_at[call] = write.next_at
        self.held[call] = write.held
        if write.tried is not None:
            self.tried.append(write.tried)

    async def pause(self, portal: str, why: Phrase | None, at: float) -> None:
        self.paused.append(None if why is None else str(why))


class _Skipping(selectors.DefaultSelector):
    """Instead of sleeping it moves the loop's clock on; while a thread works the clock stands."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0
        self.in_threads = 0

    def select(self, timeout: float | None = None) -> Any:
        if self.in_threads:
            return super().select(0.05 if timeout is None else min(timeout, 0.05))
        found = super().select(0)
        if found or timeout is None or timeout <= 0:
            return found if found or timeout is not None else super().select(5)
        self.skipped += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on which hours pass in milliseconds."""

    def __init__(self) -> None:
        self._virtual = _Skipping()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.skipped

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        self._virtual.in_threads += 1
        working = super().run_in_executor(executor, func, *args)
        working.add_done_callback(self._out_of_thread)
        return working

    def _out_of_thread(self, _: asyncio.Future[Any]) -> None:
        self._virtual.in_threads -= 1


def play(story: Callable[[Callable[[], float]], Coroutine[Any, Any, T]]) -> T:
    """Runs the story under virtual time; it gets the clock, which begins at 0."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(story(loop.time))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
