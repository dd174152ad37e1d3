"""The conversation of `callme setup`: asks for PBX and portal, tries each as it goes, shows what would be
written, and has it written.

Only what was not said beforehand is asked. Whatever the person answers, nothing is written before its diff
was shown and agreed to; a second run finds nothing to change. `callme.setup.undoing` is the way back.
"""

from __future__ import annotations

from pathlib import Path

from callme.setup import changing, own, unit
from callme.setup.changing import Owner
from callme.setup.course import Course, at
from callme.setup.hook_step import HookStep
from callme.setup.old_step import OldStep
from callme.setup.pbx_step import PbxStep
from callme.setup.portal_step import PortalStep
from callme.setup.words import W


def set_up(on: Course) -> bool:
    """Everything; whether all that was tried works. Raises `ConfigError`, `TroubleError`."""
    on.talk.head(W.PBX)
    PbxStep(on).run()
    OldStep(on).run()
    on.talk.head(W.PORTAL)
    PortalStep(on).run()
    HookStep(on).run()
    on.talk.head(W.OWN)
    _own_files(on)
    if not on.wrote:
        on.talk.tell(W.WOULD if on.wish.dry else W.NOTHING)
    if on.after is not None and on.wrote:
        on.talk.tell(on.after)
    on.talk.tell((W.DONE if on.well else W.UNWELL).given(config=on.config))
    return on.well


def _own_files(on: Course) -> None:
    with_unit = _wants_unit(on)
    user = str(on.wish.said("setup", "user") or unit.USER)
    if with_unit and not on.new["service"].get("data_dir"):
        on.new["service"]["data_dir"] = str(unit.STATE)
    on.judged(on.new)
    owned = Owner(user, user) if with_unit and on.wish.here and on.house.root else None
    changes = [own.config(on.file, on.disk.content(on.file), on.old, on.new, owned)]
    path = at(on.wish, unit.PATH)
    if with_unit and not on.house.packaged:
        data = Path(str(on.new["service"]["data_dir"]))
        changes.append(own.unit(path, on.disk.content(path), on.house, on.config, user, data))
    fresh = bool(owned) and user not in on.house.users
    if changing.needed(changes) and fresh and not on.wish.dry:
        on.run([own.account(user, unit.STATE)], allowed=True)
        on.disk.note(user=user)
    if on.agreed(changes) and with_unit:
        anew = on.house.packaged or changes[-1].before is not None
        on.disk.note(unit="packaged" if on.house.packaged else "own")
        on.run(own.starting(anew=anew), allowed=on.wish.here and on.house.manages)


def usual_unit(on: Course) -> tuple[bool, bool]:
    """Whether the service is run by systemd where nobody says so, and whether that is a question at all."""
    if on.house.packaged or (on.disk.content(at(on.wish, unit.PATH)) is not None and on.old):
        return True, False
    return on.house.manages, on.house.systemd


def _wants_unit(on: Course) -> bool:
    default, asked = usual_unit(on)
    said = on.wish.said("setup", "unit")
    if said is not None:
        wants = bool(said)
    elif on.wish.hands_off or not asked:
        wants = default
    else:
        wants = on.talk.confirm(W.WANT_UNIT, default)
    if wants and not on.house.reachable:
        on.warn(W.CLOSED_PROGRAMME.given(programme=on.house.programme, user=unit.USER))
    return wants
