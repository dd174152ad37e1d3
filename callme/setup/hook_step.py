"""The optional part of the set-up: the caller's name on the telephone, calls to whom they are for.

It asks only where there is a FreePBX dialplan of this machine, and writes nothing unless it is wanted. What a
hook is and costs is told by `setup.hooks`; a hook that somebody else has put into the same place is left
alone, because the two would be mixed priority by priority (sheet freepbx §1.6).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callme.config.environment import resolve
from callme.config.forms import split_listen
from callme.config.problems import refusal
from callme.setup import ami_user, hooks, pieces, sections
from callme.setup.changing import Change, Owner
from callme.setup.course import Course
from callme.setup.hooks import Hook
from callme.setup.house import Flavour
from callme.setup.words import W
from callme.wording import plain

ROOT = "extensions.conf"
NAMES = ("callme-in", "callme-ring")
THEIRS = "ext-did-custom"
WAYS = (
    ("none", W.HOOK_NONE),
    ("lookup", W.HOOK_LOOKUP),
    ("agi", W.HOOK_COSTS.given(about=hooks.AGI_ABOUT, price=hooks.AGI_PRICE)),
    ("curl", W.HOOK_COSTS.given(about=hooks.CURL_ABOUT, price=hooks.CURL_PRICE)),
)
AGI = "127.0.0.1:4573"
LISTEN = "127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class _Asking:
    """How the PBX will ask us: the `[routing]` table, and the hooks for its dialplan."""

    table: dict[str, Any]
    key: str = field(repr=False)
    hooks: tuple[Hook, ...] = ()


class HookStep:
    """The conversation about hooks."""

    def __init__(self, course: Course) -> None:
        self._on = course

    def run(self) -> None:
        """Changes `new`, and the dialplan's own file. Raises `TroubleError`."""
        path = self._on.house.etc / hooks.FILE
        said = self._on.wish.said("setup", "hook")
        if not self.offered:
            if said not in (None, "none"):
                self._on.warn(W.NO_DIALPLAN)
            return
        before = self._on.disk.content(path) or b""
        there = pieces.laid(before, path)
        way = str(said or self._way())
        if way == "none" and not there.keys() & set(NAMES):
            return
        if way in ("agi", "curl") and (line := self._taken()):
            self._on.warn(W.HOOK_TAKEN.given(context=THEIRS, place=plain(line)))
            return
        asking = self._asking(way)
        if asking.table:
            self._on.new["routing"] = {**self._on.new.get("routing", {}), **asking.table}
        self._write(path, before, asking)
        if way == "lookup":
            self._tell_source()

    @property
    def offered(self) -> bool:
        """Whether there is a dialplan here that a hook fits into."""
        house = self._on.house
        return house.flavour in (Flavour.FREEPBX, Flavour.ISSABEL) and hooks.FILE in house.files

    @property
    def now(self) -> str:
        """Which hook the dialplan has, by its name among `WAYS`."""
        path = self._on.house.etc / hooks.FILE
        there = pieces.laid(self._on.disk.content(path) or b"", path)
        if "callme-in" in there:
            return "agi" if "AGI(" in there["callme-in"] else "curl"
        return "lookup" if "callme-ring" in there else "none"

    def _way(self) -> str:
        """As it is, or as it is wanted."""
        return self.now if self._on.wish.hands_off else self._on.talk.choose(W.HOOK, WAYS, self.now)

    def _taken(self) -> str:
        """Where somebody else's hook stands in the place of ours."""
        house, path = self._on.house, self._on.house.etc / hooks.FILE
        # an earlier step may have changed it
        now = {**house.files, hooks.FILE: self._on.disk.content(path) or b""}
        files = ami_user.bare(now, house)
        other = sections.read(ROOT, files).named(THEIRS)
        return f"{other.file}:{other.line}" if other is not None and other.entries else ""

    def _asking(self, way: str) -> _Asking:
        if way == "none":
            return _Asking({}, self._key())
        key = self._key()
        table = {} if key else {"key": self._on.make("routing")}
        key = key or table["key"]
        pbx = str(self._on.new["pbx"][0]["id"])
        if way == "lookup":
            return _Asking(table, key, (hooks.ring(),))
        if way == "agi":
            agi = str(self._on.new.get("routing", {}).get("agi") or AGI)
            return _Asking({**table, "agi": agi}, key, (hooks.agi(pbx, agi, key),))
        base = "http://{}:{}".format(*self._listen())
        return _Asking(table, key, (hooks.curl(pbx, base, key),))

    def _key(self) -> str:
        """The key that the configuration has, however it is given there; empty when it has none."""
        table = dict(self._on.new.get("routing", {}))
        problems = resolve(table, "routing", self._on.file.parent, os.environ)
        if problems:
            raise refusal(problems, str(self._on.config))
        return str(table.get("key") or "")

    def _listen(self) -> tuple[str, int]:
        return split_listen(str(self._on.new.get("service", {}).get("listen") or LISTEN))

    def _write(self, path: Path, before: bytes, asking: _Asking) -> None:
        wanted, after = asking.hooks, before
        for name in NAMES:
            if name not in {hook.name for hook in wanted}:
                after = pieces.lift(after, path, name) or b""
        for hook in wanted:
            after = pieces.lay(after, hook.piece(path.parent))
        owner = Owner(*self._on.house.owner) if self._on.house.owner[0] >= 0 else None
        about = wanted[0].about if wanted else W.HOOK_NONE
        hidden = (asking.key,) if asking.key else ()
        change = Change(path, before, after, about, mode=self._on.house.mode, owner=owner, secrets=hidden)
        if self._on.agreed([change]):
            self._on.console(hooks.RELOAD, W.RELOAD_DIALPLAN)

    def _tell_source(self) -> None:
        host, port = self._listen()
        pbx = str(self._on.new["pbx"][0]["id"])
        source = hooks.lookup_source(pbx, host, port, "")
        self._on.talk.tell(
            W.SOURCE.given(
                host=source.host, port=source.port, path=source.path, query=plain(source.query),
                username=source.username, config=self._on.config,
            )
        )  # fmt: skip
