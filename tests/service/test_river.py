"""The river with real recordings and a real database: what is told, and that a restart at any moment tells
it once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from callme.calls import facts as f
from callme.calls.facts import ChannelState
from callme.calls.model import Call
from callme.calls.numbering import Numbering
from callme.config import Config, Pbx, PortalTable
from callme.config.shape import Route
from callme.crm.intents import Attach, Finish, Record, Register, Result
from callme.pbx import port
from callme.pbx.port import Moment
from callme.service.metrics import Metrics
from callme.service.river import River
from callme.store import Store, open_store
from tests.calls.played import FOLDER, Case, Living

RINGALL = Case(FOLDER / "plain16" / "in_ringall_answered_by_2nd.ami.gz")
NOBODY = Case(FOLDER / "plain16" / "in_ringall_nobody.ami.gz")
INTERNAL = Case(FOLDER / "plain16" / "internal_call.ami.gz")


class Played:
    """A PBX that plays moments and then ends."""

    def __init__(self, moments: list[Moment], names: dict[str, str] | None = None) -> None:
        self.id = "office"
        self._moments = moments
        self._names = names or {}
        self.looks = 0

    @property
    def state(self) -> port.LinkState:
        return port.LinkState(True, 0.0)

    async def moments(self) -> AsyncGenerator[Moment, None]:
        for moment in self._moments:
            yield moment

    async def look_again(self) -> None:
        self.looks += 1

    async def directory(self) -> port.Directory:
        return port.Directory(self._names)

    async def originate(self, order: port.Originate) -> None:
        """Nobody answers."""

    async def close(self) -> None:
        """Nothing to close."""


def config(*, routes: tuple[Route, ...] = (), portals: tuple[str, ...] = ("main",)) -> Config:
    return Config(
        pbx=(Pbx(id="office", secret=SecretStr("x")),),
        portal=tuple(PortalTable(id=one, crm="any") for one in portals),
        route=routes,
    )


async def flow(store: Store, moments: list[Moment], settings: Config | None = None) -> None:
    river = River(
        settings or config(),
        Pbx(id="office", secret=SecretStr("x")),
        Played(moments),
        store,
        Metrics(),
        lambda: 0.0,
        lambda: None,
    )
    await river.run()


async def told(store: Store, portal: str = "main") -> list[object]:
    rows = await store.reading.deliveries(portal=portal, limit=500)
    return [row.record for row in sorted(rows, key=lambda row: row.id)]


async def calls(store: Store) -> tuple[Call, ...]:
    return (await store.reading.list_calls()).calls


async def test_an_answered_call_is_registered_finished_and_attached(tmp_path: Path) -> None:
    store = open_store(tmp_path / "callme.db")
    await flow(store, RINGALL.moments)
    register, finish, attach = await told(store)
    assert isinstance(register, Register)
    assert register.about.number == "+79000000110"
    assert register.about.line == "74950000003"
    assert register.owner == "101"
    assert isinstance(finish, Finish)
    assert (finish.owner, finish.result, finish.talk_s) == ("102", Result.ANSWERED, 6)
    assert isinstance(attach, Attach)
    assert attach.path.endswith("rg-600-79000000110-20261123-170344-1795453424.33.wav")
    await store.close()


async def test_a_missed_call_belongs_to_who_was_rung_first_and_has_no_recording(tmp_path: Path) -> None:
    store = open_store(tmp_path / "callme.db")
    await flow(store, NOBODY.moments)
    _, finish = await told(store)
    assert isinstance(finish, Finish)
    assert (finish.owner, finish.result, finish.talk_s) == ("101", Result.NO_ANSWER, 0)
    await store.close()


async def test_a_call_among_colleagues_reaches_no_portal_and_no_list(tmp_path: Path) -> None:
    store = open_store(tmp_path / "callme.db")
    await flow(store, INTERNAL.moments)
    assert await told(store) == []
    assert await calls(store) == ()
    await store.close()


async def test_the_line_decides_the_portal_and_an_unrouted_call_is_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path / "callme.db")
    routes = (Route(pbx="office", line="+7 495 000-00-03", portal="second"),)
    settings = config(routes=routes, portals=("main", "second"))
    await flow(store, RINGALL.moments, settings)
    assert await told(store, "main") == []
    assert len(await told(store, "second")) == 3
    await store.close()

    other = open_store(tmp_path / "other.db")
    elsewhere = config(routes=(Route(line="74950000009", portal="main"),), portals=("main", "second"))
    await flow(other, RINGALL.moments, elsewhere)
    assert await told(other, "main") == []
    assert [call.answered_by for call in await calls(other)] == ["102"]
    await other.close()


@pytest.mark.parametrize(
    "name", ["in_ringall_answered_by_2nd", "in_blind_transfer", "in_pickup", "out_answered"]
)
async def test_a_restart_after_any_moment_tells_everything_once(tmp_path: Path, name: str) -> None:
    """The process dies after each moment in turn; the next one loads what was committed and sees a snapshot
    first. What was seen before the call was one (a phone that has dialled nobody yet) may be lost with it."""
    case = Case(FOLDER / "plain16" / f"{name}.ami.gz")
    steps = case.moments
    whole = open_store(tmp_path / "whole.db")
    await flow(whole, steps)
    expected = await told(whole)
    await whole.close()
    for index in range(1, len(steps)):
        store = open_store(tmp_path / f"{index}.db")
        await flow(store, steps[:index])
        begun = bool(await calls(store))
        await store.close()
        living = Living()
        for step in steps[:index]:
            for fact in step.facts:
                living.take(fact)
        at = steps[index - 1].at
        again = open_store(tmp_path / f"{index}.db")
        await flow(again, [Moment(at, (f.LinkUp(None), living.snapshot(at))), *steps[index:]])
        if begun:
            records = await told(again)
            assert [timeless(one) for one in records] == [timeless(one) for one in expected], index
            assert [*map(spoken, records)] == pytest.approx([*map(spoken, expected)], abs=0.01), index
        else:
            assert [gist(one) for one in await told(again)][:2] == [gist(one) for one in expected][:2], index
        await again.close()


def timeless(record: Record) -> Record:
    """Without the stretches of the talk, which a restart may see a millisecond off or be unsure of."""
    if not isinstance(record, Attach):
        return record
    files = tuple(replace(file, bridged=(), talk=(), sure=True) for file in record.files)
    return replace(record, answered_at=None, files=files)


def spoken(record: Record) -> float:
    """Seconds of talk in the files of an attach."""
    files = record.files if isinstance(record, Attach) else ()
    return sum(until - since for file in files for since, until in file.talk)


def gist(record: object) -> tuple[object, ...]:
    """What a portal's users would notice."""
    assert isinstance(record, Register | Finish | Attach)
    about = (record.KIND, record.about.call, record.about.number)
    return (*about, record.owner, record.result, record.talk_s) if isinstance(record, Finish) else about


