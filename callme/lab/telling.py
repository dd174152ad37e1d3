"""Tells a person what happens, line by line and in the order in which it happened, each line from one of
three sides: the telephones, CallMe, the CRM.

The demo gives lines in as they come to its ears. They wait here for half a second, so that a line that was
heard late still stands at its place, and so that what is said of three telephones at once becomes one line.
Nothing here knows what the lines are about.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from callme.wording import Language, Phrase, plain

HOLD_S = 0.5
"""How long a line waits for earlier ones."""

TOGETHER_S = 0.3
"""What happens within this time to several people is said in one line."""

WRITES_S = 0.02
"""A telephone writes down what it has done: by then the PBX may have told CallMe."""

TICK_S = 0.1


class Side(StrEnum):
    """Who is seen. The order is that of cause and effect within one moment."""

    PHONES = "phones"
    CALLME = "callme"
    CRM = "crm"


NAMES = {
    Side.PHONES: Phrase("phones", "телефоны"),
    Side.CALLME: Phrase("CallMe", "CallMe"),
    Side.CRM: Phrase("CRM", "CRM"),
}
SIGNS = {Side.PHONES: "☎", Side.CALLME: "◆", Side.CRM: "▣"}
COLOURS = {Side.PHONES: "36", Side.CALLME: "32", Side.CRM: "35"}
ORDER = {side: place for place, side in enumerate(Side)}
MARGIN = 3


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened at an epoch second. `text` may hold `{who}`: lines of one side and the same
    `kind` that come together are told as one, with everybody in it."""

    at: float
    side: Side
    text: Phrase
    who: tuple[str, ...] = ()
    kind: str = ""

    def said(self, language: Language) -> str:
        """The sentence, with everybody in it."""
        return (self.text.given(who=listed(self.who)) if self.who else self.text).say(language)


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours for a terminal; without `colour` text stays as it is."""

    colour: bool

    def __call__(self, code: str, text: str) -> str:
        """The text in that colour (an SGR parameter: `1` bold, `2` dim, `32` green …)."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text


def settled(lines: list[Line], until: float) -> tuple[list[Line], list[Line]]:
    """The lines up to that moment in their order, those that belong together joined, and the lines that
    have to wait."""
    waiting = sorted(lines, key=lambda line: (_began(line), ORDER[line.side]))
    ready: list[Line] = []
    while waiting and _began(waiting[0]) <= until:
        line = waiting.pop(0)
        same = [other for other in waiting if _together(line, other)]
        waiting = [other for other in waiting if other not in same]
        who = {name for one in (line, *same) for name in one.who}
        ready.append(replace(line, who=tuple(sorted(who))))
    return ready, waiting


def _began(line: Line) -> float:
    return line.at - (WRITES_S if line.side is Side.PHONES else 0)


def _together(line: Line, other: Line) -> bool:
    return (
        bool(line.kind)
        and (line.side, line.kind) == (other.side, other.kind)
        and (other.at - line.at <= TOGETHER_S)
    )


def listed(who: tuple[str, ...]) -> Phrase:
    """`101, 102 and 103`."""
    if len(who) < 2:
        return plain("".join(who))
    return Phrase("{most} and {last}", "{most} и {last}").given(most=", ".join(who[:-1]), last=who[-1])


def decimal(value: float, places: int = 1) -> Phrase:
    """A number with a decimal point or, in Russian, comma."""
    text = f"{value:.{places}f}"
    return Phrase(text, text.replace(".", ","))


class Teller:
    """Prints the story. `write` gets whole lines without their end."""

    def __init__(
        self,
        language: Language,
        ink: Ink,
        write: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.language: Language = language
        self.ink = ink
        self._write, self._clock = write, clock
        self._lines: list[Line] = []
        self._zero: float | None = None

    def hear(self, line: Line | None) -> None:
        """Something happened; `None` is nothing."""
        if line is not None:
            self._lines.append(line)

    async def run(self) -> None:
        """Tells what has settled, until it is cancelled."""
        while True:
            self._tell(self._clock() - HOLD_S)
            await asyncio.sleep(TICK_S)

    def flush(self) -> None:
        """Tells everything that was heard."""
        self._tell(float("inf"))

    def act(self, title: Phrase, zero: float | None) -> None:
        """A headline; from here on times are counted from `zero`, or are those of the clock."""
        self.say(plain(""))
        self.say(title, "1")
        self._zero = zero

    def say(self, phrase: Phrase, colour: str = "") -> None:
        """A sentence outside the story, after all that was heard so far."""
        self.flush()
        text = phrase.say(self.language)
        margin = " " * MARGIN
        self._write("\n".join(self.ink(colour, margin + one) if one else "" for one in text.split("\n")))

    def _tell(self, until: float) -> None:
        ready, self._lines = settled(self._lines, until)
        for line in ready:
            self._write(self._told(line))

    def _told(self, line: Line) -> str:
        widest = max(len(name.say(self.language)) for name in NAMES.values())
        side = f"{SIGNS[line.side]} {NAMES[line.side].say(self.language):{widest}}"
        stamp, colour = self.ink("2", self._stamp(line.at)), COLOURS[line.side]
        return f"{' ' * MARGIN}{stamp}  {self.ink(colour, side)}  {line.said(self.language)}"

    def _stamp(self, at: float) -> str:
        if self._zero is None:
            return time.strftime("%H:%M:%S", time.localtime(at))
        seconds = decimal(max(0.0, at - self._zero), 2).say(self.language)
        return f"{seconds:>5} {Phrase('s', 'с').say(self.language)}"
