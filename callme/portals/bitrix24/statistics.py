"""Looking a finished call up in the portal's statistics: the only place that tells what a lost answer did.

The portal silently drops a filter that it does not know (sheet §1.9), so every row is compared here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callme.crm.port import Attempt, Later, Urgency
from callme.portals.bitrix24 import notices, payloads
from callme.portals.bitrix24.rest import Fault, Rest

METHOD = "voximplant.statistic.get"

WORKS_S = 90.0
"""So long after a request went out the portal may still be at it, heard or unheard: it cuts a request after
60 s (§4.3), and half a minute is for the way there. What the statistics do not hold before that may yet come
into them."""

LOOKED = "looked"
"""Where a lane remembers that a look found nothing: the attempt that looked, and when what it looked for went
out at the latest."""


@dataclass(frozen=True, slots=True)
class Row:
    """The record of a finished call. `file` is the recording's id and
    `transcript` that of what was said in it, empty while there is none."""

    id: str
    call_id: str
    external_id: str
    file: str
    user: str
    transcript: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The statistics do not have the call: it is not finished."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The webhook's owner may not read the statistics."""


async def look_up(rest: Rest, call_id: str, call: str, urgency: Urgency) -> Row | Absent | Sealed | Fault:
    """The record of a call, by the portal's id of it and then by ours."""
    found = await _find(rest, payloads.find_call(call_id), call_id, call, urgency)
    return await look_up_ours(rest, call, urgency) if isinstance(found, Absent) else found


async def look_up_ours(rest: Rest, call: str, urgency: Urgency) -> Row | Absent | Sealed | Fault:
    """The record of a call by our id of it alone, where the portal's own is not known."""
    return await _find(rest, payloads.find_external(call), "", call, urgency)


async def may_look(rest: Rest, urgency: Urgency) -> bool | Fault:
    """Whether the statistics may be read at all."""
    found = await look_up_ours(rest, "-", urgency)
    return found if isinstance(found, Fault) else not isinstance(found, Sealed)


def too_early(attempt: Attempt) -> Later | None:
    """Why a look that found nothing of an order in doubt is not believed yet; `None` when it is. The moment
    of an earlier attempt is kept for the first one alone; of a later one it is only known that it went out
    before a look was made."""
    since = attempt.now
    looked_by, _, at = attempt.memory.get(LOOKED, "").partition(" ")
    if attempt.number == 2:
        since = attempt.first_at
    elif looked_by == str(attempt.number - 1):  # since that look nothing else was sent
        since = float(at)
    left = since + WORKS_S - attempt.now
    return Later(notices.NOT_SEEN_YET, left, {LOOKED: f"{attempt.number} {since!r}"}) if left > 0 else None


async def _find(
    rest: Rest, params: payloads.Params, call_id: str, call: str, urgency: Urgency
) -> Row | Absent | Sealed | Fault:
    found = await rest.call(METHOD, params, urgency, reads=True)
    if isinstance(found, Fault):
        return Sealed() if is_sealed(found) else found
    rows = [_row(row) for row in found.result if isinstance(row, Mapping)] if found.result else []
    for row in rows:
        if (call_id and row.call_id == call_id) or row.external_id == payloads.external_id(call):
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
        user=str(row.get("PORTAL_USER_ID") or ""),
        transcript=str(row.get("TRANSCRIPT_ID") or ""),
    )
