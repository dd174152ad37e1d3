"""Reads a recorded AMI stream (`NAME.ami`, also `.gz`, with `NAME.ami.idx`) as the moments in which it
arrived.

Used by `callme replay`, by the tests and to rebuild a call from its transcript. The index has a line
`seconds offset` for each read (the bytes from that offset on came then), the wall time of second 0 first
(`# wall EPOCH`), `# reconnect OFFSET` where the link was made anew, and `# asked OFFSET EPOCH` where the
answers to a snapshot of ours begin, with the moment when it was asked for.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from callme.calls.facts import Fact, LinkDown
from callme.errors import ConfigError
from callme.pbx.ami import translate
from callme.pbx.ami.wire import Framer, Message, parse
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

_LISTED = (b"Event: CoreShowChannel", b"Event: BridgeListItem")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that arrived in one moment; `fresh` when they are the first of a new connection, `asked` when
    they hold the answers to a snapshot that was asked for then (epoch seconds)."""

    at: float
    data: bytes
    fresh: bool = False
    asked: float | None = None


@dataclass(slots=True)
class _Index:
    wall: float = 0.0
    marks: list[tuple[float, int]] = field(default_factory=list)
    reconnects: set[int] = field(default_factory=set)
    asked: dict[int, float] = field(default_factory=dict)


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
    known = _read_index(index)
    marks = known.marks or [(0.0, 0)]
    if marks[0][1] > 0:
        marks.insert(0, (marks[0][0], 0))
    ends = [offset for _, offset in marks[1:]] + [len(data)]
    return [
        Chunk(
            known.wall + seconds,
            data[offset:end],
            fresh=offset in known.reconnects,
            asked=known.asked.get(offset),
        )
        for (seconds, offset), end in zip(marks, ends, strict=True)
        if end > offset
    ]


def _read_index(index: Path) -> _Index:
    found = _Index()
    for number, line in enumerate(index.read_text("utf-8", "replace").splitlines(), 1):
        words = line.split()
        try:
            match words:
                case ["#", "wall", wall, *_]:
                    found.wall = float(wall)
                case ["#", "reconnect", offset, *_]:
                    found.reconnects.add(int(offset))
                case ["#", "asked", offset, at, *_]:
                    found.asked[int(offset)] = float(at)
                case [] | ["#", *_]:
                    continue
                case _:
                    found.marks.append((float(words[0]), int(words[1])))
        except (ValueError, IndexError):
            raise ConfigError(BAD_INDEX.given(file=str(index), line=number, text=line[:60])) from None
    return found


def _first_epoch(data: bytes) -> float:
    found = _EPOCH.search(data)
    return float(found[1]) if found else 0.0


def moments(chunks: list[Chunk]) -> Iterator[Moment]:
    """The recording as facts. Where the link was made anew we were blind from the last read on."""
    framer, lists = Framer(), _Lists()
    last = chunks[0].at if chunks else 0.0
    for chunk in chunks:
        if chunk.fresh:
            yield Moment(last, (LinkDown(),))
            framer, lists = Framer(), _Lists()
        found = _facts(framer.feed(chunk.data), chunk, lists)
        last = chunk.at
        if found:
            yield Moment(chunk.at, tuple(found))


def _listed_parking(raw: bytes) -> bool:
    """An item of our own list of parked calls, which is no parking."""
    return raw.startswith((b"Event: ParkedCall\r", b"Event: ParkedCall\n")) and b"\nActionID: " in raw


@dataclass(slots=True)
class _Lists:
    """The answer to CoreShowChannels that is coming in, over as many chunks as it takes."""

    channels: list[Message] = field(default_factory=list)
    since: float | None = None


def _facts(packets: list[bytes], chunk: Chunk, lists: _Lists) -> list[Fact]:
    found: list[Fact] = []
    bridges: list[Message] = []
    whole: tuple[int, list[Message], float] | None = None
    for raw in packets:
        if raw.startswith(_LISTED):
            message = parse(raw)
            if message.name == "BridgeListItem":
                bridges.append(message)
            elif message.name == "CoreShowChannel":
                lists.since = chunk.at if lists.since is None else lists.since
                lists.channels.append(message)
            elif message.name == "CoreShowChannelsComplete":
                asked = chunk.asked if chunk.asked is not None else lists.since
                if message.get("ListItems") == str(len(lists.channels)):
                    whole = len(found), lists.channels, chunk.at if asked is None else asked
                lists.channels, lists.since = [], None
        elif translate.keep(raw) and not _listed_parking(raw):
            found.extend(translate.facts(parse(raw), chunk.at))
    if whole is not None:
        # A list that began before the recording did would end calls that live: only a whole one counts.
        where, channels, asked_at = whole
        found.insert(where, translate.snapshot([*bridges, *channels], asked_at))
    return found
