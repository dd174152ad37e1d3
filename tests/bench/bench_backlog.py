"""How fast a backlog reaches a portal that takes two requests a second, and whether a call that rings
meanwhile still gets its card. Run by hand:

.venv/bin/python -m tests.bench.bench_backlog [calls] [milliseconds of an inner call]

Real store, real worker, real budget, the strict sandbox portal with the cloud's limits: 2 requests a second
above 50, 480 s of operating time per method, of which every call counts here. Prints beside it what the disk
takes for one synced write.

MEASURED
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from datetime import UTC
from pathlib import Path

import httpx2
import structlog

from callme.crm.intents import CallFacts, Cards, Direction, Finish, Register, Result
from callme.delivery.budget import Budget
from callme.delivery.gate import Turnstile
from callme.delivery.worker import Worker
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.seed import CLIENT_PHONE
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.sandboxes.bitrix24.state import Happening
from callme.portals.registry import open_portal
from callme.store import Store, open_store
from tests.bench.bench_outbox import sync_ms
from tests.delivery.fakes import prepare
from tests.store.making import call, step

RATE, BURST = 2.0, 40
EVERY_S = 5.0  # a call rings so often while the backlog goes out
AHEAD = 200  # commits of the backlog at once


class Slow(httpx2.AsyncBaseTransport):
    """The way to a portal that takes its time for each call, one after the other inside a batch."""

    def __init__(self, sandbox: SandboxPortal, inner_s: float) -> None:
        self._inner = httpx2.ASGITransport(app=sandbox.app)
        self._inner_s = inner_s
        self.requests = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        await request.aread()
        calls = len(json.loads(request.content).get("cmd", (1,)))
        await asyncio.sleep(self._inner_s * calls)
        return await self._inner.handle_async_request(request)


def facts(name: str, started_at: float) -> CallFacts:
    return CallFacts(name, Direction.IN, CLIENT_PHONE, "", "", started_at)


class Ringing:
    """Calls that ring meanwhile, and when their cards came."""

    def __init__(self, sandbox: SandboxPortal) -> None:
        self.rang: dict[str, float] = {}
        self.took: list[float] = []
        self._sandbox = sandbox
        sandbox.office.watchers.append(self._seen)

    def _seen(self, happening: Happening) -> None:
        if happening.kind == "card.shown":
            shown = self._sandbox.office.calls[str(happening.about["call"])]
            began = self.rang.pop(shown.external_id or "", None)
            if began is not None:
                self.took.append((time.perf_counter() - began) * 1000)


async def main(calls: int, inner_s: float) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    costs = dict.fromkeys(("telephony.externalCall.register", "telephony.externalCall.finish"), inner_s)
    knobs = Knobs(webhook_telephony="allow", execution_s=costs, operating_min_counted_s=0.0)
    sandbox = SandboxPortal(knobs)
    way, ringing = Slow(sandbox, inner_s), Ringing(sandbox)
    table = {"webhook": sandbox.webhook_url, "default_user": 1}
    portal = open_portal(
        "bitrix24", "main", table, gate=Turnstile(Budget(RATE, BURST)), zone=UTC, transport=way
    )
    with tempfile.TemporaryDirectory(dir=".") as folder:
        print("disk sync ms: p50 {:.2f}  p99 {:.2f}".format(*sync_ms(Path(folder))), flush=True)
        store = open_store(Path(folder) / "callme.db")
        for start in range(0, calls, AHEAD):
            await asyncio.gather(*(_owe(store, f"c{n}") for n in range(start, min(calls, start + AHEAD))))
        worker = Worker(portal, store, prepare, time.time)
        store.on_hand_over(worker.take)
        began = time.perf_counter()
        running = asyncio.ensure_future(worker.run())
        number = 0
        while len(sandbox.office.statistics) < calls:
            number += 1
            about = facts(f"live{number}", time.time())
            ringing.rang[about.call] = time.perf_counter()
            told = (Register(about, "101"), Cards(about, frozenset({"101"})))
            await store.commit(step(*told, at=time.time(), calls=(call(about.call),)))
            await asyncio.sleep(EVERY_S)
        took = time.perf_counter() - began
        worker.stop()
        await running
        await store.close()
    await portal.close()
    refused = sum(asked.error is not None for asked in sandbox.requests)
    print(f"{calls} calls owed, {inner_s * 1000:.0f} ms an inner call: told in {took:.0f} s", end="")
    print(f", {(way.requests - number) / calls:.3f} requests a call, {refused} refused")
    cards = sorted(ringing.took)
    print(f"{len(cards)} of {number} cards, ms: p50 {statistics.median(cards):.0f}  most {cards[-1]:.0f}")


async def _owe(store: Store, name: str) -> None:
    about = facts(name, time.time() - 3600)
    finish = Finish(about, "101", Result.ANSWERED, 7, time.time() - 3500)
    await store.commit(step(Register(about, "101"), finish, at=time.time() - 3500, calls=(call(name),)))


if __name__ == "__main__":
    known = [float(one) for one in sys.argv[1:]]
    asyncio.run(main(int(known[0]) if known else 10_000, (known[1] if len(known) > 1 else 45.0) / 1000))
