"""What pages read: filters, cursors, counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from callme.calls.model import Direction, Disposition
from callme.crm import intents
from callme.crm.intents import CallFacts, Register
from callme.delivery.ledger import LaneWrite
from callme.store import CallFilter, Store, open_store
from callme.store.river import Anomaly
from callme.wording import Phrase
from tests.store.making import call, step


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "callme.db")
    made = [
        call(
            f"office-{number:02}",
            # Pairs begin at the same moment: the cursor must not lose one of them.
            started_at=1000.0 + number // 2,
            ended_at=None if number >= 18 else 2000.0,
            direction=Direction.OUT if number % 3 == 0 else Direction.IN,
            disposition=Disposition.ANSWERED if number % 2 else Disposition.BUSY,
            owner="101" if number % 4 == 0 else None,
            number=f"+7495123450{number % 10}",
            line="+74950000001" if number < 10 else "+74950000002",
        )
        for number in range(20)
    ]
    await store.commit(step(calls=tuple(made)))
    yield store
    await store.close()


async def test_pages_lead_forth_and_back_without_loss(store: Store) -> None:
    reading = store.reading
    page = await reading.list_calls(limit=6)
    assert page.newer is None
    seen = [list(page.calls)]
    while page.older is not None:
        page = await reading.list_calls(older_than=page.older, limit=6)
        seen.append(list(page.calls))
    assert [one.id for part in seen for one in part] == [
        f"office-{number:02}" for number in range(19, -1, -1)
    ]
    back = [list(page.calls)]
    while page.newer is not None:
        page = await reading.list_calls(newer_than=page.newer, limit=6)
        back.append(list(page.calls))
    assert [one for part in reversed(back) for one in part] == [one for part in seen for one in part]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (CallFilter(), range(20)),
        (CallFilter(pbx="office", direction="out"), range(0, 20, 3)),
        (CallFilter(pbx="branch"), []),
        (CallFilter(disposition="answered"), range(1, 20, 2)),
        (CallFilter(owner="101"), range(0, 20, 4)),
        (CallFilter(line="+74950000002"), range(10, 20)),
        (CallFilter(number="8 (495) 123-45-03"[2:]), [3, 13]),
        (CallFilter(number="4507"), [7, 17]),
        (CallFilter(open=True), [18, 19]),
        (CallFilter(open=False, since=1008.0), [16, 17]),
        (CallFilter(since=1002.0, until=1004.0), range(4, 8)),
    ],
)
async def test_filters(store: Store, which: CallFilter, expected: list[int]) -> None:
    page = await store.reading.list_calls(which)
    assert sorted(int(one.id[-2:]) for one in page.calls) == list(expected)


async def test_counts_since_a_moment(store: Store) -> None:
    counts = await store.reading.counts(since=1005.0)
    assert counts.by_disposition == {"answered": 5, "busy": 5}
    assert counts.open == 2


async def test_a_call_that_is_not_there(store: Store) -> None:
    assert await store.reading.get_call("nobody") is None
    assert (await store.reading.list_calls(older_than=(0.0, ""))).calls == ()


async def test_who_talked_last_with_a_number(tmp_path: Path) -> None:
    store = open_store(tmp_path / "callme.db")
    answered = {"disposition": Disposition.ANSWERED, "number": "+79261234567"}
    await store.commit(
        step(
            calls=(
                call("office-1.1", 100.0, **answered, last_talker="101"),
                call("office-1.2", 200.0, **answered, last_talker="102", direction=Direction.OUT),
                call("office-1.3", 300.0, **answered, last_talker=None),
                call("office-1.4", 400.0, number="+79261234567", last_talker="103"),
                call("office-1.5", 500.0, **{**answered, "number": "+79991234567"}, last_talker="104"),
                call("depot-1.6", 600.0, **answered, last_talker="105", pbx="depot"),
            )
        )
    )
    ask = store.reading.last_talker
    assert await ask("office", "+79261234567", 0) == "102"
    assert await ask("office", "+79261234567", 0, until=200.0) == "101"
    assert await ask("office", "+79261234567", 250.0) == ""
    assert await ask("depot", "+79261234567", 0) == "105"
    assert await ask("office", "+79260000000", 0) == ""
    await store.close()


async def test_anomalies_are_counted_however_many(store: Store) -> None:
    odd = tuple(Anomaly(5_000.0, Phrase("odd", "странно")) for _ in range(600))
    await store.commit(step(at=5_000.0, anomalies=odd))
    assert await store.reading.anomalies_since(5_000.0) == 600
    assert await store.reading.anomalies_since(5_000.5) == 0


async def test_a_call_is_found_by_what_its_portal_remembers(tmp_path: Path) -> None:
    store = open_store(tmp_path / "callme.db")
    for name, ref in (("office-1.1", "ext.1"), ("office-1.2", "ext.2")):
        one = call(name)
        facts = CallFacts(name, intents.Direction.IN, one.number, "", one.line, one.started_at)
        await store.commit(step(Register(facts, "101"), calls=(one,)))
        lane = await store.lane("main", name)
        assert lane is not None
        await store.save(LaneWrite(replace(lane, memory={"call": ref}), frozenset(), None, None, None))
    found = await store.reading.call_of("main", "call", "ext.2", 900.0)
    assert found is not None
    assert found.id == "office-1.2"
    assert await store.reading.call_of("other", "call", "ext.2", 900.0) is None
    assert await store.reading.call_of("main", "call", "ext.3", 900.0) is None
    assert await store.reading.call_of("main", "user", "ext.2", 900.0) is None
    assert await store.reading.call_of("main", "call", "ext.2", 1001.0) is None, "too old to have a card"
    await store.close()
