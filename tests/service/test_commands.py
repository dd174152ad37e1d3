"""Clicks that come to nothing, and those found after a restart: each is sent at most once and finished
exactly once, under the id that the portal gave it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from callme.calls import facts as f
from callme.calls.grouping import Switchboard
from callme.calls.model import CallId, Talk
from callme.calls.numbering import Numbering
from callme.config import Pbx
from callme.config.shape import ClickToCall
from callme.crm.commands import Click, CommandState
from callme.crm.intents import Finish, Register, Result
from callme.crm.policy import Told
from callme.errors import PbxError
from callme.pbx.port import Originate, UnsureError
from callme.service import commands
from callme.service.commands import Clicks, NameOf, given, nameless
from callme.store import Store, open_store
from callme.store.commands import Command
from callme.store.river import CommandMove, StepWrite
from callme.wording import Phrase
from tests.service.test_river import Played

NOW = 1000.0
CLICK = Click("externalCall.1", "Анна (2)", "101", "+79261112233", NOW)
WHY = Phrase("Extension does not exist.", "Extension does not exist.")
UP = (f.LinkUp(None), f.Snapshot((), NOW))


class Dialler(Played):
    """A PBX that only dials, or does not."""

    def __init__(self, error: PbxError | None = None) -> None:
        super().__init__([])
        self.error = error
        self.orders: list[Originate] = []
        self.asked = asyncio.Event()
        self.keys: list[tuple[str, str]] = []
        self.pressed = asyncio.Event()

    async def press(self, channel: str, key: str) -> None:
        self.keys.append((channel, key))
        if key == "#":
            self.pressed.set()

    async def originate(self, order: Originate) -> None:
        self.orders.append(order)
        self.asked.set()
        if self.error is not None:
            raise self.error


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "callme.db")
    yield store
    await store.close()


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def running(
    store: Store, source: Dialler, clock: Clock, name_of: NameOf = nameless, **how: object
) -> AsyncIterator[tuple[Clicks, asyncio.Event]]:
    """The clicks of one PBX at work; the event is set when one came to nothing."""
    failed = asyncio.Event()
    pbx = Pbx(id="office", secret=SecretStr("x"), click_to_call=ClickToCall.model_validate(how))
    clicks = Clicks(pbx, source, store, Switchboard(Numbering(), lambda _: False), clock, failed.set, name_of)
    await clicks.load()
    work = asyncio.create_task(clicks.run())
    try:
        yield clicks, failed
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        await event.wait()


async def ended(store: Store) -> tuple[Register, Finish]:
    """The two records that finish the portal's call; nothing is owed any more."""
    assert await store.commands("office") == []
    rows = await store.reading.deliveries(portal="main", limit=10)
    register, finish = (row.record for row in sorted(rows, key=lambda row: row.id))
    assert isinstance(register, Register)
    assert isinstance(finish, Finish)
    assert register.given == CLICK.ref
    assert register.about.call == finish.about.call
    return register, finish


@pytest.mark.parametrize(
    ("click", "how", "error"),
    [
        (CLICK, {}, PbxError(WHY)),
        (replace(CLICK, extension=""), {}, None),
        (replace(CLICK, extension="101&PJSIP/102"), {}, None),
        (replace(CLICK, number="*72"), {}, None),
        (CLICK, {"forbidden": ["7926*"]}, None),
        (replace(CLICK, at=NOW - 16), {}, None),
    ],
)
async def test_what_is_not_dialled_is_finished_with_its_reason(
    store: Store, click: Click, how: dict[str, object], error: PbxError | None
) -> None:
    source = Dialler(error)
    async with running(store, source, Clock(), **how) as (clicks, failed):
        clicks.saw(UP, NOW)
        assert await clicks.take("main", click, 15.0)
        await soon(failed)
    _, finish = await ended(store)
    assert (finish.result, finish.talk_s, finish.owner) == (Result.FAILED, 0, click.extension or None)
    assert finish.about.number == click.number
    assert len(source.orders) == (1 if error else 0)
    (row,) = (await store.reading.list_calls()).calls
    assert (row.id, row.open) == (finish.about.call, False)


async def test_a_click_before_the_link_is_up_waits_for_it(store: Store) -> None:
    source = Dialler(PbxError(WHY))
    async with running(store, source, Clock()) as (clicks, failed):
        await clicks.take("main", CLICK, 15.0)
        assert source.orders == []
        clicks.saw(UP, NOW)
        await soon(failed)
    assert [order.extension for order in source.orders] == ["101"]


async def test_a_click_is_given_up_when_the_link_does_not_come(store: Store) -> None:
    clock = Clock()
    async with running(store, Dialler(), clock) as (clicks, failed):
        clock.now = NOW + 14.95
        await clicks.take("main", CLICK, 15.0)
        await soon(failed)
    await ended(store)


