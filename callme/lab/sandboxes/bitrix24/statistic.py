"""What remains of calls: voximplant.statistic.get and the activities that finish left (sheet §1.9, §5.3).
Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from callme.lab.sandboxes.bitrix24 import filters, php
from callme.lab.sandboxes.bitrix24.ask import Ask, Page, page
from callme.lab.sandboxes.bitrix24.refusal import Refusal, access_denied
from callme.lab.sandboxes.bitrix24.state import Activity, Statistic

_FIELDS = """
    ID CALL_ID EXTERNAL_CALL_ID CALL_CATEGORY PORTAL_USER_ID PORTAL_NUMBER PHONE_NUMBER CALL_TYPE
    CALL_DURATION CALL_START_DATE CALL_LOG CALL_RECORD_URL CALL_VOTE COST COST_CURRENCY CALL_FAILED_CODE
    CALL_FAILED_REASON CRM_ENTITY_TYPE CRM_ENTITY_ID CRM_ACTIVITY_ID REST_APP_ID REST_APP_NAME TRANSCRIPT_ID
    TRANSCRIPT_PENDING SESSION_ID REDIAL_ATTEMPT COMMENT RECORD_DURATION CRM_BINDINGS.ENTITY_TYPE
    CRM_BINDINGS.ENTITY_ID
"""
FIELDS = frozenset(_FIELDS.split())
SORTABLE = FIELDS - {"CALL_TYPE", "CRM_BINDINGS.ENTITY_TYPE", "CRM_BINDINGS.ENTITY_ID"}
_ACTIVITY_FIELDS = """
    ID OWNER_ID OWNER_TYPE_ID TYPE_ID PROVIDER_ID PROVIDER_TYPE_ID ORIGIN_ID DIRECTION RESPONSIBLE_ID
    COMPLETED START_TIME END_TIME SUBJECT AUTHOR_ID
"""
ACTIVITY_FIELDS = frozenset(_ACTIVITY_FIELDS.split())
OWNER_TYPES = {"LEAD": 1, "DEAL": 2, "CONTACT": 3, "COMPANY": 4}
_ONLY_WHEN_NAMED = ("FILES", "COMMUNICATIONS")


def get(ask: Ask) -> Page:
    """voximplant.statistic.get. Sorting needs SORT and an upper-case ORDER; what is wrong is silently
    dropped."""
    if not ask.knobs.statistics_right:
        raise access_denied()
    records = {record.id: record for record in ask.office.statistics.values()}
    typed = filters.keep(
        (_typed(r) for r in records.values()), ask.params.get("FILTER"), FIELDS, filters.STATISTIC_OPERATORS
    )
    sort, order = php.text(ask.params.get("SORT")).upper(), ask.params.get("ORDER")
    if sort in SORTABLE and order in ("ASC", "DESC"):
        typed.sort(key=lambda row: (row[sort] is not None, row[sort]), reverse=order == "DESC")
    rows = page(typed, ask.start)
    return Page([_row(records[row["ID"]]) for row in rows.rows], rows.total, rows.following)


def _typed(record: Statistic) -> dict[str, Any]:
    """The record with values of their own kinds, for comparing."""
    row: dict[str, Any] = dict(_row(record))
    for name in ("ID", "PORTAL_USER_ID", "CALL_DURATION", "CALL_VOTE", "CALL_TYPE"):
        row[name] = int(row[name])
    row["COST"] = record.cost
    row["CALL_START_DATE"] = datetime.fromtimestamp(record.started_at, UTC)
    row["CRM_BINDINGS.ENTITY_TYPE"] = [kind for kind, _ in record.bindings]
    row["CRM_BINDINGS.ENTITY_ID"] = [str(number) for _, number in record.bindings]
    return row


def _row(record: Statistic) -> dict[str, Any]:
    """The record as REST prints it: numbers as strings."""
    kind, number = record.primary or (None, None)
    return {
        "ID": str(record.id),
        "PORTAL_USER_ID": str(record.user),
        "PORTAL_NUMBER": record.line,
        "PHONE_NUMBER": record.phone,
        "CALL_ID": record.call,
        "EXTERNAL_CALL_ID": record.external_id,
        "CALL_CATEGORY": "external",
        "CALL_LOG": None,
        "CALL_DURATION": str(record.duration),
        "CALL_START_DATE": php.iso(record.started_at),
        "CALL_RECORD_URL": record.record_url,
        "CALL_VOTE": str(record.vote),
        "COST": f"{record.cost:.4f}",
        "COST_CURRENCY": record.currency,
        "CALL_FAILED_CODE": record.code,
        "CALL_FAILED_REASON": record.reason,
        "CRM_ENTITY_TYPE": kind,
        "CRM_ENTITY_ID": None if number is None else str(number),
        "CRM_ACTIVITY_ID": None if record.activity is None else str(record.activity),
        "REST_APP_ID": None,
        "REST_APP_NAME": None,
        "TRANSCRIPT_ID": None if record.transcript is None else str(record.transcript),
        "TRANSCRIPT_PENDING": "N",
        "SESSION_ID": None,
        "REDIAL_ATTEMPT": None,
        "COMMENT": None,
        "RECORD_DURATION": None,
        "RECORD_FILE_ID": record.record_file,
        "CALL_TYPE": str(record.type),
    }


def activities(ask: Ask) -> Page:
    """crm.activity.list: FILES and COMMUNICATIONS come only when they are named in `select`."""
    filters_given = ask.params.get("FILTER")
    found = filters.keep(
        (_activity(activity) for activity in ask.office.activities.values()),
        filters_given,
        ACTIVITY_FIELDS,
        filters.USER_OPERATORS,
    )
    select = ask.params.get("SELECT")
    names = [str(name) for name in select] if isinstance(select, list) else []
    shown = [name for name in _ONLY_WHEN_NAMED if name not in names]
    rows = [{key: value for key, value in row.items() if key not in shown} for row in found]
    if names and "*" not in names:
        rows = [{key: value for key, value in row.items() if key in ("ID", *names)} for row in rows]
    return page(rows, ask.start)


def activity(ask: Ask) -> dict[str, Any]:
    """crm.activity.get."""
    found = ask.office.activities.get(php.integer(ask.params.get("ID")))
    if found is None:
        raise Refusal(400, "", "Activity is not found.")
    return _activity(found)


def _activity(kept: Activity) -> dict[str, Any]:
    kind, number = kept.bindings[0]
    return {
        "ID": str(kept.id),
        "OWNER_ID": str(number),
        "OWNER_TYPE_ID": str(OWNER_TYPES.get(kind, 0)),
        "TYPE_ID": "2",
        "PROVIDER_ID": "VOXIMPLANT_CALL",
        "PROVIDER_TYPE_ID": "CALL",
        "ORIGIN_ID": kept.origin,
        "DIRECTION": str(kept.direction),
        "SUBJECT": kept.subject,
        "RESPONSIBLE_ID": str(kept.responsible),
        "AUTHOR_ID": str(kept.responsible),
        "COMPLETED": "Y" if kept.completed else "N",
        "START_TIME": php.iso(kept.started_at),
        "END_TIME": php.iso(kept.ended_at),
        "SETTINGS": {"MISSED_CALL": True} if kept.missed else [],
        "FILES": [{"id": number, "url": f"/sandbox/recordings/{number}"} for number in kept.files],
        "COMMUNICATIONS": [],
    }
