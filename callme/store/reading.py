"""What pages, API and command line read: on connections that cannot write, in threads of their own.

Lists go page by page along an index (a cursor, never an offset), so that a million calls open as fast as a
hundred.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, func, select, tuple_

from callme.calls import model
from callme.calls.model import Call
from callme.crm import intents
from callme.crm.intents import Record
from callme.crm.port import Exchange
from callme.delivery.lane import State
from callme.store.engine import explained
from callme.store.river import Anomaly
from callme.store.rows import exchanges_out, phrase_out, tail
from callme.store.schema import (
    IS_OPEN,
    IS_UNSETTLED,
    anomalies,
    attempts,
    calls,
    deliveries,
    lanes,
    portals,
    unindexed,
)
from callme.wording import Phrase

T = TypeVar("T")
Cursor = tuple[float, str]
"""Where a page begins or ends: start time and id of a call."""

LONGEST_PAGE = 500
TALKS_LOOKED_AT = 5
ANSWERED = model.Disposition.ANSWERED.value


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list; `None` or empty means all. `number` matches by its last digits. Times: epoch
    seconds."""

    pbx: str | None = None
    direction: str | None = None
    disposition: str | None = None
    owner: str | None = None
    line: str | None = None
    number: str = ""
    open: bool | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Calls, newest first. `newer` and `older` are the cursors of the neighbouring pages, `None` where
    there is none."""

    calls: tuple[Call, ...]
    newer: Cursor | None
    older: Cursor | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt as it ended. `kind` is the record's, or `cards`; `exchanges` are the portal's requests and
    answers."""

    portal: str
    kind: str
    ordinal: int
    number: int
    at: float
    took_ms: int
    outcome: str
    why: Phrase | None
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery. `held` is why its lane stands, if it does; `settled_at` when it was done or refused."""

    id: int
    portal: str
    call: str
    kind: str
    ordinal: int
    record: Record
    state: State
    attempts: int
    next_at: float
    doubt: bool
    why: Phrase | None
    held: Phrase | None
    created_at: float
    settled_at: float | None


@dataclass(frozen=True, slots=True)
class CallStory:
    """Everything that is kept of one call."""

    call: Call
    deliveries: tuple[DeliveryRow, ...]
    attempts: tuple[AttemptRow, ...]
    anomalies: tuple[Anomaly, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Calls since a moment, by disposition, and those open now (whenever they began)."""

    by_disposition: dict[str, int]
    open: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a portal still has to be told. `oldest_at` is when the oldest waiting record was made."""

    portal: str
    waiting: int
    refused: int
    oldest_at: float | None
    paused: Phrase | None


class Reading:
    """Reads the database off the event loop. Raises `StoreError`."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="store-reader")

    async def close(self) -> None:
        """Ends the threads and closes the connections."""
        await asyncio.to_thread(self._pool.shutdown)
        self._engine.dispose()

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """Runs a question on a reading connection, in one snapshot."""

        def run() -> T:
            with explained(self._path), self._engine.begin() as connection:
                return question(connection)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)

    async def list_calls(
        self,
        which: CallFilter | None = None,
        *,
        older_than: Cursor | None = None,
        newer_than: Cursor | None = None,
        limit: int = 50,
    ) -> Page:
        """One page: the newest calls, or those beside a cursor of another page."""
        size = max(1, min(limit, LONGEST_PAGE))
        question = _matching(select(calls.c.view), which or CallFilter())
        return await self.ask(lambda connection: _page(connection, question, older_than, newer_than, size))

    async def last_talker(self, pbx: str, number: str, since: float, until: float | None = None) -> str:
        """The extension that talked last with that number (E.164), in calls that began since then, and where
        `until` is given before that; empty when there is none."""
        question = (
            select(calls.c.view)
            .where(calls.c.tail == tail(number), calls.c.started_at >= since)
            .where(unindexed(calls.c.pbx) == pbx, unindexed(calls.c.disposition) == ANSWERED)
            .order_by(calls.c.started_at.desc())
            .limit(TALKS_LOOKED_AT)
        )
        if until is not None:
            question = question.where(calls.c.started_at < until)
        found = await self.ask(lambda connection: tuple(map(model.decode, connection.scalars(question))))
        return next((call.last_talker for call in found if call.last_talker), "")

    async def call_of(self, portal: str, key: str, value: str, since: float) -> Call | None:
        """The call, begun since then, of which a portal's memory holds that value; the newest, should there
        be two."""
        question = (
            select(calls.c.view)
            .join(lanes, lanes.c.call == calls.c.id)
            .where(calls.c.started_at >= since, lanes.c.portal == portal)
            .where(lanes.c.memory[key].as_string() == value)
            .order_by(calls.c.started_at.desc())
            .limit(1)
        )
        view = await self.ask(lambda connection: connection.scalar(question))
        return None if view is None else model.decode(view)

    async def get_call(self, call: str) -> CallStory | None:
        """One call with its deliveries, attempts and anomalies."""
        return await self.ask(lambda connection: _story(connection, call))

    async def deliveries_of(self, of: Sequence[str]) -> dict[str, tuple[DeliveryRow, ...]]:
        """The deliveries of several calls, by call, in the order in which they were made."""
        question = _DELIVERIES.where(deliveries.c.call.in_(of)).order_by(deliveries.c.id)
        rows = await self.ask(
            lambda connection: tuple(map(_delivery, connection.execute(question).mappings()))
        )
        found: dict[str, tuple[DeliveryRow, ...]] = {}
        for row in rows:
            found[row.call] = (*found.get(row.call, ()), row)
        return found

    async def counts(self, since: float) -> Counts:
        """Calls since then by disposition, and open ones."""
        return await self.ask(lambda connection: _counts(connection, since))

    async def deliveries(
        self, state: State | None = None, *, portal: str | None = None, limit: int = 100
    ) -> tuple[DeliveryRow, ...]:
        """Deliveries of that state, newest first; without a state all that are not done."""
        states = [state] if state is not None else [State.WAITING, State.SENDING, State.REFUSED]
        question = _DELIVERIES.where(deliveries.c.state.in_([one.value for one in states]))
        if state is not State.DONE:
            question = question.where(IS_UNSETTLED)
        if portal is not None:
            question = question.where(deliveries.c.portal == portal)
        question = question.order_by(deliveries.c.id.desc()).limit(max(1, min(limit, LONGEST_PAGE)))
        return await self.ask(
            lambda connection: tuple(map(_delivery, connection.execute(question).mappings()))
        )

    async def backlog(self) -> tuple[Backlog, ...]:
        """What each portal still has to be told."""
        return await self.ask(_backlog)

    async def anomalies_since(self, moment: float) -> int:
        """How many observations since then the model did not expect."""
        question = select(func.count()).where(anomalies.c.at >= moment)
        return await self.ask(lambda connection: connection.scalar(question) or 0)


