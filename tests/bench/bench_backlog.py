"""How fast a backlog reaches a portal that takes two requests a second, and whether a call that rings
meanwhile still gets its card. Run by hand:

.venv/bin/python -m tests.bench.bench_backlog [calls] [milliseconds of an inner call]

Real store, real worker, real budget, the strict sandbox portal with the cloud's limits: 2 requests a second
above 50, 480 s of operating time per method, of which every call counts here. Prints beside it what the disk
takes for one synced write.

Measured in November 2026 on 2 cores that eight other test runs kept busy (load 12, 15 % of a core left for
this one), disk sync p50 6 ms, p99 24 ms: 10 000 calls, 45 ms an inner call, in 611 s with 89 s of CPU, 0.041
requests a call, none refused; cards meanwhile p50 0.45 s, the slowest 7.7 s. What the limits alone ask for,
with the processor's time left out, `tests/portals/bitrix24/test_backlog.py` holds in virtual time.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import httpx2
import structlog

from callme.crm.intents import CallFacts, Cards, Direction, Finish, Register, Result
from callme.delivery.budget import Budget
from callme.delivery.carrier import NoTally
from callme.delivery.gate import Turnstile
from callme.delivery.worker import Worker
from callme.lab.sandboxes.bitrix24.seed import CLIENT_PHONE
from callme.portals.registry import open_portal
from callme.store import Store, open_store
from tests.bench.bench_outbox import sync_ms
from tests.delivery.fakes import prepare
from tests.store.making import call, step

RATE, BURST = 2.0, 40
EVERY_S = 5.0  # a call rings so often while the backlog goes out
AHEAD = 200  # commits of the backlog at once
PORT = 8029


class Slow(httpx2.AsyncBaseTransport):
    """The way to a portal that takes its time for each call, one after the other inside a batch. Notes when
    a register that shows a card was answered."""

    def __init__(self, inner_s: float) -> None:
        self._inner = httpx2.AsyncHTTPTransport()
        self._inner_s = inner_s
        self.requests = 0
        self.refused = 0
        self.shown: dict[str, float] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        await request.aread()
        asked = json.loads(request.content)
        await asyncio.sleep(self._inner_s * len(asked.get("cmd", (1,))))
        answer = await self._inner.handle_async_request(request)
        self.refused += answer.status_code != 200
        if asked.get("SHOW"):
            self.shown[asked["EXTERNAL_CALL_ID"]] = time.perf_counter()
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class Finished(NoTally):
    """Counts the finishes that were delivered."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.all = asyncio.Event()

    def attempted(self, portal: str, kind: str, outcome: str, seconds: float) -> None:
        self.left -= (kind, outcome) == ("finish", "delivered")
        if self.left <= 0:
            self.all.set()


@contextmanager
def sandbox(inner_s: float) -> Iterator[str]:
    """A portal as a process of its own, with the cloud's limits; its webhook."""
    command = [sys.executable, "-m", "callme.lab.sandboxes.bitrix24", "--port", str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        page, webhook = (process.stdout.readline().split()[1] for _ in range(2))
        costs = dict.fromkeys(("telephony.externalCall.register", "telephony.externalCall.finish"), inner_s)
        httpx2.patch(f"{page}sandbox/knobs", json={"execution_s": costs, "operating_min_counted_s": 0.0})
        try:
            yield webhook
        finally:
            process.terminate()


def facts(name: str, started_at: float) -> CallFacts:
    return CallFacts(name, Direction.IN, CLIENT_PHONE, "", "", started_at)


async def owe(store: Store, name: str) -> None:
    """A call that was over long ago, of which nothing was told."""
    about = facts(name, time.time() - 3600)
    finish = Finish(about, "101", Result.ANSWERED, 7, time.time() - 3500)
    await store.commit(step(Register(about, "101"), finish, at=time.time() - 3500, calls=(call(name),)))


async def ring(store: Store, rang: dict[str, float], done: asyncio.Event) -> None:
    """Calls that ring while the backlog goes out."""
    while not done.is_set():
        about = facts(f"live{len(rang)}", time.time())
        rang[about.call] = time.perf_counter()
        told = (Register(about, "101"), Cards(about, frozenset({"101"})))
        await store.commit(step(*told, at=time.time(), calls=(call(about.call),)))
        await asyncio.sleep(EVERY_S)


async def main(calls: int, inner_s: float) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with sandbox(inner_s) as webhook, tempfile.TemporaryDirectory() as folder:
        print("disk sync ms: p50 {:.2f}  p99 {:.2f}".format(*sync_ms(Path(folder))), flush=True)
        way, finished, rang = Slow(inner_s), Finished(calls), dict[str, float]()
        gate = Turnstile(Budget(RATE, BURST))
        table = {"webhook": webhook, "default_user": 1}
        portal = open_portal("bitrix24", "main", table, gate=gate, zone=UTC, transport=way)
        store = open_store(Path(folder) / "callme.db")
        for start in range(0, calls, AHEAD):
            await asyncio.gather(*(owe(store, f"c{n}") for n in range(start, min(calls, start + AHEAD))))
        worker = Worker(portal, store, prepare, time.time, tally=finished)
        store.on_hand_over(worker.take)
        began, cpu = time.perf_counter(), time.process_time()
        running = asyncio.ensure_future(worker.run())
        ringing = asyncio.ensure_future(ring(store, rang, finished.all))
        await finished.all.wait()
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        await ringing
        worker.stop()
        await running
        await store.close()
        await portal.close()
    cost = (way.requests - len(way.shown)) / calls
    print(f"{calls} calls owed, {inner_s * 1000:.0f} ms an inner call: told in {took:.0f} s", end="")
    print(f" ({cpu:.0f} s CPU), {cost:.3f} requests a call, {way.refused} refused")
    cards = sorted((way.shown[name] - at) * 1000 for name, at in rang.items() if name in way.shown)
    print(f"{len(cards)} of {len(rang)} cards meanwhile, ms: p50 {statistics.median(cards):.0f}", end="")
    print(f"  most {cards[-1]:.0f}")


if __name__ == "__main__":
    known = [float(one) for one in sys.argv[1:]]
    asyncio.run(main(int(known[0]) if known else 10_000, (known[1] if len(known) > 1 else 45.0) / 1000))
