"""Subscribes the application to what it must hear: a portal tells of events only where it was asked to (sheet
§2.1, §2.6, contract `event.bind`).

The adapter calls it with its upkeep. With an address of ours events come to it; without one they wait in the
portal until `fetching` takes them, which only an administrator's application may. Once the subscriptions were
seen nothing more is asked, until the next start or installation: an update of the application drops them
(§8.3.24). What is told of clients and users beside is `news`. A webhook cannot subscribe; there a person
makes an outgoing webhook.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from callme.crm.port import Refused, Urgency
from callme.portals.bitrix24 import news
from callme.portals.bitrix24.rest import Command, Done, Fault, Rest
from callme.portals.bitrix24.webhook import CALLBACK, CLICK, UNINSTALLED, UPDATED
from callme.wording import Phrase

GET, BIND, UNBIND = "event.get", "event.bind", "event.unbind"

WISHES = (CLICK, CALLBACK)
LIFE = (UNINSTALLED, UPDATED)
"""What happens to the application itself: told at once or never, since it may not ask any more."""

NOT_BOUND = Phrase(
    "clicks on numbers will not be dialled: {why}", "клики по номерам не будут набираться: {why}"
)

NO_NEWS = Phrase(
    "changes in the CRM and new employees will be noticed later: {why}",
    "изменения в CRM и новые сотрудники станут заметны позже: {why}",
)

ANSWER_S = 60.0
"""A batch may take so long, as any request of the cloud (§4.3)."""

Params = dict[str, Any]
Row = Mapping[str, Any]


class Way(StrEnum):
    """How events come."""

    NONE = "none"  # we do not subscribe: a webhook, an outgoing webhook beside us, or shadow mode
    TOLD = "told"  # the portal posts them to us
    FETCHED = "fetched"  # they wait in the portal


class Bindings:
    """The subscriptions of one application. `handler` is an address of ours, empty where the portal cannot
    reach us. `news` are the events about clients and users of which we are told."""

    def __init__(self, way: Way, handler: str = "") -> None:
        self.way = way
        self.handler = handler
        self.bound = False
        self.news: frozenset[str] = frozenset()
        self._offered: frozenset[str] | None = None  # as settled with the portal

    @property
    def settled(self) -> bool:
        """Whether nothing is to be asked about them."""
        return self.way is Way.NONE or (self.bound and self._offered is not None)

    def forget(self) -> None:
        """Looks again next time."""
        self.bound = False
        self._offered = None

    async def refresh(self, rest: Rest, rights: frozenset[str] | Fault) -> Phrase | None:
        """Subscribes unless that was done; what is to be told when it fails. Clicks come first: without the
        news of clients and users every call is told all the same."""
        if self.settled:
            return None
        found = await rest.call(GET, {}, Urgency.UPKEEP, reads=True)
        rows = _rows(found.result) if isinstance(found, Done) else []
        if isinstance(found, Done) and not self.bound:
            for method, params in self.missing(rows):
                found = await rest.call(method, params, Urgency.UPKEEP)
                if isinstance(found, Fault):
                    break
        if isinstance(found, Fault):
            return NOT_BOUND.given(why=_why(found))
        self.bound = True
        if isinstance(rights, Fault):
            return NO_NEWS.given(why=_why(rights))
        return await self._subscribe(rest, rows, news.offered(rights))

    async def _subscribe(self, rest: Rest, rows: list[Row], offered: frozenset[str]) -> Phrase | None:
        """In one request. What the portal refuses it would refuse again: that is left until the next
        installation or start."""
        wanted = list(self._wanting(rows, sorted(offered), both=True))
        commands = [Command(f"e{place}", *one) for place, one in enumerate(wanted)]
        found = await rest.many(commands, Urgency.UPKEEP, ANSWER_S) if commands else []
        faults = [one for one in found if isinstance(one, Fault)]
        if all(isinstance(one.outcome, Refused) for one in faults):
            refused = {
                str(params["event"])
                for (_, params), one in zip(wanted, found, strict=True)
                if isinstance(one, Fault)
            }
            self._offered, self.news = offered, offered - refused
        return NO_NEWS.given(why=_why(faults[0])) if faults else None

    def missing(self, bound: object) -> Iterable[tuple[str, Params]]:
        """What is to be asked for so that clicks come, by what `event.get` told."""
        rows = _rows(bound)
        yield from self._wanting(rows, WISHES, both=True)
        if self.way is Way.TOLD:
            yield from self._wanting(rows, LIFE, both=False)

    def _wanting(self, rows: list[Row], events: Iterable[str], *, both: bool) -> Iterator[tuple[str, Params]]:
        """`both`: they can come either way. An event that came both ways would be heard twice, so the other
        way is given up."""
        told = {(_event(row), row.get("handler")) for row in rows if not _offline(row)}
        waiting = {_event(row) for row in rows if _offline(row)}
        for event in events:
            if self.way is Way.FETCHED:
                if event not in waiting:
                    yield BIND, {"event": event, "event_type": "offline"}
                continue
            if (event, self.handler) not in told:
                yield BIND, {"event": event, "handler": self.handler}
            if both and event in waiting:
                yield UNBIND, {"event": event, "event_type": "offline"}


def bindings_of(handler: str, wanted: str, *, own: bool) -> Bindings:
    """How an application hears: as is wanted, or as can be. `own`: it has to see to that itself."""
    if not own:
        return Bindings(Way.NONE)
    told = handler and wanted != Way.FETCHED
    return Bindings(Way.TOLD, handler) if told else Bindings(Way.FETCHED)


def _why(fault: Fault) -> Phrase | str:
    why = getattr(fault.outcome, "why", None)
    return why if isinstance(why, Phrase) else "?"


def _rows(bound: object) -> list[Row]:
    return [row for row in bound if isinstance(row, Mapping)] if isinstance(bound, list) else []


def _event(row: Mapping[str, Any]) -> str:
    return str(row.get("event") or "").upper()


def _offline(row: Mapping[str, Any]) -> bool:
    return str(row.get("offline") or "0") == "1"
