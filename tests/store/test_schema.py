"""The lists that grow with the years go along an index; none walks a whole table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from callme.delivery.lane import State
from callme.store import CallFilter, Store, open_store

Question = Callable[[Store], Awaitable[Any]]
QUESTIONS: list[tuple[str, Question]] = [
    ("ix_calls_started", lambda store: store.reading.list_calls(older_than=(5.0, "x"))),
    ("ix_calls_owner", lambda store: store.reading.list_calls(CallFilter(owner="1"))),
    ("ix_calls_tail", lambda store: store.reading.list_calls(CallFilter(number="4950001"))),
    ("ix_calls_open", lambda store: store.reading.list_calls(CallFilter(open=True))),
    ("ix_calls_open", lambda store: store.reading.counts(since=0.0)),
    ("ix_calls_open", lambda store: store.load("office")),
    ("ix_deliveries_unsettled", lambda store: store.reading.backlog()),
    ("ix_deliveries_unsettled", lambda store: store.reading.deliveries(State.REFUSED, portal="main")),
    ("ix_lanes_due", lambda store: store.due("main", 5.0, 10)),
    ("ix_lanes_unclosed", lambda store: store.recover("main", 5.0)),
    ("ix_deliveries_unsettled", lambda store: store.recover("main", 5.0)),
]


@pytest.mark.parametrize(("index", "question"), QUESTIONS)
async def test_an_index_answers(tmp_path: Path, index: str, question: Question) -> None:
    store = open_store(tmp_path / "callme.db")
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            cursor.execute("EXPLAIN QUERY PLAN " + statement, parameters)
            plans.extend(str(row[3]) for row in cursor.fetchall())

    for engine in (store.reading._engine, store._writer._engine):
        event.listen(engine, "before_cursor_execute", explain)
    try:
        await question(store)
    finally:
        await store.close()
    assert any(index in plan for plan in plans), plans
    bare = [plan for plan in plans if plan.startswith("SCAN") and "USING" not in plan]
    assert [plan for plan in bare if "portals" not in plan] == []
