"""Delivery's side of the database: lanes as the worker keeps them. Called by `sqlite`; see
`delivery.ledger`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.dialects import sqlite

from callme.delivery.lane import Delivery, HandOver, Lane, State
from callme.delivery.ledger import Due, LaneWrite, Tried
from callme.delivery.outbox import INTERRUPTED
from callme.store.rows import Row, lane_out, phrase_in, tried_in
from callme.store.schema import IS_UNCLOSED, IS_UNSETTLED, attempts, deliveries, lanes, portals
from callme.wording import Phrase

CHUNK = 500
INTERRUPTED_OUTCOME = "interrupted"

_LANE = (
    update(lanes)
    .where(lanes.c.portal == bindparam("of_portal"), lanes.c.call == bindparam("of_call"))
    .values(
        memory=bindparam("memory"),
        shown=bindparam("shown"),
        doubted=bindparam("doubted"),
        card_tries=bindparam("card_tries"),
        card_next_at=bindparam("card_next_at"),
        held=bindparam("held"),
        closed=bindparam("closed"),
        next_at=bindparam("next_at"),
    )
)
_DELIVERY = (
    update(deliveries)
    .where(
        deliveries.c.portal == bindparam("of_portal"),
        deliveries.c.call == bindparam("of_call"),
        deliveries.c.kind == bindparam("of_kind"),
        deliveries.c.ordinal == bindparam("of_ordinal"),
    )
    .values(
        state=bindparam("state"),
        attempts=bindparam("attempts"),
        next_at=bindparam("next_at"),
        doubt=bindparam("doubt"),
        first_at=bindparam("first_at"),
        why=bindparam("why"),
        settled_at=bindparam("settled_at"),
    )
)
_ATTEMPT = insert(attempts)


def save(connection: Connection, writes: Sequence[LaneWrite]) -> list[None]:
    """Writes lanes, their touched deliveries and the attempts that ended. A lane comes once in a group."""
    asked = len(writes)
    found = connection.execute(_LANE, [_lane_in(write) for write in writes])
    if found.rowcount != len(writes):  # a person was forgotten meanwhile: no word of it comes back
        writes = [write for write in writes if _is_kept(connection, write.lane)]
        if not writes:
            return [None] * asked
    touched = [(write, write.lane.get(key)) for write in writes for key in sorted(write.touched)]
    # What leaves `sending` is written before what enters it: one of a lane at a time is in progress.
    for entering in (False, True):
        rows = [
            _delivery_in(write, one) for write, one in touched if (one.state is State.SENDING) is entering
        ]
        if rows:
            connection.execute(_DELIVERY, rows)
    ended = [
        tried_in(write.lane.portal, write.lane.call, write.tried)
        for write in writes
        if write.tried is not None
    ]
    if ended:
        connection.execute(_ATTEMPT, ended)
    return [None] * asked


def _is_kept(connection: Connection, lane: Lane) -> bool:
    mine = lanes.c.portal == lane.portal, lanes.c.call == lane.call
    return connection.scalar(select(lanes.c.call).where(*mine)) is not None


def _lane_in(write: LaneWrite) -> dict[str, Any]:
    lane = write.lane
    return {
        "of_portal": lane.portal,
        "of_call": lane.call,
        "memory": dict(lane.memory),
        "shown": sorted(lane.shown),
        "doubted": sorted(lane.doubted),
        "card_tries": lane.card_tries,
        "card_next_at": lane.card_next_at,
        "held": phrase_in(write.held),
        "closed": lane.closed,
        "next_at": write.next_at,
    }


def _delivery_in(write: LaneWrite, one: Delivery) -> dict[str, Any]:
    tried = write.tried
    settled = one.state in (State.DONE, State.REFUSED)
    return {
        "of_portal": write.lane.portal,
        "of_call": write.lane.call,
        "of_kind": one.record.KIND,
        "of_ordinal": one.record.ordinal,
        "state": one.state.value,
        "attempts": one.attempts,
        "next_at": one.next_at,
        "doubt": one.doubt,
        "first_at": one.first_at,
        "why": phrase_in(one.why),
        "settled_at": tried.at + tried.took_ms / 1000 if settled and tried is not None else None,
    }


# A lane that waits for its retry keeps its moment; one that stands until a person comes is left alone.
_ROUSE = (
    update(lanes)
    .where(lanes.c.portal == bindparam("of_portal"), lanes.c.call == bindparam("of_call"))
    .where(lanes.c.held.is_(None))
    .values(next_at=func.coalesce(lanes.c.next_at, bindparam("now")))
)


def recover(connection: Connection, starts: Sequence[tuple[str, float]]) -> list[int]:
    """Per portal and moment: what was being sent waits in doubt; a lane neither settled nor held is due."""
    return [_recover(connection, portal, now) for portal, now in starts]


def _recover(connection: Connection, portal: str, now: float) -> int:
    sending = connection.execute(
        select(deliveries).where(
            deliveries.c.portal == portal, deliveries.c.state == State.SENDING.value, IS_UNSETTLED
        )
    ).mappings()
    found = 0
    for row in sending.all():
        found += 1
        connection.execute(
            update(deliveries)
            .where(deliveries.c.id == row["id"])
            .values(state=State.WAITING.value, doubt=True, next_at=now, why=phrase_in(INTERRUPTED))
        )
        tried = Tried(row["kind"], row["ordinal"], row["attempts"], now, 0, INTERRUPTED_OUTCOME, INTERRUPTED)
        connection.execute(_ATTEMPT, tried_in(portal, row["call"], tried))
        connection.execute(
            update(lanes).where(lanes.c.portal == portal, lanes.c.call == row["call"]).values(next_at=now)
        )
    mine = deliveries.c.portal == portal
    resting = set(
        connection.scalars(select(lanes.c.call).where(lanes.c.portal == portal, IS_UNCLOSED))
    ) | set(
        connection.scalars(
            select(deliveries.c.call).where(mine, deliveries.c.state == State.WAITING.value, IS_UNSETTLED)
        )
    )
    if resting:
        connection.execute(
            _ROUSE, [{"of_portal": portal, "of_call": call, "now": now} for call in sorted(resting)]
        )
    return found


def due(connection: Connection, portal: str, now: float, limit: int) -> Due:
    """The lanes to work on, the longest waiting first."""
    rows = (
        connection.execute(
            select(lanes)
            .where(lanes.c.portal == portal, lanes.c.next_at <= now)
            .order_by(lanes.c.next_at, lanes.c.call)
            .limit(limit)
        )
        .mappings()
        .all()
    )
    upcoming = connection.scalar(
        select(func.min(lanes.c.next_at)).where(lanes.c.portal == portal, lanes.c.next_at > now)
    )
    return Due(_lanes(connection, portal, rows), upcoming)


def lane(connection: Connection, portal: str, call: str) -> Lane | None:
    """One lane as committed."""
    rows = (
        connection.execute(select(lanes).where(lanes.c.portal == portal, lanes.c.call == call))
        .mappings()
        .all()
    )
    found = _lanes(connection, portal, rows)
    return found[0] if found else None


def _lanes(connection: Connection, portal: str, rows: Any) -> tuple[Lane, ...]:
    records: dict[str, list[Row]] = defaultdict(list)
    names = [row["call"] for row in rows]
    for start in range(0, len(names), CHUNK):
        part = names[start : start + CHUNK]
        for row in connection.execute(
            select(deliveries).where(deliveries.c.portal == portal, deliveries.c.call.in_(part))
        ).mappings():
            records[row["call"]].append(dict(row))
    return tuple(lane_out(row, records[row["call"]]) for row in rows)


_pause_put = sqlite.insert(portals)
_PAUSE = _pause_put.on_conflict_do_update(
    index_elements=["id"],
    set_={"paused": _pause_put.excluded.paused, "paused_at": _pause_put.excluded.paused_at},
)


def pause(connection: Connection, pauses: Sequence[tuple[str, Phrase | None, float]]) -> list[None]:
    """Notes pauses and their ends, per portal."""
    connection.execute(
        _PAUSE,
        [
            {"id": portal, "paused": phrase_in(why), "paused_at": None if why is None else at}
            for portal, why, at in pauses
        ],
    )
    return [None] * len(pauses)


def retry(connection: Connection, wanted: Sequence[tuple[int, float]]) -> list[HandOver | None]:
    """Makes refused or waiting deliveries due; `None` where there is nothing to retry."""
    return [_retry(connection, delivery, now) for delivery, now in wanted]


def _retry(connection: Connection, delivery: int, now: float) -> HandOver | None:
    row = (
        connection.execute(
            update(deliveries)
            .where(
                deliveries.c.id == delivery,
                deliveries.c.state.in_([State.REFUSED.value, State.WAITING.value]),
            )
            .values(state=State.WAITING.value, next_at=now, settled_at=None)
            .returning(deliveries.c.portal, deliveries.c.call)
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    connection.execute(
        update(lanes)
        .where(lanes.c.portal == row["portal"], lanes.c.call == row["call"])
        .values(next_at=now, held=None)
    )
    return HandOver(row["portal"], row["call"], now, reload=True)
