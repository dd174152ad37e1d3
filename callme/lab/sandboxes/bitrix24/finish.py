"""How a call ends in the portal: telephony.externalCall.finish, its checks and side effects in the server's
order (§1.3).

Pure. A refused statistic leaves the activity that was already made and the open call row: a blind retry
doubles the activity, exactly as on the real portal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from callme.lab.sandboxes.bitrix24 import customers, php, recording
from callme.lab.sandboxes.bitrix24.ask import Ask, Fetch, Fetched
from callme.lab.sandboxes.bitrix24.refusal import Refusal, failure
from callme.lab.sandboxes.bitrix24.state import Activity, Missed, OpenCall, Statistic
from callme.lab.sandboxes.bitrix24.telephony import NOT_ACTIVE, chosen_user, is_active

NOT_FOUND = "Call is not found (call should be registered prior to finishing"
NO_CUSTOMER = "Could not find associated crm entity for the current call"
LIMITS = {
    "PHONE_NUMBER": 20,
    "PORTAL_NUMBER": 50,
    "EXTERNAL_CALL_ID": 64,
    "CALL_FAILED_CODE": 255,
    "CALL_FAILED_REASON": 255,
    "COST_CURRENCY": 50,
    "CALL_RECORD_URL": 2000,
}
MISSED = "304"


@dataclass(frozen=True, slots=True)
class _End:
    """What the client said about the end."""

    user: int
    duration: int
    code: str
    reason: str
    cost: float
    currency: str
    vote: int
    record_url: str | None


def finish(ask: Ask) -> dict[str, Any] | Fetch:
    """Close the call with its record."""
    office, params = ask.office, ask.params
    user = chosen_user(ask)
    call_id = params.get("CALL_ID")
    if not isinstance(call_id, str):
        raise Refusal(400, "INVALID_ARGUMENT", "CALL_ID must be a string")
    call = office.calls.get(call_id)
    if call is None:
        raise failure(NOT_FOUND, docs_text=NOT_FOUND + ")")
    if not is_active(office, user):
        raise failure(NOT_ACTIVE)
    end = _end(params, user)
    office.hide(call.id, user, ask.now, by="finish")
    for key in call.created:
        if key in office.customers and office.customers[key].assigned_by != user:
            office.customers[key].assigned_by = user
            office.tell("customer.given", ask.now, type=key[0], id=key[1], user=user)
    activity = _activity(ask, call, end)
    record = _record(ask, call, end, activity)
    _check_limits(record)
    office.record(record)
    _settle_missed(ask, call, end)
    if php.truthy(params.get("ADD_TO_CHAT", ask.knobs.finish_add_to_chat_default)) and end.code != "423":
        office.chat.append(call.id)
    del office.calls[call.id]
    office.tell(
        "finished", ask.now, call=call.id, user=user, phone=call.phone, code=end.code, duration=end.duration
    )
    return _answer(ask, record, call)


def _end(params: dict[str, Any], user: int) -> _End:
    duration = php.integer(params.get("DURATION"))
    url = params.get("RECORD_URL")
    return _End(
        user=user,
        duration=duration,
        code=php.text(params.get("STATUS_CODE")) or ("200" if duration > 0 else MISSED),
        reason=php.text(params.get("FAILED_REASON")),
        cost=php.decimal(params.get("COST")),
        currency=php.text(params.get("COST_CURRENCY")),
        vote=php.integer(params.get("VOTE")),
        record_url=None if url is None else php.text(url),
    )


def _activity(ask: Ask, call: OpenCall, end: _End) -> Activity | None:
    """The activity, when the call is bound; a customer who appeared during the call is found now."""
    if call.internal:
        return None
    if not call.bindings:
        customers.bind(ask.office, call)
    if not call.bindings:
        return None
    incoming = call.type in (2, 3)
    activity = Activity(
        id=ask.office.next_id("activity"),
        origin=f"VI_{call.id}",
        responsible=end.user,
        direction=1 if incoming else 2,
        subject=f"{'Входящий звонок от' if incoming else 'Исходящий звонок на'} {call.phone}",
        started_at=call.started_at,
        ended_at=call.started_at + end.duration,
        completed=call.type not in (2, 4) or ask.knobs.incoming_activity_completed,
        missed=end.code == MISSED and call.type in (2, 4),
        bindings=tuple(call.bindings),
    )
    ask.office.activities[activity.id] = activity
    ask.office.tell("activity.created", ask.now, call=call.id, id=activity.id)
    return activity


def _record(ask: Ask, call: OpenCall, end: _End, activity: Activity | None) -> Statistic:
    return Statistic(
        id=ask.office.next_id("statistic"),
        call=call.id,
        external_id=call.external_id,
        user=end.user,
        line=call.line or f"REST_APP:{ask.application['ID'] if ask.application else ''}",
        phone=call.phone,
        type=call.type,
        duration=end.duration,
        started_at=call.started_at,
        code=end.code,
        reason=end.reason,
        cost=end.cost,
        currency=end.currency,
        vote=end.vote,
        activity=activity.id if activity else None,
        primary=call.primary,
        bindings=tuple(call.bindings),
        record_url=end.record_url,
    )


def _check_limits(record: Statistic) -> None:
    lengths = {
        "PHONE_NUMBER": record.phone,
        "PORTAL_NUMBER": record.line,
        "EXTERNAL_CALL_ID": record.external_id or "",
        "CALL_FAILED_CODE": record.code,
        "CALL_FAILED_REASON": record.reason,
        "COST_CURRENCY": record.currency,
        "CALL_RECORD_URL": record.record_url or "",
    }
    long = [name for name, value in lengths.items() if len(value) > LIMITS[name]]
    if long:
        texts = "; ".join(f"{name} is longer than {LIMITS[name]} characters" for name in long)
        raise failure(f"Unexpected database error; {texts}")


def _settle_missed(ask: Ask, call: OpenCall, end: _End) -> None:
    """304 of an incoming call opens a missed entry; 200 of an outgoing one closes all of that very string."""
    if end.code == MISSED and call.type in (2, 3):
        ask.office.missed.append(Missed(call.id, call.phone, end.user, ask.now))
    if end.code == "200" and call.type == 1:
        for missed in ask.office.missed:
            missed.called_back = missed.called_back or missed.phone == call.phone


def _answer(ask: Ask, record: Statistic, call: OpenCall) -> dict[str, Any] | Fetch:
    result: dict[str, Any] = {
        "CALL_ID": record.call,
        "EXTERNAL_CALL_ID": record.external_id,
        "PORTAL_USER_ID": record.user,
        "PHONE_NUMBER": record.phone,
        "PORTAL_NUMBER": record.line,
        "INCOMING": str(record.type),
        "CALL_DURATION": record.duration,
        "CALL_START_DATE": {},
        "CALL_STATUS": int(record.duration > 0),
        "CALL_VOTE": record.vote,
        "COST": record.cost,
        "COST_CURRENCY": record.currency,
        "CALL_FAILED_CODE": record.code,
        "CALL_FAILED_REASON": record.reason,
        "REST_APP_ID": None,
        "REST_APP_NAME": False,
        "CRM_ACTIVITY_ID": record.activity,
        "COMMENT": None,
        "ID": record.id,
    }
    if record.primary:
        result["CRM_ENTITY_TYPE"], result["CRM_ENTITY_ID"] = record.primary
    if record.activity is None and not call.internal:
        result["CRM_ACTIVITY_ID"] = False
        result["ERRORS"] = {"ACTIVITY_CREATION": NO_CUSTOMER}
    if record.record_url is None:
        return result
    return _with_record(ask, record, result)


def _with_record(ask: Ask, record: Statistic, result: dict[str, Any]) -> Fetch:
    """RECORD_URL, deprecated: fetched at once, silent when it fails. A broken text is refused after the
    fact."""
    url = record.record_url or ""
    try:
        url.encode()
    except UnicodeEncodeError:
        record.record_url = url.encode(errors="replace").decode()
        raise Refusal(400, "", "RECORD_URL contains invalid symbols for UTF-8 encoding") from None
    result["CALL_RECORD_URL"] = url

    def keep(fetched: Fetched) -> dict[str, Any]:
        if fetched.status == 200 and recording.is_audio(fetched.body):
            recording.store(ask, record, recording.name_in(url), fetched.body)
        return result

    return Fetch(url, keep)
