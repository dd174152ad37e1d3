"""The half of a `Board` that the database answers: lists of calls and one call's story, from `store.reading`.

The service puts it into its board; the link and portal states come from the running parts instead.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, func, select

from callme.store.reading import AttemptRow, CallFilter, Cursor, DeliveryRow, Reading
from callme.store.rows import phrase_out
from callme.store.schema import anomalies, deliveries, lanes
from callme.web.board import (
    AttemptView,
    BadCursor,
    CallPage,
    CallQuery,
    CallRow,
    CallStory,
    DeliveryView,
    Oddity,
)


class Archive:
    """Reads calls for pages and API. Raises `StoreError` and, for a cursor that is not ours, `BadCursor`."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def list_calls(self, query: CallQuery) -> CallPage:
        """One page of calls with the state of their deliveries."""
        which = CallFilter(
            pbx=query.pbx,
            direction=query.direction,
            disposition=query.disposition,
            line=query.line,
            number=query.number or "",
            open=query.open,
            since=query.since,
            until=query.until,
        )
        after = _cursor_in(query.after) if query.after else None
        page = await self._reading.list_calls(which, older_than=after, limit=query.limit)
        ids = [str(call.id) for call in page.calls]
        told = await self._reading.ask(lambda connection: _deliveries(connection, ids)) if ids else {}
        rows = tuple(CallRow(call, tuple(told.get(call.id, ()))) for call in page.calls)
        return CallPage(rows, _cursor_out(page.older) if page.older else None)

    async def story(self, call: str) -> CallStory | None:
        """All about one call."""
        found = await self._reading.get_call(call)
        if found is None:
            return None
        return CallStory(
            found.call,
            tuple(_delivery(row) for row in found.deliveries),
            tuple(_attempt(row) for row in found.attempts),
            tuple(Oddity(one.at, one.text) for one in found.anomalies),
        )

    async def oddities_since(self, moment: float) -> int:
        """How many anomalies were noted since then."""
        question = select(func.count()).select_from(anomalies).where(anomalies.c.at >= moment)
        return await self._reading.ask(lambda connection: connection.scalar(question) or 0)


def _cursor_out(cursor: Cursor) -> str:
    moment, call = cursor
    return f"{moment!r}~{call}"


def _cursor_in(text: str) -> Cursor:
    moment, tilde, call = text.partition("~")
    try:
        return (float(moment), call) if tilde else _bad(text)
    except ValueError:
        return _bad(text)


def _bad(text: str) -> Cursor:
    raise BadCursor(text)


def _deliveries(connection: Connection, ids: list[str]) -> dict[str, list[DeliveryView]]:
    """The deliveries of these calls; through the lanes, which are indexed by call."""
    c = deliveries.c
    question = (
        select(c.id, c.portal, c.call, c.kind, c.state, c.attempts, c.why, c.next_at, c.settled_at)
        .join(lanes, (lanes.c.portal == c.portal) & (lanes.c.call == c.call))
        .where(lanes.c.call.in_(ids))
        .order_by(c.id)
    )
    told: dict[str, list[DeliveryView]] = defaultdict(list)
    for row in connection.execute(question):
        told[row.call].append(
            DeliveryView(
                row.portal,
                row.kind,
                row.state,
                row.attempts,
                phrase_out(row.why),
                row.next_at,
                row.settled_at,
                row.id,
            )
        )
    return told


def _delivery(row: DeliveryRow) -> DeliveryView:
    return DeliveryView(
        row.portal,
        row.kind,
        row.state,
        row.attempts,
        row.why,
        row.next_at,
        row.settled_at,
        row.id,
    )


def _attempt(row: AttemptRow) -> AttemptView:
    return AttemptView(row.portal, row.kind, row.number, row.at, row.took_ms, row.outcome, row.why)
