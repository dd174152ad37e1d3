"""Where the service keeps what its PBXes said, and how a call's part of it is found again (law 12)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from callme.calls.model import Call
from callme.config import Config
from callme.pbx.cut import Cut, cut
from callme.pbx.segments import Transcript, sweep
from callme.service.metrics import Metrics

log = structlog.get_logger("callme.transcript")

BEFORE_S, AFTER_S = 5.0, 60.0
"""So much before a call's first channel and after its end still belongs to it."""


class Transcripts:
    """The transcripts of all PBXes."""

    def __init__(self, config: Config, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._root = config.service.data_dir / "transcripts"
        self._days = config.service.transcripts_days
        self._pbxes = [pbx.id for pbx in config.pbx]
        self._metrics = metrics
        self._clock = clock
        self._open: dict[str, Transcript] = {}

    async def open(self) -> None:
        """Begins to keep; where nothing is to be kept, what an earlier configuration kept is deleted."""
        for pbx in self._pbxes:
            if self._days:
                self._open[pbx] = Transcript(self._folder(pbx), self._days, self._noted(pbx))
                continue
            try:
                await asyncio.to_thread(sweep, self._folder(pbx), self._clock(), 0)
            except OSError as error:
                log.warning("transcripts cannot be deleted", pbx=pbx, why=error.strerror)

    def of(self, pbx: str) -> Transcript | None:
        """That PBX's transcript; `None` when none is kept."""
        return self._open.get(pbx)

    async def close(self) -> None:
        """Writes what waits."""
        for transcript in self._open.values():
            await asyncio.to_thread(transcript.close)

    async def part(self, call: Call) -> Cut | None:
        """What the PBX said of the call; `None` when nothing of it is kept."""
        until = call.ended_at + AFTER_S if call.ended_at is not None else self._clock()
        uniqueids = [call.id.removeprefix(f"{call.pbx}-"), *call.aliases]
        uniqueids += [file.uniqueid for file in call.recordings]
        return await asyncio.to_thread(
            cut, self._folder(call.pbx), call.started_at - BEFORE_S, until, uniqueids
        )

    def _folder(self, pbx: str) -> Path:
        return self._root / pbx

    def _noted(self, pbx: str) -> Callable[[OSError | None], None]:
        def noted(trouble: OSError | None) -> None:
            if trouble is None:
                log.info("transcript is written again", pbx=pbx)
                return
            self._metrics.transcript_trouble(pbx)
            log.error("transcript cannot be written; calls go on without it", pbx=pbx, why=trouble.strerror)

        return noted
