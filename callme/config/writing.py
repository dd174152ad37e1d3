"""Tables of the configuration as TOML text, for those who write one: the set-up, the lab, the demo. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(table: Mapping[str, object], section: str = "[[pbx]]") -> str:
    """The table as TOML: strings, numbers, switches, lists, tables within it inline."""
    return "\n".join([section, *(f"{_key(key)} = {_value(value)}" for key, value in table.items())]) + "\n"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)  # a JSON string or number is a TOML one too
