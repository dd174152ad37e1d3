"""Writes one step of the river, and reads what a restart goes on with. Called by `sqlite` in the writer's
thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from callme.calls import model
from callme.crm import intents
from callme.crm.intents import Cards, Reached, Record, Register, Remind, Settle
from callme.delivery.lane import HandOver, Lane, extend, wish
from callme.delivery.ledger import LaneWrite
from callme.delivery.outbox import Send, begin, next_step
from callme.store import commands, ledger
from callme.store.river import Resume, StepWrite
from callme.store.rows import call_in, lane_new, phrase_in, record_in, tail
from callme.store.schema import IS_OPEN, anomalies, calls, deliveries, lanes, open_calls, unindexed

REMINDED_S = 30 * 86400
"""A client who is reached later than this after he called in vain was hardly reached because of it."""

NUMBER_LEAST = 5
"""Digits; shorter ones are no numbers of clients."""

_call_put = insert(calls)
_CALL = _call_put.on_conflict_do_update(
    index_elements=["id"],
    set_={column.name: _call_put.excluded[column.name] for column in calls.c if column.name != "id"},
)
_state_put = insert(open_calls)
_STATE = _state_put.on_conflict_do_update(
    index_elements=["pbx", "call"], set_={"state": _state_put.excluded.state}
)
_FORGET = delete(open_calls).where(
    open_calls.c.pbx == bindparam("of_pbx"), open_calls.c.call == bindparam("of_call")
)
_LANE = insert(lanes).on_conflict_do_nothing(index_elements=["portal", "call"])
_RECORD = insert(deliveries).on_conflict_do_nothing(index_elements=["portal", "call", "kind", "ordinal"])
_THIS_LANE = (lanes.c.portal == bindparam("of_portal")) & (lanes.c.call == bindparam("of_call"))
_WANTED = select(lanes.c.wanted).where(_THIS_LANE)
_WISH = update(lanes).where(_THIS_LANE)
_WAKE = (
    update(lanes)
    .where(_THIS_LANE)
    .values(
        # A crash right after this commit must find the lane due, whatever wait it had.
        next_at=func.min(func.coalesce(lanes.c.next_at, bindparam("at")), bindparam("at")),
    )
)
_ENDED = deliveries.alias("ended")
_REMINDERS = (
    select(deliveries.c.payload)
    .join(calls, calls.c.id == deliveries.c.call)
    .where(
        calls.c.tail == bindparam("tail"),
        calls.c.started_at > bindparam("since"),
        deliveries.c.portal == bindparam("of_portal"),
        deliveries.c.kind == Remind.KIND,
        deliveries.c.created_at <= bindparam("at"),
        ~select(_ENDED.c.id)
        .where(
            _ENDED.c.portal == deliveries.c.portal,
            _ENDED.c.call == deliveries.c.call,
            _ENDED.c.kind == Settle.KIND,
        )
        .exists(),
    )
    .order_by(deliveries.c.id)
)
_ANOMALY = insert(anomalies)
_TOLD = update(lanes).where(_THIS_LANE).values(told=bindparam("memo"))


@dataclass(frozen=True, slots=True)
class Work:
    """Steps of one river that stand or fall together. `at_once` are the portals whose workers would send a
    new call's register right away."""

    steps: tuple[StepWrite, ...]
    at_once: frozenset[str] = frozenset()


def write(connection: Connection, works: Sequence[Work]) -> list[tuple[HandOver, ...]]:
    """Writes works in their order; answers for each what the workers must be handed after the commit."""
    handed = iter(_write(connection, [step for work in works for step in work.steps]))
    found = [tuple(one for _ in work.steps for one in next(handed)) for work in works]
    return [_begun(connection, work, part) for work, part in zip(works, found, strict=True)]


def _begun(connection: Connection, work: Work, handed: tuple[HandOver, ...]) -> tuple[HandOver, ...]:
    """New calls' registers are kept as begun in the very transaction that brings them: the worker sends
    without a turn of the disk of its own. What a kill leaves of it is found half sent, as ever."""
    first = {(one.portal, one.call) for one in handed if one.fresh and one.portal in work.at_once}
    if not first:
        return handed
    lanes_ = {key: Lane(*key) for key in first}
    for one in handed:
        if (one.portal, one.call) in first:
            lanes_[one.portal, one.call] = extend(lanes_[one.portal, one.call], one)
    begun: dict[tuple[str, str], Lane] = {}
    now = max(step.at for step in work.steps)
    for key, lane in lanes_.items():
        todo = next_step(lane, now)
        if isinstance(todo, Send) and isinstance(todo.record, Register) and not lane.over:
            begun[key] = begin(lane, todo, now)
            saved = LaneWrite(begun[key], frozenset({todo.key}), None, now, None)
            ledger.save(connection, [saved])
    rest = tuple(one for one in handed if (one.portal, one.call) not in begun)
    news = (HandOver(*key, now, fresh=True, begun=lane) for key, lane in begun.items())
    return (*news, *rest)


