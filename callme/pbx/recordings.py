"""Finds the recording that a PBX named, as seen from here, and says whether it can be handed over.

Called by the delivery of an *attach*, again and again until the answer is final; nothing in here waits. A PBX
names the file long before it is written, writes an empty one for calls that nobody answered, and leaves a
wrong header when it is killed (facts: freepbx §2.3, asterisk-ami-observed §8). Originals are only ever read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from callme.pbx.audio import SUFFIXES, read_wav, repair_wav
from callme.pbx.places import OUTSIDE, Entry, Place, Strange, Trouble
from callme.wording import Phrase

SETTLE = 1.0
"""Seconds without a change after which a file counts as written."""

AFTER_END = 2.0
"""Seconds after the end of the call before a file is believed: Asterisk closes it a moment after Hangup."""

HEADER_PATIENCE = 10.0
"""Seconds after the last change during which a wrong header may still be put right by Asterisk itself."""

ABSENCE_PATIENCE = 60.0
"""Seconds after the end during which every file is expected: network folders are late by up to a minute."""

GIVE_UP = 3 * 86400.0
"""Seconds after the end until which a file is looked for, ever more seldom: folders that are copied at
night, a machine that was away over the weekend."""

TROUBLE_WAIT = 60.0
"""Seconds until another look when a person has to mend something."""

EMPTY_BELOW = 1024
"""Bytes below which a WAV holds nothing that can be heard: an unanswered call leaves 44 (freepbx §2.3)."""

_EMPTY_BELOW_PACKED = 128  # bytes; GSM needs 1650 for a second

SIDES = (("-in", "-out"), ("_in", "_out"), ("-rx", "-tx"), ("-r", "-t"))
"""How dialplans name the files of both directions (MixMonitor's options r and t) beside the mixed one: what
the recorded channel heard first."""

NOT_NAMED = Phrase("the PBX named no file", "АТС не назвала файл")
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
class There:
    """The file is whole and does not change any more. `sides` are its two directions where the PBX keeps
    them too: what the recorded channel heard, and what it was told."""

    entry: Entry
    sides: tuple[Entry, Entry] | None = None


@dataclass(frozen=True, slots=True)
class NotYet:
    """Look again in `wait_s` seconds, and bring `size` along as `size_before`."""

    wait_s: float
    why: Phrase = GROWING
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """It should be there by now. Look again in `wait_s` seconds, and do without it if one can."""

    wait_s: float
    why: Phrase


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


Found = There | NotYet | Absent | Empty | Missing


# -------------------------------------------------------------------------------------------- judging
def judge(
    size_now: int,
    size_before: int | None,
    mtime: float | None,
    now: float,
    *,
    empty_below: int = EMPTY_BELOW,
) -> Settled | NotYet | Empty:
    """Whether a file of a call that is over can be taken. Sizes in bytes, times in seconds since the epoch.

    A file whose time of change is not known, or lies in the future (the clock of a shared folder's server is
    ahead), is judged by its size alone.
    """
    age = -1.0 if mtime is None else now - mtime
    if size_before is not None and size_before != size_now:
        return NotYet(SETTLE, size=size_now)
    if 0 <= age < SETTLE:
        return NotYet(SETTLE - age, size=size_now)
    if age < 0 and size_before is None:
        return NotYet(SETTLE, size=size_now)
    if size_now < empty_below:
        return Empty(SILENT.given(size=size_now))
    return Settled()


def absence(waited: float) -> float | None:
    """Seconds until a file is looked for again that was not there `waited` seconds after the call; `None`
    when it is given up."""
    if waited >= GIVE_UP:
        return None
    return min(max(5.0, waited / 4), 3600.0)


# ------------------------------------------------------------------------------------------ its names
def locate(path_on_pbx: str, root_on_pbx: str) -> PurePosixPath | None:
    """The path below the root, or None if it leads elsewhere. A bare name (all that CDR knows) is looked for
    in the day's folder that FreePBX puts it in, by the date in the name."""
    path = PurePosixPath(path_on_pbx)
    if not path_on_pbx or any(sign < " " for sign in path_on_pbx) or ".." in path.parts:
        return None
    if not path.is_absolute():
        day = re.search(r"-(\d{4})(\d\d)(\d\d)-\d{6}", path.name)
        return PurePosixPath(*day.groups(), path) if day and len(path.parts) == 1 else path
    try:
        below = path.relative_to(root_on_pbx)
    except ValueError:
        return None
    return below if below.parts else None


def names_of(path_on_pbx: str, root_on_pbx: str, base: str = "") -> list[PurePosixPath]:
    """Every name under which the file may lie below the root, the likeliest first; none when it leads
    elsewhere. A web address, as old dialplans name a recording, is the place's own where it begins with
    `base`; else the end of its path is looked for."""
    if not path_on_pbx.startswith(("http://", "https://")):
        below = locate(path_on_pbx, root_on_pbx)
        return [] if below is None else _variants(below)
    if base and path_on_pbx.startswith(base.rstrip("/") + "/"):
        tails = [unquote(urlsplit(path_on_pbx[len(base.rstrip("/")) + 1 :]).path)]
    else:
        parts = [part for part in unquote(urlsplit(path_on_pbx).path).split("/") if part]
        tails = ["/".join(parts[at:]) for at in range(len(parts))]
    found = [locate(tail.lstrip("/"), root_on_pbx) for tail in tails]
    return [name for below in found if below is not None for name in _variants(below)]


def _variants(file: PurePosixPath) -> list[PurePosixPath]:
    """The file itself, then the same recording after a script turned it into another format (MIXMON_POST)."""
    stem = _stem(file)
    others = [file.with_name(stem + suffix) for suffix in SUFFIXES]
    return [file, *(other for other in others if other != file)]


def _stem(file: PurePosixPath) -> str:
    return file.name.removesuffix(file.suffix) if file.suffix in SUFFIXES else file.name


def sides_of(file: PurePosixPath) -> list[PurePosixPath]:
    """Names of the files of both directions, pair by pair."""
    stem, suffix = _stem(file), file.suffix if file.suffix in SUFFIXES else ""
    return [file.with_name(f"{stem}{mark}{suffix}") for pair in SIDES for mark in pair]


# ------------------------------------------------------------------------------------------- one look
@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of a call that ended at `ended_at`. `root_on_pbx` is the place's root as the PBX names it."""

    path_on_pbx: str
    root_on_pbx: str
    ended_at: float


async def fetch(wanted: Wanted, place: Place, now: float, size_before: int | None = None) -> Found:
    """Look for the recording once. `size_before`: `size` of the last `NotYet`. Never raises on what it finds
    there."""
    if not wanted.path_on_pbx:
        return Missing(NOT_NAMED)
    names = names_of(wanted.path_on_pbx, wanted.root_on_pbx, place.base)
    if not names:
        return Missing(OUTSIDE.given(path=wanted.path_on_pbx, root=wanted.root_on_pbx))
    if now - wanted.ended_at < AFTER_END:
        return NotYet(AFTER_END - max(now - wanted.ended_at, 0.0))
    found = await place.look(names, sides_of(names[0]))
    if isinstance(found, Trouble):
        return NotYet(TROUBLE_WAIT, found.why)
    if isinstance(found, Strange):
        return Missing(found.why)
    if not found:
        return _absent(ABSENT.given(file=place.shown(names[0])), now - wanted.ended_at)
    return _judged(found, size_before, now)


def _absent(why: Phrase, waited: float) -> NotYet | Absent | Missing:
    if waited < ABSENCE_PATIENCE:
        return NotYet(5.0, why)
    again = absence(waited)
    return Missing(why) if again is None else Absent(again, why)


def _judged(found: Sequence[Entry], size_before: int | None, now: float) -> Found:
    entry, sides = found[0], _pair(found[1:])
    packed = entry.name.suffix.lower() not in (".wav", ".wav49")
    verdict = judge(
        entry.size,
        size_before,
        entry.mtime,
        now,
        empty_below=_EMPTY_BELOW_PACKED if packed else EMPTY_BELOW,
    )
    return There(entry, sides) if isinstance(verdict, Settled) else verdict


def _pair(beside: Sequence[Entry]) -> tuple[Entry, Entry] | None:
    """Two files of one way of naming, both with sound."""
    by_name = {entry.name: entry for entry in beside if entry.size >= EMPTY_BELOW}
    for into, out_of in SIDES:
        for name, entry in by_name.items():
            stem = _stem(name)
            other = name.with_name(f"{stem.removesuffix(into)}{out_of}{name.suffix}")
            if stem.endswith(into) and other in by_name:
                return entry, by_name[other]
    return None


# ----------------------------------------------------------------------------------------- the header
@dataclass(frozen=True, slots=True)
class Ready:
    """The recording on this machine, as it is or, with `repaired`, as a mended copy."""

    file: Path
    repaired: bool = False


def examine(file: Path, entry: Entry, work_dir: Path, ended_at: float, now: float) -> Ready | NotYet:
    """Whether a file's header tells the truth. A WAV whose header stays wrong is mended on a copy in
    `work_dir`. `OSError` when it cannot be read, or the copy not written."""
    with file.open("rb") as opened:
        wav = read_wav(opened, file.stat().st_size)
    if wav is None or wav.sound:
        return Ready(file)
    rested = now - max(ended_at if entry.mtime is None else entry.mtime, ended_at)
    if rested < HEADER_PATIENCE:
        return NotYet(min(HEADER_PATIENCE, HEADER_PATIENCE - rested), size=entry.size)
    mark = hashlib.sha256(str(entry.name).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    copy = work_dir / f"{mark}-mended{file.suffix}"
    work_dir.mkdir(parents=True, exist_ok=True)
    repair_wav(file, copy, wav)
    return Ready(copy, repaired=True)
