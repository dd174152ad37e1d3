"""`callme calls`: the newest calls from the database, whether the service runs or not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from callme.calls.model import Call, encode
from callme.cli.configured import configured
from callme.cli.listing import columns, moment
from callme.cli.shelf import shelf
from callme.cli.tongue import language, say
from callme.config import Config
from callme.store import CallFilter
from callme.web.phrases import PHRASES, Words
from callme.web.reading import Reading


def calls(path: Path | None, *, limit: int, only_open: bool, as_json: bool) -> int:
    """Prints the calls, the newest first."""
    config = configured(path)
    found = asyncio.run(_newest(config, limit, only_open=only_open))
    if as_json:
        print(json.dumps({"calls": [_plain(call) for call in found]}, ensure_ascii=False, indent=2))
    elif found:
        print("\n".join(columns(_table(config, found))))
    else:
        print(say(PHRASES["nobody"] if only_open else PHRASES["no_calls"]))
    return 0


async def _newest(config: Config, limit: int, *, only_open: bool) -> list[Call]:
    reading = shelf(config)
    which = CallFilter(open=True if only_open else None)
    found: list[Call] = []
    older = None
    try:
        while len(found) < limit:
            page = await reading.list_calls(which, older_than=older, limit=limit - len(found))
            found += page.calls
            older = page.older
            if older is None:
                break
    finally:
        await reading.close()
    return found


def _plain(call: Call) -> dict[str, object]:
    return {**encode(call), "open": call.open, "ring_s": call.ring_s, "talk_s": call.talk_s}


def _table(config: Config, found: list[Call]) -> list[list[str]]:
    words = Words(language())
    reading = Reading(words, config.service.country, 0.0)
    head = [words.when, "", words.who, words.line, words.colleague, words.outcome, words.duration]
    rows = []
    for call in found:
        who = f"{call.name} {reading.who(call)}" if call.name else reading.who(call)
        outcome = words.going_on if call.open else words("disposition", call.disposition)
        talk = reading.length(call.talk_s) if call.talk_s else ""
        line, employee = reading.line(call), reading.employee(call)
        rows.append([moment(call.started_at), reading.arrow(call), who, line, employee, outcome, talk])
    return [head, *rows]
