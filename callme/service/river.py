"""One PBX's river: moments in, one transaction out for each that changed something (law 5).

Run by `service.running`, one per PBX. It owns the tracker and the policy's memos of that PBX; it neither
talks to a portal nor reads a file. One consumer, total order: what came first is committed first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from callme.calls.facts import Fact, LinkDown, LinkUp, TimePassed
from callme.calls.grouping import Switchboard
from callme.calls.model import Call, Direction
from callme.calls.tracker import Change, Outcome, Tracker
from callme.config import Config, Pbx
from callme.crm import policy
from callme.crm.intents import Intent
from callme.crm.policy import DEFAULT_RULES, Rules, Told, at_home
from callme.crm.routing import verdict
from callme.errors import PbxError
from callme.pbx import port
from callme.pbx.port import Moment
from callme.pbx.segments import Place, Transcript
from callme.service.commands import Clicks, NameOf, given, nameless
from callme.service.journal import Journal
from callme.service.metrics import Metrics
from callme.service.numbers import numbering_of
from callme.store.river import Anomaly, CommandMove, StepWrite
from callme.store.sqlite import Store
from callme.wording import Phrase, plain

log = structlog.get_logger("callme.river")

LOOK_AGAIN_S = 60.0
"""So often the PBX is asked what lives while calls are open (law 6): a lost Hangup is noticed within a
minute."""

WATCH_S = 1.0
WATCHED = ""
"""Under this key, beside the clusters, the store keeps until when the PBX was watched."""

SHADOW = "shadow"
"""In the memo of a call and a portal: it began in shadow mode."""

ODD = Phrase("{what}: {about}", "{what}: {about}")


class River:
    """The calls of one PBX, from its source to the store."""

    def __init__(
        self,
        config: Config,
        pbx: Pbx,
        source: port.Pbx,
        store: Store,
        metrics: Metrics,
        clock: Callable[[], float],
        changed: Callable[[], None],
        transcript: Transcript | None = None,
        rules: Mapping[str, Rules] | None = None,
        name_of: NameOf = nameless,
    ) -> None:
        self.id = pbx.id
        self.source = source
        self._config = config
        self._pbx = pbx
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._changed = changed
        self._transcript = transcript
        self._rules = {portal: at_home(one, config) for portal, one in (rules or {}).items()}
        self._any_rules = at_home(DEFAULT_RULES, config)
        self._tracker = Tracker(pbx.id, numbering_of(config, pbx, port.Directory()))
        self.clicks = Clicks(
            pbx, source, store, self._tracker.board, clock, changed, name_of, config.service.country
        )
        self._told: dict[tuple[str, str], Told] = {}
        self._portals: dict[str, str | None] = {}
        self._shadows = {portal.id for portal in config.portal if portal.shadow}
        self._shadowed: set[tuple[str, str]] = set()  # (portal, call) that began in shadow mode
        self._seen: dict[str, Call] = {}  # calls in memory as they were last
        self._deadline: float | None = None
        self._look_at = 0.0
        self._watched_at = 0.0
        self._discovery: asyncio.Future[None] | None = None
        self._journal = Journal(pbx.id, store, changed)
        self.onlooker: Callable[[Sequence[Fact]], None] | None = None
        """Told of each moment's facts when the board knows them."""

    @property
    def trouble(self) -> Phrase | None:
        """Why the store cannot write, `None` while it can."""
        return self._journal.trouble

    @property
    def board(self) -> Switchboard:
        """What lives on the PBX; to be looked at only."""
        return self._tracker.board

    def knows(self, extension: str) -> bool:
        """Whether the extension is, or could be, one of this PBX."""
        return self._tracker.board.numbering.is_extension(extension)

    def _rules_of(self, portal: str) -> Rules:
        return self._rules.get(portal, self._any_rules)

    # ---------------------------------------------------------------------------------- running
    async def run(self) -> None:
        """Until the source ends. Goes on where the last process stopped."""
        await self._resume()
        async with asyncio.TaskGroup() as both:
            both.create_task(self._journal.run())
            async with aclosing(self._with_deadlines()) as moments:
                async for moment in moments:
                    await self._take(moment)
            self._journal.end()

    async def _resume(self) -> None:
        resumed = await self._store.load(self.id)
        await self.clicks.load()
        states = {key.removeprefix(f"{self.id}-"): state for key, state in resumed.states.items()}
        watched = states.pop(WATCHED, {}).get("until")
        odd = self._tracker.restore(states, resumed.calls.values(), watched)
        for (portal, call), memo in resumed.told.items():
            self._told[portal, call] = Told.from_json(memo)
            if memo.get(SHADOW):
                self._shadowed.add((portal, call))
            self._portals[call] = portal
        for anomaly in odd:
            log.warning("saved call cannot be taken up", pbx=self.id, what=anomaly.what, about=anomaly.about)
        if states:
            log.info("calls taken up again", pbx=self.id, clusters=len(states))

    async def _with_deadlines(self) -> AsyncGenerator[Moment, None]:
        """The source's moments, and between them the deadlines that the tracker named."""
        arriving = self.source.moments()
        coming: asyncio.Future[Moment] = asyncio.ensure_future(anext(arriving))
        try:
            while True:
                done, _ = await asyncio.wait({coming}, timeout=self._pause())
                await self._note_watch()
                if not done:
                    await self._look_if_due()
                    yield Moment(self._clock(), (TimePassed(),))
                    continue
                try:
                    moment = coming.result()
                except StopAsyncIteration:
                    return
                coming = asyncio.ensure_future(anext(arriving))
                yield moment
                await self._look_if_due()
        finally:
            waiting = [task for task in (coming, self._discovery) if task is not None]
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            await arriving.aclose()

    def _pause(self) -> float | None:
        moments = [at for at in (self._deadline, self._next_look(), self._next_watch()) if at is not None]
        return max(0.0, min(moments) - self._clock()) if moments else None

    def _next_look(self) -> float | None:
        alive = next(iter(self._tracker.board.alive()), None)
        return self._look_at if alive is not None and self.source.state.up else None

    def _next_watch(self) -> float | None:
        return None if self._next_look() is None else self._watched_at + WATCH_S

    async def _note_watch(self) -> None:
        """Keeps the moment until which calls were watched, so that a process that is killed loses at most a
        second of a talk that went on."""
        due = self._next_watch()
        now = self._clock()
        if due is None or now < due:
            return
        self._watched_at = now
        await self._journal.add(StepWrite(self.id, now, {f"{self.id}-{WATCHED}": {"until": now}}))

    async def _look_if_due(self) -> None:
        due = self._next_look()
        if due is None or self._clock() < due:
            return
        self._look_at = self._clock() + LOOK_AGAIN_S
        try:
            await self.source.look_again()
        except PbxError as error:
            log.info("snapshot not given", pbx=self.id, why=str(error.problem))

    # ------------------------------------------------------------------------------- one moment
    async def _take(self, moment: Moment) -> None:
        place = self._transcript.keep(moment) if self._transcript is not None else None
        if not moment.facts:
            return
        self._metrics.took(self.id, len(moment.facts))
        await self._note_link(moment.facts)
        self.clicks.saw(moment.facts, moment.at)
        outcome = self._tracker.step(moment.facts, moment.at)
        if self.onlooker is not None:
            self.onlooker(moment.facts)
        self._deadline = outcome.deadline
        write = self._write(outcome, moment.at)
        if write is None:
            return
        await self._journal.add(write)
        self._count(outcome, place)

    async def _note_link(self, facts: tuple[Fact, ...]) -> None:
        for fact in facts:
            if isinstance(fact, LinkUp):
                self._metrics.link(self.id, True)
                self._look_at = self._clock() + LOOK_AGAIN_S
                log.info("PBX link is up", pbx=self.id, version=self.source.state.version)
                self._changed()
                self._discovery = asyncio.ensure_future(self._discover())
            elif isinstance(fact, LinkDown):
                self._metrics.link(self.id, False)
                problem = self.source.state.problem
                log.warning("PBX link is down", pbx=self.id, why=str(problem) if problem else "")
                self._changed()

    async def _discover(self) -> None:
        """What the PBX tells of its numbers; the names of channels decide where it tells nothing. Runs
        beside the river, because the answer comes on the link that the river reads."""
        try:
            found = await self.source.directory()
        except PbxError as error:
            log.info("directory not given", pbx=self.id, why=str(error.problem))
            return
        numbering = numbering_of(self._config, self._pbx, found)
        known = bool(found.names or found.queues or found.groups)
        if known and numbering != self._tracker.board.numbering:
            self._tracker.board.numbering = numbering
            log.info(
                "numbers discovered",
                pbx=self.id,
                extensions=len(found.names),
                queues=len(found.queues),
                groups=len(found.groups),
                trunks=len(found.trunks),
            )

    def _write(self, outcome: Outcome, at: float) -> StepWrite | None:
        """What the step leaves in the database; `None` when nothing changed."""
        intents: list[tuple[str, Intent]] = []
        told: dict[tuple[str, str], dict[str, object]] = {}
        moves: list[CommandMove] = []
        gone = [str(identity) for identity in outcome.absorbed]
        for change in outcome.changes:
            if _turned_internal(change) and self.clicks.of(change.call) is None:
                gone.append(str(change.call.id))
                continue
            self._seen[str(change.call.id)] = change.call
            self._tell(change.call, intents, told, moves)
        calls = tuple(c.call for c in outcome.changes if c.call.direction is not Direction.INTERNAL)
        for identity in gone:
            calls += self._close_absorbed(identity, at, intents, told)
        states = {f"{self.id}-{key}": state for key, state in outcome.states.items()}
        odd = tuple(
            Anomaly(at, ODD.given(what=plain(one.what), about=plain(one.about))) for one in outcome.anomalies
        )
        if not (calls or states or intents or odd or moves):
            return None
        return StepWrite(self.id, at, states, calls, tuple(intents), told, odd, tuple(moves))

    def _tell(
        self,
        call: Call,
        intents: list[tuple[str, Intent]],
        told: dict[tuple[str, str], dict[str, object]],
        moves: list[CommandMove],
    ) -> None:
        command = self.clicks.of(call)
        if (call.direction is Direction.INTERNAL and command is None) or not policy.worth_telling(call):
            return
        if command is not None:  # the portal that asked for it, whatever the routes say
            self._portals[str(call.id)] = command.portal
        portal = self._portal_for(call)
        if portal is None:
            return
        key = (portal, str(call.id))
        if key not in self._told and portal in self._shadows:
            self._shadowed.add(key)
        before = self._told.get(key, Told())
        rules = self._rules_of(portal)
        said, after = policy.decide(call, before, rules, given(command) if command is not None else None)
        if command is not None:
            self.clicks.talks(command, call)
            moves.extend(self.clicks.told(command, after))
        intents.extend((portal, self._marked(key, intent)) for intent in said)
        if after != before:
            self._told[key] = after
            told[key] = self._memo(key, after)

    def _marked(self, key: tuple[str, str], intent: Intent) -> Intent:
        """What began in shadow mode stays in the shadow, whatever the configuration says by then."""
        if key not in self._shadowed:
            return intent
        return replace(intent, about=replace(intent.about, shadow=True))

    def _memo(self, key: tuple[str, str], told: Told) -> dict[str, object]:
        return {**told.to_json(), SHADOW: True} if key in self._shadowed else told.to_json()

    def _portal_for(self, call: Call) -> str | None:
        """Where the call goes: decided when it is told first, and kept."""
        if str(call.id) not in self._portals:
            found = verdict(self._config, self.id, call.line or call.trunk).portal
            self._portals[str(call.id)] = found
            if found is None:
                self._metrics.unrouted(self.id)
                log.warning("no route for call", pbx=self.id, call=call.id, line=call.line or call.trunk)
        return self._portals[str(call.id)]

    def _close_absorbed(
        self,
        identity: str,
        at: float,
        intents: list[tuple[str, Intent]],
        told: dict[tuple[str, str], dict[str, object]],
    ) -> tuple[Call, ...]:
        """Nearly always a call among colleagues that was told to nobody. Should a customer's call turn out
        to be part of another (the PBX told late whose a channel is), it is closed with what was known of
        it."""
        portal = self._portals.pop(identity, None)
        call = self._seen.pop(identity, None)
        if call is None or call.direction is Direction.INTERNAL:
            return ()
        before = self._told.pop((portal, identity), None) if portal is not None else None
        if portal is not None and before is not None:
            said, after = policy.abandon(call, before, at, self._rules_of(portal))
            key = (portal, identity)
            intents.extend((portal, self._marked(key, intent)) for intent in said)
            told[key] = self._memo(key, after)
            self._shadowed.discard(key)
        return (replace(call, ended_at=call.ended_at or at, lost=True),)

    def _count(self, outcome: Outcome, place: Place | None) -> None:
        for change in outcome.changes:
            if _just_ended(change):
                call = change.call
                self._metrics.ended(self.id, call.direction.value, call.disposition.value)
                log.info(
                    "call ended",
                    pbx=self.id,
                    call=call.id,
                    direction=call.direction.value,
                    disposition=call.disposition.value,
                    answered_by=call.answered_by,
                    talk_s=round(call.talk_s, 1),
                )
        for one in outcome.anomalies:
            self._metrics.odd(self.id, one.what)
            where = {} if place is None else {"segment": place.segment, "offset": place.offset}
            log.info("anomaly", pbx=self.id, what=one.what, about=one.about, **where)
        known = self._tracker.calls()
        self._metrics.open_calls(self.id, sum(call.open for call in known))
        self._forget({str(call.id) for call in known})

    def _forget(self, known: set[str]) -> None:
        for call in [call for call in self._seen if call not in known]:
            del self._seen[call]
        for call in [call for call in self._portals if call not in known]:
            portal = self._portals.pop(call)
            if portal is not None:
                self._told.pop((portal, call), None)
                self._shadowed.discard((portal, call))
        self.clicks.forget(known)


def _turned_internal(change: Change) -> bool:
    before = change.before
    return (
        before is not None
        and before.direction is not Direction.INTERNAL
        and change.call.direction is Direction.INTERNAL
    )


def _just_ended(change: Change) -> bool:
    return change.call.ended_at is not None and (change.before is None or change.before.ended_at is None)
