"""A person who answers from a list, and trials that end as they are told, for the wizard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callme.config import Config
from callme.crm.port import Finding
from callme.pbx.ami.session import AmiSettings
from callme.setup.changing import Command
from callme.setup.course import Course
from callme.setup.house import look
from callme.setup.talk import Trials
from callme.setup.undoing import take_back
from callme.setup.wish import Wish, answers
from callme.setup.wizard import set_up
from callme.wording import Phrase, plain

GOOD = Finding(plain("trial"), True, plain("works"))
BAD = Finding(plain("trial"), False, plain("fails"), plain("cure"))


@dataclass
class Person:
    """Implements `Talk`. `replies`: beginning of the English question → answers, one after the other; what
    is not in it gets the default. `said` is all that was said and asked."""

    replies: dict[str, list[str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def heard(self) -> str:
        """Everything, as one text."""
        return "\n".join(self.said)

    def tell(self, phrase: Phrase) -> None:
        self.said += [phrase.say("en"), phrase.say("ru")]

    def head(self, phrase: Phrase) -> None:
        self.tell(phrase)

    def show(self, lines: Iterable[str]) -> None:
        self.said += lines

    def ask(self, question: Phrase, default: str = "", *, secret: bool = False) -> str:
        return self._reply(question) or default

    def choose(self, question: Phrase, options: Sequence[tuple[str, Phrase]], default: str) -> str:
        return self._reply(question) or default

    def confirm(self, question: Phrase, default: bool) -> bool:
        return {"yes": True, "no": False, "": default}[self._reply(question)]

    def report(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self.tell(finding.found)

    def _reply(self, question: Phrase) -> str:
        asked = question.say("en")
        self.tell(question)
        for beginning, left in self.replies.items():
            if asked.startswith(beginning) and left:
                return left.pop(0)
        return ""


@dataclass
class World:
    """What the wizard tries: it sees the settings and ends as told (well, once nothing else is left)."""

    pbx: list[Finding] = field(default_factory=list)
    portal: list[Finding] = field(default_factory=list)
    logins: list[AmiSettings] = field(default_factory=list)
    configs: list[Config] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    fails: bool = False

    @property
    def trials(self) -> Trials:
        """As the wizard wants them."""
        return Trials(self._pbx, self._portal, self._run)

    def _pbx(self, settings: AmiSettings) -> list[Finding]:
        self.logins.append(settings)
        return [self.pbx.pop(0) if self.pbx else GOOD]

    def _portal(self, config: Config) -> list[Finding]:
        self.configs.append(config)
        return [self.portal.pop(0) if self.portal else GOOD]

    def _run(self, command: Command) -> tuple[bool, str]:
        self.ran.append(command.line())
        return not self.fails, "exit 1" if self.fails else ""


CONFIG = Path("/etc/callme/callme.toml")


def wish(root: Path, *sets: str, **more: Any) -> Wish:
    """What is wanted of the tree under `root`."""
    given = answers(None, sets)
    return Wish(config=CONFIG, given=given, root=root, etc=root / "etc/asterisk", **more)


def played(wish: Wish, person: Person, world: World) -> bool:
    """One run of the wizard."""
    here = look(wish.root, wish.etc, ("no-such-programme",))
    return set_up(Course(wish, here, person, world.trials, "en"))


def undone(wish: Wish, person: Person, world: World) -> bool:
    """One run of the way back."""
    here = look(wish.root, wish.etc, ("no-such-programme",))
    return take_back(wish, here, person, world.trials)
