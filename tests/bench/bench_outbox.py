"""How fast calls go through the store and the worker to a portal that answers at once. Run by hand:

.venv/bin/python -m tests.bench.bench_outbox [calls] [calls per second for the latency part]

Prints calls per second for three ordered steps a call (register, finish, attach), then the time from commit
to the first request at a steady rate, beside what the disk itself takes for one synced write.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import structlog

from callme.crm.intents import Attach, Finish, Register
from callme.crm.port import Attempt, Audio, Capabilities, Delivered, Outcome
from callme.delivery.carrier import NoTally
from callme.delivery.track import Limits
from callme.delivery.worker import Worker
from callme.store import Store, open_store
from tests.delivery.fakes import FakePortal, attach, finish, prepare, register
from tests.store.making import call, step


class Quick(FakePortal):
    """Answers at once, and knows when each call's first request came."""

    def __init__(self) -> None:
        super().__init__(time.time)
        self.capabilities = Capabilities(cards=True, live_register=True, recordings=True)
        self.first: dict[str, float] = {}
        self.done = 0
        self.all_done = asyncio.Event()
        self.expected = 0

    async def register(self, order: Register, show: frozenset[str], attempt: Attempt) -> Outcome:
        self.first[order.about.call] = time.perf_counter()
        return Delivered({"id": order.about.call})

    async def finish(self, order: Finish, attempt: Attempt) -> Outcome:
        return Delivered()

    async def attach(self, order: Attach, audio: Audio, attempt: Attempt) -> Outcome:
        self.done += 1
        if self.done >= self.expected:
            self.all_done.set()
        return Delivered()


def sync_ms(folder: Path) -> tuple[float, float]:
    """Median and 99th percentile of a small synced write."""
    handle = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT)
    took = []
    for _ in range(200):
        before = time.perf_counter()
        os.write(handle, b"x" * 4096)
        os.fdatasync(handle)
        took.append((time.perf_counter() - before) * 1000)
    os.close(handle)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


async def throughput(store: Store, portal: Quick, calls: int) -> float:
    """Calls per second when all arrive as fast as the store takes them."""
    portal.expected = portal.done + calls
    portal.all_done.clear()
    before = time.perf_counter()
    doors = asyncio.Semaphore(64)

    async def one(number: int) -> None:
        name = f"t{number}"
        async with doors:
            await store.commit(
                step(register(name), finish(name), attach(name), at=time.time(), calls=(call(name),))
            )

    await asyncio.gather(*map(one, range(calls)))
    await portal.all_done.wait()
    return calls / (time.perf_counter() - before)


async def latency(store: Store, portal: Quick, calls: int, rate: float) -> list[float]:
    """Milliseconds from the commit's start to the first request, calls coming at a steady rate."""
    began: dict[str, float] = {}
    portal.expected = portal.done + calls
    portal.all_done.clear()
    start = time.perf_counter()
    for number in range(calls):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        name = f"l{number}"
        began[name] = time.perf_counter()
        await store.commit(step(register(name), at=time.time(), calls=(call(name),), states={name: {"n": 1}}))
        await store.commit(step(finish(name), attach(name), at=time.time(), states={name: None}))
    await portal.all_done.wait()
    return [(portal.first[name] - at) * 1000 for name, at in began.items()]


async def main(calls: int, rate: float) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory(dir=".") as folder:
        print("disk sync ms: p50 {:.2f}  p99 {:.2f}".format(*sync_ms(Path(folder))))
        store, portal = open_store(Path(folder) / "callme.db"), Quick()
        worker = Worker(portal, store, prepare, time.time, tally=NoTally(), limits=Limits(slots=(32, 32, 16)))
        store.on_hand_over(worker.take)
        running = asyncio.ensure_future(worker.run())
        took = sorted(await latency(store, portal, 400, rate))
        print(f"first request ms at {rate:g} calls/s: p50 {took[200]:.2f}  p99 {took[395]:.2f}")
        cpu, groups = time.process_time(), store.groups
        print(f"{await throughput(store, portal, calls):.0f} calls/s of three ordered steps", end="")
        cpu, groups = time.process_time() - cpu, store.groups - groups
        print(f", {cpu / calls * 1000:.2f} ms CPU a call, {groups} transactions")
        worker.stop()
        await running
        await store.close()


if __name__ == "__main__":
    known = [float(one) for one in sys.argv[1:]]
    asyncio.run(main(int(known[0]) if known else 5000, known[1] if len(known) > 1 else 20.0))
