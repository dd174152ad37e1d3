"""Installing the application in the portal: the two forms in which a handler gets its tokens, and the
addresses by which tests and people make it happen (sheet §2.7, §3.1, §3.2).

`POST /sandbox/install` with `{"handler": address, "form": "api" | "page", "user": 1}` sends them; a page that
calls `BX24.installFinish()` is taken as run by the administrator's browser. `/sandbox/uninstall`,
`/sandbox/revoke` and `/sandbox/expire` undo it in three ways. `/oauth/token/` is the authorisation server.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callme.lab.sandboxes.bitrix24.authority import Authority, Installed, Pair
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.rest import Rest

FINISH = "BX24.installFinish()"
TIMEOUT_S = 30.0


def routes(rest: Rest, clock: Callable[[], float]) -> list[Route]:
    """The authorisation server, and what turns the installation about."""
    authority = rest.authority

    async def install(request: Request) -> Response:
        asked = await request.json()
        try:
            status, page = await send(
                rest,
                str(request.base_url),
                clock(),
                handler=str(asked["handler"]),
                form=str(asked.get("form", "api")),
                user=int(asked.get("user", 1)),
            )
        except (KeyError, TypeError, ValueError, httpx2.HTTPError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)
        return JSONResponse({"status": status, "page": page, "installed": authority.installed})

    def turning(turn: Callable[[], None]) -> Callable[[Request], Any]:
        async def turned(_request: Request) -> Response:
            turn()
            return JSONResponse({"installed": authority.installed})

        return turned

    return [
        Route("/oauth/token/", rest.grant, methods=["GET"]),
        Route("/sandbox/install", install, methods=["POST"]),
        Route("/sandbox/uninstall", turning(authority.uninstall), methods=["POST"]),
        Route("/sandbox/revoke", turning(authority.revoke), methods=["POST"]),
        Route("/sandbox/expire", turning(authority.expire), methods=["POST"]),
    ]


async def send(rest: Rest, portal: str, now: float, *, handler: str, form: str, user: int) -> tuple[int, str]:
    """Installs the application by that handler: its status and page. `ValueError` for an unknown form."""
    query, body = prepared(rest.authority, rest.knobs, portal, now, form=form, user=user)
    async with httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
        answer = await client.post(
            f"{handler}?{urlencode(query)}" if query else handler,
            content=urlencode(body),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
    if form == "page" and answer.status_code == 200 and FINISH in answer.text:
        rest.authority.installed = Installed.WHOLE
    return answer.status_code, answer.text


def prepared(
    authority: Authority, knobs: Knobs, portal: str, now: float, *, form: str, user: int = 1
) -> tuple[dict[str, str], dict[str, str]]:
    """Query and body of an installation. An application without pages counts as installed from here on, one
    with pages only after its page has said so. `ValueError` for an unknown form."""
    host = urlsplit(portal).hostname or ""
    if form == "api":
        authority.installed = Installed.WHOLE
        return {}, _event(authority, authority.issue(user, now, knobs), knobs, portal, now)
    if form != "page":
        raise ValueError(f"unknown form {form!r}; known: api, page")
    if authority.installed is Installed.ABSENT:
        authority.installed = Installed.HALF
    pair = authority.issue(user, now, knobs)
    query = {"DOMAIN": host, "PROTOCOL": "1", "LANG": "ru", "APP_SID": secrets.token_hex(16)}
    return query, {
        "AUTH_ID": pair.access,
        "AUTH_EXPIRES": str(round(knobs.access_token_ttl_s)),
        "REFRESH_ID": pair.refresh,
        "SERVER_ENDPOINT": f"{portal}oauth/rest/",
        "APPLICATION_TOKEN": authority.application_token,
        "APPLICATION_SCOPE": ",".join(knobs.scopes),
        "member_id": authority.member,
        "status": "L",
        "PLACEMENT": "DEFAULT",
        "PLACEMENT_OPTIONS": '{"any":"6/"}',
    }


def _event(authority: Authority, pair: Pair, knobs: Knobs, portal: str, now: float) -> dict[str, str]:
    """ONAPPINSTALL, all values as text (contract `event_envelope`)."""
    return {
        "event": "ONAPPINSTALL",
        "data[VERSION]": "1",
        "data[ACTIVE]": "Y",
        "data[INSTALLED]": "Y",
        "data[LANGUAGE_ID]": "ru",
        "ts": str(round(now)),
        "auth[access_token]": pair.access,
        "auth[refresh_token]": pair.refresh,
        "auth[expires_in]": str(round(knobs.access_token_ttl_s)),
        "auth[scope]": ",".join(knobs.scopes),
        "auth[domain]": urlsplit(portal).hostname or "",
        "auth[server_endpoint]": f"{portal}oauth/rest/",
        "auth[status]": "L",
        "auth[client_endpoint]": f"{portal}rest/",
        "auth[member_id]": authority.member,
        "auth[application_token]": authority.application_token,
    }