def _write(connection: Connection, steps: Sequence[StepWrite]) -> list[tuple[HandOver, ...]]:
    views = [call_in(call) for step in steps for call in step.calls]
    if views:
        connection.execute(_CALL, views)
    _states(connection, steps)
    handed = [
        tuple(
            _lane(connection, portal, call, records, cards, step.at)
            for (portal, call), (records, cards) in _by_lane(step).items()
        )
        for step in steps
    ]
    lanes_touched = [one for part in handed for one in part]
    rows = [record_in(one.portal, record, one.at) for one in lanes_touched for record in one.records]
    if rows:
        connection.execute(_RECORD, rows)
    handed = [(*part, *_reached(connection, step)) for part, step in zip(handed, steps, strict=True)]
    for step in steps:
        _told(connection, step)
        commands.move(connection, step.commands, step.at)
    odd = [
        {"at": one.at, "pbx": step.pbx, "call": one.call, "text": phrase_in(one.text)}
        for step in steps
        for one in step.anomalies
    ]
    if odd:
        connection.execute(_ANOMALY, odd)
    return handed


def _states(connection: Connection, steps: Sequence[StepWrite]) -> None:
    """The last word of the group on each open call."""
    last = {(step.pbx, call): state for step in steps for call, state in step.states.items()}
    kept = [
        {"pbx": pbx, "call": call, "state": state} for (pbx, call), state in last.items() if state is not None
    ]
    gone = [{"of_pbx": pbx, "of_call": call} for (pbx, call), state in last.items() if state is None]
    if kept:
        connection.execute(_STATE, kept)
    if gone:
        connection.execute(_FORGET, gone)


def _told(connection: Connection, step: StepWrite) -> None:
    for (portal, call), memo in step.told.items():
        where = {"of_portal": portal, "of_call": call, "memo": memo}
        if connection.execute(_TOLD, where).rowcount == 0:
            connection.execute(_LANE, {**lane_new(portal, call, step.at), "next_at": None})
            connection.execute(_TOLD, where)


def _by_lane(step: StepWrite) -> dict[tuple[str, str], tuple[list[Record], Cards | None]]:
    """The intents per lane; of several wishes for cards the last one counts."""
    found: dict[tuple[str, str], tuple[list[Record], Cards | None]] = {}
    for portal, intent in step.intents:
        if isinstance(intent, Reached):
            continue
        records, cards = found.get((portal, intent.about.call), ([], None))
        if isinstance(intent, Cards):
            cards = intent
        else:
            records.append(intent)
        found[portal, intent.about.call] = (records, cards)
    return found


def _lane(
    connection: Connection, portal: str, call: str, records: list[Record], cards: Cards | None, at: float
) -> HandOver:
    new = lane_new(portal, call, at)
    if cards is not None:
        new["wanted"], new["asking"] = wish({}, cards.seers, at), sorted(cards.asking)
    fresh = connection.execute(_LANE, new).rowcount == 1
    if not fresh:
        where: dict[str, Any] = {"of_portal": portal, "of_call": call}
        if cards is not None:
            before = connection.execute(_WANTED, where).scalar_one()
            wanted = wish(before, cards.seers, at)
            connection.execute(_WISH.values(wanted=wanted, asking=sorted(cards.asking)), where)
        connection.execute(_WAKE, {**where, "at": at})
    return HandOver(portal, call, at, tuple(records), cards, fresh)


def _reached(connection: Connection, step: StepWrite) -> list[HandOver]:
    """Whoever is reminded of a client that somebody talks with now need not be. What is open stands in the
    deliveries themselves: a reminder without its end, of a call with that number."""
    found = []
    for portal, intent in step.intents:
        digits = tail(intent.about.number) if isinstance(intent, Reached) else ""
        if not isinstance(intent, Reached) or len(digits) < NUMBER_LEAST:
            continue
        where = {"of_portal": portal, "tail": digits, "at": step.at, "since": step.at - REMINDED_S}
        for payload in connection.scalars(_REMINDERS, where).all():
            reminder = intents.decode(Remind.KIND, payload)
            settle = Settle(reminder.about, step.at, intent.by)
            connection.execute(_RECORD, [record_in(portal, settle, step.at)])
            call = settle.about.call
            connection.execute(_WAKE, {"of_portal": portal, "of_call": call, "at": step.at})
            found.append(HandOver(portal, call, step.at, (settle,)))
    return found


def load(connection: Connection, pbx: str) -> Resume:
    """Saved states of the PBX, the views of their calls and of calls still marked open, and the policy's
    memos."""
    states = {
        row.call: row.state
        for row in connection.execute(
            select(open_calls.c.call, open_calls.c.state).where(open_calls.c.pbx == pbx)
        )
    }
    views = [
        *connection.scalars(select(calls.c.view).where(unindexed(calls.c.pbx) == pbx, IS_OPEN)),
        *connection.scalars(
            select(calls.c.view).join(
                open_calls, (open_calls.c.call == calls.c.id) & (open_calls.c.pbx == pbx)
            )
        ),
    ]
    found = {str(call.id): call for call in map(model.decode, views)}
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for call in found:
        rows = connection.execute(
            select(lanes.c.portal, lanes.c.told).where(lanes.c.call == call, lanes.c.told.is_not(None))
        )
        told.update({(row.portal, call): row.told for row in rows})
    return Resume(states, found, told)
