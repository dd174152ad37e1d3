"""How each intent is phrased for the portal: the parameters of each method, and nothing else.

Pure: the adapter gives the portal's user ids, the call's id in the portal and the time zone; it sends what
these functions return. All flags of calls are 0 or 1, because to the portal any other text, even "N",
means yes (sheet §8.3).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

from callme.crm.intents import CallFacts, Direction, Finish, Register, Result
from callme.crm.transcript import Line, Side
from callme.wording import Language, Phrase

Params = dict[str, Any]

OUTGOING, INCOMING, CALLBACK = 1, 2, 4

PHONE_MAX = 20
"""Longer numbers pass `register` and break `finish` (sheet §8.3.17)."""

LINE_MAX = 50
EXTERNAL_ID_MAX = 64
REASON_MAX = 255

HIDDEN = "000000"
"""Stands for a hidden caller. The portal keeps digits only and refuses an empty number and `0`; extensions
have at most four digits, so it can be no colleague, and no phone number of any country, so it can be no
client."""

_NEWEST = {"SORT": "ID", "ORDER": "DESC"}

_SUCCESS, _MISSED, _BLOCKED = "200", "304", "423"

_OUTGOING_CODES = {
    Result.ANSWERED: _SUCCESS,
    # 304 is for missed incoming calls alone; a phone that nobody picks up is "temporarily unavailable"
    # (§8.2).
    Result.NO_ANSWER: "480",
    Result.VOICEMAIL: "480",
    Result.BUSY: "486",
    Result.DECLINED: "603",
    Result.CANCELLED: "603-S",
    # Unless the cause says more, see `_FAILED_CODES`.
    Result.FAILED: "503",
    Result.AFTER_HOURS: "OTHER",
    Result.UNKNOWN: "OTHER",
}
_FAILED_CODES = {
    # Q.850 causes that say more than that it failed (§8.2): the number is wrong; the direction is not there.
    1: "404",
    22: "404",
    2: "484",
    3: "484",
    28: "484",
    18: "480",
    20: "480",
}


def phone_number(number: str) -> str:
    """One canonical form for register, finish and all comparing: digits, after a `+` if there was one, at
    most 20 characters; `HIDDEN` when there is no number."""
    if any(sign.isalpha() for sign in number):
        return (
            HIDDEN  # "anonymous", "unavailable", a SIP name: its digits alone would be somebody else's number
        )
    digits = "".join(sign for sign in number if sign in "0123456789")
    if not digits.strip("0"):
        return HIDDEN
    plus = "+" if number.lstrip().startswith("+") else ""
    return (plus + digits)[:PHONE_MAX]


def indexed(number: str) -> str:
    """The number as the portal compares numbers of clients (§5.2): `+7 916…`, `8 916…` and `7916…` are
    one."""
    head = number.replace("#", ";").split(";", 1)[0]
    digits = "".join(sign for sign in head if sign in "0123456789")
    if len(digits) < 10:
        return digits
    if digits.startswith("8") and "+8" not in head and digits[:2] not in ("80", "81", "82"):
        return "7" + digits[1:]
    for prefix in ("00", "011", "0"):
        if digits.startswith(prefix):
            return digits[len(prefix) :]
    return digits


def is_hidden(about: CallFacts) -> bool:
    """Whether the outside party shows no number."""
    return phone_number(about.number) == HIDDEN


def external_id(call: str) -> str:
    """The CallId as the portal keeps it; one that is too long is shortened and told apart by a hash."""
    if len(call) <= EXTERNAL_ID_MAX:
        return call
    mark = hashlib.sha256(call.encode()).hexdigest()[:16]
    return f"{call[: EXTERNAL_ID_MAX - len(mark) - 1]}-{mark}"


def start_date(epoch_s: float, zone: tzinfo) -> str:
    """ISO 8601 with offset, to the second: without an offset the portal would read it in its own zone."""
    return datetime.fromtimestamp(int(epoch_s), zone).isoformat(timespec="seconds")


def register(
    order: Register, user: int, *, show: bool, create: bool, zone: tzinfo, line: str = "", source: str = ""
) -> Params:
    """`telephony.externalCall.register`. `line` is a number that the portal has: naming one that it does
    not have would silently make it (§8.3.7). `source` is where a client that is created comes from. A hidden
    caller never creates one."""
    about = order.about
    params: Params = {
        "USER_ID": user,
        "PHONE_NUMBER": phone_number(about.number),
        "TYPE": call_type(about),
        "CALL_START_DATE": start_date(about.started_at, zone),
        "CRM_CREATE": int(create and not is_hidden(about)),
        "SHOW": int(show),
        "EXTERNAL_CALL_ID": external_id(about.call),
    }
    if line:
        params["LINE_NUMBER"] = line
    if source:
        params["CRM_SOURCE"] = source
    return params


def call_type(about: CallFacts) -> int:
    """A callback is an outgoing call that the customer asked for."""
    if about.callback:
        return CALLBACK
    return INCOMING if about.direction is Direction.IN else OUTGOING


def line(number: str, name: str, creates: bool | None) -> Params:
    """`telephony.externalLine.add` and `update`. Here the flag is Y or N; `None` leaves it as it is."""
    params: Params = {"NUMBER": number, "NAME": name}
    if creates is not None:
        params["CRM_AUTO_CREATE"] = "Y" if creates else "N"
    return params


def cards(call_id: str, users: Iterable[int]) -> Params:
    """`telephony.externalCall.show` and `hide`, for several people in one request."""
    return {"CALL_ID": call_id, "USER_ID": sorted(set(users))}


def status_code(direction: Direction, result: Result, cause: int | None = None) -> str:
    """How the call ended, in the portal's codes (§8.2). Every incoming call that no person answered is 304,
    for only that makes a missed call of it; one that is not wanted is 423. `cause` is Q.850's."""
    if result is Result.BLOCKED:
        return _BLOCKED
    if direction is Direction.IN:
        return _SUCCESS if result is Result.ANSWERED else _MISSED
    if result is Result.FAILED and cause in _FAILED_CODES:
        return _FAILED_CODES[cause]
    return _OUTGOING_CODES[result]


