"""Forgets calls: those that are old, and those of one number. Called by `sqlite` in the writer's thread.

Only what is over and told to everybody goes: a call that is open, a delivery that waits, a click that is owed
its end stay, however old. Each call is one small write, so that no ring waits behind a year's cleaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, select, tuple_

from callme.calls import model
from callme.calls.model import Call
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
_OWED = exists().where(commands.c.call == calls.c.id, ~commands.c.closed)


def prune(connection: Connection, befores: Sequence[float]) -> list[int]:
    """Forgets a slice of the calls that began and ended before then, eldest first, and what was noted of no
    call; answers how many calls went. Fewer than `SLICE`: it is done."""
    return [_prune(connection, before) for before in befores]


def _prune(connection: Connection, before: float) -> int:
    old = calls.c.started_at < before, calls.c.ended_at < before
    gone = _forgotten(connection, *old, order=calls.c.started_at)
    connection.execute(delete(anomalies).where(anomalies.c.at < before, anomalies.c.call.is_(None)))
    return len(gone)


def erase(connection: Connection, numbers: Sequence[str]) -> list[tuple[Call, ...]]:
    """Forgets a slice of the calls with that very number (its digits, or as it was dialled); answers which
    calls went. None: it is done."""
    return [
        _forgotten(connection, calls.c.tail == tail(number)) if tail(number) else () for number in numbers
    ]


def _forgotten(
    connection: Connection, *which: ColumnElement[bool], order: Any = calls.c.id
) -> tuple[Call, ...]:
    question = select(calls.c.id, calls.c.view).where(*which, ~calls.c.open, ~_UNTOLD, ~_OWED)
    found = connection.execute(question.order_by(order).limit(SLICE)).all()
    ids = [row.id for row in found]
    if ids:
        of_lanes = select(lanes.c.portal, lanes.c.call).where(lanes.c.call.in_(ids))
        connection.execute(delete(attempts).where(attempts.c.call.in_(ids)))
        connection.execute(
            delete(deliveries).where(tuple_(deliveries.c.portal, deliveries.c.call).in_(of_lanes))
        )
        for table in (lanes, commands, anomalies, listened, kept_back):
            connection.execute(delete(table).where(table.c.call.in_(ids)))
        connection.execute(delete(calls).where(calls.c.id.in_(ids)))
    return tuple(model.decode(row.view) for row in found)
