"""What would be written, as values: each file before and after, shown as a diff without its secrets, and the
commands that go with it. Pure; `callme.setup.disk` carries it out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from callme.wording import Phrase

_SECRET_LINE = re.compile(
    r"^(?P<head>\s*\"?[\w.-]*(?:secret|token|passw|webhook|passphrase|key)[\w-]*\"?\s*=>?\s*).+$",
    re.IGNORECASE,
)
_SECRET_INSIDE = re.compile(
    r"(?P<head>\b[\w.-]*(?:secret|token|passw|webhook|passphrase|key)[\w-]*\"?\s*=\s*)"
    r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*')",
    re.IGNORECASE,
)
"""A secret in a table that stands in one line of TOML, however it is quoted."""

MASK = "***"
CONTEXT_LINES = 3
NOTHING = Phrase("", "")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a file is to be: user and group by name or number. `None` leaves what is."""

    user: str | int
    group: str | int


@dataclass(frozen=True, slots=True)
class Change:
    """One file. `before` and `after` are its bytes, `None` where there is none. `whole`: all of it is ours,
    not a block. `mode` and `owner` are those of a new file, and of one that is wholly ours."""

    path: Path
    before: bytes | None = field(repr=False)
    after: bytes | None = field(repr=False)
    about: Phrase = NOTHING
    whole: bool = False
    mode: int = 0o644
    owner: Owner | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)  # never shown, wherever they stand

    @property
    def needed(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run, and what for."""

    argv: tuple[str, ...]
    why: Phrase

    def line(self) -> str:
        """As a person types it."""
        return " ".join(_typed(word) for word in self.argv)


def needed(changes: Iterable[Change]) -> list[Change]:
    """Those that change something."""
    return [change for change in changes if change.needed]


def diff(change: Change) -> list[str]:
    """The change as lines of a unified diff, secrets masked: those of others in the same file too."""
    before, after = (_lines(text, change.secrets) for text in (change.before, change.after))
    name = str(change.path)
    shown = difflib.unified_diff(
        before,
        after,
        "/dev/null" if change.before is None else name,
        "/dev/null" if change.after is None else name,
        n=CONTEXT_LINES,
        lineterm="",
    )
    return list(shown) or [f"# {name}"]


def masked(line: str) -> str:
    """The line without the values of secrets."""
    return _SECRET_INSIDE.sub(rf'\g<head>"{MASK}"', _SECRET_LINE.sub(rf"\g<head>{MASK}", line))


def _lines(text: bytes | None, hidden: tuple[str, ...]) -> list[str]:
    shown = (text or b"").decode("utf-8", "replace")
    for secret in hidden:
        shown = shown.replace(secret, MASK)
    return [masked(line) for line in shown.splitlines()]


def _typed(word: str) -> str:
    if re.fullmatch(r"[\w./:=@%+,-]+", word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' if "'" in word else f"'{word}'"
