"""Acts a scenario out on a running lab PBX and gives back what the telephones saw.

`Lab` keeps one `Stage` per PBX; plays that need the same telephones wait for each other, the others run side
by side.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from callme.lab.asterisk import LabError
from callme.lab.pbx import Pbx
from callme.lab.phones import Phones, Seen, far_end
from callme.lab.script import (
    Answer,
    Attended,
    Blind,
    Click,
    Deed,
    Dial,
    Hang,
    Hold,
    Ignore,
    Keys,
    KillPbx,
    Refuse,
    Ring,
    Scenario,
    Step,
    Unhold,
)  # fmt: skip
from callme.lab.sipp import Outgoing
from callme.lab.truth import problems
from callme.wording import Phrase

LIMIT_S = 90.0
"""A play that takes longer has gone wrong."""

QUIET_S = 25.0
"""How long the PBX may take to end its channels after the last telephone hung up (busy tones,
announcements)."""

SETTLE_S = 10.0
"""How long Asterisk may take to close a recording."""

ENDINGS = frozenset({"cancel", "sendcancel", "refuse", "failed", "gotbye", "sendbye"})
OPENINGS = frozenset({"call", "invite"})


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """A recording that a play left."""

    path_on_pbx: str
    path: Path

    @property
    def closed(self) -> bool:
        """True when Asterisk has written the length into the header, which it does last."""
        with self.path.open("rb") as file:
            header = file.read(44)
        return len(header) == 44 and int.from_bytes(header[40:], "little") == self.path.stat().st_size - 44

    @property
    def seconds(self) -> float:
        """Its length, from the size: 8 kHz, 16 bit, mono, 44 bytes of header."""
        return max(0, self.path.stat().st_size - 44) / 16000


@dataclass(frozen=True, slots=True)
class Played:
    """A play that is over."""

    scenario: Scenario
    started: float
    ended: float
    seen: tuple[Seen, ...]
    recordings: tuple[RecordingFile, ...]
    problems: tuple[str, ...]
    """Where the telephones saw something else than the script meant; empty when all went as written."""

    def at(self, leg: str, what: str) -> float:
        """Epoch seconds at which that leg first saw or did that. Raises StopIteration when it never did."""
        return next(seen.at for seen in self.seen if (seen.leg, seen.what) == (leg, what))

    def as_json(self) -> dict[str, object]:
        """As the traces' truth files write it."""
        return {
            "scenario": self.scenario.name,
            "started": round(self.started, 3),
            "ended": round(self.ended, 3),
            "calls": [call.as_json() for call in self.scenario.truth.calls],
            "crm_calls": self.scenario.truth.crm_calls,
            "recordings_on_disk": [
                {
                    "path": file.path_on_pbx,
                    "bytes": file.path.stat().st_size,
                    "seconds": round(file.seconds, 1),
                }
                for file in self.recordings
            ],
            "sip_agrees": not self.problems,
            "sip_problems": list(self.problems),
            "sip_log": [[round(seen.at - self.started, 3), seen.leg, seen.what] for seen in self.seen],
        }


class Stage:
    """Where plays happen: one PBX and its telephones."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.phones = Phones(pbx.seat, pbx.folder / "phones", self._on_seen)
        self._plays: list[_Play] = []
        self._locks: dict[str, asyncio.Lock] = {}
        self.on_seen: Callable[[Seen], None] | None = None
        """Called with each line of the telephones' log, as it happens."""

    async def play(self, scenario: Scenario) -> Played:
        """Act the scenario out to its end. Raises LabError when it does not come to one."""
        async with self._claimed(sorted(scenario.uses())):
            play = _Play(self, scenario)
            self._plays.append(play)
            try:
                return await play.run()
            finally:
                self._plays.remove(play)

    @contextlib.asynccontextmanager
    async def _claimed(self, names: list[str]) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for name in names:
                await stack.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            yield

    def _on_seen(self, seen: Seen) -> None:
        if self.on_seen:
            self.on_seen(seen)
        for play in self._plays:
            if play.take(seen):
                return


