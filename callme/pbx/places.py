"""Where a PBX's recordings are seen from here: what any such place offers, and the plainest one, a folder.

`pbx.recordings` asks a place for files by name and judges what it finds; the others are `pbx.sftp` and
`pbx.https`. A place decides nothing: it says what is there, and brings it.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from callme.wording import Phrase

Progress = Callable[[int], None]
"""Told how many bytes are here."""

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
NO_FILE = Phrase("{file} is not a file", "{file} — это не файл")
GONE = Phrase("the recording {file} has gone meanwhile", "запись {file} тем временем исчезла")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that is there. `mtime` is `None` where the place does not tell it to the second."""

    name: PurePosixPath
    size: int
    mtime: float | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """The place cannot be asked now; what a person should know. It says nothing of the file."""

    why: Phrase


@dataclass(frozen=True, slots=True)
class Strange:
    """There is something of that name that may not be taken."""

    why: Phrase


class Place(Protocol):
    """A root under which recordings lie."""

    base: str
    """How the place begins in an address under which its files are known, if there is one."""

    def shown(self, name: PurePosixPath) -> str:
        """A file as a person knows it; no secret in it."""

    async def look(
        self, names: Sequence[PurePosixPath], beside: Sequence[PurePosixPath] = ()
    ) -> list[Entry] | Trouble | Strange:
        """The first of `names` that is there, and then those of `beside` that are there too. Where each
        question costs a request the place may ask for fewer names."""

    def here(self, entry: Entry) -> Path | None:
        """The file itself where this machine can open it; else it has to be brought."""

    async def bring(self, entry: Entry, into: Path, progress: Progress) -> Trouble | None:
        """Copies the file to `into`, going on where an earlier try had broken off. `OSError` when it cannot
        be written here."""


class Folder:
    """A folder of this machine: the PBX's own, or one mounted over the network."""

    base = ""

    def __init__(self, root: Path) -> None:
        self._root = root

    def shown(self, name: PurePosixPath) -> str:
        """Its path here."""
        return str(self._root / name)

    async def look(
        self, names: Sequence[PurePosixPath], beside: Sequence[PurePosixPath] = ()
    ) -> list[Entry] | Trouble | Strange:
        """In a thread: a network folder may hang."""
        return await asyncio.to_thread(self._look, names, beside)

    def here(self, entry: Entry) -> Path | None:
        """The file itself."""
        return (self._root / entry.name).resolve()

    async def bring(self, entry: Entry, into: Path, progress: Progress) -> Trouble | None:
        """Nobody asks for that: the file is here."""
        raise NotImplementedError

    def _look(
        self, names: Sequence[PurePosixPath], beside: Sequence[PurePosixPath]
    ) -> list[Entry] | Trouble | Strange:
        try:
            root = self._root.resolve(strict=True)
            with os.scandir(root) as entries:
                bare = next(entries, None) is None
        except OSError as error:
            return Trouble(NO_FOLDER.given(folder=str(self._root), why=error.strerror or str(error)))
        if bare:  # what a folder looks like whose disk is not mounted: no reason to give recordings up
            return Trouble(NO_FOLDER.given(folder=str(self._root), why=NOTHING_IN_IT))
        name = names[0]
        try:
            name = next((one for one in names if (self._root / one).exists()), name)
            first = self._entry(root, name)
            if not isinstance(first, Entry):
                return first or []
            more = [self._entry(root, one) for one in beside if (self._root / one).exists()]
            return [first, *(one for one in more if isinstance(one, Entry))]
        except PermissionError:
            return Trouble(FORBIDDEN.given(file=self.shown(name)))
        except OSError as error:
            return Trouble(UNREADABLE.given(file=self.shown(name), why=error.strerror or str(error)))

    def _entry(self, root: Path, name: PurePosixPath) -> Entry | Strange | None:
        file = self._root / name
        if not file.exists():
            return None
        real = file.resolve()
        if not real.is_relative_to(root):  # a link that leads out of the folder
            return Strange(OUTSIDE.given(path=str(real), root=str(root)))
        # opening asks a network folder for the true size; without waiting, should this be a pipe
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Strange(NO_FILE.given(file=self.shown(name)))
        return Entry(name, status.st_size, status.st_mtime)
