"""Forgets calls: those that are old, and those of one number. Called by `sqlite` in the writer's thread.

Only what is over and told to everybody goes: a call that is open, a delivery that waits, a click that is owed
its end stay, however old; only a person who asks to be forgotten need not wait for a recording. Each call is
one small write, so that no ring waits behind a year's cleaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, select, tuple_

from callme.calls import model
from callme.calls.model import Call
from callme.crm.intents import Attach, Transcribe
from callme.delivery.lane import HandOver
from callme.store.rows import tail
from callme.store.schema import (
    anomalies,
    attempts,
    calls,
    commands,
    deliveries,
    kept_back,
    lanes,
    listened,
)

SLICE = 100
"""So many calls go in one transaction: a few milliseconds of the disk."""

_UNTOLD = exists().where(
    lanes.c.call == calls.c.id,
    deliveries.c.portal == lanes.c.portal,
    deliveries.c.call == lanes.c.call,
    deliveries.c.state.in_(["waiting", "sending"]),
)
_UNRECORDED = exists().where(
    lanes.c.call == calls.c.id,
    deliveries.c.portal == lanes.c.portal,
    deliveries.c.call == lanes.c.call,
    deliveries.c.state.in_(["waiting", "sending"]),
    deliveries.c.kind.not_in([Attach.KIND, Transcribe.KIND]),
)
"""A recording on its way does not keep a person who asks to be forgotten."""
_OWED = exists().where(commands.c.call == calls.c.id, ~commands.c.closed)


def prune(connection: Connection, befores: Sequence[float]) -> list[int]:
    """Forgets a slice of the calls that began and ended before then, eldest first, and what was noted of no
    call; answers how many calls went. Fewer than `SLICE`: it is done."""
    return [_prune(connection, before) for before in befores]


def _prune(connection: Connection, before: float) -> int:
    old = calls.c.started_at < before, calls.c.ended_at < before
    gone, _ = _forgotten(connection, *old, ~_UNTOLD, order=calls.c.started_at)
    connection.execute(delete(anomalies).where(anomalies.c.at < before, anomalies.c.call.is_(None)))
    return len(gone)


Erased = tuple[tuple[Call, ...], tuple[HandOver, ...]]
"""Calls that went, and what their portals' workers have to hear of it."""


def erase(connection: Connection, numbers: Sequence[str]) -> list[Erased]:
    """Forgets a slice of the calls with that very number (its digits, or as it was dialled), recordings that
    are still on their way included; answers which calls went. None: it is done."""
    return [
        _forgotten(connection, calls.c.tail == tail(number), ~_UNRECORDED) if tail(number) else ((), ())
        for number in numbers
    ]


def _forgotten(connection: Connection, *which: ColumnElement[bool], order: Any = calls.c.id) -> Erased:
    question = select(calls.c.id, calls.c.view).where(*which, ~calls.c.open, ~_OWED)
    found = connection.execute(question.order_by(order).limit(SLICE)).all()
    ids = [row.id for row in found]
    handed: tuple[HandOver, ...] = ()
    if ids:
        of_lanes = select(lanes.c.portal, lanes.c.call).where(lanes.c.call.in_(ids))
        known = connection.execute(of_lanes).all()
        handed = tuple(HandOver(row.portal, row.call, 0.0, reload=True) for row in known)
        connection.execute(delete(attempts).where(attempts.c.call.in_(ids)))
        connection.execute(
            delete(deliveries).where(tuple_(deliveries.c.portal, deliveries.c.call).in_(of_lanes))
        )
        for table in (lanes, commands, anomalies, listened, kept_back):
            connection.execute(delete(table).where(table.c.call.in_(ids)))
        connection.execute(delete(calls).where(calls.c.id.in_(ids)))
    return tuple(model.decode(row.view) for row in found), handed
