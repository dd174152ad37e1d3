"""A service that `test_kill` kills: it commits calls without end, and delivers them to a portal that is a
file.

The file outlives the process as a portal would. It remembers by call id: an order that comes in doubt looks
before it writes, one without doubt is simply done, so that a delivery that was repeated without doubt is
seen as a second line.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import structlog

from callme.crm.intents import Attach, Finish, Register
from callme.crm.port import Attempt, Audio, Capabilities, Delivered, Outcome
from callme.delivery.carrier import NoTally
from callme.delivery.worker import Worker
from callme.store import Store, open_store
from tests.delivery.fakes import FakePortal, attach, cards, finish, prepare, register
from tests.store.making import PBX, call, step


class FilePortal(FakePortal):
    """Appends a line per thing done; a line is written at once or not at all."""

    def __init__(self, path: Path) -> None:
        super().__init__(time.time)
        self.capabilities = Capabilities(cards=True, live_register=True, recordings=True)
        self.path = path
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def do(self, line: str, attempt: Attempt, answer: Delivered) -> Outcome:
        await asyncio.sleep(0.001)  # the request travels
        if not attempt.doubt or line not in self.path.read_text().splitlines():
            os.write(self.file, f"{line}\n".encode())
        await asyncio.sleep(0.001)  # the answer travels
        return answer

    async def register(self, order: Register, show: frozenset[str], attempt: Attempt) -> Outcome:
        return await self.do(f"register {order.about.call}", attempt, Delivered({"id": order.about.call}))

    async def cards(self, call: str, show: frozenset[str], hide: frozenset[str], attempt: Attempt) -> Outcome:
        assert attempt.memory == {"id": call}
        await asyncio.sleep(0.001)
        return Delivered()

    async def finish(self, order: Finish, attempt: Attempt) -> Outcome:
        assert attempt.memory == {"id": order.about.call}
        return await self.do(f"finish {order.about.call}", attempt, Delivered())

    async def attach(self, order: Attach, audio: Audio, attempt: Attempt) -> Outcome:
        return await self.do(f"attach {order.about.call}", attempt, Delivered())


async def live(store: Store, first: int) -> None:
    """Calls come in; each one that is surely kept is said aloud."""
    for number in range(first, first + 100_000):
        name = f"c{number}"
        now = time.time()
        await store.commit(
            step(
                register(name), cards("101", call=name), at=now, calls=(call(name),), states={name: {"n": 1}}
            )
        )
        print(name, flush=True)
        await asyncio.sleep(0.001)
        ended = call(name, ended_at=now)
        await store.commit(step(finish(name), attach(name), at=now, calls=(ended,), states={name: None}))
        await asyncio.sleep(0.001)


class Rest(NoTally):
    """Says when the worker has nothing to do."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    def waiting(self, portal: str, lanes: int) -> None:
        if not lanes:
            self.reached.set()


async def drain(store: Store, rest: Rest) -> None:
    """Ends calls whose end was not seen, as a snapshot at login would, and waits until everything has been
    told."""
    resume = await store.load(PBX)
    for name in resume.states:
        await store.commit(step(finish(name), attach(name), at=time.time(), states={name: None}))
    while True:
        rest.reached.clear()
        if not any(one.waiting for one in await store.reading.backlog()):
            return
        await rest.reached.wait()


async def main(folder: Path, first: int, last_round: bool) -> None:
    store = open_store(folder / "callme.db")
    rest = Rest()
    worker = Worker(FilePortal(folder / "portal.txt"), store, prepare, time.time, tally=rest)
    store.on_hand_over(worker.take, lambda _: worker.at_once())
    running = asyncio.ensure_future(worker.run())
    await (drain(store, rest) if last_round else live(store, first))
    worker.stop()
    await running
    await store.close()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # what is said is the test's
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "drain"))
