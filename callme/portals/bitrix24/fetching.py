"""Fetches clicks that wait in the portal, where it cannot reach us (sheet §2.6).

The service asks again and again. What was fetched is on our disk before the portal is told to forget it,
where its plan lets us (`rest_offline_extended`); else fetching deletes, and a kill in that instant loses a
click. A message that comes twice is one: the store knows each click by its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import structlog

from callme.crm.commands import Hearing, Keep
from callme.crm.port import Ambiguous, Later, Urgency
from callme.portals.bitrix24.bindings import WISHES, Bindings, Way
from callme.portals.bitrix24.news import News
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.webhook import Message

GET, LIST, CLEAR = "event.offline.get", "event.offline.list", "event.offline.clear"
EXTENDED = "rest_offline_extended"

PACE_S = 2.5
"""From one look to the next: 0.4 of the 2 requests a second that a plan allows, and a click is dialled within
three seconds."""

IDLE_PACE_S, IDLE_AFTER_S = 5.0, 1800.0
"""Where nobody has clicked for so long, at night that is, half of it will do."""

NOT_YET_S = 15.0
NEVER_S = 3600.0

NEWS_PACE_S = 30.0
"""From one look for news of clients and users to the next: half the time that an answer about a client is
believed, so that a portal that cannot reach us costs 2 requests a minute more."""

NEWS_MAX = 500
"""So many are fetched in one request; an import that has left more is gone through at the clicks' pace."""

CLICKS = {"@EVENT_NAME": list(WISHES)}
"""News would stand in a click's way: the portal gives fifty messages at a time, the eldest first."""

Row = Mapping[str, Any]
_log = structlog.get_logger(__name__)


class Fetching:
    """The messages of one portal."""

    def __init__(
        self,
        rest: Rest,
        bindings: Bindings,
        understand: Callable[[Message, float], Awaitable[Hearing]],
        news: News,
    ) -> None:
        self._rest = rest
        self._bindings = bindings
        self._understand = understand
        self._news = news
        self._news_at = float("-inf")  # when to look for them next
        self._looking: asyncio.Task[None] | None = None
        self._extended: bool | None = None
        self._left = True  # an earlier process, or a full disk, may have left messages that are reserved
        self._busy_at: float | None = None

    async def fetch(self, clock: Callable[[], float], keep: Keep) -> float:
        """Gives each waiting message to `keep`. Seconds after which to come again."""
        if self._bindings.way is not Way.FETCHED:
            return NEVER_S
        if not self._bindings.bound:
            return NOT_YET_S
        if self._busy_at is None:
            self._busy_at = clock()
        if self._bindings.news and self._looking is None and clock() >= self._news_at:
            # Beside the clicks, which wait for nothing that may wait itself.
            self._looking = asyncio.get_running_loop().create_task(self._look_for_news(clock))
        fault = await self._look(clock, keep)
        if fault is None:
            return IDLE_PACE_S if clock() - self._busy_at > IDLE_AFTER_S else PACE_S
        why = getattr(fault.outcome, "why", None)
        _log.warning("waiting clicks not fetched", portal=self._rest.credentials.host, why=str(why))
        if isinstance(fault.outcome, Later):
            return max(PACE_S, fault.outcome.wait_s or 0.0)
        return NOT_YET_S

    async def _look(self, clock: Callable[[], float], keep: Keep) -> Fault | None:
        if self._extended is None:
            told = await self._rest.call("feature.get", {"CODE": EXTENDED}, Urgency.COMMAND, reads=True)
            if isinstance(told, Fault):
                return told
            self._extended = isinstance(told.result, Mapping) and told.result.get("value") == "Y"
        if self._left and self._extended:
            fault = await self._take_up(clock, keep)
            if fault is not None:
                return fault
        self._left = False
        wanted = {"clear": 0 if self._extended else 1, "filter": CLICKS}
        found = await self._rest.call(GET, wanted, Urgency.COMMAND, reads=bool(self._extended))
        if isinstance(found, Fault):
            self._left = True  # where only the answer was lost, they are reserved now
            return found
        result = found.result if isinstance(found.result, Mapping) else {}
        process = str(result.get("process_id") or "")
        return await self._see_to(_rows(result.get("events")), process, clock, keep)

    async def close(self) -> None:
        """Ends a look for news that goes on."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look_for_news(self, clock: Callable[[], float]) -> None:
        """What is told of clients and users is deleted as it is fetched: losing it costs a memory alone."""
        wanted = {"clear": 1, "limit": NEWS_MAX, "filter": {"@EVENT_NAME": sorted(self._bindings.news)}}
        try:
            found = await self._rest.call(GET, wanted, Urgency.UPKEEP)
            self._news_at = clock() + NEWS_PACE_S
            if isinstance(found, Fault):
                if isinstance(found.outcome, Ambiguous):
                    self._news.lost()
                return
            result = found.result if isinstance(found.result, Mapping) else {}
            rows = _rows(result.get("events"))
            for row in rows:
                self._news.hear(message(row))
            if len(rows) >= NEWS_MAX:
                self._news_at = clock() + PACE_S
        finally:
            self._looking = None

    async def _take_up(self, clock: Callable[[], float], keep: Keep) -> Fault | None:
        """What is reserved was fetched and never kept."""
        found = await self._rest.call(LIST, {"filter": CLICKS}, Urgency.COMMAND, reads=True)
        if isinstance(found, Fault):
            return found
        rows = _rows(found.result)
        for process in dict.fromkeys(str(row.get("PROCESS_ID") or "") for row in rows):
            mine = [row for row in rows if row.get("PROCESS_ID") == process]
            fault = await self._see_to(mine, process, clock, keep) if process else None
            if fault is not None:
                return fault
        return None

    async def _see_to(
        self, rows: list[Row], process: str, clock: Callable[[], float], keep: Keep
    ) -> Fault | None:
        kept = []
        for row in rows:
            self._busy_at = clock()
            if await keep(await self._understand(message(row), clock())):
                kept.append(str(row.get("MESSAGE_ID") or ""))
            else:
                self._left = True
        if not (process and kept):
            return None
        done = await self._rest.call(CLEAR, {"process_id": process, "message_id": kept}, Urgency.COMMAND)
        if isinstance(done, Fault):
            self._left = True  # seen to again, which the store knows to be the same click
            return done
        return None


def message(row: Row) -> Message:
    """A waiting row as the event that would have been posted."""
    data = row.get("EVENT_DATA")
    said = dict(_flat(data)) if isinstance(data, Mapping) else {}
    try:
        at = datetime.fromisoformat(str(row.get("TIMESTAMP_X"))).timestamp()
    except ValueError:
        at = None
    return Message(str(row.get("EVENT_NAME") or "").upper(), said, at)


def _flat(data: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """The names that the form would have: `FIELDS][ID`."""
    for key, value in data.items():
        name = f"{within}][{key}" if within else str(key)
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, str(value)


def _rows(found: object) -> list[Row]:
    rows: Iterable[object] = found if isinstance(found, list) else []
    return [row for row in rows if isinstance(row, Mapping)]
