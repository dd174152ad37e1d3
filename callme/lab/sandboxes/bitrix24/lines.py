"""External lines: telephony.externalLine.add, update, delete, get (sheet §1.8). Pure."""

from __future__ import annotations

from typing import Any

from callme.lab.sandboxes.bitrix24 import php
from callme.lab.sandboxes.bitrix24.ask import Ask
from callme.lab.sandboxes.bitrix24.refusal import failure
from callme.lab.sandboxes.bitrix24.state import Line


def add(ask: Ask) -> dict[str, Any]:
    """A new line; `CRM_AUTO_CREATE` is Y unless something else is said."""
    number = _number(ask)
    if number in ask.office.lines:
        raise failure("Line already exists")
    auto_create = ask.params.get("CRM_AUTO_CREATE", "Y") == "Y"
    line = Line(ask.office.next_id("line"), number, php.text(ask.params.get("NAME")), auto_create)
    ask.office.lines[number] = line
    ask.office.tell("line.created", ask.now, line=number)
    return {"ID": line.id}


def update(ask: Ask) -> dict[str, Any]:
    """Change a line. That there is something to change is checked before its number."""
    if ask.params.get("NAME") is None and ask.params.get("CRM_AUTO_CREATE") is None:
        raise failure("There are no fields to update")
    line = _line(ask)
    if ask.params.get("NAME") is not None:
        line.name = php.text(ask.params["NAME"])
    if ask.params.get("CRM_AUTO_CREATE") is not None:
        line.auto_create = ask.params["CRM_AUTO_CREATE"] == "Y"
    return {"ID": str(line.id)}


def delete(ask: Ask) -> list[Any]:
    """Remove a line."""
    del ask.office.lines[_line(ask).number]
    return []


def get(ask: Ask) -> list[dict[str, Any]]:
    """All lines."""
    return [
        {"NUMBER": line.number, "NAME": line.name, "CRM_AUTO_CREATE": "Y" if line.auto_create else "N"}
        for line in ask.office.lines.values()
    ]


def _number(ask: Ask) -> str:
    number = php.text(ask.params.get("NUMBER")).strip()
    if not number:
        raise failure("NUMBER should not be empty")
    return number


def _line(ask: Ask) -> Line:
    number = _number(ask)
    if number not in ask.office.lines:
        raise failure(f"Could not find line with number {number}")
    return ask.office.lines[number]
