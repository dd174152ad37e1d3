"""Puts our tab into the portal's card of a call: the placement CALL_CARD, bound to an address of ours (sheet
§6, contract `placement.bind`).

The adapter calls it with its upkeep, beside the subscriptions. An application alone may, with the right
`placement`, and only where browsers can open our address over https. What was seen once is not asked again
until the next start or installation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from callme.crm.port import Urgency
from callme.portals.bitrix24.rest import Done, Fault, Rest
from callme.wording import Phrase

SCOPE = "placement"
CARD = "CALL_CARD"
GET, BIND, UNBIND = "placement.get", "placement.bind", "placement.unbind"

TITLE = Phrase("Telephone", "Телефония")
DESCRIPTION = Phrase("What the PBX knows of the call", "Что АТС знает о звонке")
NOT_PLACED = Phrase("the tab in call cards is not there: {why}", "вкладки в карточке звонка не будет: {why}")

Params = dict[str, Any]


class Place(StrEnum):
    """How it is with the tab."""

    NEVER = "never"  # a webhook, or shadow mode: it cannot be or is not ours to make
    UNWANTED = "unwanted"  # the configuration does without
    UNREACHED = "unreached"  # browsers have no https address of ours
    OFFERED = "offered"  # it is to be there


class Placing:
    """The tab of one application. `handler` is our address."""

    def __init__(self, place: Place, handler: str = "") -> None:
        self.place = place
        self.handler = handler
        self._settled = False

    def forget(self) -> None:
        """Looks again next time."""
        self._settled = False

    @property
    def settled(self) -> bool:
        """Whether nothing is to be asked about it."""
        return self._settled or self.place is Place.NEVER

    async def refresh(self, rest: Rest, rights: frozenset[str] | Fault) -> Phrase | None:
        """Binds the tab, or takes it away, unless that was done; what is to be told when it fails."""
        if self.settled:
            return None
        found: Done | Fault | None = None
        if isinstance(rights, Fault):
            found = rights
        elif SCOPE in rights:
            found = await rest.call(GET, {}, Urgency.UPKEEP, reads=True)
            for method, params in self.missing(found.result) if isinstance(found, Done) else ():
                found = await rest.call(method, params, Urgency.UPKEEP)
                if isinstance(found, Fault):
                    break
        if isinstance(found, Fault):
            why = getattr(found.outcome, "why", None)
            return NOT_PLACED.given(why=why if isinstance(why, Phrase) else "?")
        self._settled = True
        return None

    def missing(self, bound: object) -> Iterable[tuple[str, Params]]:
        """What is to be asked for, by what `placement.get` told. A former address of ours is given up."""
        rows = [row for row in bound if isinstance(row, Mapping)] if isinstance(bound, list) else []
        placed = [str(row.get("handler") or "") for row in rows if str(row.get("placement")).upper() == CARD]
        wanted = self.handler if self.place is Place.OFFERED else ""
        for handler in dict.fromkeys(placed):
            if handler != wanted:
                yield UNBIND, {"PLACEMENT": CARD, "HANDLER": handler}
        if wanted and wanted not in placed:
            titles = {
                language: {"TITLE": TITLE.say(language), "DESCRIPTION": DESCRIPTION.say(language)}
                for language in ("en", "ru")
            }
            yield BIND, {"PLACEMENT": CARD, "HANDLER": wanted, "TITLE": TITLE.say("en"), "LANG_ALL": titles}


def placing_of(handler: str, *, able: bool, wanted: bool) -> Placing:
    """The tab of a portal; `able`: it is an application that may write to its portal."""
    if not able:
        return Placing(Place.NEVER)
    if not wanted:
        return Placing(Place.UNWANTED, handler)
    return Placing(Place.OFFERED if handler.startswith("https://") else Place.UNREACHED, handler)