def duration(order: Finish) -> int:
    """Seconds of talk: 0 unless answered, because any other value makes the call a success; else at least
    1."""
    return max(1, order.talk_s) if order.result is Result.ANSWERED else 0


def finish(order: Finish, call_id: str, user: int, *, chat: bool, reason: str = "") -> Params:
    """`telephony.externalCall.finish`. ADD_TO_CHAT is always said: its default differs between versions
    (K3). A callback that failed on our side is a missed call: somebody still waits to be called."""
    code = status_code(order.about.direction, order.result, order.cause)
    unserved = order.about.callback and order.why is not None
    params: Params = {
        "CALL_ID": call_id,
        "USER_ID": user,
        "DURATION": duration(order),
        "STATUS_CODE": _MISSED if unserved else code,
        "ADD_TO_CHAT": int(chat),
    }
    if order.vote is not None and order.result is Result.ANSWERED:
        params["VOTE"] = order.vote
    if reason:
        params["FAILED_REASON"] = reason[:REASON_MAX]
    return params


def attach(call_id: str, filename: str) -> Params:
    """`telephony.externalCall.attachRecord`, first step: asks for an address to upload to."""
    return {"CALL_ID": call_id, "FILENAME": filename}


_SIDES = {Side.CUSTOMER: "Client", Side.EMPLOYEE: "User"}


def transcript(call_id: str, lines: Iterable[Line]) -> Params:
    """`telephony.call.attachTranscription` (sheet §1.7): whole seconds, the end of a line at least 1. Only
    lines of which is known who speaks. What it cost is not told."""
    messages = [
        {
            "SIDE": _SIDES[line.side],
            "START_TIME": math.floor(line.start),
            "STOP_TIME": max(1, math.ceil(line.end)),
            "MESSAGE": line.text,
        }
        for line in lines
        if line.side in _SIDES
    ]
    return {"CALL_ID": call_id, "MESSAGES": messages}


