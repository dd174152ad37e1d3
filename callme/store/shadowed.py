"""What was worked out in shadow mode: the records of calls that were never told. Read by `service.shadow`."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, select

from callme.crm import intents
from callme.crm.intents import Attach, Finish, Register
from callme.crm.shadow import Shadowed
from callme.delivery.lane import State
from callme.store.schema import calls, deliveries


def shadowed(connection: Connection, portal: str, since: float, until: float) -> tuple[Shadowed, ...]:
    """The calls of that time (epoch seconds) that are over and were not told the portal, in their order."""
    rows = connection.execute(
        select(deliveries.c.call, deliveries.c.kind, deliveries.c.payload, deliveries.c.state)
        .join(calls, calls.c.id == deliveries.c.call)
        .where(calls.c.started_at >= since, calls.c.started_at < until, deliveries.c.portal == portal)
        .order_by(calls.c.started_at, calls.c.id)
    )
    records: dict[str, dict[str, Register | Finish]] = defaultdict(dict)
    recorded: set[str] = set()
    for row in rows:
        if row.kind == Attach.KIND:
            recorded |= {row.call} if row.state == State.DONE.value else set()
            continue
        record = intents.decode(row.kind, row.payload)
        if isinstance(record, Register | Finish) and record.about.shadow:
            records[row.call][row.kind] = record
    found = []
    for call, told in records.items():
        register, finish = told.get(Register.KIND), told.get(Finish.KIND)
        if isinstance(register, Register) and isinstance(finish, Finish):
            found.append(Shadowed(register, finish, call in recorded))
    return tuple(found)
