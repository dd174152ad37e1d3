"""What is kept right between calls: the users, the lines, and what the portal shall tell and show.

The adapter's `refresh` is this; the service asks for it every few minutes and after an installation. Reads
always; what it writes to the portal is left out in shadow mode.
"""

from __future__ import annotations

import structlog

from callme.crm.port import Outcome, Urgency
from callme.portals.bitrix24.bindings import Bindings
from callme.portals.bitrix24.directory import Directory
from callme.portals.bitrix24.lines import Lines
from callme.portals.bitrix24.placing import Placing
from callme.portals.bitrix24.rest import Fault, Rest
from callme.wording import Phrase

_log = structlog.get_logger(__name__)


class Upkeep:
    """Of one portal. `quiet`: nothing may be written to it."""

    def __init__(
        self,
        portal: str,
        rest: Rest,
        directory: Directory,
        lines: Lines,
        bindings: Bindings,
        placing: Placing,
        *,
        quiet: bool,
    ) -> None:
        self._portal = portal
        self._rest = rest
        self._directory = directory
        self._lines = lines
        self._bindings = bindings
        self._placing = placing
        self._quiet = quiet

    def forget(self) -> None:
        """The application was installed anew: what was asked of the portal for it is looked at again."""
        self._bindings.forget()
        self._placing.forget()

    async def refresh(self) -> Outcome | None:
        """Everything once; a failure to read the users is the answer, and the last good copy stays."""
        fault = await self.read_users()
        if fault is not None or self._quiet:
            return fault
        for phrase in await self._lines.refresh(self._rest):
            self._warn("portal lines", phrase)
        if self._bindings.settled and self._placing.settled:
            return None
        rights = await rights_of(self._rest)
        self._warn("portal events", await self._bindings.refresh(self._rest, rights))
        self._warn("portal tab", await self._placing.refresh(self._rest, rights))
        return None

    async def read_users(self) -> Outcome | None:
        """The users anew; why it failed."""
        told = await self._directory.refresh()
        if isinstance(told, Fault):
            why = getattr(told.outcome, "why", None)
            said = why.say("en") if isinstance(why, Phrase) else ""
            _log.warning("portal directory not refreshed", portal=self._portal, why=said)
            return told.outcome
        for phrase in told:
            _log.info("portal directory", portal=self._portal, note=phrase.say("en"))
        return None

    def _warn(self, topic: str, phrase: Phrase | None) -> None:
        if phrase is not None:
            _log.warning(topic, portal=self._portal, note=phrase.say("en"))


async def rights_of(rest: Rest) -> frozenset[str] | Fault:
    """What the portal lets us do, in its own words."""
    told = await rest.call("scope", {}, Urgency.UPKEEP, reads=True)
    if isinstance(told, Fault):
        return told
    return frozenset(map(str, told.result)) if isinstance(told.result, list) else frozenset()
