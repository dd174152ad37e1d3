"""Carries one portal's lanes: asks the outbox what is due, has it kept, sends it, has the outcome kept.

The service runs one `Worker` per portal and hands it, right after each commit, what the commit brought; the
table is read at start, for lanes whose retry is due and for lanes that are no longer in memory. Lanes go
side by side, within a lane one delivery at a time. It must not know a database, a CRM's name or a PBX's
file system.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace

from callme.crm.intents import Register
from callme.crm.port import Outcome, Portal
from callme.delivery import breaker as breakers
from callme.delivery.breaker import Breaker, telling
from callme.delivery.carrier import Carrier, Listen, NoTally, Prepare, Result, Tally
from callme.delivery.keeping import Keeper
from callme.delivery.lane import HandOver, Lane, extend
from callme.delivery.ledger import Ledger, Tried
from callme.delivery.outbox import (
    RULES,
    Held,
    Idle,
    Rules,
    Send,
    Sendable,
    SetCards,
    Wait,
    begin,
    next_step,
    release,
    settle,
    under_way,
)
from callme.delivery.track import Cargo, Entry, Limits, Track, of_the_file, track
from callme.wording import Phrase


class Worker:
    """One portal's deliveries. `run` until `stop`; everything else is called on the same event loop."""

    def __init__(
        self,
        portal: Portal,
        ledger: Ledger,
        prepare: Prepare,
        clock: Callable[[], float],
        *,
        listen: Listen | None = None,
        tally: Tally | None = None,
        shadow: bool = False,
        rules: Rules = RULES,
        limits: Limits | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._portal = portal
        self._clock = clock
        self._tally: Tally = tally or NoTally()
        self._carrier = Carrier(portal, prepare, clock, self._tally, listen=listen, shadow=shadow)
        self._rules = rules
        self._limits = limits or Limits()
        self._stopping = asyncio.Event()
        self._keeper = Keeper(portal.id, ledger, rules, self._limits.rest_s, self._stopping)
        self._chance = chance
        self._entries: dict[str, Entry] = {}
        self._ready: tuple[deque[Entry], ...] = (deque(), deque(), deque())
        self._running = [0, 0, 0]
        self._batches = 0
        self._left: set[str] = set()  # calls that left memory while the table is being looked at
        self._sleepers: list[tuple[float, str]] = []
        self._look_at = float("-inf")
        self._breaker = Breaker()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._failure: BaseException | None = None
        self._recovered = False

    # ------------------------------------------------------------------------------------------ from outside
    @property
    def paused(self) -> Phrase | None:
        """Why the portal is paused, `None` while it is not."""
        return self._breaker.paused

    @property
    def down(self) -> bool:
        """The portal failed several times in a row and is being probed."""
        return self._breaker.probing

    def take(self, handed: HandOver) -> None:
        """What a commit brought. Called on the event loop after the commit; never waits."""
        entry = self._entries.get(handed.call)
        if handed.begun is not None:
            return self._send_now(handed.begun)
        if entry is None:
            entry = self._entries[handed.call] = Entry(handed.call)
            if handed.fresh and not handed.reload:
                entry.lane = Lane(self._portal.id, handed.call)
        elif handed.reload:
            entry.stale = True
        if entry.lane is None:
            entry.stale = True  # the rows are read, or read once more: they hold all that was committed
        else:
            entry.lane = extend(entry.lane, handed)
        self._consider(entry)
        self._wake.set()

    def at_once(self) -> bool:
        """Whether a new call's register would be sent right away."""
        return self._recovered and not self._ready[Track.LIVE] and self._free(Track.LIVE, self._clock())

    def _send_now(self, lane: Lane) -> None:
        """A new lane that was begun by the commit which brought it."""
        entry = self._entries[lane.call] = Entry(lane.call, lane, busy=True)
        step = under_way(lane)
        assert step is not None  # noqa: S101  that is what begun means
        if self._free(Track.LIVE, self._clock()):
            self._running[Track.LIVE] += 1
            self._spawn(self._carry(Cargo(entry, step), Track.LIVE, begun=True))
        else:  # meanwhile the portal went away, or others took the slots
            self._spawn(self._release(Cargo(entry, step), step))

    async def _release(self, cargo: Cargo, step: Send) -> None:
        cargo.entry.lane = release(cargo.lane, step)
        await self._keeper.keep(cargo.lane, step, None, None, self._clock())
        cargo.entry.busy = False
        self._consider(cargo.entry)

    def resume(self) -> None:
        """Try a paused or resting portal now."""
        self._breaker = breakers.resumed(self._breaker)
        self._look_at = float("-inf")
        self._wake.set()

    def stop(self) -> None:
        """Nothing new is sent; `run` returns when what is on its way has been kept."""
        self._stopping.set()
        self._wake.set()

    async def run(self, grace_s: float = 10.0) -> None:
        """Works until `stop`. Requests that take longer than `grace_s` after it are given up, in doubt.

        Raises what a fault of our own raised, so that the service ends loudly instead of delivering nothing.
        """
        try:
            if not self._stopping.is_set():
                await self._keeper.recover(self._clock)
                self._recovered = True
            while not self._stopping.is_set() and self._failure is None:
                await self._look()
                self._start()
                self._tally.waiting(self._portal.id, len(self._tasks) + sum(map(len, self._ready)))
                await self._pause()
        finally:
            self._stopping.set()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=grace_s)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    # ------------------------------------------------------------------------------------------ what is next
    async def _look(self) -> None:
        """Reads the lanes whose time has come, when it is time to and there is room."""
        now = self._clock()
        if now < self._look_at or sum(map(len, self._ready)) >= self._limits.lanes:
            return
        limit = self._limits.lanes + len(self._entries)
        self._left.clear()
        due = await self._keeper.due(now, limit)
        if due is None:
            self._look_at = now + self._limits.rest_s
            return
        self._look_at = now + self._limits.look_s
        if due.next_at is not None:
            self._look_at = min(self._look_at, max(due.next_at, now))
        if len(due.lanes) == limit:
            self._look_at = now + 1.0  # more are due than were read
        for lane in due.lanes:
            if lane.call in self._left:  # it has been carried since, and may be due anew
                self._look_at = now
            # What is being sent and not in memory is being handed over at this moment.
            elif lane.call not in self._entries and under_way(lane) is None:
                entry = self._entries[lane.call] = Entry(lane.call, lane)
                self._consider(entry)

    def _consider(self, entry: Entry) -> None:
        """Puts a lane where it belongs: among the ready, the sleepers, the open ones at rest, or out of
        memory."""
        if entry.busy or entry.queued:
            return
        if entry.lane is None or entry.stale:
            self._spawn(self._read(entry))
            return
        now = self._clock()
        match next_step(entry.lane, now, self._rules):
            case Send() | SetCards() as step:
                entry.queued = True
                self._ready[track(entry.lane, step)].append(entry)
            case Wait(until) if until - now <= self._limits.keep_s:
                heapq.heappush(self._sleepers, (until, entry.call))
            case Wait(until):
                self._forget(entry)
                self._look_at = min(self._look_at, until)
            case Held() | Idle(settled=True):
                self._forget(entry)
            case Idle() if not entry.lane.deliveries:  # a lane of which only the policy's memo is kept
                self._forget(entry)
            case Idle():
                pass

    def _forget(self, entry: Entry) -> None:
        del self._entries[entry.call]
        self._left.add(entry.call)

    def _start(self) -> None:
        """Starts what may start now: the most urgent track first, each within its slots."""
        now = self._clock()
        while self._sleepers and self._sleepers[0][0] <= now:
            entry = self._entries.get(heapq.heappop(self._sleepers)[1])
            if entry is not None:
                self._consider(entry)
        for place in Track:
            while self._free(place, now) and (first := self._next(place, now)) is not None:
                many = self._in_batch(first, place)
                if many and self._batches >= self._limits.batches:
                    self._put_back(place, [first])
                    break
                load = [first, *(self._company(place, now) if many else ())]
                for one in load:
                    one.entry.busy = True
                self._running[place] += 1
                self._batches += many
                self._spawn(self._carry_together(load, place) if many else self._carry(first, place))

    def _next(self, place: Track, now: float) -> Cargo | None:
        """The next of the ready lanes that still wants what it was put there for."""
        queue = self._ready[place]
        while queue:
            entry = queue.popleft()
            entry.queued = False
            step = None if entry.lane is None else next_step(entry.lane, now, self._rules)
            if entry.lane is not None and isinstance(step, Send | SetCards):
                cargo = Cargo(entry, step, self._carrier.orders(entry.lane, step, now))
                if track(entry.lane, step) is place:
                    return cargo
            self._consider(entry)
        return None

    def _in_batch(self, first: Cargo, place: Track) -> bool:
        """Whether it travels with others: there are more of them than can go side by side, or it is the
        register of a call that is over."""
        more = len(self._ready[place]) >= self._limits.slots[place] - self._running[place]
        return bool(first.orders) and (more or isinstance(first.orders[0].record, Register))

    def _company(self, place: Track, now: float) -> list[Cargo]:
        """Those that travel with the first one; nobody shares a probe."""
        company, aside = list[Cargo](), list[Cargo]()
        most = 1 if self._breaker.probing else self._portal.capabilities.batch
        while len(company) < most - 1 and (one := self._next(place, now)) is not None:
            (company if one.orders else aside).append(one)
        self._put_back(place, aside)
        return company

    def _put_back(self, place: Track, load: list[Cargo]) -> None:
        for one in reversed(load):
            one.entry.queued = True
            self._ready[place].appendleft(one.entry)

    def _free(self, place: Track, now: float) -> bool:
        if self._stopping.is_set() or now < self._breaker.rest_until:
            return False
        if self._breaker.probing:
            return not any(self._running)
        return self._running[place] < self._limits.slots[place]

    async def _pause(self) -> None:
        """Waits for a wake-up or for the next moment that matters."""
        moments = [self._look_at]
        if self._sleepers:
            moments.append(self._sleepers[0][0])
        if any(self._ready) and self._breaker.rest_until > self._clock():
            moments.append(self._breaker.rest_until)
        if sum(map(len, self._ready)) >= self._limits.lanes:
            moments.remove(self._look_at)  # there is no room; a task that ends wakes us
        pause = max(0.0, min(moments) - self._clock()) if moments else None
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    # ------------------------------------------------------------------------------------------ carrying
    async def _read(self, entry: Entry) -> None:
        """Reads a lane's rows, again while they change under our hands."""
        entry.busy = True
        while entry.lane is None or entry.stale:
            entry.stale = False
            found = await self._keeper.lane(entry.call)
            if found is None:  # pruned, or deleted for privacy, meanwhile
                self._forget(entry)
                return
            entry.lane = found
        entry.busy = False
        self._consider(entry)

    async def _carry(self, cargo: Cargo, place: Track, *, begun: bool = False) -> None:
        """Takes one lane as far as it goes in this slot. An outcome and the next beginning share a
        transaction. `begun`: the first step is kept already."""
        entry = cargo.entry
        step: Sendable | None = cargo.step
        done: Sendable | None = None
        tried: Tried | None = None
        try:
            while True:
                now = self._clock()
                if step is not None and not begun:
                    entry.lane = begin(cargo.lane, step, now)
                if not begun:
                    await self._keeper.keep(cargo.lane, done, step, tried, now)
                if step is None:
                    break
                begun = False
                outcome, tried = await self._carrier.attempt(cargo.lane, step, self._breaker.probing)
                now = self._clock()
                entry.lane = settle(cargo.lane, step, outcome, now, self._chance(), self._rules)
                if not of_the_file(step, outcome):
                    await self._feel(outcome, now)
                onward = None if entry.stale else self._onward(entry.lane, place, now)
                done, step = step, onward
        finally:
            self._running[place] -= 1
        entry.busy = False
        self._consider(entry)

    async def _carry_together(self, load: list[Cargo], place: Track) -> None:
        """Takes the records of many calls that are over in one go. Of each lane the first is begun; a finish
        behind it is covered by the doubt about its register."""
        try:
            now = self._clock()
            for one in load:
                one.entry.lane = begin(one.lane, one.orders[0], now)
            await asyncio.gather(
                *(self._keeper.keep(one.lane, None, one.orders[0], None, now) for one in load)
            )
            loads = [(one.lane, one.orders) for one in load]
            results = await self._carrier.attempt_together(loads, self._breaker.probing)
            await self._feel(telling([result.outcome for lane in results for result in lane]), self._clock())
            await asyncio.gather(*map(self._settle_together, load, results))
        finally:
            self._running[place] -= 1
            self._batches -= 1
        for one in load:
            one.entry.busy = False
            self._consider(one.entry)

    async def _settle_together(self, one: Cargo, results: list[Result]) -> None:
        before: Result | None = None
        for result in results:
            now = self._clock()
            if before is not None:
                one.entry.lane = begin(one.lane, result.step, now)
                await self._keeper.keep(one.lane, before.step, result.step, before.tried, now)
            rules = replace(self._rules, doubt_wait_s=self._rules.batch_wait_s)
            one.entry.lane = settle(one.lane, result.step, result.outcome, now, self._chance(), rules)
            before = result
        if before is not None:
            await self._keeper.keep(one.lane, before.step, None, before.tried, self._clock())

    def _onward(self, lane: Lane, place: Track, now: float) -> Sendable | None:
        """The lane's next step, if this slot may take it right away."""
        step = next_step(lane, now, self._rules)
        if not isinstance(step, Send | SetCards) or track(lane, step) is not place:
            return None
        if self._stopping.is_set() or self._breaker.probing or now < self._breaker.rest_until:
            return None
        return step

    async def _feel(self, outcome: Outcome, now: float) -> None:
        """What the outcome says of the portal as a whole."""
        before, self._breaker = self._breaker, breakers.after(self._breaker, outcome, now)
        if (before.paused is None) != (self._breaker.paused is None):
            self._tally.paused(self._portal.id, self._breaker.paused is not None)
        await self._keeper.note(before, self._breaker, now)

    # ------------------------------------------------------------------------------------------ tasks
    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and self._failure is None:
            self._failure = error
        self._wake.set()
