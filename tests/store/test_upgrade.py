"""A database of the version before reminders, full of calls in every state, under today's code: nothing of it
is lost, and what was under way goes on.

`before_reminders.sql` was written by that version from the PBX's words in `tests/transcripts`: one call
that was missed and whose end the portal refused, one that is over and waits with its recording, one in the
middle of its talk whose register was being sent, a click that is not dialled yet, a paused portal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callme.calls.model import Disposition
from callme.crm.intents import Attach, Finish, Register, Remind, Result
from callme.delivery.lane import State
from callme.store import Store, open_store
from tests.service.test_river import RINGALL, flow, told
from tests.store.making import call, step

OLD = Path(__file__).with_name("before_reminders.sql")
MISSED, WAITING, TALKING = "office-1795453449.47", "office-1795453912.3", "office-1795453424.33"
SEEN = 26
"""So many moments of the call that goes on had been seen."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    raw = sqlite3.connect(tmp_path / "callme.db")
    raw.executescript(OLD.read_text("utf-8"))
    raw.close()
    store = open_store(tmp_path / "callme.db")
    yield store
    await store.close()


async def test_everything_is_still_there(store: Store) -> None:
    calls = {str(one.id): one for one in (await store.reading.list_calls()).calls}
    assert {name: one.disposition for name, one in calls.items()} == {
        MISSED: Disposition.NO_ANSWER,
        WAITING: Disposition.ANSWERED,
        TALKING: Disposition.ANSWERED,
    }
    assert calls[WAITING].recordings[0].path.endswith("out-79000000201-101-20261123-171152-1795453912.3.wav")
    missed = await store.reading.get_call(MISSED)
    assert missed is not None
    assert [(one.kind, one.state, one.attempts) for one in missed.deliveries] == [
        ("register", State.DONE, 2),
        ("finish", State.REFUSED, 1),
    ]
    assert [(one.number, one.outcome) for one in missed.attempts] == [(1, "ambiguous"), (2, "delivered")]
    assert [one.click.ref for one in await store.commands("office")] == ["externalCall.1"]
    talking = await store.reading.get_call(TALKING)
    assert talking is not None
    assert [one.text.say("en") for one in talking.anomalies] == ["odd"]


async def test_what_was_under_way_is_delivered(store: Store) -> None:
    assert await store.recover("main", 1795454000.0) == 1
    due = await store.due("main", 1795454000.0, 10)
    lanes = {lane.call: lane for lane in due.lanes}
    assert set(lanes) == {WAITING, TALKING}
    (doubtful,) = lanes[TALKING].of(Register.KIND)
    assert (doubtful.state, doubtful.doubt, doubtful.record.ordinal) == (State.WAITING, True, 0)
    records = [one.record for kind in (Register, Finish, Attach) for one in lanes[WAITING].of(kind.KIND)]
    register, finish, attach = records
    assert isinstance(register, Register)
    assert isinstance(finish, Finish)
    assert isinstance(attach, Attach)
    assert (finish.owner, finish.result, finish.talk_s, finish.why) == ("101", Result.ANSWERED, 7, None)
    assert (attach.files, attach.path.rpartition("-")[2]) == ((), "1795453912.3.wav")
    assert not register.about.shadow
    refused = await store.lane("main", MISSED)
    assert refused is not None
    assert refused.memory == {"call_id": "externalCall.9"}


async def test_the_call_that_goes_on_is_told_once_to_its_end(store: Store) -> None:
    await flow(store, RINGALL.moments[SEEN:])
    records = [one for one in await told(store) if one.about.call == TALKING]  # type: ignore[attr-defined]
    register, finish, attach = records
    assert isinstance(register, Register)
    assert isinstance(finish, Finish)
    assert isinstance(attach, Attach)
    assert (finish.owner, finish.result, finish.talk_s) == ("102", Result.ANSWERED, 6)
    assert attach.path.endswith("rg-600-79000000110-20261123-170344-1795453424.33.wav")


async def test_it_takes_the_records_that_came_later(store: Store) -> None:
    old = await store.reading.get_call(MISSED)
    assert old is not None
    about = next(one.record.about for one in old.deliveries)
    await store.commit(step(Remind(about, "101", 1795453461.9), calls=(call(),)))
    again = await store.reading.get_call(MISSED)
    assert again is not None
    assert [one.kind for one in again.deliveries] == ["register", "finish", "remind"]
    raw = sqlite3.connect(store.path)
    broken = raw.execute("PRAGMA foreign_key_check").fetchall()
    raw.close()
    assert broken == []
