"""Who wants to be told what: event.bind, event.unbind and event.get of the application (sheet §2, contract
`event.bind`).

Pure. Events of one application are kept, online with a handler or offline to be fetched; what happens to them
is in `clicking` and `offline`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from callme.lab.sandboxes.bitrix24 import php
from callme.lab.sandboxes.bitrix24.ask import Ask
from callme.lab.sandboxes.bitrix24.refusal import Refusal, access_denied, wrong_auth_type

TELEPHONY = frozenset({"ONEXTERNALCALLSTART", "ONEXTERNALCALLBACKSTART"})
CRM = frozenset(
    f"ONCRM{kind}{act}"
    for kind in ("LEAD", "DEAL", "CONTACT", "COMPANY")
    for act in ("ADD", "UPDATE", "DELETE")
)
SCOPES = {
    **dict.fromkeys(TELEPHONY, "telephony"),
    **dict.fromkeys(CRM, "crm"),
    "ONUSERADD": "user",
}
"""An event whose scope the application lacks does not exist for it."""

EVENTS = SCOPES.keys() | {"ONAPPUNINSTALL", "ONAPPUPDATE", "ONOFFLINEEVENT"}
ONLINE, OFFLINE = "online", "offline"


def bind(ask: Ask) -> bool:
    """event.bind."""
    event, kind = _asked(ask)
    if event not in EVENTS or SCOPES.get(event, "") not in ("", *ask.knobs.scopes):
        raise Refusal(400, "ERROR_EVENT_NOT_FOUND", "Event not found")
    if kind == OFFLINE:
        if not ask.owner.admin:
            raise access_denied("Access denied! Offline events binding requires administrator access rights")
        if event in ask.office.offline_bound:
            raise Refusal(400, "ERROR_CORE", "Unable to set event handler: Handler already binded")
        ask.office.offline_bound.add(event)
        ask.office.tell("bound", ask.now, event=event, handler="")
        return True
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


def unbind(ask: Ask) -> dict[str, int]:
    """event.unbind. An online one needs its handler (K10)."""
    event, kind = _asked(ask)
    if kind == OFFLINE:
        if not ask.owner.admin:
            raise access_denied(
                "Access denied! Offline events unbinding requires administrator access rights"
            )
        count = int(event in ask.office.offline_bound)
        ask.office.offline_bound.discard(event)
        return {"count": count}
    pair = (event, _required(ask, "HANDLER"))
    count = ask.office.handlers.count(pair)
    ask.office.handlers[:] = [one for one in ask.office.handlers if one != pair]
    return {"count": count}


def get(ask: Ask) -> list[dict[str, Any]]:
    """event.get."""
    if ask.application is None:
        raise wrong_auth_type()
    return [
        *(
            {"event": event, "handler": handler, "auth_type": "0", "offline": 0}
            for event, handler in ask.office.handlers
        ),
        *({"event": event, "connector_id": "", "offline": 1} for event in sorted(ask.office.offline_bound)),
    ]


def _asked(ask: Ask) -> tuple[str, str]:
    if ask.application is None:
        raise wrong_auth_type()
    event = _required(ask, "EVENT").upper()
    kind = php.text(ask.params.get("EVENT_TYPE")) or ONLINE
    if kind not in (ONLINE, OFFLINE):
        raise Refusal(400, "ERROR_ARGUMENT", "Value must be one of {online|offline}", argument="event_type")
    return event, kind


def _required(ask: Ask, name: str) -> str:
    value = php.text(ask.params.get(name))
    if not value:
        raise Refusal(400, "ERROR_ARGUMENT", f"Argument '{name}' is null or empty", argument=name)
    return value
