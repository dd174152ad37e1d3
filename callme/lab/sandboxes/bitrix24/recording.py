"""Recordings and transcripts of finished calls: attachRecord's three ways, its upload step,
attachTranscription (§1.6, §1.7).

Pure but for what `audio` computes. A portal fetches RECORD_URL itself: then a method returns a `Fetch`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from callme.lab.sandboxes.bitrix24 import audio, php
from callme.lab.sandboxes.bitrix24.ask import Ask, Fetch, Fetched
from callme.lab.sandboxes.bitrix24.refusal import access_denied, failure
from callme.lab.sandboxes.bitrix24.state import Recording, Statistic

NOT_FINISHED = "Call is not found in the statistic table. Looks like it is not finished yet."
NOT_FINISHED_DOCS = "Call is not found in the statistic table. It looks like it is not finished yet."
NOTHING_GIVEN = "Required parameters are not set. Request should contain or URL or FILENAME parameter"
NOTHING_GIVEN_DOCS = (
    "Required parameters are not set. Request should contain either URL or FILENAME parameter"
)
WRONG_EXTENSION = "Wrong file extension. Only wav and mp3 are allowed"
WRONG_CONTENT = "Неверный тип файла"
NO_FILE = "Error: required parameter file is not found"
UPLOAD_EXTENSIONS = (".wav", ".mp3")
CONTENT_EXTENSIONS = (".mp3", ".flac", ".wav")


def attach(ask: Ask) -> dict[str, Any] | Fetch:
    """telephony.externalCall.attachRecord."""
    url, name, content = (ask.params.get(key) for key in ("RECORD_URL", "FILENAME", "FILE_CONTENT"))
    if url is None and name is None:
        raise failure(NOTHING_GIVEN, docs_text=NOTHING_GIVEN_DOCS)
    record = _finished(ask)
    if url is not None:
        return _from_url(ask, record, php.text(url), php.text(name))
    if content is None:
        return _upload_link(ask, record)
    return _from_content(ask, record, php.text(name), php.text(content))


def receive(ask: Ask, token: str, name: str | None, content: bytes) -> dict[str, Any]:
    """The upload step: `token` from the link, the part's file name, its bytes. Only the extension is
    checked."""
    call = _called(ask, token)
    if name is None:
        raise failure(NO_FILE)
    if PurePosixPath(name).suffix not in UPLOAD_EXTENSIONS:
        raise failure(WRONG_EXTENSION)
    record = _finished(replace(ask, params={"CALL_ID": call}))
    return store(ask, record, name, content, orphan_old=True)


def store(
    ask: Ask, record: Statistic, name: str, content: bytes, *, orphan_old: bool = False
) -> dict[str, Any]:
    """Keep the file as the call's recording. One record per call: the old file goes, or is left an orphan."""
    office = ask.office
    number = office.next_id("file")
    if record.record_file is not None:
        if orphan_old:
            office.recordings[record.record_file].orphan = True
        else:
            del office.recordings[record.record_file]
    duration = audio.duration(content)
    office.recordings[number] = Recording(number, record.call, name, content, ask.now, duration)
    record.record_file = number
    if record.activity is not None:
        office.activities[record.activity].files = (number,)
    office.tell("attached", ask.now, call=record.call, file=number, size=len(content), duration=duration)
    return {"FILE_ID": number}


def is_audio(content: bytes) -> bool:
    """Whether the first bytes are those of WAV, MP3 or FLAC."""
    return audio.kind(content) is not None


def name_in(url: str) -> str:
    """The file's name in an address."""
    return PurePosixPath(urlsplit(url).path).name


