"""Makes what was said in a call ready for an *attach*: its recordings are found where this machine sees the
PBX's, waited for, brought here, put together and converted.

Given to delivery's workers as `prepare`; delivery may not look into the PBX's room. Nothing here keeps a
worker waiting: what is not ready comes back as `Later`, with what is being done as the reason, and the worker
asks again. What a killed process had begun is begun again, a transfer where it broke off.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from callme.calls.model import RecordingFile, Sound
from callme.config import Config
from callme.config.shape import Pbx
from callme.crm.intents import Attach
from callme.crm.port import Audio, Later, Refused
from callme.http import HttpClient
from callme.pbx import mp3, recordings
from callme.pbx.access import Access, place_at
from callme.pbx.places import Place
from callme.pbx.recordings import Found, NotYet, Wanted
from callme.service.choosing import Chosen, choose
from callme.service.making import Making, name_of
from callme.wording import Phrase

AT_ONCE_S = 2.0
"""What is done within this is told as done; the rest goes on by itself."""

AGAIN_S = (2.0, 60.0)
"""The shortest and the longest wait between two questions how far it is."""

NO_FOLDER = Phrase(
    "recordings of PBX “{pbx}” are not configured: set “recordings” of [[pbx]] to the folder where this "
    "machine sees them",
    "записи АТС «{pbx}» не настроены: задайте recordings в [[pbx]] — папку, где их видит эта машина",
)
NO_MESSAGES = Phrase(
    "the caller left a message, but where this machine sees the mailboxes of PBX “{pbx}” is not configured: "
    "set “voicemail” of [[pbx]]",
    "звонивший оставил сообщение, но где эта машина видит ящики голосовой почты АТС «{pbx}», не задано: "
    "укажите voicemail в [[pbx]]",
)
TOO_BIG = Phrase(
    "the recording {file} has {mb} MB, more than recordings_limit_mb ({limit}) allows",
    "запись {file} занимает {mb} МБ — больше, чем разрешает recordings_limit_mb ({limit})",
)
STOPPED = Phrase("stopped: somebody said so", "остановлено по распоряжению")
FORGOTTEN = Phrase("the call was forgotten", "звонок забыт")
NO_ROOM = Phrase(
    "the recording cannot be prepared in {folder}: {why}", "запись нельзя подготовить в {folder}: {why}"
)


@dataclass
class _Work:
    """One recording in the making, and how often somebody asked in vain."""

    call: str
    making: Making
    task: asyncio.Task[Audio | Later | Refused]
    asked: int = 0


class Recordings:
    """Prepares recordings for delivery. `close` when nobody asks any more."""

    def __init__(self, config: Config, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self.folder = config.service.data_dir / "recordings"
        """Where our copies lie."""
        self._sizes: dict[tuple[str, str], int | None] = {}
        self._works: dict[str, _Work] = {}
        self._forgotten: set[str] = set()
        self._places: dict[tuple[str, Sound], Place] = {}
        self._clients: list[HttpClient] = []

    async def prepare(self, order: Attach) -> Audio | Later | Refused:
        """The audio of the order, or why there is none (yet)."""
        key = f"{order.pbx} {order.about.call} {order.ordinal}"
        work = self._works.get(key)
        if work is None:
            begun = await self._begin(order)
            if not isinstance(begun, _Work):
                return begun
            if order.about.call in self._forgotten:  # while its files were looked for
                await self._ended([begun])
                return Refused(FORGOTTEN)
            # Two portals may want the same call at the same moment.
            work = self._works.setdefault(key, begun)
            if work is not begun:
                begun.task.cancel()
        await asyncio.wait({work.task}, timeout=AT_ONCE_S)
        if not work.task.done():
            work.asked += 1
            least, most = AGAIN_S
            return Later(work.making.state, min(most, least * work.asked))
        if self._works.get(key) is work:
            del self._works[key]
        if work.task.cancelled():
            return Later(STOPPED, AT_ONCE_S)
        try:
            return work.task.result()
        except OSError as error:
            why = error.strerror or str(error)
            return Later(NO_ROOM.given(folder=str(self.folder), why=why), recordings.TROUBLE_WAIT)

    async def stop(self, call: str) -> None:
        """Ends what is being made of that call, and takes away what was brought for it; it is made again when
        it is asked for again."""
        mine = [key for key, work in self._works.items() if work.call == call]
        await self._ended([self._works.pop(key) for key in mine])

    async def forget(self, call: str) -> None:
        """The same for good: nothing of that call is made any more."""
        self._forgotten.add(call)
        await self.stop(call)

    async def close(self) -> None:
        """Ends what is being made; it is made again when it is asked for again."""
        tasks = [work.task for work in self._works.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._works.clear()
        await asyncio.gather(*(client.close() for client in self._clients))

    async def _ended(self, works: list[_Work]) -> None:
        for work in works:
            work.task.cancel()
        await asyncio.gather(*(work.task for work in works), return_exceptions=True)
        for work in works:
            await asyncio.to_thread(work.making.tidy)

    async def _begin(self, order: Attach) -> _Work | Later | Refused:
        pbx = self._config.pbx_named(order.pbx)
        files = order.files or (_alone(order),)
        place = self._place(pbx, files[0].kind) if pbx is not None else None
        if pbx is None or place is None:
            which = NO_MESSAGES if files[0].kind is Sound.VOICEMAIL else NO_FOLDER
            return Refused(which.given(pbx=order.pbx))
        root = pbx.recordings_on_pbx if files[0].kind is Sound.TALK else pbx.voicemail_on_pbx
        found = [
            await self._look(order.pbx, Wanted(file.path, root, order.ended_at), place) for file in files
        ]
        chosen = choose(files, found, lost=order.lost)
        if not isinstance(chosen, Chosen):
            return chosen
        for source in chosen.sources:
            entry = source.there.entry
            if entry.size > pbx.recordings_limit_mb << 20:
                limit, mb = pbx.recordings_limit_mb, entry.size >> 20
                return Refused(TOO_BIG.given(file=place.shown(entry.name), mb=mb, limit=limit))
        call = (order.about.started_at, order.ended_at)
        kbit = self._config.service.mp3_kbit
        making = Making(self.folder, chosen.sources, place, call, self._clock, kbit)
        return _Work(order.about.call, making, asyncio.create_task(self._made(making, chosen)))

    async def _made(self, making: Making, chosen: Chosen) -> Audio | Later | Refused:
        done = await making.make()
        if not isinstance(done, mp3.Audio):
            return done
        file = chosen.sources[0].file
        return Audio(
            done.file,
            name_of(file.path, file.kind, done.file),
            done.media_type,
            done.seconds,
            checksum=await asyncio.to_thread(_checksum, done.file),
            notice=done.notice,
            lacking=chosen.lacking,
            again_s=chosen.again_s,
            sides=await making.parted(done.file),
        )

    async def _look(self, pbx: str, wanted: Wanted, place: Place) -> Found:
        key = (pbx, wanted.path_on_pbx)
        found = await recordings.fetch(wanted, place, self._clock(), self._sizes.get(key))
        if isinstance(found, NotYet):
            self._sizes[key] = found.size
        else:
            self._sizes.pop(key, None)
        return found

    def _place(self, pbx: Pbx, kind: Sound) -> Place | None:
        known = self._places.get((pbx.id, kind))
        if known is not None:
            return known
        address = pbx.recordings if kind is Sound.TALK else pbx.mailboxes
        if not address:
            return None
        place, client = place_at(address, access_of(pbx))
        if client is not None:
            self._clients.append(client)
        self._places[pbx.id, kind] = place
        return place


def access_of(pbx: Pbx) -> Access:
    """What opens the PBX's recordings."""
    return Access(
        pbx.recordings_ssh_key,
        pbx.recordings_known_hosts,
        pbx.recordings_user,
        pbx.recordings_password.get_secret_value(),
        pbx.recordings_token.get_secret_value(),
        pbx.recordings_ca,
    )


def _alone(order: Attach) -> RecordingFile:
    """An order of an earlier version knows one file and nothing of it."""
    return RecordingFile(order.path, "", "", order.about.started_at, order.ended_at)


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
