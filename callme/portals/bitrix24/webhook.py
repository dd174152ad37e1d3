"""How to hear Bitrix24: the form that it posts when somebody clicks a number (sheet §2.1–2.3).

Pure; called by the adapter, which knows the people. An application and an outgoing webhook send the same
form, an outgoing webhook without tokens of a user (K5). `application_token` is all that tells the portal
from a stranger: it is compared in constant time and never repeated anywhere.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from callme.wording import Phrase

CLICK = "ONEXTERNALCALLSTART"
FIELDS_MAX = 200

NOT_A_FORM = Phrase(
    "this is not a message of Bitrix24: a form with “event” and “auth” is expected",
    "это не сообщение Битрикс24: ожидается форма с полями event и auth",
)
NO_CALL = Phrase(
    "the click names no {field}: it cannot be dialled", "в сообщении о клике нет {field}: набирать нечего"
)


@dataclass(frozen=True, slots=True)
class Message:
    """One event of the portal. `at` is when the portal queued it, `None` when it does not say."""

    event: str
    data: Mapping[str, str]
    at: float | None


@dataclass(frozen=True, slots=True)
class Pressed:
    """A click, in the portal's own terms."""

    call_id: str
    user: int
    number: str
    line: str
    at: float | None


def read(body: bytes, token: str) -> Message | Phrase | None:
    """The message; why it is none; `None` when its sender does not know the token. Without a token of ours
    nobody is believed."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX, strict_parsing=True
        )
    except ValueError:  # no form, no UTF-8, or too many fields
        return NOT_A_FORM
    fields = dict(pairs)
    given = fields.get("auth[application_token]", "")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
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
    return Message(event, data, float(stamp) if stamp.isascii() and stamp.isdecimal() else None)


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
    return Pressed(call_id, int(user), number, data.get("LINE_NUMBER", "").strip(), message.at)
