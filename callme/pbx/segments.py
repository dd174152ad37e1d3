"""The kept AMI bytes of one PBX on disk: segment files, written as the bytes arrive and read again by
`pbx.cut` to explain a call (law 12).

Made by the service, one `Transcript` per PBX; `callme record` writes one `SegmentFile` by itself. A segment
is `YYYYMMDDTHHMMSSZ.ami` with `.ami.idx` beside it, in the format of `ami.transcript`; a new one begins each
hour or 16 MB, a finished one is compressed, an old one deleted. All of it happens in a thread of its own:
the river never waits for this disk, and trouble with it costs transcripts, never calls. Files hold phone
numbers, hence 0600 and 0700.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import re
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callme.calls.facts import LinkDown, Snapshot
from callme.errors import ConfigError
from callme.pbx.ami.transcript import Chunk, read_chunks
from callme.pbx.port import Moment

HOUR_S = 3600.0
DAY_S = 86_400.0
SEGMENT_BYTES = 16 << 20
WAITING_BYTES = 32 << 20
"""What may wait for a slow disk; what comes on top is not kept."""
AGAIN_S = 60.0
"""So long after trouble with the disk nothing is kept, then a new segment is tried."""
MARGIN_S = 5.0
"""Names of segments may run ahead of the clock by so much, where several began in one second."""

_NAME = re.compile(r"(\d{8}T\d{6}Z)\.ami(?:\.gz)?")
_STAMP = "%Y%m%dT%H%M%SZ"


# ----------------------------------------------------------------------------------- naming, cutting
@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: segment (name without `.ami`) and offset in its uncompressed bytes."""

    segment: str
    offset: int


def stamp(at: float) -> str:
    """The name of a segment that begins then (UTC)."""
    return datetime.fromtimestamp(at, UTC).strftime(_STAMP)


def began(name: str) -> float | None:
    """When the segment of that file began (epoch seconds); `None` for another file."""
    found = _NAME.fullmatch(name)
    try:
        return datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC).timestamp() if found else None
    except ValueError:
        return None


