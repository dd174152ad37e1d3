"""What the pages and the API see of the running service. Implements `callme.web.board.Board`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry

from callme import __version__
from callme.config import Config
from callme.delivery.lane import State
from callme.service.metrics import Metrics
from callme.service.portals import Desk
from callme.service.river import River
from callme.service.transcripts import Transcripts
from callme.store import AttemptRow, CallFilter, DeliveryRow, Store
from callme.web import board as web
from callme.wording import Language, Phrase

BEHIND = Phrase("the portal does not answer; deliveries wait", "портал не отвечает, доставки ждут")
PAUSED_CURE = Phrase(
    "run `callme check`: it names what is missing", "выполните `callme check`: он назовёт, чего не хватает"
)
CONNECTING = Phrase("connecting", "соединяемся")


class Changes:
    """Wakes everyone who watches, however often something changed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def happened(self) -> None:
        """Something that is shown has changed."""
        for event in self._waiting:
            event.set()

    async def watch(self) -> AsyncGenerator[None, None]:
        """Yields after each change; changes that come close together are one."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            while True:
                await event.wait()
                event.clear()
                yield
        finally:
            self._waiting.discard(event)


class ServiceBoard:
    """The service as the web sees it."""

    def __init__(
        self,
        config: Config,
        store: Store,
        rivers: list[River],
        desk: Desk,
        metrics: Metrics,
        clock: Callable[[], float],
        changes: Changes,
        transcripts: Transcripts,
    ) -> None:
        self._config = config
        self._store = store
        self._rivers = rivers
        self._desk = desk
        self._metrics = metrics
        self._clock = clock
        self._changes = changes
        self._transcripts = transcripts
        self._since: dict[str, tuple[bool, float]] = {}

    @property
    def language(self) -> Language:
        """The configured language."""
        return self._config.service.language

    @property
    def country(self) -> str:
        """The configured country."""
        return self._config.service.country

    @property
    def version(self) -> str:
        """Version of the program."""
        return __version__

    @property
    def registry(self) -> CollectorRegistry:
        """What `/metrics` shows."""
        return self._metrics.registry

    def now(self) -> float:
        """The wall clock."""
        return self._clock()

    # ------------------------------------------------------------------------ links and portals
    async def links(self) -> tuple[web.LinkState, ...]:
        """Each configured PBX."""
        return tuple(self._link(river) for river in self._rivers)

    def _link(self, river: River) -> web.LinkState:
        state = river.source.state
        why = river.trouble or state.problem
        if not state.up and why is None:
            why = CONNECTING
        return web.LinkState(river.id, state.up and river.trouble is None, state.since, why)

    async def portals(self) -> tuple[web.PortalState, ...]:
        """Each configured portal."""
        backlogs = {one.portal: one for one in await self._store.reading.backlog()}
        found = []
        for name, worker in self._desk.workers.items():
            unfit = self._desk.unfit.get(name)
            refused = unfit.why if unfit is not None else None
            why = worker.paused or refused or (BEHIND if worker.down else None)
            cure = unfit.cure if unfit is not None and unfit.cure is not None else PAUSED_CURE
            up = why is None
            backlog = backlogs.get(name)
            found.append(
                web.PortalState(
                    name,
                    up,
                    self._since_when(name, up),
                    why,
                    cure if worker.paused is not None or unfit is not None else None,
                    backlog.waiting if backlog is not None else 0,
                    backlog.refused if backlog is not None else 0,
                    name in self._desk.shadows,
                )
            )
        return tuple(found)

    def _since_when(self, name: str, up: bool) -> float:
        before = self._since.get(name)
        if before is None or before[0] != up:
            self._since[name] = (up, self._clock())
        return self._since[name][1]

    async def oddities_since(self, moment: float) -> int:
        """How many anomalies were noted since then."""
        return await self._store.reading.anomalies_since(moment)

    # ------------------------------------------------------------------------------------ calls
    async def list_calls(self, query: web.CallQuery) -> web.CallPage:
        """Calls, newest first."""
        page = await self._store.reading.list_calls(
            CallFilter(
                pbx=query.pbx,
                direction=query.direction.value if query.direction else None,
                disposition=query.disposition.value if query.disposition else None,
                line=query.line,
                number=query.number or "",
                open=query.open,
                since=query.since,
                until=query.until,
            ),
            older_than=_cursor(query.after),
            limit=query.limit,
        )
        shown = await self._store.reading.deliveries_of([str(call.id) for call in page.calls])
        rows = tuple(
            web.CallRow(call, tuple(delivery_view(row) for row in shown.get(str(call.id), ())))
            for call in page.calls
        )
        return web.CallPage(rows, json.dumps(page.older) if page.older is not None else None)

    async def story(self, call: str) -> web.CallStory | None:
        """All about one call."""
        found = await self._store.reading.get_call(call)
        if found is None:
            return None
        return web.CallStory(
            found.call,
            tuple(map(delivery_view, found.deliveries)),
            tuple(attempt_views(found.attempts)),
            tuple(web.Oddity(one.at, one.text) for one in found.anomalies),
        )

    async def transcript(self, call: str) -> web.Transcript | None:
        """What the PBX said of one call."""
        found = await self._store.reading.get_call(call)
        part = await self._transcripts.part(found.call) if found is not None else None
        return None if part is None else web.Transcript(part.ami, part.idx)

    async def retry(self, delivery: int) -> bool:
        """Tries a refused or waiting delivery again."""
        return await self._store.retry(delivery, self._clock())

    def changes(self) -> AsyncGenerator[None, None]:
        """Yields each time that something shown here has changed."""
        return self._changes.watch()


def _cursor(text: str | None) -> tuple[float, str] | None:
    if not text:
        return None
    try:
        at, call = json.loads(text)
        return float(at), str(call)
    except (ValueError, TypeError):
        raise web.BadCursor(text) from None


def delivery_view(row: DeliveryRow) -> web.DeliveryView:
    """One delivery as pages show it."""
    waiting: Any = row.next_at if row.state is State.WAITING else None
    return web.DeliveryView(
        row.portal,
        row.kind,
        row.state.value,
        row.attempts,
        row.held or row.why,
        waiting,
        row.settled_at,
        row.id,
        row.record.about.shadow,
    )


def attempt_views(rows: Iterable[AttemptRow]) -> Iterable[web.AttemptView]:
    """Attempts as pages show them."""
    return (
        web.AttemptView(
            row.portal, row.kind, row.number, row.at, row.took_ms, row.outcome, row.why, row.exchanges
        )
        for row in rows
    )
