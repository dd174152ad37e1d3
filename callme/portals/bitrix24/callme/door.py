"""`/CallMeOut.php`, as the old scripts answered there: the portal's event of a click, and the dialplan's
report of a call that is over.

Pure; the adapter calls it. In the old scripts anybody could send the report and register calls with it; here
its sender is known by his address or a secret. Nothing is written to the CRM for it: CallMe has seen the call
itself, with its true talk and its recording, and tells of it once. What the answers were is kept, since a
dialplan may look at them: nothing when all is well, `error in params` when a field is missing.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import replace

from callme.crm.commands import Click, Foreign, Heard, Hearing
from callme.crm.doors import Knock, Reply, TurnedAway, Welcome
from callme.portals.bitrix24.callme.access import CallMeOut
from callme.wording import Phrase

DOOR = "CallMeOut.php"
CALL = "makecall"
"""Beside it: `event=OutgoingCall&from=101&to=+7…`, as some connectors and telephone links ask for a call."""

MADE, FAILED = "Success", "Error"
REPORT = "sendcall2b24"
FIELDS = ("call_id", "FullFname", "CallIntNum", "CallDuration", "CallDisposition")
"""Without one of these the scripts took no report; an empty one was enough."""

WRONG = "error in params"

WHO = Phrase(
    "add {source} to callme_out.allow of this portal, or give callme_out.secret there and as the field "
    "“secret” of the request",
    "добавьте {source} в callme_out.allow этого портала либо задайте callme_out.secret там и в поле secret "
    "запроса",
)
PROXIED = Phrase(
    "the request came through a proxy, so its source is not believed: give callme_out.secret of this portal, "
    "and the same as the field “secret” of the request",
    "запрос пришёл через прокси, поэтому адресу отправителя верить нельзя: задайте callme_out.secret этого "
    "портала и передавайте его в поле secret запроса",
)
SECRET_ONLY = Phrase(
    "give callme_out.secret of this portal, and the same as the field “secret” of the request",
    "задайте callme_out.secret этого портала и передавайте его в поле secret запроса",
)
EVENTS = Phrase(
    "set application_token of this portal to the token of its outgoing webhook",
    "задайте в application_token этого портала токен его исходящего вебхука",
)
KNOWN = Phrase(
    "the old dialplan reported a call; CallMe tells of it by itself",
    "старый диалплан сообщил о звонке; CallMe передаёт его сам",
)
NO_SUCH = Phrase("the old scripts knew no action “{action}”", "действия «{action}» у старых скриптов нет")


def is_event(fields: Mapping[str, str]) -> bool:
    """Whether it is an event of the portal, which proves itself by its token."""
    return bool(fields) and "action" not in fields


def event(heard: Hearing, fields: Mapping[str, str]) -> Reply:
    """What the portal told; its token was looked at already. CallMePlus let the sender name the extension."""
    if isinstance(heard, Foreign):
        return TurnedAway(EVENTS)
    named = fields.get("data[extension]", "").strip()
    if isinstance(heard, Heard) and heard.click is not None and named.isascii() and named.isdecimal():
        heard = replace(heard, click=replace(heard.click, extension=named))
    return Welcome(hearing=heard)


def wanted(knock: Knock, access: CallMeOut, now: float, max_age_s: float) -> Reply:
    """A call that somebody asks for past the portal: rung at `from`, then put through to `to`. Once a second,
    so that a request sent twice is one. The secret alone lets in: any web page could have a browser in an
    allowed network ask for it."""
    if not _knows(knock, access):
        return TurnedAway(SECRET_ONLY)
    extension, number = knock.fields.get("from", "").strip(), knock.fields.get("to", "").strip()
    if not (extension.isascii() and extension.isdecimal() and number):
        return Welcome(FAILED)
    mark = hashlib.sha256(f"{extension} {number} {int(now)}".encode()).hexdigest()[:32]
    click = Click(f"{CALL}.{mark}", extension, extension, number, now, opened=False)
    return Welcome(MADE, Heard(click, max_age_s))


def report(knock: Knock, access: CallMeOut) -> Reply:
    """The dialplan's report, or a request without a word in it."""
    if not _may(knock, access):
        return TurnedAway(WHO.given(source=knock.source) if knock.source else PROXIED)
    fields = knock.fields
    if "action" not in fields:
        return Welcome(WRONG)
    if fields["action"] != REPORT:
        return Welcome(note=NO_SUCH.given(action=fields["action"][:40]))
    if any(name not in fields for name in FIELDS):
        return Welcome(WRONG)
    return Welcome(note=KNOWN)


def _knows(knock: Knock, access: CallMeOut) -> bool:
    secret = access.secret.get_secret_value()
    given = knock.fields.get("secret", "")
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


def _may(knock: Knock, access: CallMeOut) -> bool:
    if _knows(knock, access):
        return True
    try:
        source = ipaddress.ip_address(knock.source)
    except ValueError:
        return False
    if isinstance(source, ipaddress.IPv6Address) and source.ipv4_mapped is not None:
        source = source.ipv4_mapped
    return any(source in ipaddress.ip_network(network) for network in access.allow)
