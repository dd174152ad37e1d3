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
from callme.setup import ami_user, disk, hooks, pieces, sections
from callme.setup.changing import Change, Owner
from callme.setup.course import Course
from callme.setup.hooks import Hook
from callme.setup.house import Flavour
from callme.setup.words import W
from callme.wording import plain

ROOT = "extensions.conf"
NAMES = ("callme-in", "callme-ring")
THEIRS = "ext-did-custom"
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
        house = self._on.house
        path = house.etc / hooks.FILE
        said = self._on.wish.said("setup", "hook")
        known = house.flavour in (Flavour.FREEPBX, Flavour.ISSABEL) and hooks.FILE in house.files
        if not known:
            if said not in (None, "none"):
                self._on.warn(W.NO_DIALPLAN)
            return
        before = disk.content(path) or b""
        there = pieces.laid(before, path)
        way = str(said or self._way(there))
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

    def _way(self, there: dict[str, str]) -> str:
        """As it is, or as it is wanted."""
        if "callme-in" in there:
            now = "agi" if "AGI(" in there["callme-in"] else "curl"
        else:
            now = "lookup" if "callme-ring" in there else "none"
        if self._on.wish.hands_off:
            return now
        options = (
            ("none", W.HOOK_NONE),
            ("lookup", W.HOOK_LOOKUP),
            ("agi", W.HOOK_COSTS.given(about=hooks.AGI_ABOUT, price=hooks.AGI_PRICE)),
            ("curl", W.HOOK_COSTS.given(about=hooks.CURL_ABOUT, price=hooks.CURL_PRICE)),
        )
        return self._on.talk.choose(W.HOOK, options, now)

    def _taken(self) -> str:
        """Where somebody else's hook stands in the place of ours."""
        house, path = self._on.house, self._on.house.etc / hooks.FILE
        now = {**house.files, hooks.FILE: disk.content(path) or b""}  # an earlier step may have changed it
        files = ami_user.bare(now, house)
        other = sections.read(ROOT, files).named(THEIRS)
        return f"{other.file}:{other.line}" if other is not None and other.entries else ""

    def _asking(self, way: str) -> _Asking:
        if way == "none":
            return _Asking({}, self._key())
        key = self._key()
        table = {} if key else {"key": ami_user.new_secret()}
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
