"""A conversation without a person: what the set-up says is noted, and whoever shows pages puts it on one.

Implements `callme.setup.talk.Talk` for runs in which everything was said beforehand: nothing is asked in
them, and what is asked all the same gets its default.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from callme.crm.port import Finding
from callme.wording import Phrase

FOUND = Phrase("{topic}: {found}", "{topic}: {found}")


class Kind(StrEnum):
    """What a note is."""

    HEAD = "head"
    LINE = "line"
    WELL = "well"  # a trial that went well
    ILL = "ill"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was said. `lines` is text that was shown with it as it is: a diff, what to paste."""

    kind: Kind
    text: Phrase
    cure: Phrase | None = None
    lines: list[str] = field(default_factory=list, repr=False)  # may hold a secret


class Notes:
    """Everything that was said, in order."""

    def __init__(self) -> None:
        self.all: list[Note] = []

    def tell(self, phrase: Phrase) -> None:
        """Notes a line."""
        self.all.append(Note(Kind.LINE, phrase))

    def head(self, phrase: Phrase) -> None:
        """Notes where we are."""
        self.all.append(Note(Kind.HEAD, phrase))

    def show(self, lines: Iterable[str]) -> None:
        """Notes text as it is, with the line before it."""
        self.all[-1].lines.extend(lines)

    def ask(self, question: Phrase, default: str = "", *, secret: bool = False) -> str:
        """The default."""
        return default

    def choose(self, question: Phrase, options: Sequence[tuple[str, Phrase]], default: str) -> str:
        """The default."""
        return default

    def confirm(self, question: Phrase, default: bool) -> bool:
        """The default."""
        return default

    def report(self, findings: Sequence[Finding]) -> None:
        """Notes what a trial showed."""
        self.all += map(noted, findings)


def noted(finding: Finding) -> Note:
    """What a trial showed, as a note."""
    text = FOUND.given(topic=finding.topic, found=finding.found)
    return Note(Kind.WELL if finding.well else Kind.ILL, text, finding.cure)