def find_call(call_id: str) -> Params:
    """`voximplant.statistic.get` for one call, the newest first. The portal drops filters it does not know,
    so compare each row."""
    return {"FILTER": {"CALL_ID": call_id}, **_NEWEST}


def list_calls(since: float, until: float, start: int) -> Params:
    """The finished calls that began in that time (epoch seconds), eldest first, one page of them."""
    span = {">=CALL_START_DATE": start_date(since, UTC), "<CALL_START_DATE": start_date(until + 1, UTC)}
    return {"FILTER": span, "SORT": "CALL_START_DATE", "ORDER": "ASC", "start": start}


def find_client(number: str) -> Params:
    """`telephony.externalCall.searchCrmEntities`: the clients with this canonical number."""
    return {"PHONE_NUMBER": number}


KINDS = {"LEAD": 1, "DEAL": 2, "CONTACT": 3, "COMPANY": 4}
"""entityTypeId (§5.3)."""

_BECAUSE = {
    Direction.IN: Phrase("incoming call", "входящий звонок"),
    Direction.OUT: Phrase("outgoing call", "исходящий звонок"),
}


def client(order: Finish, kind: str, user: int, source: str, language: Language, contact: int = 0) -> Params:
    """`crm.item.add` of a lead, a contact or that contact's deal, as the portal itself would make it at
    register."""
    about = order.about
    number = phone_number(about.number)
    who = about.name or number
    fields: Params = {"assignedById": user, "sourceId": source or "CALL"}
    if kind == "CONTACT":
        fields["name"] = who
    else:
        fields["title"] = f"{who} - {_BECAUSE[about.direction].say(language)}"
    if kind == "DEAL":
        fields["contactId"] = contact
    else:
        fields["fm"] = [{"typeId": "PHONE", "valueType": "WORK", "value": number}]
    return {"entityTypeId": KINDS[kind], "fields": fields}


def give(kind: str, number: int, user: int) -> Params:
    """`crm.item.update`: another responsible."""
    return {"entityTypeId": KINDS[kind], "id": number, "fields": {"assignedById": user}}


def deal_field(owner: str) -> str:
    """Under which name a deal names its contact or company."""
    return "contactId" if owner == "CONTACT" else "companyId"


def open_deals(owner: str, number: int) -> Params:
    """`crm.item.list` of a contact's or company's open deals."""
    field = deal_field(owner)
    return {
        "entityTypeId": KINDS["DEAL"],
        "select": ["id", "assignedById", field],
        "filter": {field: number, "closed": "N"},
    }


_CRM_MARKS = {"LEAD": "L", "DEAL": "D", "CONTACT": "C", "COMPANY": "CO"}


def crm_mark(kind: str, number: int) -> str:
    """How a task names a CRM object."""
    return f"{_CRM_MARKS.get(kind, kind)}_{number}"


def task(title: str, description: str, user: int, deadline: str, bound: list[str]) -> Params:
    """`tasks.task.add`."""
    fields: Params = {
        "TITLE": title,
        "DESCRIPTION": description,
        "RESPONSIBLE_ID": user,
        "DEADLINE": deadline,
    }
    if bound:
        fields["UF_CRM_TASK"] = bound
    return {"fields": fields}


def find_task(user: int, since: str) -> Params:
    """`tasks.task.list`: a user's newest tasks."""
    return {
        "filter": {"RESPONSIBLE_ID": user, ">=CREATED_DATE": since},
        "select": ["ID", "DESCRIPTION"],
        "order": {"ID": "desc"},
    }


def find_external(call: str) -> Params:
    """The same by our own id of the call."""
    return {"FILTER": {"EXTERNAL_CALL_ID": external_id(call)}, **_NEWEST}
