"""How to hear Bitrix24: the form that it posts when somebody clicks a number (sheet §2.1–2.3).

Pure; called by the adapter, which knows the people. An application and an outgoing webhook send the same
form, an outgoing webhook without tokens of a user (K5). `application_token` is all that tells the portal
from a stranger: it is compared in constant time and never repeated anywhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from callme.wording import Phrase

CLICK = "ONEXTERNALCALLSTART"
CALLBACK = "ONEXTERNALCALLBACKSTART"
UNINSTALLED, UPDATED = "ONAPPUNINSTALL", "ONAPPUPDATE"
FIELDS_MAX = 200
EXTENSION_MAX = 40
TEXT_MAX = 500

NOT_A_FORM = Phrase(
    "this is not a message of Bitrix24: a form with “event” and “auth” is expected",
    "это не сообщение Битрикс24: ожидается форма с полями event и auth",
)
NO_CALL = Phrase(
    "the click names no {field}: it cannot be dialled", "в сообщении о клике нет {field}: набирать нечего"
)


@dataclass(frozen=True, slots=True)
class Message:
    """One event of the portal. `at` is when the portal queued it, `None` when it does not say. `fields` is
    the whole form, which may hold tokens."""

    event: str
    data: Mapping[str, str]
    at: float | None
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A click, in the portal's own terms. `entity` is the card from which it was made, `CONTACT:7`."""

    call_id: str
    user: int
    number: str
    line: str
    at: float | None
    extension: str = ""
    entity: str = ""
    call_list: str = ""


@dataclass(frozen=True, slots=True)
class Wished:
    """A customer asked by a form to be called, in the portal's own terms. No call is opened for it, so `ref`
    is made of what the form says: the same message gives the same one."""

    ref: str
    number: str
    text: str
    line: str
    entity: str
    at: float | None


def read(body: bytes, *tokens: str) -> Message | Phrase | None:
    """The message; why it is none; `None` when its sender knows none of the tokens. Without a token of ours
    nobody is believed."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX, strict_parsing=True
        )
    except ValueError:  # no form, no UTF-8, or too many fields
        return NOT_A_FORM
    fields = dict(pairs)
    given = fields.get("auth[application_token]", "").encode()
    proofs = [hmac.compare_digest(given, token.encode()) for token in tokens if token]
    if not any(proofs):
        return None
    event = fields.get("event", "").upper()
    if not event:
        return NOT_A_FORM
    data = {
        name.removeprefix("data[").removesuffix("]"): value
        for name, value in fields.items()
        if name.startswith("data[") and name.endswith("]")
    }
    stamp = fields.get("ts", "")
    at = float(stamp) if stamp.isascii() and stamp.isdecimal() else None
    return Message(event, data, at, fields)


def pressed(message: Message) -> Pressed | Phrase:
    """The click that the message tells of, or what it lacks."""
    data = message.data
    call_id, user = data.get("CALL_ID", "").strip(), data.get("USER_ID", "").strip()
    number = data.get("PHONE_NUMBER_INTERNATIONAL", "").strip() or data.get("PHONE_NUMBER", "").strip()
    if not call_id or len(call_id) > 255:
        return NO_CALL.given(field="CALL_ID")
    if not (user.isascii() and user.isdecimal()):
        return NO_CALL.given(field="USER_ID")
    if not number:
        return NO_CALL.given(field="PHONE_NUMBER")
    return Pressed(
        call_id,
        int(user),
        number,
        data.get("LINE_NUMBER", "").strip(),
        message.at,
        data.get("EXTENSION", "").strip()[:EXTENSION_MAX],
        _entity(data),
        data.get("CALL_LIST_ID", "").strip().lstrip("0")[:EXTENSION_MAX],
    )


def wished(message: Message) -> Wished | Phrase:
    """The wish for a call that the message tells of, or what it lacks."""
    data = message.data
    number = data.get("PHONE_NUMBER", "").strip()
    if not number:
        return NO_CALL.given(field="PHONE_NUMBER")
    said = (number, data.get("TEXT", ""), data.get("LINE_NUMBER", ""), _entity(data), str(message.at))
    ref = hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]
    text = " ".join(data.get("TEXT", "").split())[:TEXT_MAX]
    return Wished(
        f"callback.{ref}", number, text, data.get("LINE_NUMBER", "").strip(), _entity(data), message.at
    )


def _entity(data: Mapping[str, str]) -> str:
    kind, number = data.get("CRM_ENTITY_TYPE", "").strip().upper(), data.get("CRM_ENTITY_ID", "").strip()
    known = kind.isascii() and kind.isalnum() and number.isascii() and number.isdecimal() and int(number) > 0
    return f"{kind}:{number}"[:EXTENSION_MAX] if known else ""
