"""Whom the portal has under a number: the name for the telephone, and who is responsible.

The adapter asks before a click is dialled. One request (sheet §1.5), whose answer may come late or never: the
caller has a deadline of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from callme.crm.port import Urgency
from callme.portals.bitrix24 import payloads
from callme.portals.bitrix24.customers import ORDER, SEARCH
from callme.portals.bitrix24.rest import Fault, Rest

Row = Mapping[str, Any]


async def search(rest: Rest, number: str) -> Sequence[Row]:
    """The clients with that number, nearest first: contacts, leads, companies; none where the portal does not
    say."""
    found = await rest.call(
        SEARCH, payloads.find_client(payloads.phone_number(number)), Urgency.COMMAND, reads=True
    )
    if isinstance(found, Fault) or not isinstance(found.result, list):
        return []
    rows = [row for row in found.result if isinstance(row, Mapping)]
    return [row for kind in ORDER for row in rows if row.get("CRM_ENTITY_TYPE") == kind]


def nearest(rows: Sequence[Row], entity: str) -> Row:
    """The one of the card that was clicked (`CONTACT:7`), else the first; empty without any."""
    for row in rows:
        if f"{row.get('CRM_ENTITY_TYPE')}:{row.get('CRM_ENTITY_ID')}" == entity:
            return row
    return rows[0] if rows else {}


def name(row: Row) -> str:
    """The client's name; a lead that a call has made has none yet."""
    return str(row.get("NAME") or "").strip()


def responsible(row: Row) -> int | None:
    """The user responsible for him, who may be dismissed."""
    user = str(row.get("ASSIGNED_BY_ID") or "")
    return int(user) if user.isdecimal() and int(user) > 0 else None
