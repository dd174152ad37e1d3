"""Calls that are going on: register, show and hide, with the checks in the server's own order (sheet §1.2,
§1.4).

Pure: `Ask` in, result or `Refusal` out. How a call ends is in `finish`.
"""

from __future__ import annotations

import re
from typing import Any

from callme.lab.sandboxes.bitrix24 import customers, php
from callme.lab.sandboxes.bitrix24.ask import Ask
from callme.lab.sandboxes.bitrix24.refusal import failure
from callme.lab.sandboxes.bitrix24.state import Line, Office, OpenCall

LINE_LENGTH = 50
CALL_TYPES = (1, 2, 3, 4, 5)
NO_USER = "USER_ID or USER_PHONE_INNER should be set"
NOT_ACTIVE = "User is not found or is not active"
_NOT_DIALLED = re.compile(r"[^0-9#*+,;]")


def register(ask: Ask) -> dict[str, Any]:
    """telephony.externalCall.register: a call row, a card, perhaps a lead."""
    params, office = ask.params, ask.office
    user = chosen_user(ask)
    kind = _call_type(params.get("TYPE"))
    started_at = _start_date(params.get("CALL_START_DATE"), ask.now)
    phone = stripped(php.text(params.get("PHONE_NUMBER")))
    if phone in ("", "0"):
        raise failure("Unsupported phone number format")
    if not is_active(office, user):
        raise failure(NOT_ACTIVE)
    line = _line(office, php.text(params.get("LINE_NUMBER")), ask.now)
    external_id = php.text(params.get("EXTERNAL_CALL_ID")) or None
    call = _duplicate(ask, user, phone, kind, line, external_id)
    if call is None:
        internal = office.by_extension(phone) is not None
        call_id = f"externalCall.{office.token(ask.now)}.{int(ask.now):010d}"
        call = OpenCall(call_id, user, phone, kind, started_at, line, external_id, internal)
        office.calls[call.id] = call
        _tie(ask, call)
        office.tell("registered", ask.now, call=call.id, user=user, phone=phone, type=kind, line=line)
    else:
        office.tell("registered.again", ask.now, call=call.id, user=user, phone=phone)
    if php.truthy(params.get("SHOW", 1)):
        office.show(call, user, ask.now)
    return _registered(call)


def show(ask: Ask) -> bool:
    """telephony.externalCall.show: `False` when there is no such open call; users are not checked (§1.4)."""
    call = ask.office.calls.get(php.text(ask.params.get("CALL_ID")))
    if call is None:
        return False
    for user in _audience(ask.params.get("USER_ID"), call):
        ask.office.show(call, user, ask.now)
    return True


def hide(ask: Ask) -> bool:
    """telephony.externalCall.hide: `False` when there is no such open call."""
    call = ask.office.calls.get(php.text(ask.params.get("CALL_ID")))
    if call is None:
        return False
    for user in _audience(ask.params.get("USER_ID"), call):
        ask.office.hide(call.id, user, ask.now, by="hide")
    return True


def stripped(phone: str) -> str:
    """The number as the portal keeps it: only what can be dialled, a leading `+` stays."""
    return _NOT_DIALLED.sub("", phone)


def chosen_user(ask: Ask) -> int:
    """USER_ID when above zero, else the active person with exactly that extension; an unknown extension gives
    the very text of a missing one (§8.3.6)."""
    given = php.integer(ask.params.get("USER_ID"))
    if given > 0:
        return given
    user = ask.office.by_extension(php.text(ask.params.get("USER_PHONE_INNER")))
    if user is None:
        raise failure(NO_USER)
    return user.id


def is_active(office: Office, user: int) -> bool:
    """Whether that id is an active person."""
    return user in office.users and office.users[user].real


def _call_type(given: object) -> int:
    """PHP's loose comparison with 1…5: `"2"` and `2.0` are fine, `"2x"` is not."""
    try:
        kind = float(given) if isinstance(given, str | int | float) else 0.0
    except ValueError:
        kind = 0.0
    if kind not in CALL_TYPES:
        raise failure("Unknown TYPE")
    return int(kind)


def _start_date(given: object, now: float) -> float:
    if given is None or given == "":
        return now
    at = php.moment(php.text(given))
    if at is None:
        raise failure("CALL_START_DATE should be in the ISO-8601 format")
    return at


def _line(office: Office, given: str, now: float) -> str:
    """The line's number; a line nobody knows is silently created (§8.3.7)."""
    number = given.strip()[:LINE_LENGTH]
    if number and number not in office.lines:
        office.lines[number] = Line(office.next_id("line"), number)
        office.tell("line.created", now, line=number)
    return number


def _duplicate(
    ask: Ask, user: int, phone: str, kind: int, line: str, external_id: str | None
) -> OpenCall | None:
    """The unfinished call that this registration repeats (§1.2, K4). Only the stored start date counts."""
    for call in ask.office.calls.values():
        if (
            (call.user, call.phone, call.type) == (user, phone, kind)
            and call.started_at > ask.now - ask.knobs.dedup_window_s
            and line in ("", call.line)
            and external_id in (None, call.external_id)
        ):
            return call
    return None


def _tie(ask: Ask, call: OpenCall) -> None:
    """Bind the new call to the CRM: to the object that was named, else by phone, else create one when asked
    to."""
    if call.internal:
        return
    kind, number = php.text(ask.params.get("CRM_ENTITY_TYPE")), php.integer(ask.params.get("CRM_ENTITY_ID"))
    if kind and number:
        call.primary = (kind, number)
        call.bindings = [call.primary]
    else:
        customers.bind(ask.office, call)
    if php.truthy(ask.params.get("CRM_CREATE", ask.params.get("CRM"))):
        source = php.text(ask.params.get("CRM_SOURCE")) or "CALL"
        customers.create(ask.office, ask.knobs, call, source, ask.now)


def _registered(call: OpenCall) -> dict[str, Any]:
    lead = next((number for kind, number in call.created if kind == "LEAD"), None)
    result: dict[str, Any] = {
        "CALL_ID": call.id,
        "CRM_CREATED_LEAD": lead,
        "CRM_CREATED_ENTITIES": [{"ENTITY_TYPE": kind, "ENTITY_ID": number} for kind, number in call.created],
        "CRM_ENTITY_TYPE": call.primary[0] if call.primary else "",
        "CRM_ENTITY_ID": call.primary[1] if call.primary else None,
    }
    if call.creation_error:
        result["LEAD_CREATION_ERROR"] = call.creation_error
    return result


def _audience(given: Any, call: OpenCall) -> list[int]:
    if isinstance(given, dict):
        given = list(given.values())
    users = given if isinstance(given, list) else [given]
    return [php.integer(user) for user in users if php.integer(user)] or [call.user]