async def test_a_refusal_told_later_says_how_it_ended(store: Store) -> None:
    clock, source = Clock(), Dialler()
    async with running(store, source, clock) as (clicks, failed):
        clicks.saw(UP, NOW)
        await clicks.take("main", CLICK, 15.0)
        await soon(source.asked)
        clicks.saw((f.OriginateEnded(source.orders[0].key, "", False, 5),), NOW - 10)
        await soon(failed)
    _, finish = await ended(store)
    assert finish.result is Result.BUSY


async def test_an_order_without_an_answer_is_not_repeated_and_its_call_awaited(store: Store) -> None:
    source = Dialler(UnsureError(WHY))
    async with running(store, source, Clock()) as (clicks, _):
        clicks.saw(UP, NOW)
        await clicks.take("main", CLICK, 15.0)
        await soon(source.asked)
    assert len(source.orders) == 1
    (command,) = await store.commands("office")
    assert command.state is CommandState.SENT


async def test_what_was_sent_before_a_restart_is_looked_for_and_not_sent_again(store: Store) -> None:
    command = Command("main", "office", "office-940.70000002", CLICK, NOW, NOW + 15)
    await store.hear(command)
    sent = CommandMove(command.call, CommandState.SENT)
    await store.commit(StepWrite("office", NOW, commands=(sent,)))
    source = Dialler()
    async with running(store, source, Clock()) as (clicks, failed):
        await asyncio.sleep(0)
        assert len(await store.commands("office")) == 1, "nothing is decided before the PBX was looked at"
        clicks.saw(UP, NOW)
        await soon(failed)
    _, finish = await ended(store)
    assert finish.result is Result.UNKNOWN
    assert finish.why is None, "nobody is told that nothing came of a call that we could not see"
    assert finish.about.call == command.call
    assert source.orders == []


async def test_what_waits_at_a_restart_is_dialled_while_there_is_time(store: Store) -> None:
    await store.hear(Command("main", "office", "office-940.70000002", CLICK, NOW, NOW + 15))
    source = Dialler(PbxError(WHY))
    async with running(store, source, Clock()) as (clicks, failed):
        clicks.saw(UP, NOW)
        await soon(failed)
    (order,) = source.orders
    assert (order.uniqueid, order.other, order.number) == ("940.70000002", "940.70000003", "79261112233")


async def test_the_same_click_again_is_not_taken(store: Store) -> None:
    source = Dialler(PbxError(WHY))
    async with running(store, source, Clock()) as (clicks, failed):
        clicks.saw(UP, NOW)
        assert await clicks.take("main", CLICK, 15.0)
        assert not await clicks.take("main", CLICK, 15.0)
        await soon(failed)
    assert len(source.orders) == 1
    await ended(store)


async def test_a_click_on_the_same_call_later_is_dialled_again_and_becomes_a_call_of_its_own(
    store: Store,
) -> None:
    source = Dialler(PbxError(WHY))
    async with running(store, source, Clock()) as (clicks, failed):
        clicks.saw(UP, NOW)
        await clicks.take("main", CLICK, 15.0)
        await soon(failed)
        failed.clear()
        assert await clicks.take("main", replace(CLICK, at=NOW + 6), 15.0)
        await soon(failed)
    assert len(source.orders) == 2
    assert await store.commands("office") == []
    rows = sorted(await store.reading.deliveries(portal="main", limit=10), key=lambda row: row.id)
    given = [row.record.given for row in rows if isinstance(row.record, Register)]
    assert given == [CLICK.ref, ""], "the portal's call has one end"


async def test_the_line_decides_prefix_context_and_what_the_pbx_shows(store: Store) -> None:
    line = {"prefix": "7", "context": "from-internal-b", "variables": {"TRUNKCIDOVERRIDE": "74950000002"}}
    how = {"prefix": "9", "lines": {"+7 495 000-00-02": line, "sip-b": {"context": "via-b"}}}
    source = Dialler(PbxError(WHY))
    async with running(store, source, Clock(), **how) as (clicks, failed):
        clicks.saw(UP, NOW)
        for number, chosen in enumerate(("84950000002", "SIP-B", "74950000001", "")):
            await clicks.take("main", replace(CLICK, ref=f"c{number}", line=chosen), 15.0)
            await soon(failed)
            failed.clear()
    ways = [(order.number[0], order.context, dict(order.variables)) for order in source.orders]
    assert ways == [
        ("7", "from-internal-b", {"TRUNKCIDOVERRIDE": "74950000002"}),
        ("9", "via-b", {}),
        ("9", "from-internal", {}),
        ("9", "from-internal", {}),
    ]


async def test_a_telephone_is_asked_to_pick_up_by_itself_where_that_is_wanted(store: Store) -> None:
    for how, alert in (({}, ""), ({"auto_answer": "info=alert-autoanswer"}, "info=alert-autoanswer")):
        source = Dialler(PbxError(WHY))
        async with running(store, source, Clock(), **how) as (clicks, failed):
            clicks.saw(UP, NOW)
            await clicks.take("main", replace(CLICK, ref=str(how)), 15.0)
            await soon(failed)
        assert [order.alert for order in source.orders] == [alert]


