"""The portal's filters: an operator in front of a field's name, and whatever is not known silently dropped.

Dropping is the trap that the sheet warns of (§1.9, §5.1): a misspelt filter widens the result to everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from callme.lab.sandboxes.bitrix24 import php

USER_OPERATORS = ("!=%", "!%=", "!%", "!@", "!=", ">=", "<=", "=%", "%=", "!", ">", "<", "@", "%", "=")
STATISTIC_OPERATORS = ("!><", "><", "!=", ">=", "<=", "!%", "!", ">", "<", "?", "%", "=")


def keep(
    rows: Iterable[dict[str, Any]], filters: object, fields: frozenset[str], operators: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The rows that pass every filter of a known field; the other filters do not count. Rows hold typed
    values."""
    tests = []
    if isinstance(filters, Mapping):
        for key, wanted in filters.items():
            name = str(key).upper()
            operator = next((sign for sign in operators if name.startswith(sign)), "")
            column = name[len(operator) :]
            if column in fields:
                tests.append((column, _test(operator, wanted)))
    return [row for row in rows if all(test(row.get(column)) for column, test in tests)]


def _test(operator: str, wanted: Any) -> Callable[[Any], bool]:
    negated = operator.startswith("!")
    plain = operator.lstrip("!")
    check = _CHECKS[plain]
    return lambda value: check(value, wanted) != negated


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return any(_same(value, item) for item in wanted)
    if isinstance(value, list):
        return any(_same(item, wanted) for item in value)
    if isinstance(value, bool):
        return value == (wanted in (True, 1, "1", "Y", "y", "true"))
    left, right = _pair(value, wanted)
    return bool(left == right)


def _between(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, list) or len(wanted) < 2:
        return True
    return _order(value, wanted[0]) >= 0 and _order(value, wanted[1]) <= 0


def _order(value: Any, wanted: Any) -> int:
    """Below zero when the value is less than what is wanted, zero when equal."""
    left, right = _pair(value, wanted)
    return int(left > right) - int(left < right)


def _within(value: Any, wanted: Any) -> bool:
    needles = wanted if isinstance(wanted, list) else [wanted]
    return any(php.text(needle).strip("%").casefold() in php.text(value).casefold() for needle in needles)


def _pair(value: Any, wanted: Any) -> tuple[Any, Any]:
    """Both as the kind that the row's own value is of."""
    if isinstance(value, datetime):
        return value.timestamp(), php.moment(php.text(wanted)) or 0.0
    if isinstance(value, int | float):
        return float(value), php.decimal(wanted)
    return php.text(value), php.text(wanted)


_CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "": _same,
    "=": _same,
    "@": _same,
    "%": _within,
    "=%": _within,
    "%=": _within,
    "?": _within,
    ">": lambda value, wanted: _order(value, wanted) > 0,
    "<": lambda value, wanted: _order(value, wanted) < 0,
    ">=": lambda value, wanted: _order(value, wanted) >= 0,
    "<=": lambda value, wanted: _order(value, wanted) <= 0,
    "><": _between,
}
