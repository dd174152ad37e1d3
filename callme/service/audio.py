"""Makes a recording ready for an *attach*: found as the PBX's disk is seen from here, settled, converted.

Given to delivery's workers as `prepare`; delivery may not look into the PBX's room. Nothing here waits:
what is not ready comes back as `Later`, and the worker asks again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from callme.config import Config
from callme.crm.intents import Attach
from callme.crm.port import Audio, Later, Refused
from callme.pbx import recordings
from callme.pbx.recordings import Empty, Missing, NotYet
from callme.wording import Phrase

NO_FOLDER = Phrase(
    "recordings of PBX “{pbx}” are not configured: set “recordings” of [[pbx]] to the folder where this "
    "machine sees them",
    "записи АТС «{pbx}» не настроены: задайте recordings в [[pbx]] — папку, где их видит эта машина",
)
REMOTE = Phrase(
    "recordings at {place} cannot be fetched yet: mount the folder here and name it in “recordings”",
    "записи по адресу {place} пока нельзя забрать: смонтируйте папку здесь и укажите её в recordings",
)


class Recordings:
    """Prepares recordings for delivery."""

    def __init__(self, config: Config, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._sizes: dict[str, int | None] = {}
        self._work = config.service.data_dir / "recordings"

    async def prepare(self, order: Attach) -> Audio | Later | Refused:
        """The audio of the order, or why there is none (yet)."""
        pbx = self._config.pbx_named(order.pbx)
        if pbx is None or not pbx.recordings:
            return Refused(NO_FOLDER.given(pbx=order.pbx))
        if "://" in pbx.recordings:
            return Refused(REMOTE.given(place=pbx.recordings.partition("://")[0] + "://…"))
        found = await recordings.fetch(
            order.path,
            root_on_pbx=pbx.recordings_on_pbx,
            root_here=Path(pbx.recordings),
            work_dir=self._work,
            ended_at=order.ended_at,
            now=self._clock(),
            size_before=self._sizes.get(order.path),
        )
        match found:
            case NotYet(wait_s, why, size):
                self._sizes[order.path] = size
                return Later(why, wait_s)
            case Empty(why) | Missing(why):
                self._sizes.pop(order.path, None)
                return Refused(why)
            case _:
                self._sizes.pop(order.path, None)
                return await self._converted(found.file, order)

    async def _converted(self, source: Path, order: Attach) -> Audio:
        self._work.mkdir(parents=True, exist_ok=True)
        mark = hashlib.sha256(f"{order.pbx} {order.path}".encode("utf-8", "surrogateescape")).hexdigest()[:24]
        audio = await recordings.convert(source, self._work / f"{mark}.mp3")
        name = Path(order.path).with_suffix(audio.file.suffix.lower()).name
        return Audio(audio.file, name, audio.media_type, audio.seconds)
