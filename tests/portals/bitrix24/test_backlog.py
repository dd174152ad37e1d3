"""A backlog before the strict sandbox with the cloud's limits, in virtual time: how long it takes, what it
costs, and when a call that rings meanwhile gets its card."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC

import httpx2

from callme.crm.intents import CallFacts, Cards, Direction, Finish, Register, Result
from callme.delivery.budget import Budget
from callme.delivery.gate import Turnstile
from callme.delivery.lane import State
from callme.delivery.worker import Worker
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.seed import CLIENT_PHONE
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.portals.registry import open_portal
from tests.delivery.fakes import MemoryLedger, play, prepare
from tests.portals.conformance import Stand

OWED = 200
INNER_S = 0.045
RATE, BURST = 2.0, 5


class Slow(httpx2.AsyncBaseTransport):
    """A portal that takes its time for each call, one after the other inside a batch."""

    def __init__(self, sandbox: SandboxPortal) -> None:
        self._inner = httpx2.ASGITransport(app=sandbox.app)
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.path.rpartition("/")[2])
        await asyncio.sleep(INNER_S * len(json.loads(request.content).get("cmd", (1,))))
        return await self._inner.handle_async_request(request)


def about(call: str, started_at: float) -> CallFacts:
    return CallFacts(call, Direction.IN, CLIENT_PHONE, "", "", started_at)


def test_a_backlog_goes_out_within_the_limit_and_cards_come_within_a_second() -> None:
    async def run(clock: Callable[[], float]) -> tuple[SandboxPortal, Slow, float, list[float]]:
        def now() -> float:
            return Stand.now + clock()

        sandbox = SandboxPortal(
            Knobs(webhook_telephony="allow", rate_limit_x=BURST + 5, operating_min_counted_s=0.0), clock=now
        )
        way, ledger = Slow(sandbox), MemoryLedger(now)
        table = {"webhook": sandbox.webhook_url, "default_user": 1}
        gate = Turnstile(Budget(RATE, BURST))
        portal = open_portal("bitrix24", "main", table, gate=gate, zone=UTC, transport=way)
        worker = Worker(portal, ledger, prepare, now, chance=lambda: 0.5)
        for number in range(OWED):
            facts = about(f"c{number}", now() - 3600)
            ledger.commit(Register(facts, "101"), Finish(facts, "101", Result.ANSWERED, 7, now() - 3500))
        running = asyncio.ensure_future(worker.run())
        rang: dict[str, float] = {}
        while len(sandbox.office.statistics) < OWED:
            facts = about(f"live{len(rang)}", now())
            rang[facts.call] = now()
            worker.take(ledger.commit(Register(facts, "101"), Cards(facts, frozenset({"101"}))))
            await asyncio.sleep(1.5)
        took = clock()
        await asyncio.sleep(2)
        shown = {
            str(sandbox.office.calls[card.call].external_id): card.shown_at for card in sandbox.office.cards
        }
        waits = [shown[call] - at for call, at in rang.items()]
        assert all(one.state is State.DONE for lane in ledger.lanes.values() for one in lane.deliveries)
        worker.stop()
        await running
        await portal.close()
        return sandbox, way, took, waits

    sandbox, way, took, waits = play(run)
    assert len({record.external_id for record in sandbox.office.statistics.values()}) == OWED
    assert [asked.error for asked in sandbox.requests if asked.error is not None] == []
    assert OWED / took > 10_000 / 600, "10 000 calls in under ten minutes"
    assert way.asked.count("batch") / OWED <= 0.1
    assert max(waits) <= 1.0
