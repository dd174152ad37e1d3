"""Finds and reads the configuration for a command: `--config`, `CALLME_CONFIG`, `callme.toml`, the one that
the set-up installed, or the environment alone; and in it the PBX that is meant.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from callme.cli import tongue
from callme.config import Config, Pbx, load
from callme.errors import ConfigError
from callme.wording import Phrase

DEFAULT = Path("callme.toml")
INSTALLED = Path("/etc/callme/callme.toml")
"""Where the set-up puts it on a machine that is a server; read where the current folder has none."""

NO_PBX = Phrase("no PBX is configured", "не задана ни одна АТС")
NO_PBX_CURE = Phrase("add a [[pbx]] table to the configuration", "добавьте в конфигурацию таблицу [[pbx]]")
WHICH = Phrase("several PBXes are configured: {names}", "настроено несколько АТС: {names}")
WHICH_CURE = Phrase("name one with --pbx", "назовите одну через --pbx")
UNKNOWN = Phrase("there is no PBX “{pbx}”", "АТС «{pbx}» в конфигурации нет")
UNKNOWN_CURE = Phrase("choose one of these: {names}", "выберите одну из этих: {names}")


def configured(path: Path | None) -> Config:
    """The configuration; its warnings go to stderr. Raises `ConfigError`."""
    config = load(_found(path), os.environ)
    tongue.adopt(config)
    for warning in config.warnings:
        print(f"! {config.path}: {warning.what.say(tongue.language())}", file=sys.stderr)
        if warning.cure:
            print(f"  → {warning.cure.say(tongue.language())}", file=sys.stderr)
    return config


def chosen(config: Config, wanted: str | None) -> Pbx:
    """The PBX that is named with --pbx, or the only one. Raises `ConfigError`."""
    names = ", ".join(pbx.id for pbx in config.pbx)
    if not config.pbx:
        raise ConfigError(NO_PBX, NO_PBX_CURE)
    if wanted is None:
        if len(config.pbx) > 1:
            raise ConfigError(WHICH.given(names=names), WHICH_CURE)
        return config.pbx[0]
    found = config.pbx_named(wanted)
    if found is None:
        raise ConfigError(UNKNOWN.given(pbx=wanted), UNKNOWN_CURE.given(names=names))
    return found


def _found(path: Path | None) -> Path | None:
    if path is not None:
        return path
    if named := os.environ.get("CALLME_CONFIG"):
        return Path(named)
    whole = any(name.upper().startswith("CALLME_PBX__") for name in os.environ)
    if DEFAULT.exists():
        return DEFAULT
    if _is_there(INSTALLED):
        return INSTALLED
    return None if whole else DEFAULT


def _is_there(path: Path) -> bool:
    """Also when its folder is closed to us: then reading it tells why."""
    try:
        return path.exists()
    except OSError:
        return True
