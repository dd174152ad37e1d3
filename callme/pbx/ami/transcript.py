"""Reads a recorded AMI stream (`NAME.ami`, also `.gz`, with `NAME.ami.idx`) as the moments in which it
arrived.

Used by `callme replay`, by the tests and to rebuild a call from its transcript. The index has a line
`seconds offset` for each read (the bytes from that offset on came then), the wall time of second 0 first
(`# wall EPOCH`), and `# reconnect OFFSET` where the link was made anew (the README of the traces).
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from callme.calls.facts import Fact, LinkDown
from callme.errors import ConfigError
from callme.pbx.ami import translate
from callme.pbx.ami.wire import Framer, parse
from callme.pbx.port import Moment
from callme.wording import Phrase

_EPOCH = re.compile(rb"Uniqueid: \S*?(\d{9,})\.\d+")

UNREADABLE = Phrase("{file} cannot be read: {why}", "Файл {file} не читается: {why}")
NO_EVENTS = Phrase("{file} holds no AMI events", "В файле {file} нет событий AMI")
RECORD_CURE = Phrase(
    "give a file that holds the raw bytes of an AMI link, as `callme record` writes it",
    "укажите файл с сырыми байтами связи AMI, каким его пишет `callme record`",
)
BAD_INDEX = Phrase(
    "{file}, line {line}: expected `seconds offset`, found {text}",
    "{file}, строка {line}: ожидалось `секунды смещение`, а там {text}",
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that arrived in one moment; `fresh` when they are the first of a new connection."""

    at: float
    data: bytes
    fresh: bool = False


def read_chunks(file: Path) -> list[Chunk]:
    """The reads of the recording; raises `ConfigError` for files that are none."""
    try:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError, zlib.error) as trouble:
        why = getattr(trouble, "strerror", None) or str(trouble)
        raise ConfigError(UNREADABLE.given(file=str(file), why=why)) from None
    if b"Event: " not in data:
        raise ConfigError(NO_EVENTS.given(file=str(file)), RECORD_CURE)
    index = file.with_name(file.name.removesuffix(".gz") + ".idx")
    if not index.exists():
        return [Chunk(_first_epoch(data), data)]
    wall, marks, reconnects = _read_index(index)
    marks = marks or [(0.0, 0)]
    if marks[0][1] > 0:
        marks.insert(0, (marks[0][0], 0))
    ends = [offset for _, offset in marks[1:]] + [len(data)]
    return [
        Chunk(wall + seconds, data[offset:end], fresh=offset in reconnects)
        for (seconds, offset), end in zip(marks, ends, strict=True)
        if end > offset
    ]


def _read_index(index: Path) -> tuple[float, list[tuple[float, int]], set[int]]:
    wall, marks, reconnects = 0.0, [], set()
    for number, line in enumerate(index.read_text("utf-8", "replace").splitlines(), 1):
        words = line.split()
        try:
            if words[:2] == ["#", "wall"]:
                wall = float(words[2])
            elif words[:2] == ["#", "reconnect"]:
                reconnects.add(int(words[2]))
            elif words and words[0] != "#":
                marks.append((float(words[0]), int(words[1])))
        except (ValueError, IndexError):
            raise ConfigError(BAD_INDEX.given(file=str(index), line=number, text=line[:60])) from None
    return wall, marks, reconnects


def _first_epoch(data: bytes) -> float:
    found = _EPOCH.search(data)
    return float(found[1]) if found else 0.0


def moments(chunks: list[Chunk]) -> Iterator[Moment]:
    """The recording as facts. Where the link was made anew we were blind from the last read on."""
    framer = Framer()
    last = chunks[0].at if chunks else 0.0
    for chunk in chunks:
        if chunk.fresh:
            yield Moment(last, (LinkDown(),))
            framer = Framer()
        found: list[Fact] = []
        for raw in framer.feed(chunk.data):
            if translate.keep(raw):
                found.extend(translate.facts(parse(raw), chunk.at))
        last = chunk.at
        if found:
            yield Moment(chunk.at, tuple(found))
