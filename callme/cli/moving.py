"""`callme import-callme`: an installation of the old scripts becomes our configuration, key by key.

Which CRM the scripts were for is known to `portals.registry` alone. Nothing of the old installation is
changed; what is written is our own file, readable by its owner only, and no secret is shown.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from callme.cli.tongue import language, say
from callme.config.writing import toml
from callme.crm.moving import Edit, Fate, Moved, edited
from callme.errors import TroubleError
from callme.portals import registry
from callme.wording import Phrase, plain

_MARKS = {Fate.KEPT: "✔", Fate.NEEDLESS: "·", Fate.LOST: "!"}
_HEADINGS = {
    Fate.KEPT: Phrase("Kept", "Сохранено"),
    Fate.NEEDLESS: Phrase("No longer needed", "Больше не нужно"),
    Fate.LOST: Phrase("Cannot be kept: look at these", "Сохранить нельзя: посмотрите сами"),
}
_HOOKS = Phrase("Lines of the old scripts in {file}:", "Строки старых скриптов в {file}:")
_HOOK = Phrase("  lines {first}–{last}: {why}", "  строки {first}–{last}: {why}")
_HOOK_ONE = Phrase("  line {first}: {why}", "  строка {first}: {why}")
_LEAVE = Phrase(
    "They do no harm to CallMe; `callme setup` takes them out when you are ready.",
    "CallMe они не мешают; когда будете готовы, их уберёт `callme setup`.",
)
_WRITTEN = Phrase(
    "{file} is written, for its owner only. Next: callme check --config {file}",
    "{file} записан, читать его может только владелец. Дальше: callme check --config {file}",
)
_NOT_WRITTEN = Phrase(
    "Nothing is written yet: add --write callme.toml", "Пока ничего не записано: добавьте --write callme.toml"
)
_THERE = Phrase("{file} is there already", "{file} уже есть")
_THERE_CURE = Phrase("move it away, or name another file", "уберите его или укажите другой файл")
_UNWRITTEN = Phrase("{file} cannot be written: {why}", "не удаётся записать {file}: {why}")

_HEAD = """\
# Written by `callme import-callme` from the configuration of the old scripts; it holds secrets.
# Every key is explained in callme.example.toml. Look at default_user, the owner of calls that nobody else
# owns: the old scripts had no such key, and 1 is the one who made the portal.
#
# The portal is in shadow mode: CallMe works out what it would tell and tells nothing, so that the old
# scripts can go on meanwhile. `callme shadow` compares. To switch over, stop the old scripts, remove the
# line with `shadow` and restart CallMe.

"""


def import_callme(
    folder: Path, dialplans: Sequence[Path], write: Path | None, *, show_old_hooks: bool, as_json: bool
) -> int:
    """Prints what becomes of the old installation, and writes our configuration if told to. Raises
    `TroubleError`."""
    mover = registry.movers()["callme"]
    moved = mover.move(folder, dialplans)
    if write is not None:
        _write(write, moved)
    if as_json:
        print(json.dumps(_plain(moved, write), ensure_ascii=False, indent=2))
    elif show_old_hooks:
        for file, edits in moved.hooks.items():
            print("\n".join(_diff(file, edits)))
    else:
        print("\n".join(_told(moved, write)))
    return 0


def _write(file: Path, moved: Moved) -> None:
    text = _HEAD + "\n".join(toml(table, heading) for heading, table in moved.tables)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise TroubleError(_THERE.given(file=file), _THERE_CURE) from None
    except OSError as error:
        raise TroubleError(_UNWRITTEN.given(file=file, why=plain(error.strerror or error))) from None


def _told(moved: Moved, written: Path | None) -> list[str]:
    lines: list[str] = []
    for fate in Fate:
        keys = [one for one in moved.keys if one.fate is fate]
        if keys:
            lines += [f"{say(_HEADINGS[fate])}:"]
            lines += [f"  {_MARKS[fate]} {one.key}: {say(one.said)}" for one in keys]
            lines += [""]
    for file, edits in moved.hooks.items():
        lines += [say(_HOOKS, file=file), *(_told_edit(edit) for edit in edits), say(_LEAVE), ""]
    return [*lines, say(_WRITTEN, file=written) if written is not None else say(_NOT_WRITTEN)]


def _told_edit(edit: Edit) -> str:
    phrase = _HOOK_ONE if edit.first == edit.last else _HOOK
    return say(phrase, first=edit.first, last=edit.last, why=edit.why)


def _diff(file: Path, edits: Sequence[Edit]) -> list[str]:
    """The file before and after, as a patch that `patch` takes."""
    import difflib

    before = file.read_text(encoding="utf-8", errors="surrogateescape")
    after = edited(before, edits)
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), str(file), str(file), lineterm="")
    return [line.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for line in lines]


def _plain(moved: Moved, written: Path | None) -> Mapping[str, object]:
    return {
        "keys": [
            {"key": one.key, "fate": one.fate.value, "said": one.said.say(language())} for one in moved.keys
        ],
        "hooks": [
            {
                "file": str(file),
                "first": edit.first,
                "last": edit.last,
                "put": list(edit.put),
                "why": edit.why.say(language()),
            }
            for file, edits in moved.hooks.items()
            for edit in edits
        ],
        "written": str(written) if written is not None else None,
    }
