"""What the steps of the set-up share: what was said beforehand, what there is, what it has come to so far,
and how to ask, show, write and run.

The wizard makes one for a run; each step changes `new` and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callme.config import Config, judge, raw
from callme.config.problems import Problem, refusal
from callme.crm.port import Finding
from callme.errors import ConfigError
from callme.portals import registry
from callme.setup import ami_user, changing, disk, own
from callme.setup.changing import Change, Command
from callme.setup.disk import Disk
from callme.setup.house import House
from callme.setup.talk import Talk, Trials, carry_out
from callme.setup.wish import Wish
from callme.setup.words import W
from callme.wording import Language, Phrase

PBX_ID, PORTAL_ID = "office", "main"
INDIRECT = ("", "_file", "_env")


@dataclass(frozen=True, slots=True)
class Paste:
    """What a person has to put on a PBX elsewhere. `about` says where, `then` what comes after."""

    about: Phrase
    text: str = field(repr=False)  # holds the AMI user's secret
    then: Phrase


@dataclass(frozen=True, slots=True)
class Order:
    """A command of the run; without `allowed` it was only told."""

    command: Command
    allowed: bool


class Course:
    """One run of the set-up. `keeper` writes (on paper in a rehearsal). `made` keeps the secrets made for
    this set-up, by what they are for, so that a rehearsal and the run after it make the same ones."""

    def __init__(
        self,
        wish: Wish,
        house: House,
        talk: Talk,
        trials: Trials,
        language: Language,
        keeper: Disk | None = None,
        made: dict[str, str] | None = None,
    ) -> None:
        self.wish = wish
        self.house = house
        self.talk = talk
        self.trials = trials
        self.language = language
        self.config = wish.config.absolute()
        self.file = at(wish, self.config)
        self.old: dict[str, Any] = raw(self.file) if disk.content(self.file) is not None else {}
        before = self.old.get("service", {})
        basics = {"language": before.get("language", language), **wish.given.get("service", {})}
        self.new = own.merged(self.old, "service", basics)
        self.disk = Disk(self.file) if keeper is None else keeper
        self.changes: list[Change] = []  # all that were planned, needed or not
        self.orders: list[Order] = []
        self.warnings: list[Phrase] = []
        self.paste: Paste | None = None
        self._made = {} if made is None else made
        self.after: Phrase | None = None  # what is to be done in the CRM at the end
        self.wrote = False
        self._ill = False
        self._trials: dict[str, bool] = {}

    @property
    def well(self) -> bool:
        """Whether all was written, and what was tried last of each kind works."""
        return not self._ill and all(self._trials.values())

    def entry(self, section: str) -> dict[str, Any]:
        """The first table of a section as it stands in the configuration now."""
        entries = self.old.get(section) or [{}]
        return dict(entries[0])

    def judged(self, tables: Mapping[str, Any]) -> Config:
        """The configuration that these tables make. Raises `ConfigError`."""
        config = judge(own.merged(dict(tables), "service", {}), self.config, os.environ)
        for one in config.portal:
            registry.plan(one.crm, one.id, one.settings, source=str(self.config), base=self.file.parent)
        return config

    def tried(self, what: str, findings: list[Finding]) -> bool:
        """Shows what a trial gave; whether all of it is well."""
        self.talk.report(findings)
        self._trials[what] = all(one.well for one in findings)
        return self._trials[what]

    def warn(self, phrase: Phrase) -> None:
        """Something that a person has to put right himself."""
        self.talk.tell(phrase)
        self.warnings.append(phrase)
        self._ill = True

    def make(self, purpose: str) -> str:
        """A new secret for that purpose; the same one whenever it is asked for again."""
        return self._made.setdefault(purpose, ami_user.new_secret())

    # ---------------------------------------------------------------------------------------------- asking
    def value(self, table: str, key: str, question: Phrase, default: str, *, empty: bool = False) -> str:
        """What was said of the key, else what is answered; `empty`: nothing is an answer too."""
        said = self.wish.said(table, key)
        if said is not None:
            return str(said)
        if self.wish.hands_off:
            if default or empty:
                return default
            raise _missing(table, key, question)
        while True:
            answer = self.talk.ask(question, default)
            if answer or empty:
                return answer

    def secret(self, table: str, key: str, question: Phrase, old: Mapping[str, Any]) -> dict[str, Any]:
        """The key with its value, however it is given; an empty answer keeps what stands there."""
        given = entries(key, self.wish.given.get(table, {}))
        kept = entries(key, old)
        if given or (self.wish.hands_off and kept):
            return given or kept
        if self.wish.hands_off:
            raise _missing(table, key, question)
        while True:
            answer = self.talk.ask(W.KEEP.given(question=question) if kept else question, secret=True)
            if answer or kept:
                return {key: answer} if answer else kept

    def again(self) -> bool:
        """Whether the person wants to try once more."""
        return not self.wish.hands_off and self.talk.confirm(W.AGAIN, True)

    # --------------------------------------------------------------------------------------------- writing
    def agreed(self, changes: list[Change]) -> bool:
        """Shows what would change and writes it when that is wanted; whether it was written."""
        self.changes += changes
        for change in changes:
            if not change.needed:
                self.talk.tell(W.SAME.given(file=change.path, about=change.about))
        wanted = changing.needed(changes)
        for change in wanted:
            self.talk.tell(W.CHANGE.given(file=change.path, about=change.about))
            self.talk.show(changing.diff(change))
        if not wanted or self.wish.dry:
            return False
        if not self.wish.hands_off and not self.talk.confirm(W.WRITE_IT, True):
            self.warn(W.NOT_WRITTEN)
            return False
        self.disk.write(wanted)
        self.wrote = True
        return True

    def console(self, order: str, why: Phrase) -> None:
        """Has Asterisk do something over its program, or tells how to."""
        program = self.wish.console or (("asterisk",) if self.wish.here and self.house.version else ())
        self.disk.note(console=program)
        self.run([Command((*(program or ("asterisk",)), "-rx", order), why)], bool(program))

    def run(self, commands: list[Command], allowed: bool) -> None:
        """Runs them, or tells how to."""
        self.orders += [Order(command, allowed) for command in commands]
        self._ill = not carry_out(self.talk, self.trials, commands, allowed) or self._ill


def at(wish: Wish, path: Path) -> Path:
    """Where a path of the machine lies as it is found from here."""
    return path if wish.here else wish.root / path.relative_to("/")


def entries(key: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """The key as it is given in a table: itself, in a file, or in a variable."""
    return {key + end: table[key + end] for end in INDIRECT if table.get(key + end)}


def stem(key: str) -> str:
    """The key that is meant by `<key>_file` and `<key>_env`."""
    return key.removesuffix("_file").removesuffix("_env")


def _missing(table: str, key: str, question: Phrase) -> ConfigError:
    cure = W.MISSING_CURE.given(key=f"{table}.{key}")
    return refusal([Problem(f"{table}.{key}", W.MISSING.given(question=question), cure)], "callme setup")
