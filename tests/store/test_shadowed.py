"""Which calls of the database were worked out in shadow mode."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from callme.crm.intents import Attach, CallFacts, Direction, Finish, Register, Result
from callme.delivery.lane import Delivery, Lane, State
from callme.delivery.ledger import LaneWrite
from callme.store import StepWrite, open_store
from callme.store.shadowed import shadowed
from tests.web.boards import NOW, answered


async def test_only_untold_calls_that_are_over_and_of_that_time(tmp_path: Path) -> None:
    store = open_store(tmp_path / "callme.db")
    calls = {name: answered(name, ago) for name, ago in (("1", 500), ("2", 400), ("3", 300), ("4", 9000))}
    records: list[tuple[str, Register | Finish | Attach]] = []
    for name, call in calls.items():
        about = CallFacts(str(call.id), Direction.IN, "+7916", "", "", call.started_at, shadow=name != "2")
        records.append(("main", Register(about, "101")))
        if name != "3":
            records.append(("main", Finish(about, "101", Result.ANSWERED, 5, call.started_at + 9)))
        records.append(("main", Attach(about, "office", "/a.wav", call.started_at + 9)))
    await store.commit(StepWrite("office", NOW, calls=tuple(calls.values()), intents=tuple(records)))

    async def seen() -> list[tuple[str, bool]]:
        found = await store.reading.ask(lambda connection: shadowed(connection, "main", NOW - 1000, NOW))
        return [(one.finish.about.call, one.recording) for one in found]

    first = str(calls["1"].id)
    assert await seen() == [(first, False)]
    attach = next(one for _, one in records if isinstance(one, Attach) and one.about.call == first)
    done = replace(Delivery(attach, NOW), state=State.DONE)
    lane = Lane("main", first, (done,))
    await store.save(LaneWrite(lane, frozenset({done.key}), None, None, None))
    assert await seen() == [(first, True)]
    await store.close()
