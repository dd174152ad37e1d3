"""How many requests a call costs, counted on the wire between the real worker and the strict sandbox."""

from __future__ import annotations

import asyncio
import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from callme.crm.intents import Attach, CallFacts, Cards, Direction, Finish, Intent, Register, Result
from callme.crm.port import Audio, Later, Refused
from callme.delivery.lane import State
from callme.delivery.ledger import LaneWrite
from callme.delivery.worker import Worker
from callme.lab.sandboxes.bitrix24.state import User
from tests.delivery.fakes import MemoryLedger
from tests.portals.bitrix24.test_conformance import SandboxStand, sandbox_stand

GROUP = frozenset(str(extension) for extension in range(301, 311))
LINE = "74950000001"
LIMIT = 5
AUDIO = {"telephony.externalCall.attachRecord", "upload"}
"""Not counted: the recording goes up when nothing else waits."""


class WatchedLedger(MemoryLedger):
    """Tells when something was kept."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.kept = asyncio.Event()

    async def save(self, write: LaneWrite) -> None:
        await super().save(write)
        self.kept.set()

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not met():
                self.kept.clear()
                await self.kept.wait()


async def answered(stand: SandboxStand, worker: Worker, ledger: WatchedLedger, call: str) -> None:
    """Ten ring, 303 answers, it ends, its recording follows."""
    about = CallFacts(call, Direction.IN, "+79165550001", "", LINE, stand.now - 10)

    async def tell(*intents: Intent, then: Callable[[], bool]) -> None:
        worker.take(ledger.commit(*intents))
        await ledger.until(then)

    everybody, one = GROUP, frozenset({"303"})
    await tell(
        Register(about, "301"), Cards(about, everybody), then=lambda: ledger.lanes[call].shown == everybody
    )
    assert stand.seers() == everybody
    await tell(Cards(about, one), then=lambda: ledger.lanes[call].shown == one)
    assert stand.seers() == one
    await tell(
        Cards(about, frozenset()),
        Finish(about, "303", Result.ANSWERED, 6, stand.now),
        Attach(about, "office", "/a.wav", stand.now),
        then=lambda: all(one.state is State.DONE for one in ledger.lanes[call].deliveries),
    )


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    file = tmp_path / "call.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    return file


async def test_an_answered_call_of_a_ring_group_of_ten_costs_at_most_five_requests(
    wav: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def prepare(order: Attach) -> Audio | Later | Refused:
        return Audio(wav, "call.wav", "audio/x-wav", 1.0)

    stand = sandbox_stand()
    for extension in GROUP:
        stand.sandbox.office.add_user(User(int(extension), "У", extension, extension))
    await stand.portal.refresh()
    loop = asyncio.get_running_loop()
    ledger = WatchedLedger(lambda: stand.now + loop.time() - begun)
    begun = loop.time()
    worker = Worker(stand.portal, ledger, prepare, ledger.clock)
    running = asyncio.create_task(worker.run())
    costs = []
    for call in ("office-1767225600.1", "office-1767225600.2"):
        before = len(stand.wire.methods)
        await answered(stand, worker, ledger, call)
        costs.append(Counter(stand.wire.methods[before:]))
    worker.stop()
    await running
    await stand.portal.close()
    with capsys.disabled():
        for place, cost in zip(("first call on its line", "next call"), costs, strict=True):
            told = ", ".join(f"{method.rpartition('.')[2]} {count}" for method, count in cost.items())
            print(f"\n{place}: {told}", end="")
    first, following = costs
    assert first - following == Counter({"telephony.externalLine.add": 1})
    assert following - first == Counter()
    assert sum(count for method, count in following.items() if method not in AUDIO) <= LIMIT
    assert [(seen.owner, seen.line, seen.talk_s) for seen in stand.finished()] == [("303", LINE, 6)] * 2
