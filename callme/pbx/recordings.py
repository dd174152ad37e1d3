"""Finds the recording that a PBX named, as seen from here, and says whether it can be handed over.

Called by the delivery of an *attach*, again and again until the answer is final; nothing in here waits. A PBX
names the file long before it is written, writes an empty one for calls that nobody answered, and leaves a
wrong header when it is killed (facts: freepbx §2.3, asterisk-ami-observed §8). Originals are only ever read.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from callme.pbx.audio import SUFFIXES, Audio, Wav, convert, read_wav, repair_wav
from callme.wording import Phrase

__all__ = [
    "Audio",
    "Empty",
    "Found",
    "Missing",
    "NotYet",
    "Ready",
    "Settled",
    "convert",
    "fetch",
    "judge",
    "locate",
]

SETTLE = 1.0
"""Seconds without a change after which a file counts as written."""

AFTER_END = 2.0
"""Seconds after the end of the call before a file is believed: Asterisk closes it a moment after Hangup."""

HEADER_PATIENCE = 10.0
"""Seconds after the last change during which a wrong header may still be put right by Asterisk itself."""

ABSENCE_PATIENCE = 60.0
"""Seconds after the end during which a file may still appear: network folders are late by up to a minute."""

TROUBLE_WAIT = 60.0
"""Seconds until another look when a person has to mend something."""

EMPTY_BELOW = 1024
"""Bytes below which a WAV holds nothing that can be heard: an unanswered call leaves 44 (freepbx §2.3)."""

_EMPTY_BELOW_PACKED = 128  # bytes; GSM needs 1650 for a second

NOT_NAMED = Phrase("the PBX named no file", "АТС не назвала файл")
OUTSIDE = Phrase(
    "the recording {path} does not lie under {root}; set recordings_on_pbx to where this PBX records",
    "запись {path} лежит не в {root}; укажите в recordings_on_pbx папку, куда эта АТС пишет разговоры",
)
NO_FOLDER = Phrase(
    "the folder of recordings {folder} cannot be opened ({why}): is it mounted, is “recordings” right?",
    "папка с записями {folder} не открывается ({why}): подключена ли она, верно ли задано recordings?",
)
NOTHING_IN_IT = Phrase("it is empty", "она пуста")
FORBIDDEN = Phrase(
    "the recording {file} may not be read: add the user of CallMe to the group asterisk and restart CallMe",
    "нет прав на чтение записи {file}: добавьте пользователя CallMe в группу asterisk и перезапустите CallMe",
)
UNREADABLE = Phrase("the recording {file} cannot be read: {why}", "запись {file} не читается: {why}")
ABSENT = Phrase(
    "there is no recording {file}: deleted, moved, or never written",
    "записи {file} нет: удалена, перемещена или так и не была создана",
)
GROWING = Phrase("the recording is still being written", "запись ещё не дописана")
SILENT = Phrase(
    "the recording holds no sound ({size} bytes): the call was not answered",
    "в записи нет звука ({size} байт): на звонок не ответили",
)


@dataclass(frozen=True, slots=True)
class Ready:
    """The recording, as it is or, with `repaired`, as a mended copy."""

    file: Path
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class NotYet:
    """Look again in `wait_s` seconds, and bring `size` along as `size_before`."""

    wait_s: float
    why: Phrase = GROWING
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Empty:
    """There is a file and nothing in it. Final."""

    why: Phrase


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such file, or none that may be taken. Final."""

    why: Phrase


@dataclass(frozen=True, slots=True)
class Settled:
    """The file does not change any more."""


Found = Ready | NotYet | Empty | Missing


def judge(
    size_now: int, size_before: int | None, mtime: float, now: float, *, empty_below: int = EMPTY_BELOW
) -> Settled | NotYet | Empty:
    """Whether a file of a call that is over can be taken. Sizes in bytes, times in seconds since the epoch.

    A file changed in the future (the clock of a shared folder's server is ahead) is judged by its size alone.
    """
    age = now - mtime
    if size_before is not None and size_before != size_now:
        return NotYet(SETTLE, size=size_now)
    if 0 <= age < SETTLE:
        return NotYet(SETTLE - age, size=size_now)
    if age < 0 and size_before is None:
        return NotYet(SETTLE, size=size_now)
    if size_now < empty_below:
        return Empty(SILENT.given(size=size_now))
    return Settled()


