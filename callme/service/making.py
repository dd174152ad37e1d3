"""One recording in the making: its files brought here, their headers looked at, put in order, made an mp3.

Begun by `service.audio`, which asks now and then how far it is. What is brought lies in `incoming` until the
mp3 stands; a finished mp3 is found again by the files that it was made of, so that a portal that is down for
hours costs no second conversion.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from callme.calls.model import Sound
from callme.crm.port import Later, Refused
from callme.pbx import mp3, shape
from callme.pbx.audio import Measured, measure
from callme.pbx.places import Entry, Place, Trouble
from callme.pbx.recordings import TROUBLE_WAIT, NotYet, examine
from callme.pbx.unbroken import unbroken
from callme.service.choosing import Source
from callme.wording import Phrase

ALIKE_S = 1.0
"""How far both directions' lengths may be from the mixed file's; else they do not run side by side."""

MESSAGE_S = 10.0
"""How far the time that a mailbox notes of a message may be outside the call."""

WAITING = Phrase("waiting for its turn to be converted", "ждёт очереди на преобразование")
BRINGING = Phrase("being fetched: {done} of {all} MB", "скачивается: {done} из {all} МБ")
CONVERTING = Phrase("being converted: {done} of {all} s", "преобразуется: {done} из {all} с")
ANOTHER = Phrase(
    "the message {file} is another one by now: the mailbox was tidied before it could be fetched",
    "сообщение {file} уже другое: ящик разобрали раньше, чем его удалось забрать",
)


class Making:
    """The way from files to one sound. `state` says how far it is."""

    def __init__(
        self,
        folder: Path,
        sources: Sequence[Source],
        place: Place,
        call: tuple[float, float],
        clock: Callable[[], float],
        kbit: int,
    ) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._sources = sources
        self._place = place
        self._began, self._ended = call
        self._clock = clock
        self._kbit = kbit
        self._brought: list[Path] = []
        self._seconds = 0.0
        self.state = WAITING

    async def make(self) -> mp3.Audio | Later | Refused:
        """The sound, or why there is none (yet). `OSError` when this machine's disk is in the way."""
        target = self._folder / f"{self._mark()}.mp3"
        if await asyncio.to_thread(target.exists):
            return mp3.Audio(target, "audio/mpeg", (await measure(target)).seconds)
        await asyncio.to_thread(self._incoming.mkdir, parents=True, exist_ok=True)
        if self._sources[0].file.kind is Sound.VOICEMAIL:
            stale = await self._another_message()
            if stale is not None:
                return stale
        tracks = await self._tracks()
        if isinstance(tracks, Later):
            return tracks
        self.state = WAITING
        made = await mp3.convert(tracks, target, kbit=self._kbit, progress=self._heard)
        if made.file == target:
            await asyncio.to_thread(self.tidy)
        return made

    async def parted(self, made: Path) -> bool:
        """Whether the sound that was made holds the customer on its left and our people on its right: every
        file it is made of did so."""
        if made.parent != self._folder or not all(map(_parts, self._sources)):
            return False
        return (await measure(made)).channels == 2

    def _mark(self) -> str:
        """The same files, the same mp3."""
        entries = [entry for source in self._sources for entry in (source.there.entry, *_sides(source))]
        told = "\n".join(f"{self._place.shown(one.name)} {one.size} {one.mtime}" for one in entries)
        told += f"\n{self._kbit} {[source.file.talk for source in self._sources]}"
        return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:24]

    # -------------------------------------------------------------------------------------- files
    async def _tracks(self) -> list[mp3.Track] | Later:
        """The pieces of the talk. A file is brought when it turns out to be needed: one that is shorter than
        was expected leaves talk to the next."""
        known: dict[int, tuple[Path, Measured]] = {}
        while True:
            measured = [
                source.recorded(_length(source, *known[at])) if at in known else source.recorded()
                for at, source in enumerate(self._sources)
            ]
            needed = [at for at, gained in enumerate(shape.gains(measured)) if gained and at not in known]
            if not needed:
                break
            for at in needed:
                file = await self._opened(self._sources[at].there.entry)
                if isinstance(file, Later):
                    return file
                known[at] = (file, await measure(file))
        tracks = []
        for piece in shape.pieces(measured):
            track = await self._track(self._sources[piece.file], piece, *known[piece.file])
            if isinstance(track, Later):
                return track
            tracks.append(track)
            end = measured[piece.file].seconds if piece.end is None else piece.end
            self._seconds += end - piece.start
        return tracks

    async def _track(
        self, source: Source, piece: shape.Piece, file: Path, known: Measured
    ) -> mp3.Track | Later:
        pair = _is_pair(source, file, known)
        if pair or source.there.sides is None:
            crossed = pair and not source.hears_customer
            return mp3.Track(file, piece.start, piece.end, pair=pair, crossed=crossed)
        heard, told = source.there.sides
        files = []
        for entry in (heard, told) if source.hears_customer else (told, heard):
            one = await self._opened(entry)
            if isinstance(one, Later):
                return one
            files.append(one)
        lengths = [(await measure(one)).seconds for one in files]
        if any(abs(length - known.seconds) > ALIKE_S for length in lengths):
            return mp3.Track(file, piece.start, piece.end)
        return mp3.Track(file, piece.start, piece.end, left=files[0], right=files[1])

    async def _opened(self, entry: Entry) -> Path | Later:
        """The file on this machine, its header in order."""
        file = self._place.here(entry) or await self._bring(entry)
        if isinstance(file, Later):
            return file
        ready = await unbroken(examine, file, entry, self._incoming, self._ended, self._clock())
        if isinstance(ready, NotYet):
            if file in self._brought:
                await asyncio.to_thread(file.unlink)
            return Later(ready.why, ready.wait_s)
        if ready.repaired:
            self._brought.append(ready.file)
        return ready.file

    async def _bring(self, entry: Entry) -> Path | Later:
        mark = hashlib.sha256(self._place.shown(entry.name).encode("utf-8", "surrogateescape")).hexdigest()
        into = self._incoming / f"{mark[:24]}{entry.name.suffix}"
        self._brought.append(into)
        if await asyncio.to_thread(_size, into) == entry.size:
            return into  # an earlier try had brought it
        whole = max(1, entry.size >> 20)

        def heard(size: int) -> None:
            self.state = BRINGING.given(done=size >> 20, all=whole)

        heard(0)
        trouble = await self._place.bring(entry, into, heard)
        return Later(trouble.why, TROUBLE_WAIT) if isinstance(trouble, Trouble) else into

    def _heard(self, seconds: float) -> None:
        self.state = CONVERTING.given(done=round(seconds), all=round(max(self._seconds, seconds)))

    def tidy(self) -> None:
        """What was brought has served, or nobody wants it any more."""
        for file in self._brought:
            file.unlink(missing_ok=True)

    # -------------------------------------------------------------------------------------- voicemail
    async def _another_message(self) -> Later | Refused | None:
        """A mailbox numbers its messages anew when one is deleted or moved: the note beside the sound tells
        whose message it is now (app_voicemail's msgNNNN.txt)."""
        name = self._sources[0].there.entry.name
        note = await self._place.look([name.with_suffix(".txt")])
        if isinstance(note, Trouble):
            return Later(note.why, TROUBLE_WAIT)
        if not isinstance(note, list) or not note:
            return None
        file = self._place.here(note[0]) or await self._bring(note[0])
        if isinstance(file, Later):
            return file
        at = left_at(await asyncio.to_thread(file.read_text, "utf-8", "replace"))
        if at is None or self._began - MESSAGE_S <= at <= self._ended + MESSAGE_S:
            return None
        return Refused(ANOTHER.given(file=self._place.shown(name)))


