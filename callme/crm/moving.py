"""Moving over from an older connector: what its configuration becomes, key by key, and what of it stands in
the way on the PBX.

A CRM's folder that knows such a connector offers a `Mover`; `callme import-…` and `callme setup` use it
through `portals.registry` and need not know which CRM it is. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from callme.wording import Phrase


class Fate(StrEnum):
    """What becomes of an old key."""

    KEPT = "kept"  # as a key of ours
    NEEDLESS = "needless"  # what it was for happens by itself
    LOST = "lost"  # it cannot be kept; a person should look


@dataclass(frozen=True, slots=True)
class OldKey:
    """One key of the old configuration and what became of it. `said` repeats no secret."""

    key: str
    fate: Fate
    said: Phrase


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines of a file that belong to the old connector: from line `first` to `last` (counted from 1, both
    included). They become `put`: nothing, or what keeps the rest of the file working."""

    first: int
    last: int
    why: Phrase
    put: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """The whole of it. `tables` is the new configuration as (heading, table); it holds secrets. `hooks` are
    the edits per dialplan file."""

    keys: tuple[OldKey, ...]
    tables: tuple[tuple[str, Mapping[str, object]], ...] = field(repr=False)
    hooks: Mapping[Path, tuple[Edit, ...]] = field(default_factory=dict)


class Mover(Protocol):
    """Knows one older connector."""

    def move(self, folder: Path, dialplans: Sequence[Path]) -> Moved:
        """What the connector in that folder, and its lines in those files, become. Raises `TroubleError`
        that names the file and the line."""

    def old_hooks(self, text: str) -> tuple[Edit, ...]:
        """The connector's own lines in a dialplan file, in order, none within another."""


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with those lines taken out or replaced. Everything around them stays to the last byte."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    for edit in sorted(edits, key=lambda one: one.first, reverse=True):
        end = "\r\n" if lines[edit.first - 1].endswith("\r\n") else "\n"
        lines[edit.first - 1 : edit.last] = [f"{line}{end}" for line in edit.put]
    return "".join(lines)
