"""A conversation in a terminal: questions with their defaults, secrets that are not echoed, diffs in colour.

Used by `callme setup`. The language is the one of this run of the command line.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Sequence

from callme.cli.check import told
from callme.cli.tongue import language, say
from callme.crm.port import Finding
from callme.errors import ConfigError
from callme.wording import Phrase

YES = {"en": ("y", "yes"), "ru": ("д", "да", "y", "yes")}
NO = {"en": ("n", "no"), "ru": ("н", "нет", "n", "no")}
YES_NO = Phrase("yes or no", "да или нет")
ONE_OF = Phrase("a number from 1 to {last}", "число от 1 до {last}")
NOBODY = Phrase("nobody answers: this is no terminal", "отвечать некому: это не терминал")
NOBODY_CURE = Phrase(
    "say everything beforehand: --yes with --set TABLE.KEY=VALUE or --answers FILE.toml",
    "скажите всё заранее: --yes вместе с --set ТАБЛИЦА.КЛЮЧ=ЗНАЧЕНИЕ или --answers ФАЙЛ.toml",
)
COLOURS = {"+": "32", "-": "31", "@": "36"}


class Terminal:
    """Implements `callme.setup.talk.Talk`."""

    def __init__(self) -> None:
        self._colourful = sys.stdout.isatty()

    def tell(self, phrase: Phrase) -> None:
        """Says a line."""
        print(say(phrase), flush=True)

    def head(self, phrase: Phrase) -> None:
        """Says where we are."""
        print(f"\n{self._ink('1', say(phrase))}", flush=True)

    def show(self, lines: Iterable[str]) -> None:
        """Shows text as it is, set off."""
        for line in lines:
            colour = COLOURS.get(line[:1], "")
            print(f"    {self._ink(colour, line) if colour else line}")
        sys.stdout.flush()

    def ask(self, question: Phrase, default: str = "", *, secret: bool = False) -> str:
        """An answer in words."""
        shown = f" [{default}]" if default else ""
        return self._read(f"{say(question)}{shown}: ", secret=secret) or default

    def choose(self, question: Phrase, options: Sequence[tuple[str, Phrase]], default: str) -> str:
        """One of the options, by its number."""
        print(f"{say(question)}:")
        for number, (_, title) in enumerate(options, start=1):
            print(f"  {number}) {say(title)}")
        names = [name for name, _ in options]
        wished = str(names.index(default) + 1)
        while True:
            answer = self._read(f"[{wished}]: ") or wished
            if answer.isdecimal() and 1 <= int(answer) <= len(names):
                return names[int(answer) - 1]
            if answer in names:
                return answer
            print(say(ONE_OF, last=len(names)))

    def confirm(self, question: Phrase, default: bool) -> bool:
        """Yes or no."""
        tongue = language()
        yes, no = YES[tongue][0], NO[tongue][0]
        shown = f"{yes.upper()}/{no}" if default else f"{yes}/{no.upper()}"
        while True:
            answer = self._read(f"{say(question)} [{shown}]: ").lower()
            if not answer:
                return default
            if answer in (*YES[tongue], *NO[tongue]):
                return answer in YES[tongue]
            print(say(YES_NO))

    def report(self, findings: Sequence[Finding]) -> None:
        """What a trial showed."""
        for finding in findings:
            print(told(finding))
        sys.stdout.flush()

    def _read(self, prompt: str, *, secret: bool = False) -> str:
        if not sys.stdin.isatty():
            raise ConfigError(NOBODY, NOBODY_CURE)
        try:
            return (getpass.getpass(prompt) if secret else input(prompt)).strip()
        except EOFError:
            raise ConfigError(NOBODY, NOBODY_CURE) from None

    def _ink(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colourful else text