def left_at(note: str) -> float | None:
    """When a message was left, by the note that app_voicemail writes beside it."""
    for line in note.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "origtime" and value.strip().isdigit():
            return float(value)
    return None


def _sides(source: Source) -> tuple[Entry, ...]:
    return source.there.sides or ()


def _parts(source: Source) -> bool:
    return source.there.sides is not None or source.there.entry.name.suffix.lower() == ".raw"


def _is_pair(source: Source, file: Path, known: Measured) -> bool:
    """Whether a file without a header holds both directions: then it is twice as long as the talk."""
    if file.suffix.lower() != ".raw":
        return False
    return not shape.timeline(source.recorded(known.seconds)) and bool(
        shape.timeline(source.recorded(known.seconds / 2))
    )


def _length(source: Source, file: Path, known: Measured) -> float:
    return known.seconds / 2 if _is_pair(source, file, known) else known.seconds


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1


def name_of(path_on_pbx: str, kind: Sound, made: Path) -> str:
    """The name that a portal shows: the PBX's own, a message's with its mailbox."""
    path = PurePosixPath(path_on_pbx.partition("?")[0])
    stem = path.stem if path.suffix else path.name
    if kind is Sound.VOICEMAIL and len(path.parts) > 2:
        stem = f"voicemail-{path.parts[-3]}-{stem}"
    return f"{stem}{made.suffix.lower()}"
