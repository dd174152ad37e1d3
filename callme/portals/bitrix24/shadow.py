"""Both sides of shadow mode in the words of this portal: its statistics, and what ours would have been.

The adapter offers them; nothing here writes. An old connector gives no EXTERNAL_CALL_ID and often no line, so
calls are told apart by number and time (`crm.shadow.compare`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from callme.crm.intents import Direction
from callme.crm.port import Later, Outcome, Refused, Unauthorised, Urgency
from callme.crm.shadow import Entry, Shadowed, Unlisted
from callme.portals.bitrix24 import notices, payloads
from callme.portals.bitrix24.directory import Directory, People
from callme.portals.bitrix24.owners import Owners
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.statistics import METHOD, is_sealed
from callme.wording import Phrase

SEALED = Phrase(
    "the portal does not let this webhook read the call statistics: its owner needs the right to see them",
    "портал не даёт этому вебхуку читать статистику звонков: его владельцу нужно право её видеть",
)
PAGES_MAX = 1000
"""50 000 calls; more means that the paging does not end."""


async def listed(
    rest: Rest, directory: Directory, since: float, until: float
) -> tuple[Entry, ...] | Unlisted:
    """The finished calls that began in that time, whoever told of them."""
    unready = await directory.ready()
    if unready is not None:
        return _unlisted(unready)
    entries: list[Entry] = []
    start: int | None = 0
    for _ in range(PAGES_MAX):
        found = await rest.call(
            METHOD, payloads.list_calls(since, until, start or 0), Urgency.UPKEEP, reads=True
        )
        if isinstance(found, Fault):
            return Refused(SEALED) if is_sealed(found) else _unlisted(found.outcome)
        rows = found.result if isinstance(found.result, list) else []
        entries += [entry for row in rows if (entry := _entry(row, directory.people)) is not None]
        if found.next is None or found.next <= (start or 0):
            break
        start = found.next
    # A filter that the portal does not know is silently dropped, so the time is looked at again.
    return tuple(entry for entry in entries if since <= entry.started_at < until)


async def would_list(
    rest: Rest, directory: Directory, owners: Owners, calls: Sequence[Shadowed]
) -> tuple[Entry, ...] | Unlisted:
    """The same calls as the portal would list them, had CallMe told of them."""
    unready = await directory.ready()
    if unready is not None:
        return _unlisted(unready)
    entries = []
    for one in calls:
        finish = one.finish
        user, _ = await owners.of_finish(rest, finish)
        about = finish.about
        entries.append(
            Entry(
                ref=about.call,
                direction=about.direction,
                number=payloads.phone_number(about.number),
                started_at=about.started_at,
                who=directory.people.named(user),
                result=payloads.status_code(about.direction, finish.result),
                duration_s=payloads.duration(finish),
                line=about.line,
                recording=one.recording,
                ended_at=finish.ended_at,
            )
        )
    return tuple(entries)


def _entry(row: Any, people: People) -> Entry | None:
    if not isinstance(row, Mapping):
        return None
    begun, user = _moment(row.get("CALL_START_DATE")), str(row.get("PORTAL_USER_ID") or "")
    if begun is None:
        return None
    incoming = str(row.get("CALL_TYPE") or "") in ("2", "3")  # 3: incoming and passed on to a mobile
    length = str(row.get("CALL_DURATION") or "0")
    return Entry(
        ref=str(row.get("CALL_ID") or ""),
        direction=Direction.IN if incoming else Direction.OUT,
        number=str(row.get("PHONE_NUMBER") or ""),
        started_at=begun,
        who=people.named(int(user)) if user.isdecimal() else user,
        result=str(row.get("CALL_FAILED_CODE") or ""),
        duration_s=int(length) if length.isdecimal() else 0,
        line=str(row.get("PORTAL_NUMBER") or ""),
        recording=bool(row.get("RECORD_FILE_ID") or row.get("CALL_RECORD_URL")),
    )


def _moment(text: object) -> float | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _unlisted(outcome: Outcome) -> Unlisted:
    """A question that is in doubt may simply be asked again."""
    match outcome:
        case Later() | Refused() | Unauthorised():
            return outcome
    return Later(getattr(outcome, "why", None) or notices.NO_CALL_ID)
