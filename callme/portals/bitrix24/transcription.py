"""Handing over what was said in a call (sheet §1.7), line by line.

A second transcript takes the first one's place, so after a lost answer the statistics are looked at before
repeating; where they may not be read, a repeat does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from callme.crm.intents import Transcribe
from callme.crm.port import Attempt, Delivered, Later, Outcome, Urgency
from callme.crm.transcript import Line
from callme.portals.bitrix24 import notices, payloads
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.statistics import Row, look_up

METHOD = "telephony.call.attachTranscription"
NOT_FINISHED = "Call {call} is not found"
URGENCY = Urgency.RECORDING
TRANSCRIPT = "transcript"
"""Under which name a lane remembers the portal's id of it."""


async def hand_over(
    rest: Rest, order: Transcribe, call_id: str, lines: Sequence[Line], attempt: Attempt
) -> Outcome:
    """Attaches the lines to the finished call; the portal takes only those of which is known who speaks.
    Where none is, that is no trouble that a person could mend for this call: it is told, and done."""
    params = payloads.transcript(call_id, lines)
    told = len(params["MESSAGES"])
    if not told:
        return Delivered(notice=notices.NO_SIDES)
    notice = notices.unattributed(len(lines) - told) if told < len(lines) else None
    if attempt.doubt:
        row = await look_up(rest, call_id, order.about.call, URGENCY)
        if isinstance(row, Fault):
            return row.outcome
        if isinstance(row, Row) and row.transcript not in ("", attempt.memory.get(TRANSCRIPT)):
            return Delivered({TRANSCRIPT: row.transcript}, notice=notice)
    missing = NOT_FINISHED.format(call=call_id)
    done = await rest.call(METHOD, params, URGENCY)
    if isinstance(done, Fault):
        return Later(notices.NOT_FINISHED_YET) if done.says(missing) else done.outcome
    answer = done.result if isinstance(done.result, dict) else {}
    return Delivered({TRANSCRIPT: str(answer.get("TRANSCRIPT_ID") or "yes")}, notice=notice)
