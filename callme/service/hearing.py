"""What portals tell us through their doors: each message to its adapter, each click to the PBX it is for.

The web calls it. A click dials on the PBX of the chosen line, else where the employee's extension is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from callme.config import Config
from callme.crm.commands import Click, Fetches, Foreign, Hearing, Hears, Unclear
from callme.crm.port import Portal
from callme.crm.routing import verdict
from callme.errors import StoreError
from callme.service.river import River
from callme.web.webhooks import Answer

log = structlog.get_logger("callme.hearing")


class Ears:
    """The doors of all portals. Implements `callme.web.webhooks.Ears`."""

    def __init__(
        self,
        config: Config,
        portals: Sequence[Portal],
        rivers: Sequence[River],
        clock: Callable[[], float],
        stirred: Callable[[str], None],
    ) -> None:
        """`stirred` is called with the portal whose rights, or whose installation, have changed."""
        self._stirred = stirred
        self._config = config
        self._portals: Mapping[str, object] = {portal.id: portal for portal in portals}
        self._rivers = rivers
        self._clock = clock
        self._shadows = {portal.id for portal in config.portal if portal.shadow}

    async def hear(self, portal: str, body: bytes) -> Answer:
        """Sees to one message. A click is on the disk when this returns `TAKEN`."""
        ears = self._portals.get(portal)
        if not isinstance(ears, Hears):
            return Answer.NOWHERE
        return await self.answer(portal, await ears.hear(body, self._clock()))

    def fetching(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What is cancelled at the end, by name: messages that wait in a portal are fetched."""
        return {
            f"messages of {name}": self._fetch(name, portal)
            for name, portal in self._portals.items()
            if isinstance(portal, Fetches)
        }

    async def _fetch(self, name: str, portal: Fetches) -> None:
        async def keep(heard: Hearing) -> bool:
            return await self.answer(name, heard) is not Answer.TROUBLE

        while True:
            pause_s = await portal.fetch(self._clock, keep)
            await asyncio.sleep(pause_s)

    async def answer(self, portal: str, heard: Hearing) -> Answer:
        """Sees to what was understood, however it came."""
        if isinstance(heard, Foreign):
            log.warning("a stranger knocked at a portal's door", portal=portal)
            return Answer.FOREIGN
        if isinstance(heard, Unclear):
            log.warning("a portal's message is not understood", portal=portal, why=str(heard.why))
            return Answer.UNCLEAR
        if heard.stirred:
            self._stirred(portal)
        if heard.click is None:
            return Answer.TAKEN
        if portal in self._shadows:
            log.info("click left to the other connector: shadow mode", portal=portal)
            return Answer.TAKEN
        river = self._river(portal, heard.click)
        try:
            fresh = await river.clicks.take(portal, heard.click, heard.max_age_s)
        except StoreError as error:
            log.error("a click could not be kept", portal=portal, why=str(error.problem))
            return Answer.TROUBLE
        log.info("click heard" if fresh else "click heard again", portal=portal, pbx=river.id)
        return Answer.TAKEN

    def _river(self, portal: str, click: Click) -> River:
        """The PBX that a route joins with the chosen line; else one that knows the extension; else the
        first."""
        for river in self._rivers if click.line else ():
            found = verdict(self._config, river.id, click.line)
            if found.rule is not None and found.portal == portal and self._config.route[found.rule - 1].line:
                return river
        return next((river for river in self._rivers if river.knows(click.extension)), self._rivers[0])
