"""`callme shadow`: how what CallMe would have told differs from what the other connector told.

Reads the database and asks the CRM; changes nothing. The exit code is 0 when every call is told alike or
differs only in fields, 1 when one side has calls that the other has not, or the CRM cannot be read.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path

from callme.cli.configured import configured
from callme.cli.listing import columns, moment
from callme.cli.shelf import shelf
from callme.cli.tongue import language, say
from callme.config import Config
from callme.crm.intents import Direction
from callme.crm.shadow import LABELS, Comparison, Entry, Pair
from callme.service.shadow import Compared, compared
from callme.wording import Phrase

DAY_S = 86_400.0
SETTLED_S = 120.0
"""The last calls are left out: either side may still be telling of them."""

_NONE = Phrase(
    "No portal is in shadow mode, and none was in these days. Add `shadow = true` to a [[portal]].",
    "Ни один портал не в теневом режиме и не был в нём в эти дни. Добавьте shadow = true в [[portal]].",
)
_ON = Phrase(
    "{portal}: shadow mode, nothing is told to the CRM", "{portal}: теневой режим, в CRM ничего не передаётся"
)
_OFF = Phrase("{portal}: shadow mode is over", "{portal}: теневой режим закончен")
_QUIET = Phrase("  no call has ended in it yet", "  ещё ни один звонок в нём не закончился")
_UNREAD = Phrase("  the CRM's calls cannot be read: {why}", "  не удаётся прочитать звонки из CRM: {why}")
_COUNTS = Phrase(
    "  since {since}: told alike {same}, differently {different}, only by CallMe {ours}, only by the other "
    "{theirs}",
    "  с {since}: одинаково — {same}, по-разному — {different}, только CallMe — {ours}, только другой — "
    "{theirs}",
)
_DIFFERENT = Phrase("Told differently (CallMe → the other):", "Переданы по-разному (CallMe → другой):")
_OURS = Phrase("Only CallMe has:", "Есть только у CallMe:")
_THEIRS = Phrase("Only the other has:", "Есть только у другого:")
_ARROWS = {Direction.IN: "↘", Direction.OUT: "↗"}


def shadow(path: Path | None, *, days: float, as_json: bool) -> int:
    """Prints the comparison of the last days. Raises `ConfigError`, `StoreError`."""
    config = configured(path)
    until = time.time() - SETTLED_S
    found = asyncio.run(_compared(config, until - days * DAY_S, until))
    if as_json:
        print(json.dumps({"portals": [_plain(one) for one in found]}, ensure_ascii=False, indent=2))
    else:
        print("\n".join(line for one in found for line in _told(one)) if found else say(_NONE))
    return 0 if all(map(_well, found)) else 1


async def _compared(config: Config, since: float, until: float) -> tuple[Compared, ...]:
    reading = shelf(config)
    try:
        return await compared(config, reading, since, until)
    finally:
        await reading.close()


def _well(one: Compared) -> bool:
    if one.found is None:
        return True
    return isinstance(one.found, Comparison) and not (one.found.only_ours or one.found.only_theirs)


def _told(one: Compared) -> list[str]:
    lines = [say(_ON if one.on else _OFF, portal=one.portal)]
    if one.found is None:
        return [*lines, say(_QUIET)]
    if not isinstance(one.found, Comparison):
        return [*lines, say(_UNREAD, why=one.found.why)]
    found = one.found
    counts = {
        "since": moment(one.since),
        "same": len(found.same),
        "different": len(found.different),
        "ours": len(found.only_ours),
        "theirs": len(found.only_theirs),
    }
    lines.append(say(_COUNTS, **counts))
    fields = Counter(difference.field for pair in found.different for difference in pair.differences)
    if fields:
        lines.append(
            "  " + ", ".join(f"{say(LABELS[name])}: {count}" for name, count in fields.most_common())
        )
    for heading, rows in (
        (_DIFFERENT, [_pair(pair) for pair in found.different]),
        (_OURS, [_entry(entry) for entry in found.only_ours]),
        (_THEIRS, [_entry(entry) for entry in found.only_theirs]),
    ):
        if rows:
            lines += ["", say(heading), *columns(rows)]
    return lines


def _pair(pair: Pair) -> list[str]:
    told = (f"{say(LABELS[one.field])}: {one.ours} → {one.theirs}" for one in pair.differences)
    ours = pair.ours
    return [moment(ours.started_at), _ARROWS[ours.direction], ours.number, "; ".join(told)]


def _entry(entry: Entry) -> list[str]:
    return [
        moment(entry.started_at),
        _ARROWS[entry.direction],
        entry.number,
        f"{entry.who}, {entry.result}, {entry.duration_s} s  {entry.ref}",
    ]


def _plain(one: Compared) -> dict[str, object]:
    found: dict[str, object] = {"portal": one.portal, "shadow": one.on, "since": one.since}
    if one.found is None:
        return found
    if not isinstance(one.found, Comparison):
        return {**found, "why": one.found.why.say(language())}
    return {
        **found,
        "same": [{"ours": pair.ours.ref, "theirs": pair.theirs.ref} for pair in one.found.same],
        "different": [
            {
                "ours": pair.ours.ref,
                "theirs": pair.theirs.ref,
                "fields": {one.field.value: [one.ours, one.theirs] for one in pair.differences},
            }
            for pair in one.found.different
        ],
        "only_ours": [_fields(entry) for entry in one.found.only_ours],
        "only_theirs": [_fields(entry) for entry in one.found.only_theirs],
    }


def _fields(entry: Entry) -> dict[str, object]:
    return {
        "ref": entry.ref,
        "direction": entry.direction.value,
        "number": entry.number,
        "started_at": entry.started_at,
        "who": entry.who,
        "result": entry.result,
        "duration_s": entry.duration_s,
        "line": entry.line,
        "recording": entry.recording,
    }
