"""Batch commands: how one is read and how `$result[…]` references to earlier answers are put into it (sheet
§4.3).

Pure. The REST layer runs the commands one after the other and collects the answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from callme.lab.sandboxes.bitrix24 import php
from callme.lab.sandboxes.bitrix24.refusal import Refusal

MOST_COMMANDS = 50
NOT_IN_BATCH = ("batch", "upload", "download")
_REFERENCE = re.compile(r"\$(result|total|next|time|error)\[(\S+)")


@dataclass(slots=True)
class Answers:
    """What the commands answered so far, by key."""

    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    total: dict[str, Any] = field(default_factory=dict)
    next: dict[str, Any] = field(default_factory=dict)
    time: dict[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The outer result; empty maps are `[]`."""
        return {
            "result": php.array(self.result),
            "result_error": php.array(self.error),
            "result_total": php.array(self.total),
            "result_next": php.array(self.next),
            "result_time": php.array(self.time),
        }


def commands(given: Any) -> dict[str, str]:
    """The commands in order; what is not a string is silently skipped."""
    if isinstance(given, list):
        given = dict(enumerate(given))
    if not isinstance(given, dict):
        return {}
    return {str(key): command for key, command in given.items() if isinstance(command, str)}


def command(raw: str, answers: Answers) -> tuple[str, dict[str, Any]]:
    """Method and parameters of one command, references filled in."""
    method, _, query = raw.partition("?")
    return method.strip(), _filled(php.query(query), answers)


def too_many() -> Refusal:
    """For the 51st command and those behind it."""
    return Refusal(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")


def not_allowed() -> Refusal:
    """For a batch inside a batch, an upload, a download."""
    return Refusal(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")


def _filled(value: Any, answers: Answers) -> Any:
    if isinstance(value, dict):
        return {_embedded(str(key), answers): _filled(item, answers) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, answers) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _look_up(whole, answers)[0]
    return _embedded(value, answers)


def _embedded(text: str, answers: Answers) -> str:
    """References inside a longer text: scalars are put in as text, everything else stays as it is written."""

    def put(match: re.Match[str]) -> str:
        value, resolved = _look_up(match, answers)
        scalar = isinstance(value, str | int | float)
        return php.text(value) if resolved and scalar else match.group()

    return _REFERENCE.sub(put, text)


def _look_up(match: re.Match[str], answers: Answers) -> tuple[Any, bool]:
    """The value, or the deepest container that does exist, and whether it was found."""
    place: Any = getattr(answers, match.group(1))
    container: Any = place
    for key in match.group(2).removesuffix("]").split("]["):
        name = key.strip("'\"")
        if isinstance(place, list) and name.isdigit() and int(name) < len(place):
            place = place[int(name)]
        elif isinstance(place, dict) and name in place:
            place = place[name]
        else:
            return container, False
        container = place if isinstance(place, dict | list) else container
    return place, True
