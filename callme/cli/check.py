"""`callme check`: is the configuration sound, does the PBX let us in, do the portals; and why a call goes
where.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from callme.cli.configured import configured
from callme.cli.tongue import language, say
from callme.config import Config
from callme.crm.port import Finding
from callme.crm.routing import Verdict, verdict
from callme.wording import Phrase, plain

_SOUND = Phrase("sound: {pbx} PBX, {portals} portal(s)", "в порядке: АТС — {pbx}, порталов — {portals}")


def check(path: Path | None, why: str | None, channels: Sequence[str] = (), *, as_json: bool) -> int:
    """Prints the findings; 0 when all is well. A broken configuration ends with its own error (2)."""
    findings = _findings(configured(path), why, channels)
    well = all(finding.well for finding in findings)
    if as_json:
        print(
            json.dumps(
                {"well": well, "findings": [_plain(one) for one in findings]}, ensure_ascii=False, indent=2
            )
        )
    else:
        for finding in findings:
            print(told(finding))
    return 0 if well else 1


def _findings(config: Config, why: str | None, channels: Sequence[str]) -> list[Finding]:
    """What was asked for: a line's route, channels' names, or everything."""
    if why is not None:
        return [_explained(config, pbx.id, why) for pbx in config.pbx]
    from callme.service import check_all, read_channels

    if channels:
        return asyncio.run(read_channels(config, channels))
    return [_configuration(config), *asyncio.run(check_all(config))]


def told(finding: Finding) -> str:
    """One finding as a line, and its cure as a second one when it has one."""
    line = f"{'✔' if finding.well else '✘'} {say(finding.topic)}: {say(finding.found)}"
    return line if finding.cure is None else f"{line}\n    → {say(finding.cure)}"


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "topic": finding.topic.say(language()),
        "well": finding.well,
        "found": finding.found.say(language()),
        "cure": finding.cure.say(language()) if finding.cure else None,
    }


def _configuration(config: Config) -> Finding:
    return Finding(
        topic=Phrase("configuration", "конфигурация"),
        well=True,
        found=_SOUND.given(pbx=len(config.pbx), portals=len(config.portal)),
        cure=config.warnings[0].cure if config.warnings else None,
    )


def _explained(config: Config, pbx: str, line: str) -> Finding:
    """Where a call on that line of that PBX goes, and by which rule."""
    found = verdict(config, pbx, line)
    return Finding(
        topic=plain(f"{pbx}, {line}"),
        well=found.portal is not None,
        found=_told_rule(found),
        cure=_rule_cure(found),
    )


def _told_rule(found: Verdict) -> Phrase:
    if found.portal is None:
        return Phrase(
            "goes to no portal: no route matches", "не идёт ни в один портал: нет подходящего маршрута"
        )
    if found.rule is None:
        return Phrase(
            "goes to {portal}: it is the only portal and there are no routes",
            "идёт в {portal}: портал единственный, маршрутов нет",
            {"portal": found.portal},
        )
    return Phrase(
        "goes to {portal} by route {rule}",
        "идёт в {portal} по маршруту {rule}",
        {"portal": found.portal, "rule": found.rule},
    )


def _rule_cure(found: Verdict) -> Phrase | None:
    if found.portal is not None:
        return None
    return Phrase("add a [[route]] for this line", "добавьте [[route]] для этой линии")
