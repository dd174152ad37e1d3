"""How PHP reads what a client sends: bracketed form keys, loose booleans and integers, dates.

The real portal is written in PHP and much of its strictness, and of its odd leniency, is PHP's (sheet §1.0,
§1.2). Used by the REST layer and the methods; knows nothing of telephony.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

PORTAL_ZONE = timezone(timedelta(hours=3))
"""The portal server's own zone: a date without one is read in it (§8.3.14)."""

_LEADING_INT = re.compile(r"\s*[+-]?\d+")
_LEADING_FLOAT = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_BRACKETS = re.compile(r"\[([^\]]*)\]")


def truthy(value: object) -> bool:
    """PHP's `(bool)`: only `0`, `"0"`, `""`, `false`, `null` and an empty array are false; `"N"` is true
    (§8.3.16)."""
    return value not in (None, False, 0, "0", "", [], {})


def integer(value: object) -> int:
    """PHP's `(int)`: leading digits of a text, 0 when there are none, 1 for a non-empty array."""
    if isinstance(value, bool | int | float):
        return int(value)
    if isinstance(value, str):
        match = _LEADING_INT.match(value)
        return int(match.group()) if match else 0
    return 1 if value else 0


def decimal(value: object) -> float:
    """PHP's `(double)`."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str):
        match = _LEADING_FLOAT.match(value)
        return float(match.group()) if match else 0.0
    return 1.0 if value else 0.0


def text(value: object) -> str:
    """PHP's `(string)` of a scalar; an array is `"Array"`."""
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    return "Array" if isinstance(value, list | dict) else str(value)


def moment(value: str) -> float | None:
    """The date as epoch seconds, `None` when it cannot be read.

    `strtotime` reads much more; here: ISO-8601 in all its forms, RFC 2822, `@epoch`.
    """
    stripped = value.strip()
    if re.fullmatch(r"@-?\d+", stripped):
        return float(stripped[1:])
    try:
        read = datetime.fromisoformat(stripped)
    except ValueError:
        try:
            read = parsedate_to_datetime(stripped)
        except ValueError:
            return None
    return (read if read.tzinfo else read.replace(tzinfo=PORTAL_ZONE)).timestamp()


def iso(at: float) -> str:
    """The moment as the portal prints it: ISO-8601, whole seconds, its own offset."""
    return datetime.fromtimestamp(at, UTC).astimezone(PORTAL_ZONE).isoformat(timespec="seconds")


def array(items: dict[Any, Any]) -> dict[Any, Any] | list[Any]:
    """The map as PHP's JSON prints it: `[]` when empty, a list when its keys are 0, 1, 2…"""
    if all(key == index or key == str(index) for index, key in enumerate(items)):
        return list(items.values())
    return items


def query(raw: str) -> dict[str, Any]:
    """A query string as `$_GET` would hold it."""
    return nest(parse_qsl(raw, keep_blank_values=True))


def nest(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Form fields as `$_POST` would hold them: `FILTER[ID]=1` and `USER_ID[]=7` become maps and lists."""
    top: dict[str, Any] = {}
    for key, value in pairs:
        name, _, rest = key.partition("[")
        steps = [name, *_BRACKETS.findall("[" + rest)] if rest else [name]
        place = top
        for step in steps[:-1]:
            inner = place.setdefault(step or str(len(place)), {})
            if not isinstance(inner, dict):
                inner = {}
                place[step] = inner
            place = inner
        place[steps[-1] or str(len(place))] = value
    return {key: _listed(value) for key, value in top.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return array({key: _listed(item) for key, item in value.items()})
