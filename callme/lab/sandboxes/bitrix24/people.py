"""The portal's users as REST shows them: user.get, user.current, profile (sheet §5.1). Pure."""

from __future__ import annotations

from typing import Any

from callme.lab.sandboxes.bitrix24 import filters, php
from callme.lab.sandboxes.bitrix24.ask import Ask, Page, page
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.state import User

USER_SCOPES = frozenset({"user", "user_basic", "user_brief"})
_BRIEF = """
    ID ACTIVE NAME LAST_NAME IS_ONLINE TIME_ZONE TIMESTAMP_X LAST_ACTIVITY_DATE UF_DEPARTMENT UF_PHONE_INNER
    USER_TYPE
"""
BRIEF = frozenset(_BRIEF.split())
BASIC = BRIEF | {"EMAIL", "WORK_PHONE", "PERSONAL_PHONE", "PERSONAL_MOBILE"}
_NOT_A_FILTER = ("SORT", "ORDER", "ADMIN_MODE", "SELECT", "IMAGE_RESIZE")


def get(ask: Ask) -> Page:
    """user.get: 50 a page, by ID. Without FILTER the whole query is the filter; unknown fields do not
    count."""
    readable = _readable(ask.knobs)
    given = ask.params.get("FILTER")
    if given is None:
        given = {name: value for name, value in ask.params.items() if name not in _NOT_A_FILTER}
    shown = (user for user in ask.office.users.values() if user.kind not in ("bot", "email"))
    rows = filters.keep((_typed(user) for user in shown), given, readable, filters.USER_OPERATORS)
    sort = php.text(ask.params.get("SORT")).upper()
    descending = php.text(ask.params.get("ORDER")).upper() == "DESC"
    rows.sort(key=lambda row: row[sort if sort in readable else "ID"], reverse=descending)
    found = page(rows, ask.start)
    return Page(
        [_row(row, readable, ask.params.get("SELECT")) for row in found.rows], found.total, found.following
    )


def current(ask: Ask) -> dict[str, Any]:
    """user.current: the webhook's owner."""
    return _row(_typed(ask.owner), _readable(ask.knobs), None)


def profile(ask: Ask) -> dict[str, Any]:
    """profile: the webhook's owner, without any scope."""
    owner = ask.owner
    return {
        "ID": str(owner.id),
        "ADMIN": owner.admin,
        "NAME": owner.name,
        "LAST_NAME": owner.last_name,
        "PERSONAL_GENDER": "",
        "TIME_ZONE": "Europe/Moscow",
    }


def _readable(knobs: Knobs) -> frozenset[str]:
    return BASIC if {"user", "user_basic"} & set(knobs.scopes) else BRIEF


def _typed(user: User) -> dict[str, Any]:
    return {
        "ID": user.id,
        "ACTIVE": user.active,
        "NAME": user.name,
        "LAST_NAME": user.last_name,
        "EMAIL": user.email,
        "WORK_PHONE": user.work_phone,
        "PERSONAL_PHONE": "",
        "PERSONAL_MOBILE": user.personal_mobile,
        "UF_PHONE_INNER": user.extension,
        "UF_DEPARTMENT": [1],
        "USER_TYPE": user.kind,
        "IS_ONLINE": "Y",
        "TIME_ZONE": "",
        "TIMESTAMP_X": "",
        "LAST_ACTIVITY_DATE": "",
    }


def _row(typed: dict[str, Any], readable: frozenset[str], select: Any) -> dict[str, Any]:
    """As REST prints it: ID as a string, unconverted dates as `{}`, an empty extension as null, other empty
    ones left out."""
    row = {name: value for name, value in typed.items() if name in readable and value != ""}
    row["ID"] = str(typed["ID"])
    row["TIMESTAMP_X"], row["LAST_ACTIVITY_DATE"] = {}, {}
    row["UF_PHONE_INNER"] = typed["UF_PHONE_INNER"] or None
    if isinstance(select, list) and select and "*" not in select:
        wanted = {str(name).upper() for name in select}
        masked = "UF_*" in wanted
        row = {k: v for k, v in row.items() if k in wanted or (masked and k.startswith("UF_"))}
    return row
