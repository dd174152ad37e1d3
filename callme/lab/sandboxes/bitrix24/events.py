"""Who wants to be told what: event.bind and event.get of the application (sheet §2, contract `event.bind`).

Pure. Only online events of one application are kept; what happens to them is in `clicking`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from callme.lab.sandboxes.bitrix24 import php
from callme.lab.sandboxes.bitrix24.ask import Ask
from callme.lab.sandboxes.bitrix24.refusal import Refusal, wrong_auth_type

EVENTS = frozenset({"ONEXTERNALCALLSTART", "ONEXTERNALCALLBACKSTART", "ONAPPUNINSTALL", "ONAPPUPDATE"})


def bind(ask: Ask) -> bool:
    """event.bind."""
    if ask.application is None:
        raise wrong_auth_type()
    event = _required(ask, "EVENT").upper()
    if event not in EVENTS:
        raise Refusal(400, "ERROR_EVENT_NOT_FOUND", "Event not found")
    handler = _required(ask, "HANDLER")
    parts = urlsplit(handler)
    if parts.scheme not in ("http", "https"):
        raise Refusal(400, "ERROR_UNSUPPORTED_PROTOCOL", "Unsupported handler protocol")
    if "." not in (parts.hostname or ""):
        raise Refusal(400, "ERROR_WRONG_HANDLER_URL", "Wrong handler URL")
    if (event, handler) in ask.office.handlers:
        raise Refusal(400, "ERROR_CORE", "Unable to set event handler: Handler already binded")
    ask.office.handlers.append((event, handler))
    ask.office.tell("bound", ask.now, event=event, handler=handler)
    return True


def get(ask: Ask) -> list[dict[str, Any]]:
    """event.get."""
    if ask.application is None:
        raise wrong_auth_type()
    return [
        {"event": event, "handler": handler, "auth_type": "0", "offline": 0}
        for event, handler in ask.office.handlers
    ]


def _required(ask: Ask, name: str) -> str:
    value = php.text(ask.params.get(name))
    if not value:
        raise Refusal(400, "ERROR_ARGUMENT", f"Argument '{name}' is null or empty", argument=name)
    return value