async def test_a_call_that_ended_while_we_were_away_is_finished_as_lost(tmp_path: Path) -> None:
    steps = RINGALL.moments
    talking = (
        next(i for i, step in enumerate(steps) if any(isinstance(x, f.BridgeEntered) for x in step.facts)) + 2
    )
    store = open_store(tmp_path / "callme.db")
    await flow(store, steps[:talking])
    await store.close()
    again = open_store(tmp_path / "callme.db")
    later = steps[talking - 1].at + 600
    await flow(again, [Moment(later, (f.LinkUp(None), f.Snapshot((), later)))])
    finish = (await told(again))[1]
    assert isinstance(finish, Finish)
    assert finish.lost
    assert (finish.owner, finish.result) == ("102", Result.ANSWERED)
    assert finish.talk_s < 600
    await again.close()


async def test_a_told_call_that_becomes_part_of_another_is_closed_in_the_portal(tmp_path: Path) -> None:
    """The PBX names its extensions late: what looked like a trunk is a colleague's phone."""
    store = open_store(tmp_path / "callme.db")
    phone = f.Leg(
        "1795453424.9", "1795453424.9", "PJSIP/desk-00000001", ChannelState.RING, "desk", exten="102"
    )
    rung = f.Leg("1795453425.1", "1795453424.9", "PJSIP/102-00000002", ChannelState.RINGING, "102")
    source, kept = Played([]), asyncio.Event()
    rings = (f.LinkUp(None), f.ChannelSeen(phone, born=True), f.Dialled(phone, rung, "102"))
    river = River(
        config(),
        Pbx(id="office", secret=SecretStr("x")),
        source,
        store,
        Metrics(),
        lambda: 0.0,
        kept.set,
    )

    async def moments() -> AsyncGenerator[Moment, None]:
        yield Moment(1795453425.0, rings)
        while True:
            kept.clear()
            if await told(store):
                break
            await kept.wait()
        river._tracker.board.numbering = Numbering(
            devices={"desk": "101"}, known_extensions=frozenset({"101", "102"})
        )
        yield Moment(1795453426.0, (f.HangupAsked(phone), f.HungUp(phone, 16), f.HungUp(rung, 0)))

    source.moments = moments  # type: ignore[method-assign]
    await river.run()
    _, finish = await told(store)
    assert isinstance(finish, Finish)
    assert finish.lost
    await store.close()
