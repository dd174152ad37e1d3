"""Subscribes the application to what it must hear: a portal tells of events only where it was asked to (sheet
§2.1, §2.6, contract `event.bind`).

The adapter calls it with its upkeep. With an address of ours events come to it; without one they wait in the
portal until `fetching` takes them, which only an administrator's application may. Once the subscriptions were
seen nothing more is asked, until the next start or installation: an update of the application drops them
(§8.3.24). A webhook cannot subscribe; there a person makes an outgoing webhook.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from callme.crm.port import Urgency
from callme.portals.bitrix24.rest import Done, Fault, Rest
from callme.portals.bitrix24.webhook import CALLBACK, CLICK, UNINSTALLED, UPDATED
from callme.wording import Phrase

GET, BIND, UNBIND = "event.get", "event.bind", "event.unbind"

WISHES = (CLICK, CALLBACK)
LIFE = (UNINSTALLED, UPDATED)
"""What happens to the application itself: told at once or never, since it may not ask any more."""

NOT_BOUND = Phrase(
    "clicks on numbers will not be dialled: {why}", "клики по номерам не будут набираться: {why}"
)

Params = dict[str, Any]


class Way(StrEnum):
    """How events come."""

    NONE = "none"  # we do not subscribe: a webhook, an outgoing webhook beside us, or shadow mode
    TOLD = "told"  # the portal posts them to us
    FETCHED = "fetched"  # they wait in the portal


class Bindings:
    """The subscriptions of one application. `handler` is an address of ours, empty where the portal cannot
    reach us."""

    def __init__(self, way: Way, handler: str = "") -> None:
        self.way = way
        self.handler = handler
        self.bound = False

    def forget(self) -> None:
        """Looks again next time."""
        self.bound = False

    async def refresh(self, rest: Rest) -> Phrase | None:
        """Subscribes unless that was done; what is to be told when it fails."""
        if self.bound or self.way is Way.NONE:
            return None
        found = await rest.call(GET, {}, Urgency.UPKEEP, reads=True)
        if isinstance(found, Done):
            for method, params in self.missing(found.result):
                found = await rest.call(method, params, Urgency.UPKEEP)
                if isinstance(found, Fault):
                    break
        if isinstance(found, Fault):
            why = getattr(found.outcome, "why", None)
            return NOT_BOUND.given(why=why if isinstance(why, Phrase) else "?")
        self.bound = True
        return None

    def missing(self, bound: object) -> Iterable[tuple[str, Params]]:
        """What is to be asked for, by what `event.get` told. An event that came both ways would be heard
        twice, so the other way is given up."""
        rows = [row for row in bound if isinstance(row, Mapping)] if isinstance(bound, list) else []
        told = {(_event(row), row.get("handler")) for row in rows if not _offline(row)}
        waiting = {_event(row) for row in rows if _offline(row)}
        if self.way is Way.FETCHED:
            for event in WISHES:
                if event not in waiting:
                    yield BIND, {"event": event, "event_type": "offline"}
            return
        for event in (*WISHES, *LIFE):
            if (event, self.handler) not in told:
                yield BIND, {"event": event, "handler": self.handler}
        for event in WISHES:
            if event in waiting:
                yield UNBIND, {"event": event, "event_type": "offline"}


def bindings_of(handler: str, wanted: str, *, own: bool) -> Bindings:
    """How an application hears: as is wanted, or as can be. `own`: it has to see to that itself."""
    if not own:
        return Bindings(Way.NONE)
    told = handler and wanted != Way.FETCHED
    return Bindings(Way.TOLD, handler) if told else Bindings(Way.FETCHED)


def _event(row: Mapping[str, Any]) -> str:
    return str(row.get("event") or "").upper()


def _offline(row: Mapping[str, Any]) -> bool:
    return str(row.get("offline") or "0") == "1"
