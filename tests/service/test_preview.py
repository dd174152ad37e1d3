"""What the rules would have done with calls of the past."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callme.calls.model import Call, Direction, Disposition, Talk
from callme.config import Config, Pbx, PortalTable, Steer
from callme.crm.port import Customer
from callme.service.preview import Foreseen, foresee, tally
from callme.store import Store, open_store
from tests.store.making import call, step

IVAN, OLGA = "+79261234567", "+79997654321"
ANSWERED = {"disposition": Disposition.ANSWERED}


class Crm:
    """Knows Ivan, whose responsible has 105, and says nothing of Olga."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def who(self, number: str, within_s: float) -> Customer | None:
        self.asked.append(number)
        return Customer(True, "Иван Петров", "105", on_duty=False) if number == IVAN else None


def made(name: str, at: float, number: str = IVAN, talks: tuple[Talk, ...] = (), **more: Any) -> Call:
    known = {"number": number, "ended_at": at + 60, "rang": (), "talks": talks, "name": ""}
    return replace(call(name, at), **{**known, **more})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "callme.db")
    found = (
        made("office-1.0", 50.0, **ANSWERED, answered_by="101", last_talker="101"),
        made("office-1.1", 100.0, **ANSWERED, answered_by="105", last_talker="105"),
        made("office-1.2", 200.0, **ANSWERED, answered_by="102", talks=(Talk("105", "105", 201, 260),)),
        made("office-1.3", 250.0),
        made("office-1.4", 300.0),
        made("office-1.5", 400.0, OLGA),
        made("office-1.6", 500.0, direction=Direction.OUT),
        made("office-1.7", 600.0, "", external="anonymous"),
    )
    await store.commit(step(calls=found))
    yield store
    await store.close()


async def seen(
    store: Store, *rules: dict[str, Any], crm: Crm | None = None, since: float = 90.0
) -> list[Foreseen]:
    config = Config(
        pbx=(Pbx.model_validate({"id": "office", "secret": "x"}),),
        portal=(PortalTable(id="main", crm="any"),),
        steer=tuple(Steer.model_validate(rule) for rule in rules),
    )
    return await foresee(config, store.reading, {"main": crm or Crm()}, since, 100)


async def test_each_incoming_call_is_judged_as_it_would_have_been(store: Store) -> None:
    told = await seen(store, {"to": ["responsible"]})
    assert {str(one.call.id): one.verdict.extension for one in told} == {
        "office-1.7": "",
        "office-1.5": "",
        "office-1.4": "105",
        "office-1.3": "",  # 105 was talking then
        "office-1.2": "105",
        "office-1.1": "105",
    }
    assert next(one for one in told if one.call.id == "office-1.3").verdict.why.say("en").endswith("105 busy")
    figures = tally(told)
    assert (figures.calls, figures.sent, figures.same, figures.other, figures.missed) == (6, 3, 1, 1, 1)
    assert figures.unasked == 1
    assert figures.by_rule == {1: 6}


async def test_the_last_talker_is_who_it_was_then(store: Store) -> None:
    told = await seen(store, {"to": ["last"]})
    assert [one.verdict.extension for one in told if one.call.id == "office-1.1"] == ["101"]
    assert [one.verdict.extension for one in told if one.call.id == "office-1.4"] == ["105"]


async def test_a_number_is_asked_about_once(store: Store) -> None:
    crm = Crm()
    await seen(store, {"to": ["responsible"]}, crm=crm)
    assert sorted(crm.asked) == [IVAN, OLGA]


async def test_without_rules_nothing_would_have_changed(store: Store) -> None:
    told = await seen(store, since=0)
    assert len(told) == 7
    assert not any(one.sent for one in told)
