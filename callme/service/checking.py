"""What `callme check` looks at beyond the configuration: each PBX, its recordings, each portal."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from callme.config import Config, Pbx
from callme.crm.port import Finding
from callme.pbx.ami import probe
from callme.pbx.ami.session import AmiSettings
from callme.portals.registry import Plan
from callme.service.portals import opened, plans
from callme.wording import Phrase

RECORDINGS = Phrase("Recordings of PBX “{pbx}”", "Записи АТС «{pbx}»")
READABLE = Phrase("{folder} can be read", "{folder} читается")
NOT_SET = Phrase(
    "not configured: calls will be told without recordings", "не настроены: звонки уйдут без записей"
)
NOT_SET_CURE = Phrase(
    "set “recordings” of [[pbx]] to the folder where this machine sees them",
    "задайте recordings в [[pbx]] — папку, где их видит эта машина",
)
UNREADABLE = Phrase("{folder} cannot be read", "{folder} не читается")
UNREADABLE_CURE = Phrase(
    "mount the folder, or add CallMe's user to the group that owns it (asterisk)",
    "подключите папку или добавьте пользователя CallMe в группу её владельца (asterisk)",
)
OF_PBX = Phrase("PBX “{pbx}”: {topic}", "АТС «{pbx}»: {topic}")
OF_PORTAL = Phrase("Portal “{portal}”: {topic}", "Портал «{portal}»: {topic}")


def ami_settings(pbx: Pbx) -> AmiSettings:
    """How to reach the PBX."""
    return AmiSettings(pbx.host, pbx.port, pbx.username, pbx.secret.get_secret_value(), pbx.tls)


async def check_all(config: Config) -> list[Finding]:
    """Every PBX and portal, side by side; findings in the order of the configuration."""
    planned = plans(config)
    parts = await asyncio.gather(*(_pbx(pbx) for pbx in config.pbx), *(_portal(plan_) for plan_ in planned))
    return [finding for part in parts for finding in part]


async def _pbx(pbx: Pbx) -> list[Finding]:
    seen = await probe.probe(ami_settings(pbx))
    found = [
        Finding(OF_PBX.given(pbx=pbx.id, topic=one.topic), one.well, one.found, one.cure) for one in seen
    ]
    return [*found, _recordings(pbx)]


def _recordings(pbx: Pbx) -> Finding:
    topic = RECORDINGS.given(pbx=pbx.id)
    if not pbx.recordings:
        return Finding(topic, True, NOT_SET, NOT_SET_CURE)
    folder = Path(pbx.recordings)
    if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
        return Finding(topic, True, READABLE.given(folder=pbx.recordings))
    return Finding(topic, False, UNREADABLE.given(folder=pbx.recordings), UNREADABLE_CURE)


async def _portal(plan: Plan) -> list[Finding]:
    portal = opened(plan)
    try:
        seen = await portal.check()
    finally:
        await portal.close()
    return [
        Finding(OF_PORTAL.given(portal=portal.id, topic=one.topic), one.well, one.found, one.cure)
        for one in seen
    ]
