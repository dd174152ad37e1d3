"""CRM objects by the universal methods: crm.item.add, update, list and get, as far as a PBX needs them
(sheet §5.3).

Pure. A field that the portal does not know is ignored, a filter that it does not know gives everything.
"""

from __future__ import annotations

from typing import Any

from callme.lab.sandboxes.bitrix24 import php
from callme.lab.sandboxes.bitrix24.ask import PAGE_SIZE, Ask
from callme.lab.sandboxes.bitrix24.refusal import Refusal, access_denied
from callme.lab.sandboxes.bitrix24.state import Customer

KINDS = {1: "LEAD", 2: "DEAL", 3: "CONTACT", 4: "COMPANY"}


def add(ask: Ask) -> dict[str, Any]:
    """crm.item.add."""
    kind, fields = _kind(ask), _fields(ask)
    if not ask.knobs.crm_writes:
        raise access_denied()
    user = php.integer(fields.get("assignedById")) or ask.owner.id
    given = fields.get("fm")
    phones = tuple(
        php.text(entry.get("value"))
        for entry in (given if isinstance(given, list) else [])
        if isinstance(entry, dict) and entry.get("typeId") == "PHONE"
    )
    title = php.text(fields.get("title") or fields.get("name")) or kind
    customer = ask.office.add_customer(kind, title, user, phones)
    customer.source = php.text(fields.get("sourceId"))
    customer.contact = php.integer(fields.get("contactId")) or None
    ask.office.tell("customer.created", ask.now, call="", type=kind, id=customer.id, title=title)
    return {"item": _item(customer)}


def update(ask: Ask) -> dict[str, Any]:
    """crm.item.update: of the fields only the responsible is kept here. Its event comes even where nothing
    was changed."""
    kind, fields = _kind(ask), _fields(ask)
    customer = ask.office.customers.get((kind, php.integer(ask.params.get("ID"))))
    if customer is None:
        raise Refusal(400, "NOT_FOUND", "Элемент не найден")
    if not ask.knobs.crm_writes:
        raise access_denied()
    user = php.integer(fields.get("assignedById"))
    if user and user != customer.assigned_by:
        customer.assigned_by = user
        ask.office.tell("customer.given", ask.now, type=kind, id=customer.id, user=user)
    else:
        ask.office.tell("customer.changed", ask.now, type=kind, id=customer.id)
    return {"item": _item(customer)}


def find(ask: Ask) -> dict[str, Any]:
    """crm.item.list with equality filters; the first page."""
    kind = _kind(ask)
    given = ask.params.get("FILTER")
    wanted = given if isinstance(given, dict) else {}
    rows = [_item(one) for one in ask.office.customers.values() if one.type == kind]
    known = {name: php.text(value) for name, value in wanted.items() if rows and name in rows[0]}
    rows = [row for row in rows if all(php.text(row[name]) == value for name, value in known.items())]
    return {"items": rows[:PAGE_SIZE]}


def get(ask: Ask) -> dict[str, Any]:
    """crm.item.get. The portal's own fields come in small letters, under their own names only when asked."""
    customer = ask.office.customers.get((_kind(ask), php.integer(ask.params.get("ID"))))
    if customer is None:
        raise Refusal(400, "NOT_FOUND", "Item not found")
    if not ask.knobs.crm_reads:
        raise Refusal(400, "ACCESS_DENIED", "You do not have permission to view this item")
    original = php.text(ask.params.get("USEORIGINALUFNAMES")) == "Y"
    phones = [
        {"id": number, "typeId": "PHONE", "valueType": "WORK", "value": phone}
        for number, phone in enumerate(customer.phones, 1)
    ]
    own = {name if original else _camel(name): value for name, value in customer.own.items()}
    return {"item": {**_item(customer), "fm": phones, **own}}


def _camel(name: str) -> str:
    """`UF_CRM_VIP` → `ufCrmVip`."""
    head, *rest = name.lower().split("_")
    return head + "".join(part.capitalize() for part in rest)


def _kind(ask: Ask) -> str:
    kind = KINDS.get(php.integer(ask.params.get("ENTITYTYPEID")))
    if kind is None:
        raise Refusal(400, "NOT_FOUND", "Смарт-процесс не найден")
    return kind


def _fields(ask: Ask) -> dict[str, Any]:
    fields = ask.params.get("FIELDS")
    if not isinstance(fields, dict) or not fields:
        raise Refusal(400, "100", "Could not find value for parameter {fields}")
    return fields


def _item(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.id,
        "title": customer.title,
        "assignedById": customer.assigned_by,
        "sourceId": customer.source,
        "contactId": customer.contact,
        "companyId": None,
        "closed": "Y" if customer.closed else "N",
    }