_DELIVERIES = select(deliveries, lanes.c.held).join(
    lanes, (lanes.c.portal == deliveries.c.portal) & (lanes.c.call == deliveries.c.call)
)


def _matching(question: Select[Any], which: CallFilter) -> Select[Any]:
    for column in ("pbx", "direction", "disposition", "owner", "line"):
        value = getattr(which, column)
        if value is not None:
            place = calls.c[column]
            question = question.where((unindexed(place) if which.open else place) == value)
    digits = tail(which.number)
    if digits:
        # ":" follows "9": everything that begins with these digits, as one stretch of the index.
        question = question.where(calls.c.tail >= digits, calls.c.tail < digits + ":")
    if which.open is not None:
        question = question.where(IS_OPEN if which.open else ~calls.c.open)
    if which.since is not None:
        question = question.where(calls.c.started_at >= which.since)
    if which.until is not None:
        question = question.where(calls.c.started_at < which.until)
    return question


def _page(
    connection: Connection, question: Select[Any], older: Cursor | None, newer: Cursor | None, size: int
) -> Page:
    place = tuple_(calls.c.started_at, calls.c.id)
    if newer is not None:
        question = question.where(place > newer).order_by(calls.c.started_at, calls.c.id)
    else:
        question = question.order_by(calls.c.started_at.desc(), calls.c.id.desc())
        if older is not None:
            question = question.where(place < older)
    found = [model.decode(view) for view in connection.scalars(question.limit(size + 1))]
    more = len(found) > size
    found = found[:size]
    if newer is not None:
        found.reverse()
    if not found:
        return Page((), None, None)
    first, last = (found[0].started_at, str(found[0].id)), (found[-1].started_at, str(found[-1].id))
    has_newer = more if newer is not None else older is not None
    has_older = newer is not None or more
    return Page(tuple(found), first if has_newer else None, last if has_older else None)


