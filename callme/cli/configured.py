"""Finds and reads the configuration for a command: `--config`, `CALLME_CONFIG`, `callme.toml`, the one that
the set-up installed, or the environment alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from callme.cli import tongue
from callme.config import Config, load

DEFAULT = Path("callme.toml")
INSTALLED = Path("/etc/callme/callme.toml")
"""Where the set-up puts it on a machine that is a server; read where the current folder has none."""


def configured(path: Path | None) -> Config:
    """The configuration; its warnings go to stderr. Raises `ConfigError`."""
    config = load(_found(path), os.environ)
    tongue.adopt(config)
    for warning in config.warnings:
        print(f"! {config.path}: {warning.what.say(tongue.language())}", file=sys.stderr)
        if warning.cure:
            print(f"  → {warning.cure.say(tongue.language())}", file=sys.stderr)
    return config


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
