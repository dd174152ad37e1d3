"""A person opens the application's tab in the card of a call: what his browser sends (sheet §3.2, §6).

`POST /sandbox/card` with `{"call": CALL_ID, "user": 2}` posts the frame's form to the address that is bound,
and tells the status and the page that came.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callme.lab.sandboxes.bitrix24.authority import Installed
from callme.lab.sandboxes.bitrix24.placements import CARD
from callme.lab.sandboxes.bitrix24.rest import Rest

TIMEOUT_S = 10.0


def routes(rest: Rest, clock: Callable[[], float]) -> list[Route]:
    """The opener."""

    async def card(request: Request) -> Response:
        asked = await request.json()
        handler = next((row["handler"] for row in rest.office.placements if row["placement"] == CARD), "")
        if not handler or rest.authority.installed is not Installed.WHOLE:
            return JSONResponse({"error": "no tab is bound, or the application is not installed"}, 400)
        call, user = str(asked.get("call", "")), int(asked.get("user", 1))
        query, body = frame(rest, str(request.base_url), clock(), call=call, user=user)
        async with httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as browser:
            try:
                answer = await browser.post(f"{handler}?{urlencode(query)}", data=body)
            except httpx2.HTTPError as error:
                return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 502)
        return JSONResponse({"status": answer.status_code, "page": answer.text})

    return [Route("/sandbox/card", card, methods=["POST"])]


def frame(
    rest: Rest, portal: str, now: float, *, call: str, user: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Query and body with which that user's browser opens the tab in the card of that call."""
    authority, knobs = rest.authority, rest.knobs
    pair = authority.issue(user, now, knobs)
    row = rest.office.calls.get(call)
    options = {
        "CALL_ID": call,
        "PHONE_NUMBER": row.phone if row else "",
        "LINE_NUMBER": row.line if row else "",
        "LINE_NAME": row.line if row else "",
        "CRM_ENTITY_TYPE": "",
        "CRM_ENTITY_ID": "0",
        "CRM_ACTIVITY_ID": "undefined",
        "CALL_DIRECTION": "outgoing" if row is not None and row.type == 1 else "incoming",
        "CALL_STATE": "connected",
        "CALL_LIST_MODE": "false",
        "URI": "/",
    }
    query = {
        "DOMAIN": urlsplit(portal).hostname or "",
        "PROTOCOL": "1",
        "LANG": "ru",
        "APP_SID": secrets.token_hex(16),
    }
    return query, {
        "AUTH_ID": pair.access,
        "AUTH_EXPIRES": str(round(knobs.access_token_ttl_s)),
        "REFRESH_ID": pair.refresh,
        "SERVER_ENDPOINT": f"{portal}oauth/rest/",
        "APPLICATION_TOKEN": authority.application_token,
        "APPLICATION_SCOPE": ",".join(knobs.scopes),
        "member_id": authority.member,
        "status": "L",
        "PLACEMENT": CARD,
        "PLACEMENT_OPTIONS": json.dumps(options),
    }
