"""How a batch is written and read: commands as addresses with a query, answers by their keys (sheet §4.3).

Pure; `rest` alone uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode


def command(method: str, params: Mapping[str, Any]) -> str:
    """One command: the method, then its parameters as the portal's PHP reads a query."""
    return f"{method}?{urlencode(list(_pairs(params)))}"


def result_of(key: str, *path: str) -> str:
    """Stands in a parameter for what an earlier command of the batch will have answered. As a whole value
    only: a reference goes on to the next white space."""
    return f"$result[{key}]" + "".join(f"[{part}]" for part in path)


class Answers:
    """What a batch answered. Its maps are lists when they are empty."""

    def __init__(self, told: Any) -> None:
        whole = told if isinstance(told, Mapping) else {}
        self._results = _mapping(whole.get("result"))
        self._errors = _mapping(whole.get("result_error"))
        self._times = _mapping(whole.get("result_time"))

    def of(self, key: str) -> Mapping[str, Any] | None:
        """The answer to one command in the shape that it has by itself; `None` when nothing is said of it."""
        if key in self._errors:
            error = self._errors[key]
            return error if isinstance(error, Mapping) and "error" in error else {"error": str(error)}
        if key not in self._results:
            return None
        return {"result": self._results[key], "time": self._times.get(key)}


def _mapping(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}


def _pairs(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _pairs(inner, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _pairs(inner, f"{name}[{index}]")
    elif value is not None:
        yield name, str(int(value) if isinstance(value, bool) else value)
