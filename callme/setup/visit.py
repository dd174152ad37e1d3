"""The set-up by forms: keeps what was answered so far and runs the wizard's own steps over it.

Each form's answers become those that `callme setup --yes` would have been given, so that pages and terminal
decide alike. Until `write` all happens on paper (`disk.Paper`); `write` does what was shown, or nothing.
Used by the wizard in the pages; whoever calls keeps calls apart in time.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from callme.crm.asking import Way
from callme.crm.installation import Home
from callme.errors import CallMeError
from callme.portals import registry
from callme.setup import ami_user
from callme.setup.changing import Change
from callme.setup.course import PORTAL_ID, Course, Order, Paste, entries, stem
from callme.setup.disk import Paper
from callme.setup.hook_step import HookStep
from callme.setup.house import House, address_towards
from callme.setup.notes import Kind, Note, Notes
from callme.setup.old_step import OldStep
from callme.setup.pbx_step import PbxStep, is_local, usual_recordings, usual_way
from callme.setup.portal_step import PortalStep, way_of
from callme.setup.talk import Trials
from callme.setup.undoing import take_back
from callme.setup.wish import TABLES, Answers, Wish, sound
from callme.setup.wizard import set_up, usual_unit
from callme.setup.words import W
from callme.wording import Language, Phrase


class Step(StrEnum):
    """The forms, in their order."""

    PBX = "pbx"
    PORTAL = "portal"
    EXTRAS = "extras"


QUIET = Trials(lambda settings: [], lambda config: [], lambda command: (True, ""))
"""Trials that try nothing, for a rehearsal."""


@dataclass(frozen=True, slots=True)
class PbxForm:
    """What the PBX's form shows. `found` is what this machine has; `secret_kept`: there is one by now."""

    found: str
    etc: Path
    local: bool
    host: str
    ami: str
    username: str
    secret_kept: bool
    permit: str
    recordings: str


@dataclass(frozen=True, slots=True)
class PortalForm:
    """What the CRM's form shows. `values` are those that may be seen, `kept` the keys that have one."""

    crms: list[str]
    crm: str
    ways: tuple[Way, ...]
    way: str
    before: Phrase | None
    values: Mapping[str, str]
    kept: frozenset[str]
    public_url: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class ExtrasForm:
    """What else may be chosen. `hook` is empty where none fits; `old` are an older connector's lines."""

    hook: str
    old: list[Phrase]
    remove_old: bool
    unit_asked: bool
    unit: bool
    moving_over: bool | None  # `None`: no AMI user of ours is written


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be written and run. `mark` tells one plan from another."""

    changes: list[Change]
    orders: list[Order]
    warnings: list[Phrase]
    config: Path
    paste: Paste | None
    mark: str

    @property
    def needed(self) -> bool:
        """Whether there is anything to write."""
        return any(change.needed for change in self.changes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. `problem` is what ended it before its end."""

    notes: list[Note]
    well: bool
    problem: CallMeError | None = None


@dataclass(slots=True)
class Tried:
    """What the trial of a step's answers showed; `ahead`: it can be tried only when it is written."""

    notes: list[Note] = field(default_factory=list)
    ahead: bool = False

    @property
    def well(self) -> bool:
        """Whether nothing that was tried failed."""
        return all(note.kind is not Kind.ILL for note in self.notes)


