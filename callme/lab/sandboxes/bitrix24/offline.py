"""Events that wait in the portal until the application fetches them: event.offline.get, list, clear, error
(sheet §2.6, contract `event.offline.*`).

Pure. One queue of the one application; a row that was fetched without being deleted is reserved under a
process, and nobody else gets it.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import Any

from callme.lab.sandboxes.bitrix24 import php
from callme.lab.sandboxes.bitrix24.ask import Ask, Page, page
from callme.lab.sandboxes.bitrix24.refusal import Refusal, access_denied, wrong_auth_type
from callme.lab.sandboxes.bitrix24.state import Kept, Office

LIMIT = 50
EXTENDED = "rest_offline_extended"
_SIZE = 32
_FILTER = re.compile(r"[=@]?(ID|TIMESTAMP_X|EVENT_NAME|MESSAGE_ID)", re.IGNORECASE)


def queue(office: Office, event: str, told: dict[str, Any], at: float) -> None:
    """Keeps an event that the application has bound offline. One that waits already and says the same is the
    same row, with the later time."""
    if event not in office.offline_bound:
        return
    said = event + json.dumps(told, sort_keys=True)
    message = hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()
    for row in office.offline:
        if row.message == message and not row.process:
            row.at = at
            return
    office.offline.append(Kept(office.next_id("offline"), at, event, _texted(told), message))


def get(ask: Ask) -> dict[str, Any]:
    """event.offline.get. `clear=0` needs a feature of the plan."""
    _allowed(ask)
    limit = php.integer(ask.params.get("LIMIT", LIMIT))
    if limit <= 0:
        raise Refusal(400, "ERROR_ARGUMENT", "Value must be positive integer", argument="limit")
    clear = php.truthy(ask.params.get("CLEAR", 1))
    if not clear and not ask.knobs.offline_extended:
        raise Refusal(
            403,
            "WRONG_LICENSE",
            "This feature is not enabled for the current license: extended offline events handling",
        )
    errors = php.truthy(ask.params.get("ERROR", 0))
    rows = [row for row in ask.office.offline if not row.process and row.error == errors]
    rows = sorted(_filtered(rows, ask.params.get("FILTER")), key=lambda row: row.at)[:limit]
    if clear:
        taken = set(rows)
        ask.office.offline = [row for row in ask.office.offline if row not in taken]
        return {"process_id": None, "events": [_row(row) for row in rows]}
    process = php.text(ask.params.get("PROCESS_ID")) or secrets.token_hex(_SIZE // 2)
    for row in rows:
        row.process = process
    return {"process_id": process, "events": [_row(row) for row in rows]}


def listed(ask: Ask) -> Page:
    """event.offline.list: what waits and what is reserved; nothing is taken."""
    _allowed(ask)
    found = _filtered(ask.office.offline, ask.params.get("FILTER"))
    more = [{"PROCESS_ID": row.process or None, "ERROR": int(row.error)} for row in found]
    rows = [{**_row(row), **added} for row, added in zip(found, more, strict=True)]
    return page(rows, ask.start)


def clear(ask: Ask) -> bool:
    """event.offline.clear: all of a process, or those named; messages are looked at first (§2.6)."""
    _allowed(ask)
    process = _process(ask)
    messages, ids = _texts(ask.params.get("MESSAGE_ID")), _texts(ask.params.get("ID"))
    _sized(messages)

    def gone(row: Kept) -> bool:
        if row.process != process:
            return False
        if messages:
            return row.message in messages
        return str(row.id) in ids if ids else True

    ask.office.offline = [row for row in ask.office.offline if not gone(row)]
    return True


def error(ask: Ask) -> bool:
    """event.offline.error: those are marked, and only given when errors are asked for."""
    _allowed(ask)
    process, messages = _process(ask), _texts(ask.params.get("MESSAGE_ID"))
    if not messages:
        raise Refusal(400, "ERROR_ARGUMENT", "Argument 'MESSAGE_ID' is null or empty", argument="MESSAGE_ID")
    _sized(messages)
    for row in ask.office.offline:
        if row.process == process and row.message in messages:
            row.process, row.error = "", True
    return True


def _allowed(ask: Ask) -> None:
    if ask.application is None:
        raise wrong_auth_type()
    if not ask.owner.admin:
        raise access_denied()


def _filtered(rows: list[Kept], given: object) -> list[Kept]:
    """The rows that a filter lets through: the operation stands before the field's name, none is equality,
    `@` one of several. Of the operations those that a client may need."""
    for name, wanted in given.items() if isinstance(given, dict) else ():
        parts = _FILTER.fullmatch(str(name))
        if parts is None:
            raise Refusal(400, "ERROR_ARGUMENT", f"Filter by {name} is not supported", argument="filter")
        many = {php.text(one) for one in (wanted if isinstance(wanted, list) else [wanted])}
        rows = [row for row in rows if str(_row(row)[parts[1].upper()]) in many]
    return rows


def _texted(told: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _texted(value) if isinstance(value, dict) else php.text(value) for name, value in told.items()
    }


def _process(ask: Ask) -> str:
    process = php.text(ask.params.get("PROCESS_ID"))
    if not process:
        raise Refusal(400, "ERROR_ARGUMENT", "Argument 'PROCESS_ID' is null or empty", argument="PROCESS_ID")
    return process


def _texts(given: object) -> list[str]:
    return [php.text(one) for one in given] if isinstance(given, list) else []


def _sized(messages: list[str]) -> None:
    if any(len(message) != _SIZE for message in messages):
        text = "Value must be array of MESSAGE_ID values"
        raise Refusal(400, "ERROR_ARGUMENT", text, argument="message_id")


def _row(row: Kept) -> dict[str, Any]:
    return {
        "ID": str(row.id),
        "TIMESTAMP_X": php.iso(row.at),
        "EVENT_NAME": row.event,
        "EVENT_DATA": row.data or False,
        "EVENT_ADDITIONAL": {"user_id": "1"},
        "MESSAGE_ID": row.message,
    }
