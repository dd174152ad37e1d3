"""Has it written down what was said in a recording, for a *transcribe*: who speaks, when, what; without the
numbers of cards.

Given to delivery's workers as `listen`. As with recordings nothing here keeps a worker waiting: what is not
ready comes back as `Later`. What is written down lies beside our copies of recordings and goes with them, so
that a restart, a portal that is away or a second portal costs no second hearing. What somebody keeps back is
not listened to.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from callme.calls.model import Sound
from callme.config import Transcription
from callme.crm.intents import Attach, Transcribe
from callme.crm.port import Audio, Later, Refused
from callme.crm.redaction import redacted
from callme.crm.transcript import Garbled, Line, Voices, understand
from callme.pbx.unbroken import unbroken
from callme.service.transcriber import Away, Failed, transcriber
from callme.wording import Phrase

AT_ONCE_S = 2.0
"""What is written down within this is told as done; the rest goes on by itself."""

AGAIN_S = (5.0, 60.0)
"""The shortest and the longest wait between two questions how far it is."""

AWAY_S = 300.0
"""So long until somebody who is not there is asked again."""

GIVE_UP_S = 3 * 86_400.0
"""After the call: as long as a recording is looked for."""

TRIES = 5
FAILED_S = 30.0
"""The wait after the first failure; it doubles."""

OFF = Phrase(
    "transcription is switched off: [transcription] names neither command nor url",
    "расшифровка выключена: в [transcription] нет ни command, ни url",
)
WAITING = Phrase("waiting for its turn to be written down", "ждёт очереди на расшифровку")
WORKING = Phrase("being written down", "расшифровывается")
STOPPED = Phrase("stopped: somebody said so", "остановлено по распоряжению")
GARBLED = Phrase("the transcriber's answer cannot be read: {why}", "ответ расшифровщика не разобрать: {why}")
NO_ROOM = Phrase(
    "what was said cannot be kept in {folder}: {why}", "расшифровку не удаётся сохранить в {folder}: {why}"
)

Lines = tuple[Line, ...]
Prepare = Callable[[Attach], Awaitable[Audio | Later | Refused]]


class _Work:
    """One recording being written down."""

    def __init__(self, call: str) -> None:
        self.call = call
        self.state = WAITING
        self.asked = 0
        self.task: asyncio.Task[Lines | Away | Failed | Refused]


class Speech:
    """Writes recordings down for delivery. `sound` gives the audio of an *attach*, or says why it may not
    leave; `folder` is where our copies lie. `close` when nobody asks any more."""

    def __init__(
        self, settings: Transcription, sound: Prepare, folder: Path, clock: Callable[[], float]
    ) -> None:
        """Raises `ConfigError` for a file of authorities that cannot be used."""
        self._settings = settings
        self._sound = sound
        self._folder = folder
        self._clock = clock
        self._transcriber = transcriber(settings)
        self._turn = asyncio.Semaphore(settings.parallel)
        self._works: dict[str, _Work] = {}
        self._failures: dict[str, int] = {}

    async def prepare(self, order: Transcribe) -> Lines | Later | Refused:
        """What was said, or why it is not written down (yet)."""
        if self._transcriber is None:
            return Refused(OFF)
        audio = await self._sound(order.recording)
        if isinstance(audio, Later | Refused):
            return audio
        if audio.lacking is not None:
            return Later(audio.lacking, audio.again_s)
        voices = _voices(order, audio)
        mark = self._mark(audio, voices)
        call = order.about.call
        kept = await asyncio.to_thread(self._kept, mark)
        found = await self._ask(mark, order, audio, voices) if kept is None else kept
        if isinstance(found, tuple):
            # Somebody may have kept it back, or have had it forgotten, while it was listened to.
            audio = await self._sound(order.recording)
            if isinstance(audio, Later):
                return audio
            if isinstance(audio, Refused):
                await self.stop(call)
                return audio
            if await asyncio.to_thread(self._said, call) != mark:
                await unbroken(self._write, self._pointer(call), mark)
        return found

    async def said(self, call: str) -> Lines:
        """What was written down of a call; nothing where nobody did."""
        mark = await asyncio.to_thread(self._said, call)
        found = await asyncio.to_thread(self._kept, mark) if mark else None
        return found or ()

    async def stop(self, call: str) -> None:
        """Ends what is being written down of that call, and takes away what was."""
        mine = {mark: work for mark, work in self._works.items() if work.call == call}
        for mark, work in mine.items():
            del self._works[mark]
            self._failures.pop(mark, None)
            work.task.cancel()
        await asyncio.gather(*(work.task for work in mine.values()), return_exceptions=True)
        await unbroken(self._take_away, call, set(mine))

    async def close(self) -> None:
        """Ends what is being listened to; it is begun again when it is asked for again."""
        tasks = [work.task for work in self._works.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._works.clear()
        if self._transcriber is not None:
            await self._transcriber.close()

    # -------------------------------------------------------------------------------------- listening
    async def _ask(
        self, mark: str, order: Transcribe, audio: Audio, voices: Voices
    ) -> Lines | Later | Refused:
        work = self._works.get(mark)
        if work is None:
            work = self._works[mark] = _Work(order.about.call)
            work.task = asyncio.create_task(self._heard(work, mark, audio, voices))
        await asyncio.wait({work.task}, timeout=AT_ONCE_S)
        if not work.task.done():
            work.asked += 1
            least, most = AGAIN_S
            return Later(work.state, min(most, least * work.asked))
        if self._works.get(mark) is work:
            del self._works[mark]
        if work.task.cancelled():
            return Later(STOPPED, AT_ONCE_S)
        try:
            found = work.task.result()
        except OSError as error:
            why = error.strerror or str(error)
            return Later(NO_ROOM.given(folder=str(self._folder), why=why), AWAY_S)
        return self._judged(mark, order, found)

    async def _heard(
        self, work: _Work, mark: str, audio: Audio, voices: Voices
    ) -> Lines | Away | Failed | Refused:
        assert self._transcriber is not None  # noqa: S101  else nobody begins
        async with self._turn:
            work.state = WORKING
            answer = await self._transcriber.hear(audio, voices)
        if not isinstance(answer, bytes):
            return answer
        try:
            lines = await asyncio.to_thread(understand, answer, voices)
        except Garbled as error:
            return Failed(GARBLED.given(why=error.why))
        if self._settings.redact:
            lines = await asyncio.to_thread(redacted, lines)
        plain = [line.plain() for line in lines]
        await unbroken(self._keep, work.call, mark, plain)
        return lines

    def _judged(
        self, mark: str, order: Transcribe, found: Lines | Away | Failed | Refused
    ) -> Lines | Later | Refused:
        failures = self._failures.pop(mark, 0)
        if isinstance(found, tuple | Refused):
            return found
        old = self._clock() - order.ended_at > GIVE_UP_S
        if isinstance(found, Away):
            return Refused(found.why) if old else Later(found.why, AWAY_S)
        if old or failures + 1 >= TRIES:
            return Refused(found.why)
        self._failures[mark] = failures + 1
        return Later(found.why, FAILED_S * 2.0**failures)

    # -------------------------------------------------------------------------------------- keeping
    def _mark(self, audio: Audio, voices: Voices) -> str:
        """The same sound heard in the same way says the same."""
        settings = self._settings
        told = [audio.checksum or str(audio.file), voices.name, settings.language, settings.redact]
        told += [list(settings.command), settings.url]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]

    def _file(self, mark: str) -> Path:
        return self._folder / f"{mark}.lines.json"

    def _kept(self, mark: str) -> Lines | None:
        try:
            return tuple(Line.of(line) for line in json.loads(self._file(mark).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, or not whole: it is heard again

    def _pointer(self, call: str) -> Path:
        """Tells which lines are a call's; its name tells nobody the call."""
        return self._folder / f"{hashlib.sha256(call.encode()).hexdigest()[:24]}.said.json"

    def _said(self, call: str) -> str:
        try:
            found = json.loads(self._pointer(call).read_bytes())
        except (OSError, ValueError):
            return ""
        return found if isinstance(found, str) and found.isalnum() else ""

    def _take_away(self, call: str, marks: set[str]) -> None:
        for file in (self._pointer(call), *map(self._file, {self._said(call), *marks} - {""})):
            file.unlink(missing_ok=True)
            file.with_suffix(".part").unlink(missing_ok=True)

    def _keep(self, call: str, mark: str, lines: object) -> None:
        """The pointer first: whoever says stop finds by it what there is."""
        self._write(self._pointer(call), mark)
        self._write(self._file(mark), lines)

    def _write(self, target: Path, content: object) -> None:
        """Whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        with open(part, "w", encoding="utf-8", opener=_private) as file:
            json.dump(content, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _voices(order: Transcribe, audio: Audio) -> Voices:
    """Only the caller speaks in the message that he left."""
    if order.files and order.files[0].kind is Sound.VOICEMAIL:
        return Voices.CUSTOMER
    return Voices.APART if audio.sides else Voices.TOGETHER