class Visit:
    """One set-up by forms."""

    def __init__(self, wish: Wish, look: Callable[[], House], trials: Trials, language: Language) -> None:
        self._wish = replace(wish, hands_off=True, dry=False)
        self._look = look
        self._trials = trials
        self._given: Answers = {name: dict(wish.given.get(name, {})) for name in TABLES}
        self._made: dict[str, str] = {}
        self.language = language
        self.tried: dict[Step, Tried] = {}  # the steps that were answered
        self.outcome: Outcome | None = None

    @property
    def config(self) -> tuple[Path, bool]:
        """Where the configuration is or will be, and whether it is there. Raises `TroubleError`."""
        on = self._course()
        return on.config, bool(on.old)

    @property
    def next(self) -> Step | None:
        """The first form that has no answer yet."""
        return next((step for step in Step if step not in self.tried), None)

    # ------------------------------------------------------------------------------------------- the PBX
    def pbx(self) -> PbxForm:
        """What its form shows. Raises `CallMeError`."""
        on = self._course()
        old, said, house = on.entry("pbx"), self._given["pbx"], on.house
        found = house.name
        host = str(said.get("host") or old.get("host") or (ami_user.host(house) if found else ""))
        local = is_local(house, host)
        permit = str(self._given["setup"].get("permit") or (address_towards(host) if host else ""))
        return PbxForm(
            found=found,
            etc=house.etc,
            local=local,
            host="" if local else host,
            ami=str(self._given["setup"].get("ami") or usual_way(house, old)),
            username=str(said.get("username") or old.get("username") or ""),
            secret_kept=bool(entries("secret", said) or entries("secret", old)),
            permit="" if local else permit,
            recordings=str(said.get("recordings", usual_recordings(house, old, local=local))),
        )

    def say_pbx(self, form: PbxForm, secret: str) -> Tried:
        """Takes the answers and tries them, but for a user who has to be pasted first. Raises `CallMeError`:
        they cannot be used."""
        host = ami_user.host(self._look()) if form.local else form.host
        before = self._given["pbx"]
        asked = ("host", "username", "secret", "recordings")
        table = {key: value for key, value in before.items() if stem(key) not in asked}
        table["host"] = host
        if form.recordings or self._course().entry("pbx").get("recordings"):
            table["recordings"] = form.recordings
        if form.ami == "existing":
            table |= {"username": form.username} if form.username else {}
            table |= {"secret": secret} if secret else entries("secret", before)
        self._given["pbx"] = table
        setup = {key: value for key, value in self._given["setup"].items() if key not in ("ami", "permit")}
        permit = {} if form.local or not form.permit else {"permit": form.permit}
        self._given["setup"] = {**setup, "ami": form.ami, **permit}
        on = self._course()
        PbxStep(on).run()
        self.tried[Step.PBX] = Tried(ahead=True)
        return self.tried[Step.PBX] if on.paste is not None else self.try_pbx()

    def try_pbx(self) -> Tried:
        """Logs in, if whoever we log in as can be there already. Raises `CallMeError`."""
        notes = Notes()
        on = self._course(Trials(self._trials.pbx, QUIET.portal, QUIET.run), notes)
        PbxStep(on).run()
        found = [note for note in notes.all if note.kind in (Kind.WELL, Kind.ILL)]
        self.tried[Step.PBX] = tried = Tried(found, ahead=not found)
        return tried

    def paste(self) -> Paste | None:
        """What has to be pasted on a PBX elsewhere, if anything. Raises `CallMeError`."""
        on = self._course()
        PbxStep(on).run()
        return on.paste

    # ------------------------------------------------------------------------------------------- the CRM
    def portal(self, crm: str = "", way: str = "") -> PortalForm:
        """What its form shows for that CRM and that way into it. Raises `CallMeError`."""
        on = self._course()
        old, said, known = on.entry("portal"), self._given["portal"], registry.known()
        crm = crm if crm in known else str(said.get("crm") or old.get("crm") or known[0])
        ways = registry.ways(crm)
        usual = way_of(ways, said, old) or (ways[0] if ways else None)
        chosen = next((one for one in ways if one.key == way), usual)
        service = {**on.old.get("service", {}), **self._given["service"]}
        home = Home(address=str(service.get("public_url", "")))
        values = {**old, **said}
        questions = chosen.questions if chosen else ()
        return PortalForm(
            crms=known,
            crm=crm,
            ways=ways,
            way=chosen.key if chosen else "",
            before=chosen.before.given(install=home.install_address(PORTAL_ID)) if chosen else None,
            values={one.key: str(values.get(one.key) or one.default) for one in questions if not one.secret},
            kept=frozenset(one.key for one in questions if entries(one.key, values)),
            public_url=home.address,
            wanted=self._given["setup"].get("portal") is not False,
        )

    def say_portal(self, crm: str, way: str, values: Mapping[str, str], public_url: str) -> Tried:
        """Takes the answers and tries them. Raises `CallMeError`: they cannot be used."""
        chosen = next((one for one in registry.ways(crm) if one.key == way), None)
        kept = self._given["portal"]
        asked = {question.key for one in registry.ways(crm) for question in one.questions}
        same = kept if kept.get("crm", crm) == crm else {}
        table: dict[str, Any] = {key: value for key, value in same.items() if stem(key) not in asked}
        table["crm"] = crm
        for question in chosen.questions if chosen else ():
            answer = values.get(question.key, "").strip()
            if answer:
                table[question.key] = int(answer) if question.number and answer.isdecimal() else answer
            elif question.secret:
                table |= entries(question.key, kept)
        self._given["portal"] = table
        self._given["setup"].pop("portal", None)
        if public_url or self._course().old.get("service", {}).get("public_url"):
            self._given["service"]["public_url"] = public_url
        else:
            self._given["service"].pop("public_url", None)
        return self._try_portal()

    def without_portal(self) -> None:
        """The CRM can wait."""
        self._given["portal"] = {}
        self._given["setup"]["portal"] = False
        self.tried[Step.PORTAL] = Tried()

    def _try_portal(self) -> Tried:
        notes = Notes()
        on = self._course(Trials(QUIET.pbx, self._trials.portal, QUIET.run), notes)
        PbxStep(on).run()
        PortalStep(on).run()
        found = [note for note in notes.all if note.kind in (Kind.WELL, Kind.ILL)]
        self.tried[Step.PORTAL] = tried = Tried(found)
        return tried

    # ---------------------------------------------------------------------------------------- what else
    def extras(self) -> ExtrasForm:
        """What its form shows. Raises `CallMeError`."""
        notes = Notes()
        on = self._course(notes=notes)
        said, hook = self._given["setup"], HookStep(on)
        OldStep(on).plan()
        unit, asked = usual_unit(on)
        ours = ami_user.ours(on.house)
        used = ours is not None and not set(ami_user.OLD_CHANNELVARS).isdisjoint(ours.variables)
        return ExtrasForm(
            hook=str(said.get("hook") or hook.now) if hook.offered else "",
            old=[note.text for note in notes.all],
            remove_old=bool(said.get("remove_old_hooks", False)),
            unit_asked=asked,
            unit=bool(said.get("unit", unit)),
            moving_over=bool(said.get("moving_over", used)) if said.get("ami") == "new" else None,
        )

    def say_extras(self, form: ExtrasForm) -> None:
        """Takes the answers. Raises `ConfigError`: one of them is none."""
        said: dict[str, Any] = {"remove_old_hooks": form.remove_old}
        if form.hook:
            said["hook"] = form.hook
        if form.unit_asked:
            said["unit"] = form.unit
        if form.moving_over is not None:
            said["moving_over"] = form.moving_over
        sound({**self._given, "setup": {**self._given["setup"], **said}}, "")
        self._given["setup"] |= said
        self.tried[Step.EXTRAS] = Tried()

    # ------------------------------------------------------------------------------------------- writing
    def plan(self) -> Plan:
        """All that would be written. Raises `CallMeError`."""
        on = self._course()
        set_up(on)
        return Plan(on.changes, on.orders, on.warnings, on.config, on.paste, _mark(on.changes))

    def write(self, mark: str) -> Outcome | None:
        """Writes what that plan was, and tries it. `None`: the plan is another one by now, and nothing was
        written. Raises `CallMeError` as `plan` does."""
        if self.plan().mark != mark:
            return None
        notes = Notes()
        try:
            well = set_up(self._course(self._trials, notes, paper=False))
            self.outcome = Outcome(notes.all, well)
        except CallMeError as error:
            self.outcome = Outcome(notes.all, False, error)
        return self.outcome

    def back(self) -> list[Note]:
        """What would be taken back. Raises `CallMeError`."""
        notes = Notes()
        take_back(replace(self._wish, dry=True), self._look(), notes, QUIET)
        return [note for note in notes.all if note.kind is not Kind.HEAD and note.text != W.WOULD]

    def take_back(self) -> Outcome:
        """Takes everything back."""
        notes = Notes()
        try:
            well = take_back(self._wish, self._look(), notes, self._trials)
            self.outcome = Outcome(notes.all, well)
        except CallMeError as error:
            self.outcome = Outcome(notes.all, False, error)
        return self.outcome

    def _course(self, trials: Trials = QUIET, notes: Notes | None = None, *, paper: bool = True) -> Course:
        wish = replace(self._wish, given=copy.deepcopy(self._given))
        keeper = Paper(wish.config) if paper else None
        talk = Notes() if notes is None else notes
        return Course(wish, self._look(), talk, trials, self.language, keeper, self._made)


def _mark(changes: list[Change]) -> str:
    """A digest of all that would be written over what."""
    total = hashlib.sha256()
    for change in changes:
        for part in (str(change.path).encode(), change.before, change.after):
            total.update(b"-" if part is None else hashlib.sha256(part).digest())
    return total.hexdigest()