def _story(connection: Connection, call: str) -> CallStory | None:
    view = connection.scalar(select(calls.c.view).where(calls.c.id == call))
    if view is None:
        return None
    rows = connection.execute(_DELIVERIES.where(deliveries.c.call == call).order_by(deliveries.c.id))
    tries = connection.execute(select(attempts).where(attempts.c.call == call).order_by(attempts.c.id))
    odd = connection.execute(select(anomalies).where(anomalies.c.call == call).order_by(anomalies.c.id))
    return CallStory(
        model.decode(view),
        tuple(map(_delivery, rows.mappings())),
        tuple(map(_attempt, tries.mappings())),
        tuple(map(_anomaly, odd.mappings())),
    )


def _counts(connection: Connection, since: float) -> Counts:
    rows = connection.execute(
        select(calls.c.disposition, func.count())
        .where(calls.c.started_at >= since)
        .group_by(calls.c.disposition)
    ).all()
    still_open = connection.scalar(select(func.count()).select_from(calls).where(IS_OPEN))
    return Counts({row[0]: row[1] for row in rows}, still_open or 0)


def _backlog(connection: Connection) -> tuple[Backlog, ...]:
    pending = (State.WAITING.value, State.SENDING.value)
    rows = connection.execute(
        select(deliveries.c.portal, deliveries.c.state, func.count(), func.min(deliveries.c.created_at))
        .where(IS_UNSETTLED)
        .group_by(deliveries.c.portal, deliveries.c.state)
    ).all()
    paused = {row.id: phrase_out(row.paused) for row in connection.execute(select(portals))}
    found: list[Backlog] = []
    for portal in sorted({row[0] for row in rows} | set(paused)):
        mine: Sequence[Any] = [row for row in rows if row[0] == portal]
        found.append(
            Backlog(
                portal,
                sum(row[2] for row in mine if row[1] in pending),
                sum(row[2] for row in mine if row[1] == State.REFUSED.value),
                min((row[3] for row in mine if row[1] in pending), default=None),
                paused.get(portal),
            )
        )
    return tuple(found)


def _delivery(row: Any) -> DeliveryRow:
    return DeliveryRow(
        id=row["id"],
        portal=row["portal"],
        call=row["call"],
        kind=row["kind"],
        ordinal=row["ordinal"],
        record=intents.decode(row["kind"], row["payload"]),
        state=State(row["state"]),
        attempts=row["attempts"],
        next_at=row["next_at"],
        doubt=row["doubt"],
        why=phrase_out(row["why"]),
        held=phrase_out(row["held"]),
        created_at=row["created_at"],
        settled_at=row["settled_at"],
    )


def _attempt(row: Any) -> AttemptRow:
    return AttemptRow(
        portal=row["portal"],
        kind=row["kind"],
        ordinal=row["ordinal"],
        number=row["number"],
        at=row["at"],
        took_ms=row["took_ms"],
        outcome=row["outcome"],
        why=phrase_out(row["why"]),
        exchanges=exchanges_out(row["exchanges"]),
    )


def _anomaly(row: Any) -> Anomaly:
    return Anomaly(row["at"], phrase_out(row["text"]) or Phrase("", ""), row["call"])