class Cutter:
    """Says where the next bytes go. Pure: it counts, and never looks at a disk."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        """`taken` are names of segments that exist."""
        self._taken = set(taken)
        self._segment = ""
        self._since = 0.0
        self._size = 0

    @property
    def now(self) -> Place:
        """Where the stream stands."""
        return Place(self._segment, self._size)

    def place(self, at: float, size: int) -> Place:
        """The place of so many bytes that came then; offset 0 means a segment of its own begins."""
        hour = int(at // HOUR_S) != int(self._since // HOUR_S)
        if not self._segment or hour or self._size + size > SEGMENT_BYTES:
            self._begin(at)
        found = self.now
        self._size += size
        return found

    def renew(self) -> None:
        """The segment cannot be written to any more: the next bytes begin another."""
        self._segment, self._size = "", 0

    def _begin(self, at: float) -> None:
        moment = at
        while (name := stamp(moment)) in self._taken:
            moment += 1
        self._taken.add(name)
        self._segment, self._since, self._size = name, at, 0


# ------------------------------------------------------------------------------------------ one file
class SegmentFile:
    """One `.ami` with its index, being written. Raises `OSError`, `FileExistsError` too: nothing is ever
    overwritten."""

    def __init__(self, file: Path, wall: float) -> None:
        """`wall` (epoch seconds) is second 0 of the index."""
        self._wall = wall
        self._offset = 0
        self._bytes = open(file, "xb", opener=_private)  # noqa: SIM115 - closed by close
        try:
            self._index = open(  # noqa: SIM115
                file.with_name(file.name + ".idx"), "x", encoding="ascii", opener=_private
            )
        except OSError:
            self._bytes.close()
            file.unlink()
            raise
        self._index.write(f"# wall {wall:.6f}\n")

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._offset

    def write(self, at: float, raw: bytes, *, fresh: bool, asked: float | None) -> None:
        """What came at that moment; see `Chunk`."""
        if fresh:
            self._index.write(f"# reconnect {self._offset}\n")
        if asked is not None:
            self._index.write(f"# asked {self._offset} {asked:.6f}\n")
        self._index.write(f"{at - self._wall:.3f} {self._offset}\n")
        self._bytes.write(raw)
        self._offset += len(raw)

    def flush(self) -> None:
        """Lets readers see all of it."""
        self._bytes.flush()
        self._index.flush()

    def close(self) -> None:
        """Ends the file; closed even when its last bytes cannot be written."""
        with contextlib.ExitStack() as both:
            both.callback(self._index.close)
            both.callback(self._bytes.close)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


# --------------------------------------------------------------------------------------- the writing
@dataclass(frozen=True, slots=True)
class _Piece:
    at: float
    place: Place
    raw: bytes
    fresh: bool
    asked: float | None


class Transcript:
    """One PBX's transcript, being written. `keep` is called by the river and never waits."""

    def __init__(self, folder: Path, days: int, noted: Callable[[OSError | None], None]) -> None:
        """Keeps segments for so many days. `noted` hears, in another thread, of the first trouble with the
        disk and, with `None`, of its end."""
        self._folder = folder
        self._days = days
        self._noted = noted
        self._cutter = Cutter(stem for stem, _ in segments(folder))
        self._fresh = True
        self._again_at: float | None = None
        self.lost = 0
        """Bytes that were not kept."""
        self._pieces: deque[_Piece] = deque()
        self._waiting = 0
        self._trouble: OSError | None = None
        self._told = False
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"transcript of {folder.name}", daemon=True)
        self._thread.start()

    def keep(self, moment: Moment) -> Place | None:
        """Takes the moment's bytes; their place, or where the stream stands if it has none, `None` while
        nothing can be kept."""
        self._fresh = self._fresh or any(isinstance(fact, LinkDown) for fact in moment.facts)
        if not moment.raw:
            return self._cutter.now if self._again_at is None else None
        if not self._usable(moment):
            self.lost += len(moment.raw)
            self._fresh = True  # a gap is as if we had been away
            return None
        asked = next((fact.asked_at for fact in moment.facts if isinstance(fact, Snapshot)), None)
        place = self._cutter.place(moment.at, len(moment.raw))
        piece = _Piece(moment.at, place, moment.raw, self._fresh, asked)
        self._fresh = False
        with self._wake:
            self._pieces.append(piece)
            self._waiting += len(moment.raw)
            self._wake.notify()
        return place

    def _usable(self, moment: Moment) -> bool:
        if self._again_at is not None:
            if moment.at < self._again_at:
                return False
            self._again_at = None
        with self._wake:
            if self._trouble is None and self._waiting + len(moment.raw) > WAITING_BYTES:
                self._trouble = OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
                self._bad(self._trouble)
            trouble, self._trouble = self._trouble, None
        if trouble is None:
            return True
        self._cutter.renew()
        self._again_at = moment.at + AGAIN_S
        return False

    def close(self) -> None:
        """Writes what waits and ends the thread; waits for a slow disk a few seconds at most."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(10.0)

    # ------------------------------------------------------------------------------- in the thread
    def _run(self) -> None:
        current: SegmentFile | None = None
        broken = ""  # the segment whose rest is not written any more
        open_name = ""
        self._tidy("")
        while (piece := self._next()) is not None:
            name = piece.place.segment
            if name == broken:
                continue
            try:
                if name != open_name or current is None:
                    current = self._turn(current, piece)
                    open_name = name
                current.write(piece.at, piece.raw, fresh=piece.fresh, asked=piece.asked)
                if not self._pieces:
                    current.flush()
                self._well()
            except OSError as error:
                broken, open_name = name, ""
                self._bad(error)
                with self._wake:
                    self._trouble = error
                self._end(current)
                current = None
        self._end(current)

    def _next(self) -> _Piece | None:
        with self._wake:
            while not self._pieces:
                if self._closing:
                    return None
                self._wake.wait()
            piece = self._pieces.popleft()
            self._waiting -= len(piece.raw)
            return piece

    def _turn(self, before: SegmentFile | None, piece: _Piece) -> SegmentFile:
        """A new segment; the one before it is finished, and old ones go."""
        if before is not None:
            before.close()
        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.mkdir(exist_ok=True, mode=0o700)
        self._tidy(piece.place.segment, piece.at)
        return SegmentFile(self._folder / f"{piece.place.segment}.ami", piece.at)

    def _tidy(self, current: str, now: float | None = None) -> None:
        """Compresses finished segments and deletes old ones."""
        try:
            if now is not None:
                sweep(self._folder, now, self._days)
            for stem, file in segments(self._folder):
                if stem != current and file.suffix == ".ami":
                    _compress(file)
        except OSError as error:
            self._bad(error)

    def _end(self, current: SegmentFile | None) -> None:
        try:
            if current is not None:
                current.close()
        except OSError as error:
            self._bad(error)

    def _bad(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            self._noted(error)

    def _well(self) -> None:
        if self._told:
            self._told = False
            self._noted(None)


def _compress(file: Path) -> None:
    """Replaces a finished segment by its `.gz`; a crash leaves one of the two whole."""
    part = file.with_name(file.name + ".gz.part")
    with (
        open(file, "rb") as plain,
        open(part, "wb", opener=_private) as bytes_,
        gzip.GzipFile("", "wb", fileobj=bytes_) as packed,
    ):
        shutil.copyfileobj(plain, packed, 1 << 20)
    part.replace(file.with_name(file.name + ".gz"))
    file.unlink()


def sweep(folder: Path, now: float, days: int) -> None:
    """Deletes segments that ended more than so many days ago; with 0 all of them. Raises `OSError`."""
    for stem, file in segments(folder):
        start = began(file.name)
        if days == 0 or (start is not None and start + HOUR_S < now - days * DAY_S):
            file.unlink(missing_ok=True)
            (folder / f"{stem}.ami.idx").unlink(missing_ok=True)


# --------------------------------------------------------------------------------------- the reading
def segments(folder: Path) -> list[tuple[str, Path]]:
    """Name and file of each segment, eldest first; none where the folder cannot be read."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError:
        return []
    found: dict[str, Path] = {}
    for name in names:
        if began(name) is not None:
            found.setdefault(name.partition(".")[0], folder / name)  # `.ami` comes before its `.ami.gz`
    return sorted(found.items())


def window(folder: Path, since: float, until: float) -> Iterable[Chunk]:
    """What came in that time. Each chunk of a segment holds whole packets. Blocking."""
    known = segments(folder)
    starts = [began(file.name) or 0.0 for _, file in known]
    ends = [*starts, float("inf")][1:]
    for (_, file), start, end in zip(known, starts, ends, strict=True):
        if start - MARGIN_S > until or end + MARGIN_S < since:
            continue
        try:
            chunks = read_chunks(file)
        except ConfigError:
            continue  # still empty, or deleted meanwhile: it has nothing of the call
        yield from (chunk for chunk in chunks if since <= chunk.at <= until)