async def test_only_the_chosen_telephone_is_rung(store: Store) -> None:
    source = Dialler(PbxError(WHY))
    async with running(store, source, Clock(), devices={CLICK.extension: "PJSIP/101-desk"}) as (
        clicks,
        failed,
    ):
        clicks.saw(UP, NOW)
        await clicks.take("main", CLICK, 15.0)
        await soon(failed)
    assert [order.device for order in source.orders] == ["PJSIP/101-desk"]


async def test_the_customers_name_rings_along_and_a_slow_portal_is_not_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "NAME_S", 0.05)
    never = asyncio.Event()

    async def named(portal: str, click: Click) -> str:
        if click.ref == "slow":
            await never.wait()
        return f"{portal}: Иван Петров"

    source = Dialler(PbxError(WHY))
    async with running(store, source, Clock(), name_of=named) as (clicks, failed):
        clicks.saw(UP, NOW)
        for ref in ("quick", "slow"):
            await clicks.take("main", replace(CLICK, ref=ref), 15.0)
            await soon(failed)
            failed.clear()
    assert [order.name for order in source.orders] == ["main: Иван Петров", ""]


async def test_a_callback_that_rings_nobody_is_a_missed_call_of_the_one_responsible(store: Store) -> None:
    wish = Click("callback.1", "Мария (1)", "", "+79261234567", NOW, by="1", callback=True, text="Жду звонка")
    async with running(store, Dialler(), Clock()) as (clicks, failed):
        clicks.saw(UP, NOW)
        await clicks.take("main", wish, 300.0)
        await soon(failed)
    rows = sorted(await store.reading.deliveries(portal="main", limit=10), key=lambda row: row.id)
    register, finish = (row.record for row in rows)
    assert isinstance(register, Register)
    assert isinstance(finish, Finish)
    assert (register.given, register.by, register.about.callback) == ("", "1", True)
    assert register.note is not None
    assert register.note.say("ru") == "+79261234567 просит перезвонить: Жду звонка"
    assert (finish.by, finish.about.callback, finish.result) == ("1", True, Result.FAILED)
    assert finish.why is not None


async def test_the_extension_is_dialled_once_to_whoever_answered(store: Store) -> None:
    source = Dialler()
    click = replace(CLICK, then="1w2#")
    async with running(store, source, Clock(), keys_after_s=0) as (clicks, _):
        clicks.saw(UP, NOW)
        await clicks.take("main", click, 15.0)
        await soon(source.asked)
        (command,) = await store.commands("office")
        board, uniqueid = clicks._board, command.call.removeprefix("office-")
        for name, own in (("Local/101@from-internal-1;1", uniqueid), ("PJSIP/trunk-prov-00000002", "1010.5")):
            leg = f.Leg(own, uniqueid, name, f.ChannelState.UP)
            board.channel(leg, NOW, born=True)
        call = replace(clicks._uncalled(command, NOW), talks=(Talk("79261112233", None, NOW),))
        assert clicks.of(call) is not None
        clicks.talks(command, replace(call, talks=()))
        clicks.talks(command, call)
        clicks.talks(command, call)
        await soon(source.pressed)
    assert source.keys == [("PJSIP/trunk-prov-00000002", key) for key in "12#"]


async def test_a_call_found_after_a_restart_under_another_of_its_channels_is_the_clicks(store: Store) -> None:
    command = Command("main", "office", "office-940.70000002", CLICK, NOW, NOW + 15)
    await store.hear(command)
    await store.commit(StepWrite("office", NOW, commands=(CommandMove(command.call, CommandState.SENT),)))
    async with running(store, Dialler(), Clock()) as (clicks, _):
        uncalled = clicks._uncalled(command, NOW)
        call = replace(uncalled, id=CallId("office-1000.2"), aliases=("940.70000002",), ended_at=None)
        found = clicks.of(call)
        assert found is not None
        assert found.call == command.call
        (move,) = clicks.told(found, Told(registered=True))
        assert (move.call, move.state, move.closed) == (command.call, CommandState.DIALLED, False)
        assert clicks.of(call) is not None, "it stays the click's, whose state has changed"
        clicks.forget({"office-1000.2"})
        assert clicks.of(call) is not None
        other = replace(call, id=CallId("office-1000.9"))
        assert clicks.of(other) is None, "a call that has met the click's is another"


@pytest.mark.parametrize(("opened", "ref"), [(True, CLICK.ref), (False, "")])
def test_a_call_asked_for_past_the_portal_is_none_that_it_knows(opened: bool, ref: str) -> None:
    click = replace(CLICK, opened=opened)
    command = Command("main", "office", "office-1.1", click, NOW, NOW + 15)
    assert (given(command).ref, given(command).extension, given(command).callback) == (ref, "101", False)
    assert Click.from_json(click.to_json()) == click
