"""The AMI link of one PBX, kept alive for ever: connects, hands on what comes, connects again after a loss.

Made by `ami.source`, one per PBX. One connection is an `ami.link`; here is only what outlives it: the waits
between attempts, how the link is, who may ask. It gives no meaning to an event and never repeats an action
(facts: freepbx §4.5, §8).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from callme.errors import PbxError
from callme.pbx.ami.asking import AskRefusedError, AskUnansweredError, cure, refusal
from callme.pbx.ami.link import Link
from callme.pbx.ami.read import Read, ReadKind
from callme.pbx.ami.session import AmiSettings, Reply
from callme.wording import Phrase, plain

__all__ = [
    "AmiClient",
    "AmiSettings",
    "AskRefusedError",
    "AskUnansweredError",
    "LinkState",
    "Read",
    "ReadKind",
    "Reply",
    "backoff",
]

FIRST_WAIT, GROWTH, LONGEST_WAIT = 1.0, 1.7, 60.0
AUTH_WAIT, AUTH_GROWTH, LONGEST_AUTH_WAIT = 60.0, 2.0, 900.0
"""fail2ban counts refused logins (freepbx §8): after one the waits are minutes."""

NOT_YET = Phrase("not connected to the PBX yet", "соединения с АТС ещё не было")
DOWN_NOW = Phrase("the PBX cannot be asked for {action}: {why}", "АТС нельзя попросить о {action}: {why}")


@dataclass(frozen=True, slots=True)
class LinkState:
    """How the link is: up or not, since when (wall time), what is wrong, the version of the manager
    interface. A link that is up may have a problem too: rights that it lacks."""

    up: bool
    since: float
    problem: Phrase | None
    version: str


def backoff(
    jitter: Callable[[], float],
    first: float = FIRST_WAIT,
    growth: float = GROWTH,
    longest: float = LONGEST_WAIT,
) -> Iterator[float]:
    """Waits between attempts to connect, in seconds: the first is random, so that many clients do not come at
    once after a restart of the PBX; the later ones grow up to a ceiling."""
    yield first * jitter()
    wait = first
    while True:
        wait = min(wait * growth, longest)
        yield wait


class AmiClient:
    """The link to one PBX. `reads` runs it; `ask` may be called by anyone meanwhile."""

    def __init__(
        self,
        settings: AmiSettings,
        *,
        keep: Callable[[bytes], bool],
        clock: Callable[[], float],
        jitter: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`keep` sees each raw event packet and says whether it is wanted; `clock` is the wall time; `jitter`
        gives 0..1; `sleep` waits between attempts."""
        self._settings = settings
        self._keep = keep
        self._clock = clock
        self._jitter = jitter
        self._sleep = sleep
        self._link: Link | None = None
        self._state = LinkState(up=False, since=clock(), problem=NOT_YET, version="")
        self._closing = asyncio.Event()

    @property
    def state(self) -> LinkState:
        """How the link is now."""
        if self._state.up and self._link is not None:
            return replace(self._state, up=self._link.up, problem=self._link.problem)
        return self._state

    async def reads(self) -> AsyncIterator[Read]:
        """What the PBX sends, for ever: through losses, refusals and restarts, until `close`. One consumer
        only."""
        waits, auth_waits = self._patience()
        try:
            while not self._closing.is_set():
                before = self._state.problem
                link = Link(self._settings, self._keep, self._clock)
                self._link = link
                await link.connect()
                async for read in link.reads():
                    if read.kind is ReadKind.UP:
                        waits, auth_waits = self._patience()
                        self._state = LinkState(True, read.at, None, read.version)
                    elif read.kind is ReadKind.DOWN:
                        was_up = self._state.up
                        since = read.at if was_up else self._state.since
                        self._state = LinkState(False, since, read.problem, self._state.version)
                        if not was_up and read.problem == before:
                            continue
                    yield read
                if not self._closing.is_set():
                    await self._pause(next(auth_waits if link.refused else waits))
        finally:
            if self._link is not None:
                self._link.close()

    async def ask(
        self,
        action: str,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        timeout: float = 10.0,
    ) -> Reply:
        """Send one action and wait for its answer, a whole list included.

        Raises `PbxError` while the link is down (nothing was sent), `AskRefusedError` when the PBX says no,
        `AskUnansweredError` when no answer came in time or the link broke, `ValueError` for what cannot be
        sent.
        """
        link = self._link
        if link is None or not link.up:
            raise PbxError(DOWN_NOW.given(action=plain(action), why=self._state.problem or NOT_YET))
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        reply = await link.ask(action, pairs, timeout)
        if not reply.ok:
            raise AskRefusedError(refusal(action, reply), cure(reply), reply)
        return reply

    async def snapshot_now(self) -> None:
        """Ask which calls are open; the answer comes in `reads`. Without a link nothing happens: the next
        login asks anyway."""
        if self._link is not None and self._link.up:
            self._link.ask_snapshot()

    async def close(self) -> None:
        """End the link for good; `reads` stops."""
        self._closing.set()
        if self._link is not None:
            self._link.close()

    def _patience(self) -> tuple[Iterator[float], Iterator[float]]:
        def spread() -> float:
            return 1.0 + 0.1 * self._jitter()  # never less than the first wait

        return backoff(self._jitter), backoff(spread, AUTH_WAIT, AUTH_GROWTH, LONGEST_AUTH_WAIT)

    async def _pause(self, wait: float) -> None:
        """Wait, unless the client is closed meanwhile."""
        waiting = asyncio.ensure_future(self._sleep(wait))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (waiting, closing):
                task.cancel()
            await asyncio.gather(waiting, closing, return_exceptions=True)