class _Play:
    """One scenario being acted out."""

    def __init__(self, stage: Stage, scenario: Scenario) -> None:
        self._stage, self._scenario = stage, scenario
        self._seen: list[Seen] = []
        self._calls: dict[str, Seen] = {}  # SIP Call-ID → the line that opened it
        self._legs: dict[str, Seen] = {}  # leg → its newest call
        self._open: set[str] = set()
        self._steps = list(scenario.steps)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ahead: set[asyncio.Task[None]] = set()
        self._reviving = asyncio.Lock()  # held while the PBX is killed and comes back
        self._changed = asyncio.Event()
        self._failed: BaseException | None = None

    async def run(self) -> Played:
        console = self._stage.pbx.console
        before = set(self._stage.pbx.recordings.rglob("*.wav"))
        started = time.time()
        for row, value in self._scenario.astdb.items():
            await console.put(row, value)
        try:
            async with asyncio.timeout(LIMIT_S):
                self._release(None)
                await self._over()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(QUIET_S):
                    await self._stage.pbx.console.quiet(self._scenario.numbers())
        except TimeoutError as error:
            raise self._stuck() from error
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._clear()
            for row in self._scenario.astdb:
                await self._stage.pbx.console.put(row, None)
        recordings = self._recordings(before)
        with contextlib.suppress(TimeoutError):  # a PBX that was killed leaves a header without a length
            async with asyncio.timeout(SETTLE_S):
                while not all(file.closed for file in recordings):  # noqa: ASYNC110  Asterisk's files
                    await asyncio.sleep(0.02)
        return Played(
            self._scenario, started, time.time(), tuple(self._seen), tuple(recordings),
            problems(self._scenario.truth, [(seen.leg, seen.what) for seen in self._seen]),
        )  # fmt: skip

    def take(self, seen: Seen) -> bool:
        """Take a log line if it is ours: of a call we know, of a leg that we dialled, or of a telephone we
        claim."""
        if seen.call not in self._calls and not self._claims(seen):
            return False
        self._seen.append(seen)
        if seen.what in OPENINGS:
            self._calls[seen.call] = self._legs[seen.leg] = seen
            self._open.add(seen.call)
        if seen.what == "answered":
            self._legs[seen.leg] = seen
        if seen.what == "invite":
            self._ring(seen)
        if seen.what == "notified" and seen.detail >= "2":
            self._stage.phones.tell(seen, "bye")  # a polite telephone leaves when its transfer is done
        if seen.what in ENDINGS:
            self._open.discard(seen.call)
        self._release((seen.leg, seen.what))
        self._changed.set()
        return True

    def _claims(self, seen: Seen) -> bool:
        if seen.what == "call":
            return any(
                isinstance(s.deed, Dial) and s.deed.leg == seen.leg for s in self._scenario.steps
            ) and (seen.detail.split()[1] in self._scenario.numbers())
        if seen.what != "invite":
            return False
        if far_end(seen.leg):
            return seen.detail.split()[0].lstrip("+") in self._scenario.outside
        return seen.leg in self._scenario.phones

    def _ring(self, seen: Seen) -> None:
        ring: Ring | tuple[Ring, ...]
        if seen.leg == "prov" and self._scenario.trunk_down:
            ring = Refuse("503", 0)
        elif far_end(seen.leg):
            ring = self._scenario.outside[seen.detail.split()[0].lstrip("+")]
        else:
            ring = self._scenario.phones[seen.leg]
        if isinstance(ring, tuple):
            times = sum((one.leg, one.what) == (seen.leg, "invite") for one in self._seen)
            ring = ring[min(times, len(ring)) - 1]
        if isinstance(ring, Ignore):
            return
        word = "answer" if isinstance(ring, Answer) else ring.code
        self._later(ring.after_s, lambda: self._tell_if_open(seen, word), keeps=False)

    async def _tell_if_open(self, seen: Seen, word: str) -> None:
        if seen.call in self._open:
            self._stage.phones.tell(seen, word)

    def _release(self, trigger: tuple[str, str] | None) -> None:
        """Start the steps that waited for this."""
        for step in [step for step in self._steps if step.after == trigger]:
            self._steps.remove(step)
            self._later(step.delay_s, partial(self._do, step), keeps=not isinstance(step.deed, Hang))

    def _later(self, delay_s: float, deed: Callable[[], Awaitable[None]], *, keeps: bool) -> None:
        """Do that after so long. `keeps`: the play is not over before; what is over need not be hung up."""

        async def wait_and_do() -> None:
            await asyncio.sleep(delay_s)
            await deed()

        task = asyncio.create_task(wait_and_do())
        self._tasks.add(task)
        if keeps:
            self._ahead.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ahead.discard(task)
        if not task.cancelled() and task.exception():
            self._failed = task.exception()
        self._changed.set()

    async def _over(self) -> None:
        """Until all steps are done and all telephones are back on the hook."""
        while True:
            if self._failed:
                raise self._failed
            if not self._open and not self._ahead and self._calls:
                return
            self._changed.clear()
            await self._changed.wait()

    async def _do(self, step: Step) -> None:
        deed: Deed = step.deed
        phones = self._stage.phones
        match deed:
            case Dial():
                await self._pbx_is_up()
                call = Outgoing(deed.leg, deed.number, deed.caller, deed.name, deed.anonymous)
                await phones.dial(deed.phone, call)
                await self._saw(deed.leg)
            case Hang():
                if (leg := self._legs[deed.leg]).call in self._open:
                    phones.tell(leg, "bye")
            case Hold():
                phones.tell(self._legs[deed.leg], "hold")
            case Unhold():
                phones.tell(self._legs[deed.leg], "unhold")
            case Keys():
                for key in deed.keys:
                    phones.tell(self._legs[deed.leg], "key", key)
                    await asyncio.sleep(0.3)
            case Blind():
                phones.tell(self._legs[deed.leg], "refer", f"<sip:{deed.to}@{self._stage.pbx.host}>")
            case Attended():
                phones.tell(self._legs[deed.leg], "refer", self._replaces(deed.consult))
            case Click():
                await self._stage.pbx.console.act(
                    "Originate",
                    Channel=f"Local/{deed.extension}@from-internal/n",
                    Exten=deed.number,
                    Context="from-internal",
                    Priority="1",
                    CallerID=deed.number,
                    Async="true",
                    Timeout="30000",
                )
                await self._saw(deed.extension)
            case KillPbx():
                async with self._reviving:
                    await self._stage.pbx.kill()
                    await self._stage.pbx.start()

    async def _pbx_is_up(self) -> None:
        """Nobody calls a PBX that was killed before it is back, however slow the machine is."""
        async with self._reviving:
            return

    async def _saw(self, leg: str) -> None:
        """A call that was begun must be seen, or the play would be over too early."""
        async with asyncio.timeout(10):
            while leg not in self._legs:
                self._changed.clear()
                await self._changed.wait()

    def _replaces(self, leg: str) -> str:
        """Refer-To that names the consultation call: the tags as the PBX sees them (RFC 3891 §3)."""
        answered = self._legs[leg]
        ours, _, header = answered.detail.partition(" ")
        uri = header[header.index("<") + 1 : header.index(">")].removesuffix(":5060")
        theirs = header.rpartition(";tag=")[2]
        call = answered.call.replace("@", "%40")
        return f"<{uri}?Replaces={call}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}>"

    def _recordings(self, before: set[Path]) -> list[RecordingFile]:
        pbx, numbers = self._stage.pbx, self._scenario.numbers()
        new = sorted(set(pbx.recordings.rglob("*.wav")) - before)
        return [
            RecordingFile(f"{pbx.recordings_on_pbx}/{path.relative_to(pbx.recordings)}", path)
            for path in new
            if numbers & set(path.name.split("-"))
        ]

    def _clear(self) -> None:
        """After a play that went wrong: put every telephone back on the hook, for the next one."""
        answered = {seen.call for seen in self._seen if seen.what == "answer"}
        for call in self._open:
            opened = self._calls[call]
            ringing = opened.what == "invite" and call not in answered
            self._stage.phones.tell(opened, "480" if ringing else "bye")

    def _stuck(self) -> LabError:
        told = "; ".join(f"{seen.leg} {seen.what} {seen.detail}" for seen in self._seen[-30:]) or "-"
        return LabError(
            Phrase(
                "Scenario {name} did not come to an end. Seen: {seen}. SIPp: {errors}. Asterisk: {log}",
                "Сценарий {name} не дошёл до конца. Видели: {seen}. SIPp: {errors}. Asterisk: {log}",
            ).given(
                name=self._scenario.name, seen=told, errors=self._stage.phones.errors() or "-",
                log=self._stage.pbx.log_tail(6),
            )
        )  # fmt: skip
