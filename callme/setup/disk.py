"""Writes what was planned, keeps what was before, and takes it all back. The only place of the set-up that
changes anything.

A file is replaced in one step (a reader sees the old or the new one, never a half) and keeps its owner and
mode. What was before lies in `.callme-setup` beside our configuration, with a list of what was done, until
`undo` has put it back.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import hashlib
import json
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from callme.errors import TroubleError
from callme.setup import pieces
from callme.setup.changing import Change, Owner
from callme.wording import Phrase, plain

FOLDER = ".callme-setup"
LIST = "done.json"
UNWRITABLE = Phrase("{file} cannot be written: {why}", "{file} не записывается: {why}")
UNWRITABLE_CURE = Phrase("run the same command as root", "запустите ту же команду от root")
RACED = Phrase(
    "{file} was changed by somebody while it was looked at: nothing was written to it",
    "{file} кто-то изменил, пока мы на него смотрели: в него ничего не записано",
)
RACED_CURE = Phrase("run callme setup again", "запустите callme setup ещё раз")
BROKEN_LIST = Phrase(
    "the list of what was done, {file}, cannot be read",
    "не читается список сделанного {file}",
)
BROKEN_LIST_CURE = Phrase(
    "the files from before lie beside it; put them back by hand",
    "прежние файлы лежат рядом с ним; верните их вручную",
)
LEFT = Phrase(
    "{file} was changed since: it stays as it is; what was there before is in {backup}",
    "{file} с тех пор изменили: он остаётся как есть; что было раньше — в {backup}",
)
LEFT_NEW = Phrase(
    "{file} was changed since: it stays as it is; delete it when you do not need it",
    "{file} с тех пор изменили: он остаётся как есть; удалите его, когда он не нужен",
)


@dataclass(slots=True)
class Done:
    """One file that was written. `backup` is the copy of what was before, empty where there was no file;
    `digest` that of what we wrote; `mode` and `owner` are from before."""

    path: str
    whole: bool
    backup: str
    digest: str
    mode: int = 0o600
    owner: tuple[int, int] = (-1, -1)


@dataclass(slots=True)
class Ledger:
    """What was done on this machine so far, oldest first. `folders` and `user` were made
    for it; `unit` is `own` or `packaged` where the service was started."""

    files: list[Done] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    user: str = ""
    unit: str = ""
    console: list[str] = field(default_factory=list)

    def of(self, path: Path) -> Done | None:
        """What was done to that file."""
        return next((one for one in self.files if one.path == str(path)), None)


class Disk:
    """Writes for one configuration. `folder` is where the ledger lies."""

    paper = False

    def __init__(self, config: Path) -> None:
        self.folder = config.absolute().parent / FOLDER
        self.ledger = _read(self.folder / LIST)

    def content(self, path: Path) -> bytes | None:
        """What is in the file; `None` when there is none. Raises `TroubleError`."""
        return content(path)

    def write(self, changes: Iterable[Change]) -> None:
        """Carries the changes out, one after the other; each is in the ledger before it is done. Raises
        `TroubleError`."""
        for change in changes:
            with _explained(change.path):
                self._write(change)

    def note(self, *, user: str = "", unit: str = "", console: Iterable[str] = ()) -> None:
        """Remembers what else `undo` has to know."""
        self.ledger.user = self.ledger.user or user
        self.ledger.unit = self.ledger.unit or unit
        self.ledger.console = list(console) or self.ledger.console
        with _explained(self.folder):
            self._save()

    def _write(self, change: Change) -> None:
        if _content(change.path) != change.before:
            raise TroubleError(RACED.given(file=change.path), RACED_CURE)
        if change.after is None:
            change.path.unlink()
            return
        self._make_folder(change.path.parent)
        done = self.ledger.of(change.path)
        if done is None:
            done = Done(str(change.path), change.whole, self._keep(change), "", *_whose(change.path))
            self.ledger.files.append(done)
        done.whole = done.whole or change.whole  # then the copy of before is the way back
        done.digest = _digest(change.after)
        self._save()
        replace(change.path, change.after, change.mode, change.owner, ours=change.whole)

    def _keep(self, change: Change) -> str:
        """The copy of what was before."""
        if change.before is None:
            return ""
        self._make_folder(self.folder)
        taken = len(list(self.folder.iterdir()))
        copy = self.folder / f"{taken:02}-{change.path.name}"
        replace(copy, change.before, 0o600, None, ours=True)
        return str(copy)

    def _make_folder(self, folder: Path) -> None:
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir(mode=0o700 if one.name == FOLDER else 0o755)
            self.ledger.folders.append(str(one))

    def _save(self) -> None:
        self._make_folder(self.folder)
        text = json.dumps(asdict(self.ledger), ensure_ascii=False, indent=1).encode()
        replace(self.folder / LIST, text, 0o600, None, ours=True)

    # ------------------------------------------------------------------------------------------ back
    def back(self) -> tuple[list[Change], list[Phrase]]:
        """What `undo` would do, and what it will leave alone."""
        changes, left = [], []
        for done in reversed(self.ledger.files):
            path = Path(done.path)
            now = _content(path)
            if now is None:
                continue
            if not done.whole:
                changes.append(Change(path, now, pieces.lift(now, path)))
            elif _digest(now) == done.digest:
                before = Path(done.backup).read_bytes() if done.backup else None
                owner = Owner(*done.owner)
                changes.append(Change(path, now, before, whole=True, mode=done.mode, owner=owner))
            elif not done.backup or Path(done.backup).read_bytes() != now:
                left.append(
                    LEFT.given(file=path, backup=done.backup) if done.backup else LEFT_NEW.given(file=path)
                )
        return changes, left

    def undo(self, changes: Iterable[Change], *, keep: bool) -> None:
        """Carries out what `back` planned, and forgets it; with `keep` the copies stay. Raises
        `TroubleError`."""
        for change in changes:
            with _explained(change.path):
                if change.after is None:
                    change.path.unlink()
                elif change.needed:
                    replace(change.path, change.after, change.mode, change.owner, ours=change.whole)
        with _explained(self.folder):
            if keep or not self.folder.exists():
                return
            shutil.rmtree(self.folder)
        for folder in reversed(self.ledger.folders):
            with contextlib.suppress(OSError):  # not empty: somebody else uses it by now
                Path(folder).rmdir()


class Paper(Disk):
    """Writes nowhere: for a rehearsal, in which each step finds what those before it would have written."""

    paper = True

    def __init__(self, config: Path) -> None:
        self.folder = config.absolute().parent / FOLDER
        self.ledger = Ledger()
        self._written: dict[Path, bytes | None] = {}

    def content(self, path: Path) -> bytes | None:
        """As it would be by now."""
        return self._written[path] if path in self._written else content(path)

    def write(self, changes: Iterable[Change]) -> None:
        """Only remembers."""
        self._written |= {change.path: change.after for change in changes}

    def note(self, *, user: str = "", unit: str = "", console: Iterable[str] = ()) -> None:
        """Nothing was done that could be undone."""


def replace(path: Path, text: bytes, mode: int, owner: Owner | None, *, ours: bool) -> None:
    """Puts the text into the file in one step and onto the disk. An existing file that is not `ours` keeps
    its owner and mode; a link is followed."""
    target = path.resolve()
    status = target.stat() if target.exists() else None
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            if status is not None and not ours:
                os.fchmod(file.fileno(), status.st_mode & 0o7777)
                _give(file.fileno(), Owner(status.st_uid, status.st_gid))
            else:
                os.fchmod(file.fileno(), mode)
                _give(file.fileno(), owner or (Owner(status.st_uid, status.st_gid) if status else None))
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _give(handle: int, owner: Owner | None) -> None:
    if owner is None or os.geteuid() != 0:
        return  # only root may give files away; for anybody else they are his own already
    try:
        user = owner.user if isinstance(owner.user, int) else pwd.getpwnam(owner.user).pw_uid
        group = owner.group if isinstance(owner.group, int) else grp.getgrnam(owner.group).gr_gid
    except KeyError as error:
        raise OSError(errno.ENOENT, str(error.args[0])) from None
    os.fchown(handle, user, group)


def content(path: Path) -> bytes | None:
    """What is in the file; `None` when there is none. Raises `TroubleError`."""
    with _explained(path):
        return _content(path)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _whose(path: Path) -> tuple[int, tuple[int, int]]:
    if not path.exists():
        return 0o600, (-1, -1)
    status = path.stat()
    return status.st_mode & 0o7777, (status.st_uid, status.st_gid)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _read(file: Path) -> Ledger:
    with _explained(file):
        text = _content(file)
    if text is None:
        return Ledger()
    try:
        told: dict[str, Any] = json.loads(text)
        files = [Done(**one) for one in told.pop("files")]
        return Ledger(files=files, **told)
    except (ValueError, TypeError, KeyError):
        raise TroubleError(BROKEN_LIST.given(file=file), BROKEN_LIST_CURE) from None


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What the disk refuses, in words."""
    try:
        yield
    except OSError as error:
        raise TroubleError(
            UNWRITABLE.given(file=error.filename or path, why=plain(error.strerror)), UNWRITABLE_CURE
        ) from None
