"""A lab's `[[pbx]]` table as text for callme.toml. Pure."""

from __future__ import annotations

import json


def toml(table: dict[str, object], section: str = "[[pbx]]") -> str:
    """The table as TOML: strings, numbers, switches, lists of strings, one level of inline tables."""
    return "\n".join([section, *(f"{key} = {_value(value)}" for key, value in table.items())]) + "\n"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)  # a JSON string or number is a TOML one too
