"""CallMe's own files: the configuration and the service's unit, as they have to be. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callme.config.writing import toml
from callme.setup import unit as units
from callme.setup.changing import Change, Command, Owner
from callme.setup.house import Flavour, House
from callme.setup.unit import Unit
from callme.wording import Phrase

CONFIG = Phrase("the configuration", "конфигурация")
UNIT = Phrase("the service", "служба")
HEAD = (
    "# Written by “callme setup”. Each key is explained in callme.example.toml; ask “callme check” after a\n"
    "# change. It holds secrets: chmod 600.\n"
)
ADD_USER = Phrase("an account for the service", "учётная запись для службы")
KNOW_UNIT = Phrase("systemd learns of the unit", "systemd узнаёт о службе")
START = Phrase("start it, now and at each boot", "запустить сейчас и при каждой загрузке")
RESTART = Phrase("start it anew with the new configuration", "перезапустить с новой конфигурацией")
SECTIONS = ("pbx", "portal", "route", "routing", "steer")

Tables = dict[str, Any]


def rendered(tables: Mapping[str, Any]) -> bytes:
    """The configuration's text."""
    parts = [HEAD + toml(tables.get("service", {}), "[service]")]
    for name in sorted(tables.keys() - {"service"}, key=_place):
        if isinstance(tables[name], Mapping):
            parts.append(toml(tables[name], f"[{name}]"))
        else:
            parts += [toml(entry, f"[[{name}]]") for entry in tables[name]]
    return "\n".join(parts).encode()


def _place(name: str) -> tuple[int, str]:
    return SECTIONS.index(name) if name in SECTIONS else len(SECTIONS), name


def config(path: Path, before: bytes | None, old: Tables, new: Tables, owner: Owner | None) -> Change:
    """The configuration's file. One that says the same already is left as a person wrote it."""
    after = before if before is not None and old == new else rendered(new)
    return Change(path, before, after, CONFIG, whole=True, mode=0o600, owner=owner)


def unit(path: Path, before: bytes | None, house: House, config_path: Path, user: str, data: Path) -> Change:
    """The unit's file."""
    asterisk = house.flavour is not Flavour.NONE
    wanted = Unit(
        programme=house.programme,
        config=config_path,
        user=user,
        data=data,
        groups=("asterisk",) if "asterisk" in house.groups else (),
        beside=("asterisk.service", "freepbx.service") if asterisk else (),
    )
    return Change(path, before, units.text(wanted).encode(), UNIT, whole=True, mode=0o644)


def account(user: str, data: Path) -> Command:
    """How to make the service's user."""
    return Command(
        (
            "useradd",
            "--system",
            "--user-group",
            "--home-dir",
            str(data),
            "--shell",
            "/usr/sbin/nologin",
            user,
        ),
        ADD_USER,
    )


def starting(*, anew: bool) -> list[Command]:
    """How the service comes up; `anew`: it was set up before."""
    known = Command(("systemctl", "daemon-reload"), KNOW_UNIT)
    if anew:
        return [known, Command(("systemctl", "restart", units.NAME), RESTART)]
    return [known, Command(("systemctl", "enable", "--now", units.NAME), START)]


def merged(old: Tables, section: str, table: Mapping[str, Any]) -> Tables:
    """The tables with the first entry of a section, or `[service]`, brought up to date. A key that is given
    in another way now (`secret` for `secret_file`) takes the old one's place."""
    new = copy.deepcopy(old)
    if section == "service":
        entry = new.setdefault("service", {})
    else:
        entries = new.setdefault(section, [])
        if not entries:
            entries.append({})
        entry = entries[0]
    for key, value in table.items():
        stem = key.removesuffix("_file").removesuffix("_env")
        for rival in (stem, f"{stem}_file", f"{stem}_env"):
            if rival != key:
                entry.pop(rival, None)
        entry[key] = value
    return new
