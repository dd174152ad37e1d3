"""Migrations: forward, from nothing, to exactly the tables that the code uses."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, inspect

from callme.crm.intents import CallFacts, Direction, Remind, Transcribe
from callme.store import open_store
from callme.store.engine import writing
from callme.store.migrations import upgrade
from callme.store.rows import call_in, lane_new, record_in
from callme.store.schema import calls, deliveries, lanes, metadata
from tests.store.making import call, step


def test_from_nothing_to_the_schema_of_the_code(tmp_path: Path) -> None:
    engine = writing(tmp_path / "callme.db")
    with engine.begin() as connection:
        assert upgrade(connection) == upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        found = inspect(connection)
        for table in metadata.sorted_tables:
            named = {str(one["name"]) for one in found.get_check_constraints(table.name)}
            assert named == {str(one.name) for one in table.constraints if str(one.name).startswith("ck_")}, (
                table
            )
    engine.dispose()


async def test_what_was_kept_before_exchanges_were_is_still_read(tmp_path: Path) -> None:
    engine = writing(tmp_path / "callme.db")
    with engine.begin() as connection:
        assert upgrade(connection, "0001") == "0001"
        connection.execute(insert(calls), [call_in(call())])
        connection.execute(insert(lanes), [lane_new("main", "office-1.1", 1.0)])
        connection.exec_driver_sql(
            "INSERT INTO attempts (portal, call, kind, ordinal, number, at, took_ms, outcome)"
            " VALUES ('main', 'office-1.1', 'register', 0, 1, 1.0, 7, 'delivered')"
        )
    engine.dispose()
    store = open_store(tmp_path / "callme.db")
    try:
        story = await store.reading.get_call("office-1.1")
    finally:
        await store.close()
    assert story is not None
    assert [(one.took_ms, one.exchanges) for one in story.attempts] == [(7, ())]


async def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    await open_store(tmp_path / "callme.db").close()
    engine = writing(tmp_path / "callme.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from the future'")
        connection.exec_driver_sql("ALTER TABLE calls ADD COLUMN mood TEXT")
    engine.dispose()
    store = open_store(tmp_path / "callme.db")
    try:
        assert (await store.reading.list_calls()).calls == ()
    finally:
        await store.close()


async def test_deliveries_of_before_transcripts_are_kept_and_transcripts_follow_them(tmp_path: Path) -> None:
    about = CallFacts("office-1.1", Direction.IN, "+74951234567", "", "", 1.0)
    engine = writing(tmp_path / "callme.db")
    with engine.begin() as connection:
        assert upgrade(connection, "0005") == "0005"
        connection.execute(insert(calls), [call_in(call())])
        connection.execute(insert(lanes), [lane_new("main", "office-1.1", 1.0)])
        connection.execute(insert(deliveries), [record_in("main", Remind(about, None, 2.0), 2.0)])
    engine.dispose()
    store = open_store(tmp_path / "callme.db")
    try:
        said = Transcribe(about, "office", "/a.wav", 2.0)
        await store.commit(step(said))
        lane = await store.lane("main", "office-1.1")
    finally:
        await store.close()
    assert lane is not None
    assert [one.record for one in lane.deliveries] == [said, Remind(about, None, 2.0)]
