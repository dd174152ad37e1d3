"""Where the application shows itself in the portal: placement.bind, unbind, get and list (sheet §6, contract
`placement.bind`). Pure; a tab is opened in `opening`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from callme.lab.sandboxes.bitrix24 import php
from callme.lab.sandboxes.bitrix24.ask import Ask
from callme.lab.sandboxes.bitrix24.refusal import Refusal, access_denied, wrong_auth_type

CARD, WORKER = "CALL_CARD", "PAGE_BACKGROUND_WORKER"
PLACES = {
    CARD: {"placement", "telephony"},
    "TELEPHONY_ANALYTICS_MENU": {"placement", "telephony"},
    WORKER: {"placement"},
    "REST_APP_URI": {"placement"},
}
ONE_ONLY = frozenset({WORKER, "REST_APP_URI"})


def bind(ask: Ask) -> bool:
    """placement.bind."""
    place = _asked(ask)
    handler = _required(ask, "HANDLER")
    parts = urlsplit(handler)
    if parts.scheme not in ("http", "https") or "." not in (parts.hostname or ""):
        raise Refusal(400, "ERROR_WRONG_HANDLER_URL", "Wrong handler URL")
    if not _known(place, ask):
        raise Refusal(400, "ERROR_PLACEMENT_NOT_FOUND", "Placement not found")
    if php.text(ask.params.get("USER_ID")) and place != WORKER:
        raise Refusal(400, "ERROR_PLACEMENT_USER_MODE", "User mode is not available.", docs_status=200)
    options = ask.params.get("OPTIONS")
    if place == WORKER and not (isinstance(options, dict) and options.get("errorHandlerUrl")):
        raise Refusal(200, "EMPTY_ERROR_HANDLER_URL", "Field errorHandlerUrl is empty.")
    rows = ask.office.placements
    if any(row["placement"] == place and row["handler"] == handler for row in rows):
        raise Refusal(400, "ERROR_CORE", "Unable to set placement handler: Handler already binded")
    if place in ONE_ONLY and any(row["placement"] == place for row in rows):
        raise Refusal(400, "ERROR_PLACEMENT_MAX_COUNT", "Placement max count: 1", docs_status=200)
    rows.append(
        {
            "placement": place,
            "userId": 0,
            "handler": handler,
            "options": options if isinstance(options, dict) else [],
            "title": php.text(ask.params.get("TITLE")),
            "description": php.text(ask.params.get("DESCRIPTION")),
            "langAll": ask.params.get("LANG_ALL") or [],
        }
    )
    return True


def unbind(ask: Ask) -> dict[str, int]:
    """placement.unbind: each row counts twice."""
    place, handler = _asked(ask), php.text(ask.params.get("HANDLER"))
    rows = ask.office.placements
    gone = [row for row in rows if row["placement"] == place and handler in ("", row["handler"])]
    rows[:] = [row for row in rows if row not in gone]
    return {"count": 2 * len(gone)}


def get(ask: Ask) -> list[dict[str, Any]]:
    """placement.get."""
    _admin(ask)
    return [dict(row) for row in ask.office.placements]


def listed(ask: Ask) -> list[str]:
    """placement.list: the places that these scopes open."""
    if ask.application is None:
        raise wrong_auth_type()
    return [place for place in PLACES if _known(place, ask)]


def _asked(ask: Ask) -> str:
    _admin(ask)
    return _required(ask, "PLACEMENT").upper()


def _admin(ask: Ask) -> None:
    if ask.application is None:
        raise wrong_auth_type(
            "Current authorization type is denied for this method Application context required"
        )
    if not ask.owner.admin:
        raise access_denied()


def _required(ask: Ask, name: str) -> str:
    value = php.text(ask.params.get(name))
    if not value:
        raise Refusal(400, "ERROR_ARGUMENT", f"Argument '{name}' is null or empty", argument=name)
    return value


def _known(place: str, ask: Ask) -> bool:
    return place in PLACES and PLACES[place] <= set(ask.knobs.scopes)
