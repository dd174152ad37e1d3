"""Whether somebody else reports calls to the same portal: two connectors make each call twice.

An application sees only its own subscriptions (contract `event.get`), and lines do not say whose they are;
but the statistics tell of each external call which application registered it, and the id that it gave.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from callme.crm.port import Finding, Urgency
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.statistics import METHOD
from callme.wording import Phrase

OURS = re.compile(r"[a-z][a-z0-9-]*-\d{6,}\.\d+")
"""Ids that we give: the PBX's id and Asterisk's uniqueid."""

TOPIC = Phrase("other connectors", "другие интеграции")
ALONE = Phrase(
    "none among the last {count} calls of the portal", "среди последних звонков портала ({count}) их нет"
)
OTHERS = Phrase(
    "{foreign} of the last {count} calls were reported by somebody else{names}",
    "из последних звонков портала ({count}) не нами переданы {foreign}{names}",
)
NAMED = Phrase(": {names}", ": {names}")
ONE_ONLY = Phrase(
    "If it reports the same telephones, each call stands there twice: switch it off, or set shadow = true.",
    "Если там те же телефоны, каждый звонок записан дважды: отключите ту интеграцию или задайте здесь "
    "shadow = true.",
)


async def look(rest: Rest) -> list[Finding]:
    """What the newest page of the statistics shows; nothing where it may not be read (told by the check)."""
    order = {"FILTER": {"CALL_CATEGORY": "external"}, "SORT": "ID", "ORDER": "DESC"}
    told = await rest.call(METHOD, order, Urgency.UPKEEP, reads=True)
    if isinstance(told, Fault):
        return []
    rows = [row for row in told.result if isinstance(row, Mapping)] if isinstance(told.result, list) else []
    return [judged(rows)]


def judged(rows: Sequence[Mapping[str, Any]]) -> Finding:
    """Whose calls these are. A call without any id of its sender may be one of ours that began by a click."""
    own = [row for row in rows if OURS.match(_text(row, "EXTERNAL_CALL_ID"))]
    apps = {_text(row, "REST_APP_ID") for row in own}
    others = [row for row in rows if row not in own and _foreign(row, apps)]
    if not others:
        return Finding(TOPIC, True, ALONE.given(count=len(rows)))
    names = sorted({_text(row, "REST_APP_NAME") for row in others} - {""})
    named: Phrase | str = NAMED.given(names=", ".join(names)) if names else ""
    found = OTHERS.given(foreign=len(others), count=len(rows), names=named)
    return Finding(TOPIC, True, found, ONE_ONLY)


def _foreign(row: Mapping[str, Any], apps: set[str]) -> bool:
    app = _text(row, "REST_APP_ID")
    return bool(_text(row, "EXTERNAL_CALL_ID")) or bool(app and app not in apps)


def _text(row: Mapping[str, Any], key: str) -> str:
    return str(row.get(key) or "").strip()
