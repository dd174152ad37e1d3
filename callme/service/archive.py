"""What is kept of calls beyond their record, as the pages see it: recordings to hear, who heard them, what is
kept back. Implements `callme.web.archive.Archive`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from callme.calls.model import Call
from callme.config import Service
from callme.crm import policy
from callme.crm.intents import Attach
from callme.crm.port import Audio, Later, Refused
from callme.crm.transcript import Line
from callme.service.forgetting import forget
from callme.store.listening import Heard
from callme.store.listening import KeptBack as Said
from callme.store.sqlite import Store
from callme.web.archive import KeptBack, Listener, NoSound, Sound
from callme.wording import Phrase

Prepare = Callable[[Attach], Awaitable[Audio | Later | Refused]]

NOTHING = Phrase("this call was not recorded", "этот звонок не записывался")
GOES_ON = Phrase("the call goes on", "звонок ещё идёт")
KEPT_BACK = Phrase("{who} said that it is never uploaded", "{who}: не отправлять никогда")
AGAIN_S = 5.0
SITTING_S = 600.0
"""Whoever goes on listening to a recording within so long is noted once."""


class Workshop(Protocol):
    """Where recordings of calls are made: `service.audio`."""

    async def stop(self, call: str) -> None:
        """Ends what is being made of that call."""

    async def forget(self, call: str) -> None:
        """The same for good."""


class Scribe(Protocol):
    """Where recordings are written down: `service.speech`."""

    async def said(self, call: str) -> tuple[Line, ...]:
        """What was written down of that call."""

    async def stop(self, call: str) -> None:
        """Ends it, and takes away what was written down."""


class Archive:
    """Recordings of the calls in the store. `prepare` makes the audio of an *attach*."""

    workshop: Workshop | None = None
    scribe: Scribe | None = None
    """What has to be stopped when somebody keeps a call back or has it forgotten."""

    def __init__(self, service: Service, store: Store, prepare: Prepare, clock: Callable[[], float]) -> None:
        self._service = service
        self._store = store
        self._prepare = prepare
        self._clock = clock

    async def sound(self, call: str) -> Sound | NoSound | None:
        """The same audio as a portal gets."""
        known = await self._call(call)
        if known is None:
            return None
        order = policy.attach_of(known)
        if order is None:
            return NoSound(GOES_ON, AGAIN_S) if known.open else NoSound(NOTHING)
        match await self._prepare(order):
            case Later(why, wait_s):
                return NoSound(why, wait_s or AGAIN_S)
            case Refused(why):
                return NoSound(why)
            case Audio() as made:
                return Sound(made.file, made.name, made.media_type)

    async def listened(self, call: str, who: str, address: str) -> None:
        """Kept in the store, once for a sitting, whichever part he asked for."""
        now = self._clock()
        for one in await self._store.heard(call):
            if (one.who, one.address) == (who, address) and one.at > now - SITTING_S:
                return
        await self._store.note_heard(Heard(call, now, who, address))

    async def listeners(self, call: str) -> tuple[Listener, ...]:
        """As the store has them."""
        return tuple(Listener(one.at, one.who, one.address) for one in await self._store.heard(call))

    async def keep_back(self, call: str, who: str) -> bool:
        """From now on; what a portal has already stays there."""
        if await self._call(call) is None:
            return False
        await self._store.keep_back(Said(call, self._clock(), who))
        if self.workshop is not None:
            await self.workshop.stop(call)
        if self.scribe is not None:
            await self.scribe.stop(call)
        return True

    async def kept_back(self, call: str) -> KeptBack | None:
        """As the store has it."""
        said = await self._store.held_back(call)
        return None if said is None else KeptBack(said.at, said.who)

    async def forget(self, number: str) -> int:
        """See `service.forgetting`."""
        return await forget(self._service, self._store, number, self._clock(), self._end)

    async def said(self, call: str) -> tuple[Line, ...]:
        """As it was written down, if it was."""
        return () if self.scribe is None else await self.scribe.said(call)

    async def _end(self, call: str) -> None:
        if self.workshop is not None:
            await self.workshop.forget(call)
        if self.scribe is not None:
            await self.scribe.stop(call)

    async def for_portal(self, order: Attach) -> Audio | Later | Refused:
        """The audio of an *attach*, unless somebody keeps it back."""
        said = await self._store.held_back(order.about.call)
        if said is None:
            found = await self._prepare(order)
            said = await self._store.held_back(order.about.call)  # meanwhile
            if said is None:
                return found
        return Refused(KEPT_BACK.given(who=said.who))

    async def _call(self, call: str) -> Call | None:
        found = await self._store.reading.get_call(call)
        return None if found is None else found.call
