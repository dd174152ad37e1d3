"""Looking a finished call up in the portal's statistics: the only place that tells what a lost answer did.

The portal silently drops a filter that it does not know (sheet §1.9), so every row is compared here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callme.crm.port import Urgency
from callme.portals.bitrix24 import payloads
from callme.portals.bitrix24.rest import Fault, Rest

METHOD = "voximplant.statistic.get"


@dataclass(frozen=True, slots=True)
class Row:
    """The record of a finished call. `file` is the recording's id, empty while there is none."""

    id: str
    call_id: str
    external_id: str
    file: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The statistics do not have the call: it is not finished."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The webhook's owner may not read the statistics."""


async def look_up(rest: Rest, call_id: str, call: str, urgency: Urgency) -> Row | Absent | Sealed | Fault:
    """The record of a call, by the portal's id of it and then by ours."""
    for params in (payloads.find_call(call_id), payloads.find_external(call)):
        found = await rest.call(METHOD, params, urgency, reads=True)
        if isinstance(found, Fault):
            return Sealed() if is_sealed(found) else found
        rows = found.result if isinstance(found.result, list) else []
        for row in map(_row, rows):
            if row.call_id == call_id or row.external_id == payloads.external_id(call):
                return row
    return Absent()


def is_sealed(fault: Fault) -> bool:
    """Whether the right to read statistics is what is missing; the same code also tells of an unpaid plan."""
    return fault.code.upper() == "ACCESS_DENIED" and fault.says("Access denied")


def _row(row: Mapping[str, Any]) -> Row:
    return Row(
        id=str(row.get("ID") or ""),
        call_id=str(row.get("CALL_ID") or ""),
        external_id=str(row.get("EXTERNAL_CALL_ID") or ""),
        file=str(row.get("RECORD_FILE_ID") or ""),
    )