def transcribe(ask: Ask) -> dict[str, Any]:
    """telephony.call.attachTranscription. That a line stops before it starts is not checked, as on the real
    one."""
    call = php.text(ask.params.get("CALL_ID"))
    if not call:
        raise failure("CALL_ID should be set")
    lines = ask.params.get("MESSAGES")
    if not isinstance(lines, list):
        raise failure("MESSAGES should be an array")
    for index, line in enumerate(lines):
        _check_line(index, line if isinstance(line, dict) else {})
    record = ask.office.statistic_of(call)
    if record is None:
        raise failure(f"Call {call} is not found. Is it finished?")
    record.transcript = ask.office.next_id("transcript")
    ask.office.transcripts[record.transcript] = lines
    ask.office.tell("transcribed", ask.now, call=call, lines=len(lines))
    return {"TRANSCRIPT_ID": record.transcript}


def _check_line(index: int, line: dict[str, Any]) -> None:
    if line.get("SIDE") not in ("User", "Client"):
        raise failure(f"MESSAGES[{index}][SIDE] should be either Client or User")
    if php.integer(line.get("START_TIME")) < 0:
        raise failure(f"MESSAGES[{index}][START_TIME] should be greater or equal to zero")
    if php.integer(line.get("STOP_TIME")) <= 0:
        raise failure(f"MESSAGES[{index}][STOP_TIME] should be greater than zero")
    if not php.text(line.get("MESSAGE")):
        raise failure(f"MESSAGES[{index}][MESSAGE] is empty")


def _finished(ask: Ask) -> Statistic:
    record = ask.office.statistic_of(php.text(ask.params.get("CALL_ID")))
    if record is None:
        raise failure(NOT_FINISHED, docs_text=NOT_FINISHED_DOCS)
    return record


def _from_url(ask: Ask, record: Statistic, url: str, name: str) -> Fetch:
    def keep(fetched: Fetched) -> dict[str, Any]:
        if fetched.trouble:
            raise failure(fetched.trouble)
        if fetched.status != 200:
            raise failure(f"Server returns HTTP error code {fetched.status}")
        _check_content(name or name_in(url), fetched.body)
        record.record_url = url
        return store(ask, record, name or name_in(url), fetched.body)

    return Fetch(url, keep)


def _from_content(ask: Ask, record: Statistic, name: str, encoded: str) -> dict[str, Any]:
    if not name:
        raise failure("File name is empty")
    if PurePosixPath(name).suffix not in UPLOAD_EXTENSIONS:
        raise failure(WRONG_EXTENSION)
    if not encoded:
        raise failure("File content is empty.")
    content = _decoded(encoded)
    if not content:
        raise failure("File content is not properly encoded. Base64 encoding is expected.")
    _check_content(name, content)
    return store(ask, record, name, content)


def _decoded(encoded: str) -> bytes:
    """As leniently as PHP: what is not of the alphabet is skipped, missing padding is forgiven."""
    kept = "".join(c for c in encoded if c.isascii() and (c.isalnum() or c in "+/"))
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    try:
        return base64.b64decode(kept + "=" * (-len(kept) % 4))
    except binascii.Error:
        return b""


def _check_content(name: str, content: bytes) -> None:
    if PurePosixPath(name).suffix not in CONTENT_EXTENSIONS or not is_audio(content):
        raise failure(WRONG_CONTENT)


def _upload_link(ask: Ask, record: Statistic) -> dict[str, Any]:
    salt = hashlib.sha256(ask.office.token(ask.now).encode()).hexdigest()[:32]
    body = base64.b64encode(f"callId={quote(record.call)}&_={salt}".encode()).decode()
    token = f"telephony|{body}|{ask.sign(body)}"
    return {"uploadUrl": f"{ask.address}{quote(token, safe='')}", "fieldName": "file"}


def _called(ask: Ask, token: str) -> str:
    """The call that the link was made for; a link that we did not sign is refused."""
    scope, _, rest = token.partition("|")
    body, _, signature = rest.partition("|")
    if scope != "telephony" or ask.sign(body) != signature:
        raise access_denied("Access denied! Link check failed")
    return parse_qs(base64.b64decode(body).decode())["callId"][0]