def locate(path_on_pbx: str, root_on_pbx: str) -> PurePosixPath | None:
    """The path below the root, or None if it leads elsewhere. A bare name (all that CDR knows) is looked for
    in the day's folder that FreePBX puts it in, by the date in the name."""
    path = PurePosixPath(path_on_pbx)
    if not path_on_pbx or "\0" in path_on_pbx or ".." in path.parts:
        return None
    if not path.is_absolute():
        day = re.search(r"-(\d{4})(\d\d)(\d\d)-\d{6}", path.name)
        return PurePosixPath(*day.groups(), path) if day and len(path.parts) == 1 else path
    try:
        below = path.relative_to(root_on_pbx)
    except ValueError:
        return None
    return below if below.parts else None


async def fetch(
    path_on_pbx: str,
    *,
    root_on_pbx: str,
    root_here: Path,
    work_dir: Path,
    ended_at: float,
    now: float,
    size_before: int | None = None,
) -> Found:
    """Look for the recording once. `ended_at`: end of the call; `size_before`: `size` of the last `NotYet`.

    A mended copy is put into `work_dir`. Never raises on what it finds on the disk.
    """
    if not path_on_pbx:
        return Missing(NOT_NAMED)
    below = locate(path_on_pbx, root_on_pbx)
    if below is None:
        return Missing(OUTSIDE.given(path=path_on_pbx, root=root_on_pbx))
    if now - ended_at < AFTER_END:
        return NotYet(AFTER_END - max(now - ended_at, 0.0))
    look = _Look(root_here, below, work_dir, ended_at, now, size_before)
    return await asyncio.to_thread(look.look)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the disk, in a thread: a network folder may hang."""

    root: Path
    below: PurePosixPath
    work_dir: Path
    ended_at: float
    now: float
    size_before: int | None

    def look(self) -> Found:
        try:
            root = self.root.resolve(strict=True)
            with os.scandir(root) as entries:
                bare = next(entries, None) is None
        except OSError as error:
            why = error.strerror or str(error)
            return NotYet(TROUBLE_WAIT, NO_FOLDER.given(folder=str(self.root), why=why))
        if bare:  # what a folder looks like whose disk is not mounted: no reason to give recordings up
            return NotYet(TROUBLE_WAIT, NO_FOLDER.given(folder=str(self.root), why=NOTHING_IN_IT))
        file = self.root / self.below
        try:
            for name in _names(file):
                if name.exists():
                    return self._inside(root, name)
        except PermissionError:
            return NotYet(TROUBLE_WAIT, FORBIDDEN.given(file=str(file)))
        except OSError as error:
            why = error.strerror or str(error)
            return NotYet(TROUBLE_WAIT, UNREADABLE.given(file=str(file), why=why))
        why_absent = ABSENT.given(file=str(file))
        waited = self.now - self.ended_at
        return Missing(why_absent) if waited >= ABSENCE_PATIENCE else NotYet(5.0, why_absent)

    def _inside(self, root: Path, file: Path) -> Found:
        real = file.resolve()
        if not real.is_relative_to(root):  # a link that leads out of the folder
            return Missing(OUTSIDE.given(path=str(real), root=str(root)))
        # opening asks a network folder for the true size; without waiting, should this be a pipe
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return Missing(ABSENT.given(file=str(file)))
            wav = read_wav(opened, status.st_size)
        return self._judged(real, status, wav)

    def _judged(self, file: Path, status: os.stat_result, wav: Wav | None) -> Found:
        packed = file.suffix.lower() not in (".wav", ".wav49")
        verdict = judge(
            status.st_size,
            self.size_before,
            status.st_mtime,
            self.now,
            empty_below=_EMPTY_BELOW_PACKED if packed else EMPTY_BELOW,
        )
        if not isinstance(verdict, Settled):
            return verdict
        if wav is None or wav.sound:
            return Ready(file)
        rested = self.now - max(status.st_mtime, self.ended_at)
        if rested < HEADER_PATIENCE:
            return NotYet(min(HEADER_PATIENCE, HEADER_PATIENCE - rested), size=status.st_size)
        mark = hashlib.sha256(str(self.below).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        copy = self.work_dir / f"{mark}{file.suffix}"
        self.work_dir.mkdir(parents=True, exist_ok=True)
        repair_wav(file, copy, wav)
        return Ready(copy, repaired=True)


def _names(file: Path) -> list[Path]:
    """The file itself, then the same recording after a script turned it into another format (MIXMON_POST)."""
    stem = file.name.removesuffix(file.suffix) if file.suffix in SUFFIXES else file.name
    others = [file.with_name(stem + suffix) for suffix in SUFFIXES]
    return [file, *(other for other in others if other != file)]
