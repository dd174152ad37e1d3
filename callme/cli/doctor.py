"""`callme doctor`: the whole way of a call looked at closely, with what each finding means and what cures it;
puts right what is safe, packs a support bundle, and makes a test call.

It stands on `callme check` and goes on where that stops.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from callme.cli.configured import configured
from callme.cli.tongue import language, say
from callme.config import Config
from callme.crm.port import Examined, Finding
from callme.errors import StoreError
from callme.pbx.ami.reach import ami_settings
from callme.service import checking
from callme.service.portals import opened, plans
from callme.setup import house
from callme.setup.doctor import bundle as bundles
from callme.setup.doctor import files, machine, network, outbox, people, switchboard
from callme.setup.doctor.signs import Area, Level, Sign, of_findings
from callme.wording import Phrase, plain

MARKS = {Level.WELL: "✔", Level.HINT: "•", Level.ILL: "✘"}
AREAS = {
    Area.FILES: Phrase("Files", "Файлы"),
    Area.MACHINE: Phrase("This machine", "Эта машина"),
    Area.NETWORK: Phrase("Network", "Сеть"),
    Area.PBX: Phrase("PBX", "АТС"),
    Area.PORTAL: Phrase("Portal", "Портал"),
    Area.PEOPLE: Phrase("People", "Люди"),
    Area.SERVICE: Phrase("Service", "Служба"),
}
SUM = Phrase(
    "{ill} to put right, {hints} hints, {well} in order",
    "исправить: {ill}, советов: {hints}, в порядке: {well}",
)
ALL_WELL = Phrase("All is in order ({well} looked at)", "Всё в порядке (проверено: {well})")
FIXED = Phrase("put right: {what}", "исправлено: {what}")
NOT_FIXED = Phrase("could not be put right ({why}): {what}", "исправить не удалось ({why}): {what}")
CAN_FIX = Phrase(
    "callme doctor --fix puts {count} of it right", "callme doctor --fix сам исправит из этого: {count}"
)
OF_PORTAL = Phrase("Portal “{portal}”: {topic}", "Портал «{portal}»: {topic}")
PACKED = Phrase(
    "Wrote {file}: {parts}. Secrets are masked, numbers, names and addresses of people replaced; look "
    "into it before you give it away.",
    "Записан {file}: {parts}. Секреты скрыты, номера, имена и адреса людей заменены; загляните в него, "
    "прежде чем отдавать.",
)


@dataclass
class Seen:
    """What an examination brought: its signs, and the people's names among them (for the bundle)."""

    signs: list[Sign] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


def doctor(
    path: Path | None,
    *,
    as_json: bool = False,
    fix: bool = False,
    bundle: Path | None = None,
    call: Sequence[str] = (),
    pbx: str = "",
    etc: Path = house.ETC,
) -> int:
    """Examines and prints; 0 when nothing is ill. Raises `ConfigError`, `StoreError`, `PbxError`."""
    config = configured(path)
    if call:
        from callme.cli import trial

        return trial.trial(config, call[0], call[1], pbx=pbx, as_json=as_json)
    seen = asyncio.run(examined(config, etc))
    told = [_fixed(sign) for sign in seen.signs] if fix else [(sign, None) for sign in seen.signs]
    signs = [sign for sign, _ in told]
    parts: list[str] = []
    if bundle is not None:
        parts = bundles.write(bundle, config, [_plain(sign) for sign in signs], _counts(config), seen.names)
    if as_json:
        print(json.dumps({"well": _well(signs), "findings": [_plain(one) for one in signs]},
                         ensure_ascii=False, indent=2))  # fmt: skip
    else:
        _print(told)
        if bundle is not None:
            print(say(PACKED, file=bundle, parts=", ".join(parts)))
    return 0 if _well(signs) else 1


# ---------------------------------------------------------------------------------------- examining
async def examined(config: Config, etc: Path) -> Seen:
    """Everything, in the order of a call's way."""
    seen = Seen()
    basic, close, portals = await asyncio.gather(
        checking.check_parts(config), _switchboards(config, etc), _portals(config)
    )
    origins = [origin for _, portal in portals for origin in portal.origins]
    web = await network.examine(origins, config.service.public_url)
    seen.signs += files.examine(config) + machine.examine(config) + web
    for pbx, findings in zip(config.pbx, basic.pbx, strict=True):
        seen.signs += of_findings(Area.PBX, findings) + close[pbx.id]
    for plan, findings in zip(basic.plans, basic.portals, strict=True):
        seen.signs += of_findings(Area.PORTAL, findings)
        seen.signs += [sign for name, portal in portals if name == plan for sign in portal.signs]
    for pbx in config.pbx:
        known = dict(basic.directories.get(pbx.id, {}))
        seen.names |= set(known.values())
        for name, portal in portals:
            seen.names |= set(portal.people.values())
            seen.signs += people.compare(pbx.id, name, known, portal.people)
    seen.signs += await outbox.examine(config)
    seen.names.discard("")
    return seen


