"""Calls and steps that the store's tests write."""

from __future__ import annotations

from typing import Any

from callme.calls.model import Call, CallId, Direction, Disposition, Ring
from callme.crm.intents import Intent
from callme.store import StepWrite

PBX = "office"


def call(name: str = "office-1.1", started_at: float = 1000.0, **changed: Any) -> Call:
    """An open inbound call that rings at 101."""
    known: dict[str, Any] = {
        "id": CallId(name),
        "pbx": PBX,
        "direction": Direction.IN,
        "external": "84951234567",
        "number": "+74951234567",
        "name": "Иван",
        "line": "+74950000001",
        "trunk": "PJSIP/trunk",
        "caller": None,
        "started_at": started_at,
        "rang": (Ring("101", started_at, None, "PJSIP/101-1"),),
        "disposition": Disposition.NO_ANSWER,
    }
    return Call(**{**known, **changed})


def step(*intents: Intent, at: float = 1000.0, portal: str = "main", **parts: Any) -> StepWrite:
    """A step that tells one portal these intents."""
    return StepWrite(PBX, at, intents=tuple((portal, intent) for intent in intents), **parts)
