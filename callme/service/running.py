"""Puts the service together and keeps it alive: rivers, portals' workers, pages. `callme run` ends here.

Every eternal task is named and guarded: one that fails stops the service loudly (exit code 1) instead of
leaving half of it running. A stop finishes what is on its way and saves it; what it cannot finish is in the
database.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import socket
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import structlog
import uvicorn

from callme import __version__
from callme.config import Config
from callme.config.forms import split_listen
from callme.errors import CallMeError, ConfigError
from callme.pbx.agi import AgiServer
from callme.pbx.ami.reach import ami_settings
from callme.pbx.ami.source import AmiSource
from callme.service.archive import Archive
from callme.service.asking import Asking
from callme.service.audio import Recordings
from callme.service.board import Changes, ServiceBoard
from callme.service.clock import WallClock
from callme.service.entrances import Entrances
from callme.service.hearing import Ears
from callme.service.keeping import Keeping
from callme.service.metrics import Metrics
from callme.service.portals import Desk, plans
from callme.service.pulse import READY, STOPPING, Pulse
from callme.service.river import River
from callme.service.speech import Speech
from callme.service.steering import Steering
from callme.service.tabs import CallTabs
from callme.service.transcripts import Transcripts
from callme.setup.house import ETC, look
from callme.setup.standing import Standing, standing
from callme.setup.wish import Wish
from callme.store.sqlite import Store, open_store
from callme.web.app import create_app
from callme.wording import Phrase

log = structlog.get_logger("callme.service")

NO_PBX = Phrase("no PBX is configured", "не задана ни одна АТС")
NO_PBX_CURE = Phrase("add a [[pbx]] table to the configuration", "добавьте в конфигурацию таблицу [[pbx]]")
TAKEN = Phrase("cannot listen on {listen}: {why}", "не удаётся слушать {listen}: {why}")
TAKEN_CURE = Phrase(
    "stop what uses it, or set service.listen to another address",
    "остановите того, кто его занял, или задайте другой адрес в service.listen",
)

TAKEN_AGI_CURE = Phrase(
    "stop what uses it, or set routing.agi to another address",
    "остановите того, кто его занял, или задайте другой адрес в routing.agi",
)


def run(config: Config) -> int:
    """Runs until SIGINT or SIGTERM; 0 after an ordinary stop, 1 when a part of the service failed. Raises
    `ConfigError`, `StoreError`."""
    log_to(sys.stderr)
    os.umask(os.umask(0o077) | 0o027)  # whoever started us: calls and recordings are not for everybody here
    return asyncio.run(Service(config).serve())


def log_to(file: TextIO) -> None:
    """One line an event; JSON where nobody looks at a terminal."""
    shown: Any = (
        structlog.dev.ConsoleRenderer()
        if file.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file),
    )


class _Pages(uvicorn.Server):
    """The web server inside our loop; signals are the service's own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Service:
    """One process: every PBX and portal of a configuration."""

    def __init__(self, config: Config) -> None:
        if not config.pbx:
            raise ConfigError(NO_PBX, NO_PBX_CURE)
        self._config = config
        self._plans = plans(config)
        self._stopping = asyncio.Event()
        self._failed: str | None = None
        self.ready = asyncio.Event()
        self.address: tuple[str, int] = ("", 0)
        self.board: ServiceBoard | None = None
        """What the pages see; there when `ready` is set."""

    def stop(self) -> None:
        """Ends the service in good order."""
        self._stopping.set()

    async def serve(self, *, signals: bool = True) -> int:
        """Runs until `stop`. With `signals` SIGINT and SIGTERM stop it."""
        self._config.service.data_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
        listener = self._listen()
        try:
            store = open_store(self._config.service.store)
        except CallMeError:
            listener.close()
            raise
        try:
            return await self._serve(store, listener, signals)
        finally:
            await store.close()
            listener.close()

    def _listen(self) -> socket.socket:
        host, port = self._config.service.host.strip("[]"), self._config.service.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # With the protocol named asyncio turns Nagle's delay off; without, each answer waits 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)  # whoever reads the address in the log is let in from now on
        except OSError as error:
            listener.close()
            why = error.strerror or str(error)
            raise ConfigError(TAKEN.given(listen=self._config.service.listen, why=why), TAKEN_CURE) from None
        self.address = listener.getsockname()[:2]
        return listener

    async def _serve(self, store: Store, listener: socket.socket, signals: bool) -> int:
        clock, metrics, changes = WallClock(), Metrics(), Changes()
        audio = Recordings(self._config, clock)
        kept = Archive(self._config.service, store, audio.prepare, clock)
        speech = Speech(self._config.transcription, kept.for_portal, audio.folder, clock)
        kept.workshop, kept.scribe = audio, speech
        desk = Desk(self._plans, store, kept.for_portal, speech.prepare, metrics, clock, changes.happened)
        transcripts = Transcripts(self._config, metrics, clock)
        await transcripts.open()
        rivers = [
            River(
                self._config,
                pbx,
                AmiSource(pbx.id, ami_settings(pbx), clock, random.random),
                store,
                metrics,
                clock,
                changes.happened,
                transcripts.of(pbx.id),
                {plan.id: plan.rules for plan in self._plans},
                desk.name_of,
            )
            for pbx in self._config.pbx
        ]
        self.board = board = ServiceBoard(
            self._config, store, rivers, desk, metrics, clock, changes, transcripts
        )
        ears = Ears(self._config, desk.portals, rivers, clock, desk.stir)
        old = Entrances(desk.portals, ears.answer, clock)
        steerings = [self._steering(river, desk, store, metrics, clock) for river in rivers]
        asking = Asking(self._config.routing, {steering.id: steering for steering in steerings})
        try:
            agi = await self._agi(asking)
        except ConfigError:
            await asyncio.gather(desk.close(), speech.close(), audio.close(), transcripts.close())
            raise
        app = create_app(
            board,
            self._config.service,
            install=desk.install,
            ears=ears,
            old=old,
            asking=asking,
            kept=kept,
            people=self._config.person,
            cards=CallTabs(self._config, desk.portals, rivers, store, clock),
            stand=self._stand,
        )
        pages = _Pages(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        if signals:
            self._heed_signals()
        lasting = [self._guard(f"river of {river.id}", river.run()) for river in rivers]
        lasting += [self._guard(name, work) for name, work in desk.work().items()]
        lasting.append(self._guard("pages", pages.serve(sockets=[listener])))
        upkeep = [self._guard(name, work) for name, work in desk.upkeep().items()]
        upkeep += [self._guard(name, work) for name, work in ears.fetching().items()]
        upkeep += [self._guard(f"clicks of {river.id}", river.clicks.run()) for river in rivers]
        upkeep += [self._guard(f"steering of {steering.id}", steering.run()) for steering in steerings]
        keeping = Keeping(self._config.service, store, audio.folder, clock)
        upkeep.append(self._guard("keeping", keeping.run()))
        pulse = Pulse(os.environ)
        if pulse.every_s:
            upkeep.append(self._guard("pulse", pulse.beat()))
        pulse.tell(READY)
        log.info("CallMe runs", version=__version__, pages="http://{}:{}/".format(*self.address))
        self.ready.set()
        await self._stopping.wait()
        pulse.tell(STOPPING)
        app.state.live.close()
        await agi.close()
        await asyncio.gather(*(river.source.close() for river in rivers))
        desk.stop()
        pages.should_exit = True
        for task in upkeep:
            task.cancel()
        await asyncio.gather(*lasting, *upkeep, return_exceptions=True)
        await desk.close()
        await speech.close()
        await audio.close()
        await transcripts.close()
        log.info("CallMe stopped")
        return 0 if self._failed is None else 1

    def _steering(
        self, river: River, desk: Desk, store: Store, metrics: Metrics, clock: WallClock
    ) -> Steering:
        portals = {portal.id: portal for portal in desk.portals}
        steering = Steering(self._config, river.source, river.board, portals, store.reading, metrics, clock)
        river.onlooker = steering.saw
        return steering

    async def _agi(self, asking: Asking) -> AgiServer:
        """Listens for FastAGI where the configuration says so."""
        server, address = AgiServer(asking.answer), self._config.routing.agi
        if address and self._config.routing.open:
            try:
                host, port = await server.start(*split_listen(address))
            except OSError as error:
                why = error.strerror or str(error)
                raise ConfigError(TAKEN.given(listen=address, why=why), TAKEN_AGI_CURE) from None
            log.info("FastAGI listens", address=f"{host}:{port}")
        return server

    def _stand(self) -> Standing:
        """What the set-up wrote, as it is now."""
        path = (self._config.path or Path("callme.toml")).absolute()
        return standing(Wish(path), partial(look, Path("/"), ETC), self._config.service.language)

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, self.stop)

    def _guard(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that has to last: its failure, or its end before the service's, stops the service."""

        async def guarded() -> None:
            try:
                await work
            except asyncio.CancelledError:
                raise
            except Exception:
                self._failed = name
                log.exception("a part of the service failed", part=name)
            if not self._stopping.is_set():
                self._failed = self._failed or name
                log.error("a part of the service ended; stopping", part=name)
                self.stop()

        return asyncio.get_running_loop().create_task(guarded(), name=name)
