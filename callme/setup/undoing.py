"""`callme setup --undo`: every file as it was, and whatever was made for us gone.

Blocks of ours are found by their marker lines even where the list of what was done got lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from callme.config import raw
from callme.errors import ConfigError
from callme.setup import changing, disk, hooks, own, pieces, unit
from callme.setup.changing import Change, Command
from callme.setup.course import at
from callme.setup.disk import Disk, Ledger
from callme.setup.house import House
from callme.setup.talk import Talk, Trials, carry_out
from callme.setup.wish import Wish
from callme.setup.words import W

KNOW = Command(("systemctl", "daemon-reload"), own.KNOW_UNIT)


def take_back(wish: Wish, house: House, talk: Talk, trials: Trials) -> bool:
    """Takes everything back; whether all of it worked. Raises `TroubleError`."""
    talk.head(W.UNDO)
    file = at(wish, wish.config.absolute())
    ledger_keeper = Disk(file)
    ledger = ledger_keeper.ledger
    changes, left = ledger_keeper.back()
    known = {change.path for change in changes}
    changes += [change for change in _stray(house) if change.path not in known]
    if not changes and not left:
        talk.tell(W.NOTHING_BACK)
        return True
    _show(talk, changes, _key(file))
    if wish.dry:
        talk.tell(W.WOULD)
        return True
    if not wish.hands_off and not talk.confirm(W.TAKE_BACK, True):
        talk.tell(W.NOT_WRITTEN)
        return False
    well = carry_out(talk, trials, _first(ledger), wish.here and house.manages)
    data = _data(file)
    ledger_keeper.undo(changes, keep=bool(left))
    for change in changes:
        talk.tell((W.REMOVED if change.after is None else W.TAKEN_BACK).given(file=change.path))
    for phrase in left:
        talk.tell(phrase)
    well = _afterwards(wish, house, talk, trials, ledger, changes) and well
    if data is not None and data.is_dir():
        talk.tell(W.KEPT_DATA.given(data=data))
    return well


def _show(talk: Talk, changes: list[Change], hidden: tuple[str, ...]) -> None:
    for change in changes:
        if change.after is None:
            talk.tell(W.GOES.given(file=change.path))
        else:
            talk.tell(W.BACK.given(file=change.path))
            talk.show(changing.diff(replace(change, secrets=hidden)))


def _afterwards(
    wish: Wish, house: House, talk: Talk, trials: Trials, ledger: Ledger, changes: list[Change]
) -> bool:
    """What others have to learn of it: systemd, the list of users, Asterisk."""
    well = True
    if ledger.unit == "own":
        well = carry_out(talk, trials, [KNOW], wish.here and house.manages)
    if ledger.user:
        gone = Command(("userdel", ledger.user), W.DROP_USER)
        well = carry_out(talk, trials, [gone], wish.here and house.root) and well
    console = wish.console or tuple(ledger.console)
    reloads = _reloads([change.path for change in changes if change.path.is_relative_to(house.etc)], console)
    return carry_out(talk, trials, reloads, bool(console)) and well


def _stray(house: House) -> list[Change]:
    """Blocks of ours in Asterisk's files."""
    found = []
    for name, text in house.files.items():
        path = house.etc / name
        if pieces.laid(text, path):
            found.append(Change(path, text, pieces.lift(text, path)))
    return found


def _reloads(files: list[Path], console: tuple[str, ...]) -> list[Command]:
    """What Asterisk has to read anew after these files of it."""
    program = console or ("asterisk",)
    dialplan = [file for file in files if file.name.startswith("extensions")]
    found = []
    if len(files) > len(dialplan):
        found.append(Command((*program, "-rx", "manager reload"), W.RELOAD))
    if dialplan:
        found.append(Command((*program, "-rx", hooks.RELOAD), W.RELOAD_DIALPLAN))
    return found


def _first(ledger: Ledger) -> list[Command]:
    ends = {"own": ("disable", "--now"), "packaged": ("stop",)}
    if ledger.unit not in ends:
        return []
    return [Command(("systemctl", *ends[ledger.unit], unit.NAME), W.STOP_UNIT)]


def _key(file: Path) -> tuple[str, ...]:
    """The key that stands in the dialplan's hooks, which the diff must not show."""
    key = str(_table(file, "routing").get("key") or "")
    return (key,) if key else ()


def _table(file: Path, name: str) -> Mapping[str, Any]:
    """One table of the configuration; empty where it cannot be read any more."""
    if disk.content(file) is None:
        return {}
    try:
        found: Mapping[str, Any] = raw(file).get(name, {})
    except ConfigError:
        return {}
    return found


def _data(file: Path) -> Path | None:
    """Where the service kept calls, as its configuration says before it goes."""
    if disk.content(file) is None:
        return None
    return file.parent / str(_table(file, "service").get("data_dir") or "var")
