"""The old connector's lines in the dialplan: the set-up offers to take them out, and undo puts them back.

Which lines those are is known to the CRM's folder that knows the connector (`portals.registry.movers`). The
file as it was is kept beside our configuration, so that it comes back to the last byte.
"""

from __future__ import annotations

from callme.crm.moving import Edit, edited
from callme.portals import registry
from callme.setup import hooks
from callme.setup.changing import Change, Owner
from callme.setup.course import Course
from callme.setup.words import W

GENERATED = "extensions.conf"
FILES = ("extensions_custom.conf", "extensions_override_freepbx.conf", GENERATED)
"""Where people write dialplan of their own. The last one is FreePBX's where there is a FreePBX."""


class OldStep:
    """The conversation about it; nothing is asked where there is nothing to take out."""

    def __init__(self, course: Course) -> None:
        self._on = course

    def run(self) -> None:
        changes = self.plan()
        if not changes:
            return
        if not self._wanted():
            return
        if self._on.agreed(changes):
            self._on.console(hooks.RELOAD, W.RELOAD_DIALPLAN)

    def plan(self) -> list[Change]:
        """The files without those lines; each of them is told, and why it goes."""
        return [change for name in FILES if (change := self._change(name)) is not None]

    def _change(self, name: str) -> Change | None:
        path = self._on.house.etc / name
        if name not in self._on.house.files or (name == GENERATED and self._on.house.generated(name)):
            return None
        before = self._on.disk.content(path)
        # Bytes that are no UTF-8 pass through unharmed: only whole lines are taken out.
        text = (before or b"").decode("utf-8", "surrogateescape")
        edits: list[Edit] = []
        for mover in registry.movers().values():
            edits += mover.old_hooks(text)
        if before is None or not edits:
            return None
        for edit in edits:
            self._on.talk.tell(W.OLD_LINES.given(file=name, first=edit.first, last=edit.last, why=edit.why))
        status = path.stat()
        after = edited(text, edits).encode("utf-8", "surrogateescape")
        owner = Owner(status.st_uid, status.st_gid)
        return Change(path, before, after, W.OLD_HOOKS, True, status.st_mode & 0o7777, owner)

    def _wanted(self) -> bool:
        said = self._on.wish.said("setup", "remove_old_hooks")
        if said is not None:
            return bool(said)
        return not self._on.wish.hands_off and self._on.talk.confirm(W.TAKE_OLD_OUT, False)
