"""What Asterisk would read from its configuration files: sections and keys in the order in which it loads
them, each with the file and line where it stands.

Used to find what is there already (names of AMI users, `channelvars`, who is included) before anything is
planned. Pure: the files are given. It understands what Asterisk's `main/config.c` does as far as our files
need it: `[name](marks)`, `key = value` and `key => value`, `;` and `;-- --;` comments, `#include` and
`#tryinclude` with wildcards.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_SECTION = re.compile(r"^\[([^\]]+)\]\s*(?:\(([^)]*)\))?")
_INCLUDE = re.compile(r"^#(?:try)?include\s+[\"<]?([^\">]+?)[\">]?\s*$", re.IGNORECASE)
_ENTRY = re.compile(r"^([^=]+?)\s*=>?\s*(.*)$")
DEPTH_MAX = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key = value`. `file` is relative to Asterisk's folder."""

    key: str
    value: str = field(repr=False)
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """One `[name](marks)` and what stands under it. `(+)` among the marks adds to an earlier section."""

    name: str
    marks: str
    file: str
    line: int
    entries: tuple[Entry, ...] = ()

    @property
    def adds(self) -> bool:
        """Whether it goes on with an earlier section."""
        return "+" in self.marks

    @property
    def template(self) -> bool:
        """Whether it is only a pattern for others."""
        return "!" in self.marks

    def get(self, key: str) -> str:
        """The last value of that key; empty when there is none."""
        return next((one.value for one in reversed(self.entries) if one.key.lower() == key), "")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one file and all that it includes amount to. `included` are the files that were read, in order;
    `asked` every include as it is written."""

    sections: tuple[Section, ...]
    included: tuple[str, ...]
    asked: tuple[str, ...]

    def entries(self, section: str, key: str) -> list[Entry]:
        """Every setting of a key in the sections of that name, in the order of loading."""
        return [
            entry
            for one in self.sections
            if one.name.lower() == section
            for entry in one.entries
            if entry.key.lower() == key
        ]

    def last(self, section: str, key: str, default: str = "") -> str:
        """What a key that is read once amounts to: the last setting."""
        found = self.entries(section, key)
        return found[-1].value if found else default

    def named(self, name: str) -> Section | None:
        """The section that begins that name."""
        return next((one for one in self.sections if one.name == name and not one.adds), None)


def read(root: str, files: Mapping[str, bytes]) -> Loaded:
    """Loads `root` (such as `manager.conf`) from these files, named relative to Asterisk's folder."""
    reader = _Reader(files)
    reader.file(root, 0)
    reader.close()
    return Loaded(tuple(reader.sections), tuple(reader.included), tuple(reader.asked))


class _Reader:
    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.sections: list[Section] = []
        self.included: list[str] = []
        self.asked: list[str] = []
        self._head: tuple[str, str, str, int] | None = None
        self._entries: list[Entry] = []

    def file(self, name: str, depth: int) -> None:
        text = self._files.get(name)
        if text is None or depth > DEPTH_MAX:
            return
        self.included.append(name)
        for number, line in _lines(text):
            if found := _INCLUDE.match(line):
                self.asked.append(found[1])
                for one in matching(found[1], self._files):
                    self.file(one, depth + 1)
            elif found := _SECTION.match(line):
                self.close()
                self._head = (found[1].strip(), found[2] or "", name, number)
            elif self._head and (found := _ENTRY.match(line)):
                self._entries.append(Entry(found[1].strip(), found[2].strip(), name, number))

    def close(self) -> None:
        """The section that is being read ends."""
        if self._head is not None:
            self.sections.append(Section(*self._head, entries=tuple(self._entries)))
        self._head, self._entries = None, []


def matching(asked: str, names: Iterable[str], folder: str = "/etc/asterisk/") -> list[str]:
    """The files that an include means, sorted as the system's glob sorts them."""
    wanted = asked.removeprefix(folder).removeprefix("./")
    return sorted(name for name in names if fnmatch.fnmatchcase(name, wanted))


def _lines(text: bytes) -> Iterator[tuple[int, str]]:
    """The lines without comments and blanks around them."""
    within = False
    for number, raw in enumerate(text.decode("utf-8", "replace").splitlines(), start=1):
        line = raw
        if within:
            _, closed, line = line.partition("--;")
            within = not closed
        if not within:
            line, within = _bare(line)
        if line.strip():
            yield number, line.strip()


def _bare(line: str) -> tuple[str, bool]:
    """The line without its comments, and whether a comment goes on after it."""
    kept, at = "", 0
    while at < len(line):
        if line.startswith(";--", at) and not line.startswith(";---", at):
            end = line.find("--;", at + 3)
            if end < 0:
                return kept, True
            at = end + 3
        elif line[at] == ";":
            return kept, False
        elif line.startswith("\\;", at):
            kept, at = kept + ";", at + 2
        else:
            kept, at = kept + line[at], at + 1
    return kept, False
