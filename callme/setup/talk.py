"""How the set-up talks with a person and tries things out, as the command line gives it. Nothing is said or
asked in any other way, so that the wizard can be played without a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from callme.config import Config
from callme.crm.port import Finding
from callme.pbx.ami.session import AmiSettings
from callme.setup.changing import Command
from callme.setup.words import W
from callme.wording import Phrase, plain


class Talk(Protocol):
    """A person at a terminal, or what stands for one."""

    def tell(self, phrase: Phrase) -> None:
        """Says a line."""

    def head(self, phrase: Phrase) -> None:
        """Says where we are."""

    def show(self, lines: Iterable[str]) -> None:
        """Shows text as it is: a diff, what to paste."""

    def ask(self, question: Phrase, default: str = "", *, secret: bool = False) -> str:
        """An answer in words; an empty one means the default. A secret is not echoed."""

    def choose(self, question: Phrase, options: Sequence[tuple[str, Phrase]], default: str) -> str:
        """One of the options by its name."""

    def confirm(self, question: Phrase, default: bool) -> bool:
        """Yes or no."""

    def report(self, findings: Sequence[Finding]) -> None:
        """What a trial showed."""


@dataclass(frozen=True, slots=True)
class Trials:
    """What is tried out on the way. `run` gives whether a command succeeded and what it said."""

    pbx: Callable[[AmiSettings], list[Finding]]
    portal: Callable[[Config], list[Finding]]
    run: Callable[[Command], tuple[bool, str]]


def carry_out(talk: Talk, trials: Trials, commands: Iterable[Command], allowed: bool) -> bool:
    """Runs the commands and tells of each, or tells how to run it where we may not; whether none failed."""
    well = True
    for command in commands:
        if not allowed:
            talk.tell(W.RUN_IT.given(why=command.why, line=command.line()))
            continue
        done, said = trials.run(command)
        well = well and done
        told = W.RAN if done else W.RAN_BADLY
        talk.tell(told.given(why=command.why, line=command.line(), said=plain(said)))
    return well
