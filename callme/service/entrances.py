"""The addresses of an older connector: each request to the portal that knows its sender.

The web calls it. Several portals may have had the same script; the first one whose adapter lets the sender in
is meant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from callme.crm.commands import Hearing
from callme.crm.doors import Knock, OldDoors, Welcome
from callme.crm.port import Portal
from callme.web.webhooks import Answer

log = structlog.get_logger("callme.hearing")

Heed = Callable[[str, Hearing], Awaitable[Answer]]
"""Portal id and what it told → what became of it (`service.hearing`)."""


class Entrances:
    """Implements `callme.web.olddoors.OldDoors`."""

    def __init__(self, portals: Sequence[Portal], heed: Heed, clock: Callable[[], float]) -> None:
        self._portals = [portal for portal in portals if isinstance(portal, OldDoors)]
        self._heed = heed
        self._clock = clock

    @property
    def names(self) -> frozenset[str]:
        """The last parts of the paths."""
        return frozenset(name for portal in self._portals for name in portal.doors)

    async def knock(self, door: str, fields: Mapping[str, str], source: str) -> tuple[Answer, str]:
        """Sees to one request. Whoever is turned away everywhere is a line in the log, with the cure."""
        cures: dict[str, str] = {}
        for portal in self._portals:
            if door not in portal.doors:
                continue
            reply = await portal.answer(Knock(door, fields, source), self._clock())
            if isinstance(reply, Welcome):
                return await self._welcomed(portal.id, door, reply)
            cures[portal.id] = str(reply.cure)
        for name, cure in cures.items():
            log.warning("turned away at an old address", portal=name, door=door, source=source, cure=cure)
        return Answer.FOREIGN, ""

    async def _welcomed(self, portal: str, door: str, reply: Welcome) -> tuple[Answer, str]:
        if reply.note is not None:
            log.info("heard at an old address", portal=portal, door=door, note=str(reply.note))
        if reply.hearing is None:
            return Answer.TAKEN, reply.text
        return await self._heed(portal, reply.hearing), reply.text
