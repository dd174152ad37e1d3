"""Shadow mode: everything is settled and nothing reaches the portal; what began in it stays there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from callme.crm.intents import Attach, Intent
from callme.crm.port import Audio, Later, Refused
from callme.crm.shadow import NOT_SENT
from callme.delivery.lane import State
from callme.delivery.worker import Worker
from tests.delivery.fakes import (
    WHY,
    FakePortal,
    MemoryLedger,
    attach,
    cards,
    finish,
    play,
    prepare,
    register,
    transcribe,
)

Look = Callable[[Attach], Audio | Later | Refused]


def perform(
    *intents: Intent, shadow: bool, look: Look | None = None, before: tuple[Intent, ...] = ()
) -> tuple[FakePortal, MemoryLedger]:
    """The worker takes these intents; `before` lay in the ledger when it started."""

    async def ready(order: Attach) -> Audio | Later | Refused:
        return look(order) if look is not None else await prepare(order)

    async def run(clock: Callable[[], float]) -> tuple[FakePortal, MemoryLedger]:
        portal, ledger = FakePortal(clock), MemoryLedger(clock)
        if before:
            ledger.commit(*before)
        worker = Worker(portal, ledger, ready, clock, shadow=shadow, chance=lambda: 0.5)
        running = asyncio.ensure_future(worker.run())
        await asyncio.sleep(0.001)
        if intents:
            worker.take(ledger.commit(*intents))
        await asyncio.sleep(30)
        worker.stop()
        await running
        return portal, ledger

    return play(run)


def begun_in_shadow(*intents: Intent) -> list[Intent]:
    return [replace(one, about=replace(one.about, shadow=True)) for one in intents]


WHOLE = (register(), cards("101", "102"), finish(), attach(), transcribe())


def test_nothing_is_sent_and_everything_is_settled_and_marked() -> None:
    portal, ledger = perform(*WHOLE, shadow=True)
    assert portal.log == []
    assert {one.state for one in ledger.lanes["office-1.1"].deliveries} == {State.DONE}
    assert all((one.outcome, one.why) == ("delivered", NOT_SENT) for one in ledger.tried)
    assert ledger.next_at["office-1.1"] is None


def test_a_recording_is_looked_for_and_its_absence_is_told() -> None:
    portal, ledger = perform(*WHOLE, shadow=True, look=lambda order: Refused(WHY))
    assert portal.log == []
    assert ledger.lanes["office-1.1"].get(("attach", 0)).state is State.REFUSED
    assert [one.why for one in ledger.tried if one.kind == "attach"] == [WHY]


def test_what_lay_undelivered_when_the_shadow_fell_is_not_delivered_either() -> None:
    portal, ledger = perform(shadow=True, before=WHOLE)
    assert portal.log == []
    assert {one.state for one in ledger.lanes["office-1.1"].deliveries} == {State.DONE}


def test_what_began_in_shadow_is_not_sent_after_the_switch() -> None:
    portal, ledger = perform(shadow=False, before=tuple(begun_in_shadow(*WHOLE)))
    assert portal.log == []
    assert {one.state for one in ledger.lanes["office-1.1"].deliveries} == {State.DONE}
    assert all(one.why == NOT_SENT for one in ledger.tried)


def test_the_next_call_is_told() -> None:
    portal, _ = perform(register(), finish(), shadow=False)
    assert portal.words() == ["register()", "finish"]
