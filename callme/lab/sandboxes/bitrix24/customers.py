"""The CRM side of the portal: whom a number belongs to, and what register creates for an unknown one.

Used by the telephony methods; also answers the few crm.* methods that a PBX needs. Sheet §1.2, §1.5, §5.2.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import phonenumbers

from callme.lab.sandboxes.bitrix24 import php
from callme.lab.sandboxes.bitrix24.ask import Ask
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.refusal import Refusal, failure
from callme.lab.sandboxes.bitrix24.state import Customer, Office, OpenCall, User

PRIMARY_ORDER = ("CONTACT", "LEAD", "COMPANY")
MOST_PER_TYPE = 50
MOST_VALUES = 20
LOCAL_USER = "Lead creation is disabled for local users"


@lru_cache(maxsize=100_000)
def indexed(phone: str) -> str:
    """The number as the duplicate index keeps it, so that `+7 916…`, `8 916…` and `7916…` are one (§5.2)."""
    head = re.split("[;#]", phone, maxsplit=1)[0]
    digits = re.sub(r"\D", "", head)
    if len(digits) < 10:
        return digits
    if digits.startswith("8"):
        kept = digits[:2] in ("80", "81", "82") or "+8" in head
        return digits if kept else "7" + digits[1:]
    for prefix in ("00", "011", "0"):
        if digits.startswith(prefix):
            return digits[len(prefix) :]
    return digits


def find(office: Office, phone: str, line: str = "") -> list[Customer]:
    """Customers with that number, contacts first, then leads, then companies."""
    wanted = {indexed(phone)} | _in_country_of(line, phone)
    wanted.discard("")
    found = []
    for kind in PRIMARY_ORDER:
        of_kind = (c for c in office.customers.values() if c.type == kind)
        hits = [c for c in of_kind if wanted & {indexed(p) for p in c.phones}]
        found += hits[:MOST_PER_TYPE]
    return found


def _in_country_of(line: str, phone: str) -> set[str]:
    """A national number, read in the country of a line that is itself a valid number (§1.2, CRM matching)."""
    try:
        own = phonenumbers.parse("+" + re.sub(r"\D", "", line), None)
        region = phonenumbers.region_code_for_number(own)
        if region is None or not phonenumbers.is_valid_number(own):
            return set()
        read = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return set()
    return {f"{read.country_code}{read.national_number}"}


def bind(office: Office, call: OpenCall) -> None:
    """Tie the call to whoever has its number; deals that are open come along with their contact."""
    found = [c for c in find(office, call.phone, call.line) if not c.closed]
    if not found:
        return
    call.primary = (found[0].type, found[0].id)
    call.bindings = [(c.type, c.id) for c in found]
    contacts = {c.id for c in found if c.type == "CONTACT"}
    deals = (c for c in office.customers.values() if c.type == "DEAL" and not c.closed)
    call.bindings += [("DEAL", deal.id) for deal in deals if deal.contact in contacts]


def create(office: Office, knobs: Knobs, call: OpenCall, source: str, now: float) -> None:
    """Create the lead, or in simple mode contact and deal, unless the call may not have one."""
    if call.internal or call.created or call.primary is not None:
        return
    if _is_colleague(office, call.phone):
        call.creation_error = LOCAL_USER
        return
    direction = "Исходящий звонок" if call.type == 1 else "Входящий звонок"
    kinds = ("LEAD",) if knobs.crm_mode == "classic" else ("CONTACT", "DEAL")
    contact: int | None = None
    for kind in kinds:
        customer = office.add_customer(kind, f"{call.phone} - {direction}", call.user, (call.phone,))
        customer.source, customer.call, customer.contact = source, call.id, contact
        contact = customer.id if kind == "CONTACT" else contact
        call.created.append((kind, customer.id))
        office.tell("customer.created", now, call=call.id, type=kind, id=customer.id, title=customer.title)
    call.primary = call.created[0]
    call.bindings = list(call.created)


def _is_colleague(office: Office, phone: str) -> bool:
    own = {indexed(p) for u in office.users.values() for p in (u.work_phone, u.personal_mobile) if p}
    return indexed(phone) in own


def search(ask: Ask) -> list[dict[str, Any]]:
    """telephony.externalCall.searchCrmEntities (§1.5): dismissed responsibles and closed leads come along."""
    phone = php.text(ask.params.get("PHONE_NUMBER"))
    if not phone:
        raise failure("PHONE_NUMBER is empty")
    return [_found(ask.office, customer) for customer in find(ask.office, phone)]


def _found(office: Office, customer: Customer) -> dict[str, Any]:
    owner = office.users.get(customer.assigned_by) or User(customer.assigned_by, "", "")
    return {
        "CRM_ENTITY_TYPE": customer.type,
        "CRM_ENTITY_ID": customer.id,
        "ASSIGNED_BY_ID": customer.assigned_by,
        "NAME": customer.title,
        "ASSIGNED_BY": {
            "ID": str(owner.id),
            "TIMEMAN_STATUS": owner.workday,
            "USER_PHONE_INNER": owner.extension or None,
            "WORK_PHONE": owner.work_phone or None,
            "PERSONAL_PHONE": None,
            "PERSONAL_MOBILE": owner.personal_mobile or None,
        },
    }


def find_by_communication(ask: Ask) -> dict[Any, Any] | list[Any]:
    """crm.duplicate.findbycomm (§5.2). Values beyond the twentieth are silently ignored."""
    kind = php.text(ask.params.get("TYPE")).upper()
    if not kind:
        raise _crm("Communication type is not defined.")
    if kind not in ("PHONE", "EMAIL"):
        raise _crm(f"Communication type '{kind}' is not supported in current context.")
    given = ask.params.get("VALUES")
    values = [v for v in (given if isinstance(given, list) else [given]) if v]
    if not values:
        raise _crm("Communication values is not defined.")
    wanted = php.text(ask.params.get("ENTITY_TYPE")).upper()
    if wanted == "DEAL":
        raise _crm("Deal is not supported in current context.")
    result: dict[str, list[int]] = {}
    for value in values[:MOST_VALUES] if kind == "PHONE" else []:
        for customer in find(ask.office, php.text(value)):
            ids = result.setdefault(customer.type, [])
            if customer.id not in ids and wanted in ("", customer.type):
                ids.append(customer.id)
    return php.array({name: ids for name, ids in result.items() if ids})


def mode(ask: Ask) -> int:
    """crm.settings.mode.get: 1 with leads, 2 without."""
    return 1 if ask.knobs.crm_mode == "classic" else 2


def _crm(text: str) -> Refusal:
    return Refusal(400, "", text, docs_code=text)