async def _switchboards(config: Config, etc: Path) -> dict[str, list[Sign]]:
    parts = await asyncio.gather(*(switchboard.examine(pbx, ami_settings(pbx), etc) for pbx in config.pbx))
    return {pbx.id: signs for pbx, signs in zip(config.pbx, parts, strict=True)}


@dataclass(frozen=True, slots=True)
class _Portal:
    """What a portal tells beyond its check."""

    origins: tuple[str, ...] = ()
    people: dict[str, str] = field(default_factory=dict)
    signs: list[Sign] = field(default_factory=list)


async def _portals(config: Config) -> list[tuple[str, _Portal]]:
    async def one(plan: Any) -> tuple[str, _Portal]:
        portal = opened(plan)
        try:
            if not isinstance(portal, Examined):
                return plan.id, _Portal()
            known = await portal.extensions()
            found = [_of_portal(plan.id, finding) for finding in await portal.neighbours()]
            return plan.id, _Portal(portal.origins, dict(known), of_findings(Area.PORTAL, found))
        finally:
            await portal.close()

    return list(await asyncio.gather(*map(one, plans(config))))


def _of_portal(portal: str, finding: Finding) -> Finding:
    return replace(finding, topic=OF_PORTAL.given(portal=portal, topic=finding.topic))


def _counts(config: Config) -> dict[str, Any]:
    """Calls of the last week, by how they ended."""
    try:
        counts = asyncio.run(outbox.counts(config, time.time() - 7 * outbox.DAY_S))
    except StoreError as error:
        return {"trouble": error.problem.say("en")}
    return {} if counts is None else {"calls of 7 days": counts.by_disposition, "open now": counts.open}


# ------------------------------------------------------------------------------------------- telling
def _fixed(sign: Sign) -> tuple[Sign, Phrase | None]:
    """The sign after its fix, and what was done."""
    if sign.level is Level.WELL or sign.fix is None:
        return sign, None
    try:
        sign.fix.act()
    except OSError as error:
        return sign, NOT_FIXED.given(why=plain(error.strerror), what=sign.fix.what)
    return replace(sign, level=Level.WELL, fix=None), FIXED.given(what=sign.fix.what)


def _well(signs: Iterable[Sign]) -> bool:
    return all(sign.level is not Level.ILL for sign in signs)


def _print(told: Sequence[tuple[Sign, Phrase | None]]) -> None:
    for area, title in AREAS.items():
        mine = [(sign, done) for sign, done in told if sign.area is area]
        if mine:
            print(say(title))
        for sign, done in mine:
            for line in _lines(sign, done):
                print(f"  {line}")
    levels = [sign.level for sign, _ in told]
    ill, hints, well = (levels.count(one) for one in (Level.ILL, Level.HINT, Level.WELL))
    print()
    print(say(SUM, ill=ill, hints=hints, well=well) if ill or hints else say(ALL_WELL, well=well))
    fixable = sum(sign.fix is not None for sign, done in told if done is None)
    if fixable:
        print(say(CAN_FIX, count=fixable))


def _lines(sign: Sign, done: Phrase | None) -> Iterable[str]:
    yield f"{MARKS[sign.level]} {say(sign.topic)}: {say(sign.found)}"
    if done is not None:
        yield f"    {say(done)}"
        return
    if sign.means is not None:
        yield f"    {say(sign.means)}"
    if sign.cure is not None:
        yield f"    → {say(sign.cure)}"


def _plain(sign: Sign) -> dict[str, Any]:
    tongue = language()
    return {
        "area": sign.area.value,
        "level": sign.level.value,
        "topic": sign.topic.say(tongue),
        "found": sign.found.say(tongue),
        "means": sign.means.say(tongue) if sign.means else None,
        "cure": sign.cure.say(tongue) if sign.cure else None,
        "fixable": sign.fix is not None,
    }
