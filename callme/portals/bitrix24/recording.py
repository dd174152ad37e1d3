"""Handing a recording over: ask for an address, upload the file there (sheet §1.6, mode 3).

A second upload for one call replaces the first, so after a lost answer the statistics are looked at before
repeating; where they may not be read, a repeat does no harm but an orphaned file on the portal's disk.
"""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from urllib.parse import urlsplit

from callme.crm.intents import Attach
from callme.crm.port import Attempt, Audio, Delivered, Later, Outcome, Refused, Urgency
from callme.http import Upload
from callme.portals.bitrix24 import notices, payloads
from callme.portals.bitrix24.rest import Done, Fault, Rest
from callme.portals.bitrix24.statistics import Row, look_up

METHOD = "telephony.externalCall.attachRecord"
FORMATS = (".mp3", ".wav")
LARGEST = 2 << 30
"""Bytes of one request that the cloud takes (sheet §1.6)."""

NOT_FINISHED = "Call is not found in the statistic table"
URGENCY = Urgency.RECORDING


async def hand_over(
    rest: Rest, order: Attach, call_id: str, audio: Audio, attempt: Attempt, *, answer_s: float
) -> Outcome:
    """Attaches the audio to the finished call, in the place of another that it had; `memory` gets the file's
    id and the sound's checksum."""
    held = attempt.memory.get("file")
    if held and attempt.memory.get("sum", audio.checksum) == audio.checksum:
        return Delivered()
    name = file_name(audio)
    if name is None:
        return Refused(notices.wrong_format(audio.file.name))
    if (size := await asyncio.to_thread(_size, audio)) > LARGEST:
        return Refused(notices.too_large(audio.name, size, LARGEST))
    if attempt.doubt:
        row = await look_up(rest, call_id, order.about.call, URGENCY)
        if isinstance(row, Fault):
            return row.outcome
        if isinstance(row, Row) and row.file and row.file != held:
            return _attached(row.file, audio)
    address = await rest.call(METHOD, payloads.attach(call_id, name), URGENCY, reads=True)
    if isinstance(address, Fault):
        return Later(notices.NOT_FINISHED_YET) if address.says(NOT_FINISHED) else address.outcome
    return await _upload(rest, address, name, audio, answer_s)


async def _upload(rest: Rest, address: Done, name: str, audio: Audio, answer_s: float) -> Outcome:
    told = address.result if isinstance(address.result, dict) else {}
    url, form_field = str(told.get("uploadUrl") or ""), str(told.get("fieldName") or "file")
    host = urlsplit(url).hostname or ""
    if host.lower() != rest.credentials.host.lower():
        return Refused(notices.strange_upload(rest.credentials.host, host))
    try:
        done = await rest.upload(
            url, Upload(form_field, name, audio.media_type, audio.file), URGENCY, answer_s
        )
    except OSError as error:
        return Later(notices.unreadable(audio.file, error))
    if isinstance(done, Fault):
        if done.says(NOT_FINISHED):
            return Later(notices.NOT_FINISHED_YET)
        if done.stale or done.says("Access denied! Link check failed"):
            return Later(
                notices.STALE_UPLOAD
            )  # the address was for one use; the next attempt asks for a new one
        return done.outcome
    answer = done.result if isinstance(done.result, dict) else {}
    return _attached(str(answer.get("FILE_ID") or "yes"), audio)


def file_name(audio: Audio) -> str | None:
    """The name to tell, with its extension in small letters: the portal refuses `.MP3`. `None` for other
    formats."""
    suffix = audio.file.suffix.lower()
    if suffix not in FORMATS:
        return None
    return f"{PurePath(audio.name or audio.file.name).stem}{suffix}"


def _attached(file: str, audio: Audio) -> Delivered:
    return Delivered({"file": file, "sum": audio.checksum})


def _size(audio: Audio) -> int:
    try:
        return audio.file.stat().st_size
    except OSError:
        return 0  # the upload will say what is wrong with it
