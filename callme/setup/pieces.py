"""Our text inside a file that belongs to somebody else: laid in between two marker lines, taken out again.

Everything that `callme setup` writes into a configuration file of the PBX is a `Piece`. A piece is put at the
end of its file, replaced where it stands, and lifted so that the file is byte for byte what it was. What is
needed for that stands in the first marker line itself, so that no other record can get lost. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from callme.errors import TroubleError
from callme.wording import Phrase

JOINED = "(the line before had no end)"
MADE = "(the file was made for this)"

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_BEGIN = re.compile(rb"^(?:;|#) >>> callme: ([a-z][a-z0-9-]*)\b(.*)$")
_END = re.compile(rb"^(?:;|#) <<< callme: ([a-z][a-z0-9-]*)\s*$")

TORN = Phrase(
    "{file}, line {line}: the block “{name}” of callme setup has lost its other marker line",
    "{file}, строка {line}: у блока «{name}», записанного callme setup, потерялась вторая строка-метка",
)
TORN_CURE = Phrase(
    "put the line “{mark}” back where the block ends, or delete the whole block by hand",
    "верните строку «{mark}» в конец блока или удалите весь блок вручную",
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A block of text for one file. `name` is one word, the same at each run: by it the block is found again.
    `comment` begins a comment in that kind of file. `about` tells a person what it is for."""

    file: Path
    name: str
    text: str = field(repr=False)  # may hold a secret
    about: Phrase = field(default=Phrase("", ""), compare=False)
    comment: str = ";"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or _marked(self.text):
            raise ValueError(f"piece {self.name!r} cannot be told from the text around it")

    def block(self, *marks: str) -> bytes:
        """The block with its marker lines. `marks` say what else has to be undone."""
        words = " ".join((f"{self.comment} >>> callme: {self.name}", HINT, *marks))
        text = self.text if self.text.endswith("\n") else f"{self.text}\n"
        return f"{words}\n{text}{self.comment} <<< callme: {self.name}\n".encode()


HINT = '(written by "callme setup", taken back by "callme setup --undo")'


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block stands: from the beginning of its first line to behind its last one."""

    name: str
    start: int
    end: int
    marks: str


def lay(before: bytes | None, piece: Piece) -> bytes:
    """The file with that piece in it, where it stood or at the end. `None`: there is no such file.

    Raises `TroubleError` when a marker line was lost.
    """
    text = before or b""
    for place in _places(text, piece.file):
        if place.name == piece.name:
            marks = [mark for mark in (JOINED, MADE) if mark in place.marks]
            return text[: place.start] + piece.block(*marks) + text[place.end :]
    marks = [MADE] if before is None else []
    if text and not text.endswith(b"\n"):
        return text + b"\n" + piece.block(JOINED, *marks)
    return text + piece.block(*marks)


def lift(text: bytes, file: Path, name: str | None = None) -> bytes | None:
    """The file without the block of that name, or without any of ours; `None` when nothing is left of a file
    that was made for it. What others wrote around it stays as it is. Raises `TroubleError`."""
    made = False
    for place in reversed(list(_places(text, file))):
        if name not in (None, place.name):
            continue
        head, tail = text[: place.start], text[place.end :]
        if JOINED in place.marks and not tail:
            head = head.removesuffix(b"\n")
        made = made or MADE in place.marks
        text = head + tail
    return None if made and not text else text


def laid(text: bytes, file: Path) -> dict[str, str]:
    """The blocks of ours in a file: name → what stands between the marker lines."""
    found = {}
    for place in _places(text, file):
        inner = text[place.start : place.end].split(b"\n", 1)[1].rstrip(b"\n").rpartition(b"\n")[0]
        found[place.name] = inner.decode("utf-8", "replace") + "\n"
    return found


def _places(text: bytes, file: Path) -> Iterator[_Place]:
    open_: re.Match[bytes] | None = None
    start = at = 0
    begun = 0
    for number, line in enumerate(text.split(b"\n"), start=1):
        bare = line.rstrip(b"\r")
        if begin := _BEGIN.match(bare):
            if open_ is not None:
                raise _torn(file, begun, open_)
            open_, start, begun = begin, at, number
        elif end := _END.match(bare):
            if open_ is None or open_[1] != end[1]:
                raise _torn(file, begun or number, open_ or end)
            name, marks = open_[1].decode(), open_[2].decode("utf-8", "replace")
            yield _Place(name, start, min(at + len(line) + 1, len(text)), marks)
            open_ = None
        at += len(line) + 1
    if open_ is not None:
        raise _torn(file, begun, open_)


def _torn(file: Path, line: int, mark: re.Match[bytes]) -> TroubleError:
    name = mark[1].decode()
    missing = f"{mark[0][:1].decode()} <<< callme: {name}"
    return TroubleError(
        TORN.given(file=file, line=line, name=name),
        TORN_CURE.given(mark=missing),
    )


def _marked(text: str) -> bool:
    return any(_BEGIN.match(line) or _END.match(line) for line in text.encode().split(b"\n"))
