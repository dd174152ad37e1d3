"""A click on a number, as the portal sees to it: it opens the call itself, shows its card, and tells whoever
is to dial (sheet §2.1–2.3). `POST /sandbox/click` presses the button.

    {"user": 2, "number": "+79…", "line": "", "handler": "http://…/hooks/main", "token": "…"}

`extension` is what follows the number, `call_list` the campaign that is being called. `copies` sends the
event so often, as a nervous finger does (0: it gets lost on the way); `late_s` dates it back. Without
`handler` the application's own subscriptions are served, and what waits to be fetched is queued. The portal
does not repeat an event that failed: the answer's status is only told.

`POST /sandbox/callback` fills in a form on the company's site: `number`, `text`, `line`. Nothing is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callme.lab.sandboxes.bitrix24 import customers, offline, php
from callme.lab.sandboxes.bitrix24.authority import Installed
from callme.lab.sandboxes.bitrix24.rest import Rest
from callme.lab.sandboxes.bitrix24.state import Office, OpenCall
from callme.lab.sandboxes.bitrix24.telephony import is_active, stripped

CLICK = "ONEXTERNALCALLSTART"
CALLBACK = "ONEXTERNALCALLBACKSTART"
OUTGOING = 1
ANSWER_S = 10.0


def routes(rest: Rest, clock: Callable[[], float]) -> list[Route]:
    """The button."""

    async def click(request: Request) -> Response:
        wish = await request.json()
        user, number = php.integer(wish.get("user")), php.text(wish.get("number"))
        if not is_active(rest.office, user) or stripped(number) in ("", "0"):
            return JSONResponse({"error": "an active user and a number are needed"}, 400)
        line = php.text(wish.get("line"))
        call = press(rest.office, user, number, line, clock(), rest.knobs.dedup_window_s)
        told = asked(call, number, php.text(wish.get("extension")), php.text(wish.get("call_list")))
        return JSONResponse({"call": call.id, "statuses": await tell(CLICK, told, wish)})

    async def callback(request: Request) -> Response:
        wish = await request.json()
        number = php.text(wish.get("number"))
        if stripped(number) in ("", "0"):
            return JSONResponse({"error": "a number is needed"}, 400)
        found = customers.find(rest.office, number)
        told = {
            "PHONE_NUMBER": number,
            "TEXT": php.text(wish.get("text")),
            "VOICE": "ruinternalfemale",
            "CRM_ENTITY_TYPE": found[0].type if found else "",
            "CRM_ENTITY_ID": found[0].id if found else "",
            "LINE_NUMBER": php.text(wish.get("line")),
        }
        rest.office.tell("callback.wished", clock(), phone=number)
        return JSONResponse({"statuses": await tell(CALLBACK, told, wish)})

    async def tell(name: str, told: dict[str, Any], wish: dict[str, Any]) -> list[int]:
        at = clock() - float(wish.get("late_s", 0))
        copies = range(int(wish.get("copies", 1)))
        if "handler" not in wish and rest.authority.installed is Installed.WHOLE:
            for _ in copies:
                offline.queue(rest.office, name, told, at)
        token = php.text(wish.get("token")) or rest.authority.application_token
        form = enveloped(name, told, token, int(at))
        handlers = [wish["handler"]] if "handler" in wish else bound(rest, name)
        return [await post(one, form) for one in handlers for _ in copies]

    return [
        Route("/sandbox/click", click, methods=["POST"]),
        Route("/sandbox/callback", callback, methods=["POST"]),
    ]


def press(office: Office, user: int, number: str, line: str, now: float, window_s: float) -> OpenCall:
    """The call that a click opens: outgoing, without an id of anybody else's. The same number clicked again
    while it is unfinished is the same call."""
    phone = stripped(number)
    for known in office.calls.values():
        same = (known.user, known.phone, known.type, known.line) == (user, phone, OUTGOING, line)
        if same and known.started_at > now - window_s:
            return known
    internal = office.by_extension(phone) is not None
    call_id = f"externalCall.{office.token(now)}.{int(now):010d}"
    call = OpenCall(call_id, user, phone, OUTGOING, now, line, None, internal)
    office.calls[call.id] = call
    if not internal:
        customers.bind(office, call)
    office.tell("clicked", now, call=call.id, user=user, phone=phone, line=line)
    office.show(call, user, now)
    return call


def event(call: OpenCall, number: str, token: str, queued: int) -> dict[str, str]:
    """The form that tells of a click."""
    return enveloped(CLICK, asked(call, number), token, queued)


def asked(call: OpenCall, number: str, extension: str = "", call_list: str = "") -> dict[str, Any]:
    """What ONEXTERNALCALLSTART says (§2.3)."""
    plus = number if number.startswith("+") else ""
    return {
        "PHONE_NUMBER": number,
        "PHONE_NUMBER_INTERNATIONAL": plus,
        "EXTENSION": extension,
        "USER_ID": call.user,
        "CALL_LIST_ID": call_list or 0,
        "LINE_NUMBER": call.line,
        "IS_MOBILE": 0,
        "CALL_ID": call.id,
        "CRM_ENTITY_TYPE": call.primary[0] if call.primary else "",
        "CRM_ENTITY_ID": call.primary[1] if call.primary else "",
    }


def enveloped(name: str, data: dict[str, Any], token: str, queued: int) -> dict[str, str]:
    """The form that an outgoing webhook posts: all values are text, its `auth` has no tokens of a user."""
    auth = {
        "domain": "127.0.0.1",
        "client_endpoint": "http://127.0.0.1/rest/",
        "server_endpoint": "https://oauth.bitrix.info/rest/",
        "member_id": "a223c6b3710f85df22e9377d6c4f7553",
        "application_token": token,
    }
    return {
        "event": name,
        "event_handler_id": "7",
        **dict(_bracketed("data", data)),
        "ts": str(queued),
        **{f"auth[{name}]": value for name, value in auth.items()},
    }


def _bracketed(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """As PHP names what is nested: `data[FIELDS][ID]`. Empty arrays vanish, nulls are left out (§2.1)."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _bracketed(f"{name}[{key}]", inner)
    elif value is not None:
        yield name, php.text(value)


def bound(rest: Rest, event: str) -> list[str]:
    """Where the application wants such events; nowhere before it is wholly installed (§2.1)."""
    if rest.authority.installed is not Installed.WHOLE:
        return []
    return [handler for name, handler in rest.office.handlers if name == event]


async def post(handler: str, form: dict[str, str]) -> int:
    """The status that the handler answered, 0 when it did not."""
    async with httpx2.AsyncClient(timeout=ANSWER_S) as client:
        try:
            return (await client.post(handler, data=form)).status_code
        except httpx2.HTTPError:
            return 0
