"""`callme routing`: how a PBX may ask who calls, what the rules say, and what they would have done.

Changes nothing. The key of `[routing]` is never printed: `KEY` stands where it belongs.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from callme.cli.configured import configured
from callme.cli.listing import columns, moment
from callme.cli.shelf import shelf
from callme.cli.tongue import language, say
from callme.config import Config, Steer
from callme.service.portals import opened, plans
from callme.service.preview import Foreseen, Tally, foresee, tally
from callme.setup import hooks
from callme.setup.hooks import Hook
from callme.web import reading as wordings
from callme.web.phrases import Words
from callme.wording import Phrase

KEY = "KEY"
DAY_S = 24 * 3600.0

CLOSED = Phrase(
    "No PBX may ask who calls: [routing] key is not set (docs/routing.md).",
    "АТС не может спросить, кто звонит: не задан key в [routing] (docs/routing.ru.md).",
)
OPEN = Phrase(
    "A PBX may ask who calls; the answer takes {deadline} s at most.",
    "АТС может спросить, кто звонит; ответ приходит не позже чем через {deadline} с.",
)
SOURCE = Phrase(
    "FreePBX, Admin → CallerID Lookup Sources, type HTTP (no dialplan is touched):",
    "FreePBX, Admin → CallerID Lookup Sources, тип HTTP (диалплан не меняется):",
)
HERE = Phrase("<this machine>", "<эта машина>")
NO_RULES = Phrase(
    "No [[steer]] rules: callers get their names, calls keep their routes.",
    "Правил [[steer]] нет: у звонков появляются имена, маршруты остаются прежними.",
)
RULE = Phrase(
    "{number}. {what} → {to}, {ring} s, then {then}", "{number}. {what} → {to}, {ring} с, затем {then}"
)
EVERY = Phrase("every call", "любой звонок")
HOOKS = Phrase(
    "Texts for {file}, all optional; KEY stands for the key of [routing]:",
    "Тексты для {file}, все необязательны; вместо KEY — ключ из [routing]:",
)
NOTHING = Phrase("No incoming calls in that time.", "За это время входящих звонков не было.")
ORDINARY = Phrase("route", "маршрут")
HEAD = (
    Phrase("when", "когда"),
    Phrase("who", "кто"),
    Phrase("line", "линия"),
    Phrase("rule", "правило"),
    Phrase("would ring", "звонили бы"),
    Phrase("why", "почему"),
    Phrase("as it was", "как было"),
)
SUMMARY = Phrase(
    "{calls} incoming calls: {sent} would ring one employee alone. Of these {same} were answered by the same "
    "one, {other} by another, {missed} by nobody.",
    "Входящих: {calls}, из них {sent} позвонили бы одному сотруднику. Из этих {same} он и принял, "
    "{other} принял другой, {missed} не принял никто.",
)
UNASKED = Phrase(
    "Of {count} calls the CRM did not say whose number it is.",
    "О {count} звонках CRM не сказала, чей это номер.",
)


def routing(
    path: Path | None, *, show_hooks: bool, preview: bool, days: int, limit: int, as_json: bool
) -> int:
    """Prints what was asked for."""
    config = configured(path)
    if preview:
        return _preview(config, days, limit, as_json=as_json)
    if as_json:
        print(json.dumps(_plain_rules(config), ensure_ascii=False, indent=2))
        return 0
    _rules(config)
    if show_hooks:
        _texts(config)
    return 0


# ------------------------------------------------------------------------------------------- rules
def _rules(config: Config) -> None:
    print(say(OPEN.given(deadline=f"{config.routing.deadline:g}") if config.routing.open else CLOSED))
    for pbx in config.pbx:
        source = hooks.lookup_source(pbx.id, _host(config), config.service.port, KEY)
        print(f"\n{pbx.id}. {say(SOURCE)}")
        print(f"  Host {source.host}, Port {source.port}")
        print(f"  Username {source.username}, Password {source.password}")
        print(f"  Path {source.path}, Query {source.query}")
    print()
    for number, steer in enumerate(config.steer, start=1):
        print(
            say(
                RULE.given(
                    number=number,
                    what=_what(steer) or EVERY,
                    to=", ".join(steer.to),
                    ring=steer.ring_s,
                    then=steer.then,
                )
            )
        )
    if not config.steer:
        print(say(NO_RULES))


def _what(steer: Steer) -> str:
    parts = [steer.pbx, ", ".join(steer.line), "; ".join(steer.hours)]
    parts.append("" if steer.client == "any" else steer.client)
    return " · ".join(filter(None, parts))


def _texts(config: Config) -> None:
    print(f"\n{say(HOOKS.given(file=hooks.FILE))}")
    for pbx in config.pbx:
        for hook in _hooks(config, pbx.id):
            print(f"\n; {say(hook.about)}\n; {say(hook.price)}\n{hook.text}")


def _hooks(config: Config, pbx: str) -> list[Hook]:
    base = f"http://{_host(config)}:{config.service.port}"
    found = [hooks.ring(), hooks.curl(pbx, base, KEY)]
    if config.routing.agi:
        found.append(hooks.agi(pbx, config.routing.agi, KEY))
    return found


def _host(config: Config) -> str:
    return say(HERE) if config.service.host in ("0.0.0.0", "::") else config.service.host  # noqa: S104


def _plain_rules(config: Config) -> dict[str, object]:
    return {
        "open": config.routing.open,
        "deadline": config.routing.deadline,
        "agi": config.routing.agi,
        "exclude": list(config.routing.exclude),
        "steer": [steer.model_dump(mode="json") for steer in config.steer],
    }


# ----------------------------------------------------------------------------------------- preview
def _preview(config: Config, days: int, limit: int, *, as_json: bool) -> int:
    since = datetime.now(UTC).timestamp() - days * DAY_S
    told = asyncio.run(_foreseen(config, since, limit))
    figures = tally(told)
    if as_json:
        rows = [_plain(one) for one in told]
        print(json.dumps({"calls": rows, "summary": asdict(figures)}, ensure_ascii=False, indent=2))
    elif told:
        print("\n".join(columns(_table(config, told))))
        _sum_up(figures)
    else:
        print(say(NOTHING))
    return 0


async def _foreseen(config: Config, since: float, limit: int) -> list[Foreseen]:
    reading = shelf(config)
    portals = {plan.id: opened(plan) for plan in plans(config)}
    try:
        for portal in portals.values():
            await portal.refresh()
        return await foresee(config, reading, portals, since, limit)
    finally:
        await asyncio.gather(*(portal.close() for portal in portals.values()))
        await reading.close()


def _plain(one: Foreseen) -> dict[str, object]:
    call = one.call
    return {
        "call": call.id,
        "pbx": call.pbx,
        "started_at": call.started_at,
        "number": call.number or call.external,
        "line": call.line,
        "name": one.name,
        "rule": one.verdict.rule,
        "to": one.verdict.extension or None,
        "why": one.verdict.why.say("en"),
        "disposition": call.disposition.value,
        "answered_by": call.answered_by,
    }


def _table(config: Config, told: list[Foreseen]) -> list[list[str]]:
    words = Words(language())
    reading = wordings.Reading(words, config.service.country, 0.0)
    rows = [[say(cell) for cell in HEAD]]
    for one in told:
        who = f"{one.name} {reading.who(one.call)}" if one.name else reading.who(one.call)
        was = f"{words('disposition', one.call.disposition)} {one.call.answered_by or ''}".strip()
        to = one.verdict.extension or say(ORDINARY)
        rule = "–" if one.verdict.rule is None else str(one.verdict.rule)
        line = reading.line(one.call)
        rows.append([moment(one.call.started_at), who, line, rule, to, say(one.verdict.why), was])
    return rows


def _sum_up(figures: Tally) -> None:
    print()
    print(
        say(
            SUMMARY.given(
                calls=figures.calls,
                sent=figures.sent,
                same=figures.same,
                other=figures.other,
                missed=figures.missed,
            )
        )
    )
    if figures.unasked:
        print(say(UNASKED.given(count=figures.unasked)))
