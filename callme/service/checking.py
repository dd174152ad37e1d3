"""What `callme check` looks at beyond the configuration: each PBX, its recordings, each portal."""

from __future__ import annotations

import asyncio
import random
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from callme.calls.numbering import Kind
from callme.config import Config, Pbx
from callme.crm.port import Finding
from callme.errors import PbxError
from callme.pbx.access import place_at
from callme.pbx.ami import probe
from callme.pbx.ami.reach import ami_settings
from callme.pbx.ami.source import AmiSource
from callme.pbx.places import Trouble
from callme.pbx.port import Directory
from callme.portals.registry import Plan
from callme.service.account import Account, account_of, group_of, may_read
from callme.service.audio import access_of
from callme.service.clock import WallClock
from callme.service.numbers import numbering_of
from callme.service.portals import opened, plans
from callme.wording import Phrase, plain

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
ABSENT = Phrase("{folder} is not there", "{folder} нет")
ABSENT_CURE = Phrase(
    "mount the folder, or correct “recordings” of [[pbx]]",
    "подключите папку или исправьте recordings в [[pbx]]",
)
UNREADABLE_BY = Phrase(
    "{folder} cannot be read by the service, which runs as {user}",
    "{folder} не может прочитать служба, работающая от {user}",
)
JOIN = Phrase(
    "usermod -aG {group} {user} && systemctl restart callme",
    "usermod -aG {group} {user} && systemctl restart callme",
)
OPEN_UP = Phrase("chmod g+rX {folder}, and newer ones as well", "chmod g+rX {folder}, и для новых тоже")
DEEP = 4
"""Recordings lie in folders of year, month and day; one more for those who group them."""

NUMBERS = Phrase("Extensions of PBX “{pbx}”", "Внутренние номера АТС «{pbx}»")
FOUND = Phrase("{count}, told by the PBX: {shown}", "{count}, сообщила АТС: {shown}")
CONFIGURED = Phrase("as configured", "заданы в конфигурации")
INFERRED = Phrase(
    "not told by the PBX: numbers of two to six digits are taken for extensions",
    "АТС их не сообщает: внутренними считаются номера из 2–6 цифр",
)
INFERRED_CURE = Phrase(
    "if that is wrong, set “extensions” and “trunks” of [[pbx]]",
    "если это не так, задайте extensions и trunks в [[pbx]]",
)
QUEUES = Phrase("Queues of PBX “{pbx}”", "Очереди АТС «{pbx}»")
GROUPS = Phrase("Ring groups of PBX “{pbx}”", "Группы вызова АТС «{pbx}»")
NONE_TOLD = Phrase(
    "none told by the PBX: calls show which ones there are",
    "АТС их не сообщает: какие есть, видно по звонкам",
)
TRUNKS = Phrase("Trunks of PBX “{pbx}”", "Транки АТС «{pbx}»")
NO_TRUNKS = Phrase(
    "not told by the PBX: where a channel first appears decides",
    "АТС их не сообщает: решает, где канал появился впервые",
)
DISCOVERY = Phrase("What PBX “{pbx}” may be asked", "О чём можно спрашивать АТС «{pbx}»")
DENIED = Phrase(
    "not about all of its numbers: our user may not use {actions}",
    "не обо всех её номерах: нашему пользователю нельзя {actions}",
)
DENIED_CURE = Phrase(
    "optional: calls are told without it. To have more found by itself, add “call,reporting” to the “write” "
    "line of our user in manager.conf, then “manager reload”",
    "необязательно: звонки учитываются и без этого. Чтобы номера находились сами, добавьте «call,reporting» "
    "в строку «write» нашего пользователя в manager.conf, затем выполните «manager reload»",
)
READ_AS = Phrase("{kind} {number} ({reason})", "{kind} {number} ({reason})")
SHADOW = Phrase("shadow mode", "теневой режим")
NOTHING_TOLD = Phrase("on: calls are followed and nothing is told", "включён: звонки видны, но не передаются")
COMPARE = Phrase(
    "`callme shadow` compares; take out `shadow` of this [[portal]] to switch over",
    "сравнивает `callme shadow`; чтобы переключиться, уберите shadow в этом [[portal]]",
)
KINDS = {
    Kind.EXTENSION: Phrase("extension", "внутренний номер"),
    Kind.TRUNK: Phrase("trunk", "транк"),
    Kind.LOCAL: Phrase("half of a Local channel: nobody", "половина канала Local: никто"),
    Kind.SERVANT: Phrase("Asterisk's own player or recorder: nobody", "служебный канал Asterisk: никто"),
    Kind.UNKNOWN: Phrase("unknown", "неизвестно"),
}
REASONS = {
    "configured": Phrase("by the configuration", "по конфигурации"),
    "discovered": Phrase("told by the PBX", "сообщила АТС"),
    "inferred": Phrase("inferred from its name", "выведено из имени"),
}
PATIENCE_S = 15.0
SHOWN = 12
OF_PBX = Phrase("PBX “{pbx}”: {topic}", "АТС «{pbx}»: {topic}")
OF_PORTAL = Phrase("Portal “{portal}”: {topic}", "Портал «{portal}»: {topic}")


@dataclass(frozen=True, slots=True)
class Parts:
    """What was found, part by part: of each PBX and of each portal (named in `plans`) in the order of the
    configuration; `directories` are the extensions with their names, by PBX."""

    pbx: list[list[Finding]]
    plans: list[str]
    portals: list[list[Finding]]
    directories: dict[str, Mapping[str, str]]


async def check_all(config: Config) -> list[Finding]:
    """Every PBX and portal, side by side; findings in the order of the configuration."""
    parts = await check_parts(config)
    return [finding for part in (*parts.pbx, *parts.portals) for finding in part]


async def check_parts(config: Config) -> Parts:
    """The same, part by part. Raises `ConfigError`."""
    planned = plans(config)
    account = await asyncio.to_thread(account_of, config.service.data_dir)
    pbxes, portals = await asyncio.gather(
        asyncio.gather(*(_pbx(pbx, account) for pbx in config.pbx)),
        asyncio.gather(*map(_portal, planned)),
    )
    return Parts(
        [findings for findings, _ in pbxes],
        [plan.id for plan in planned],
        list(portals),
        {pbx.id: directory.names for pbx, (_, directory) in zip(config.pbx, pbxes, strict=True)},
    )


async def check_portals(config: Config) -> list[Finding]:
    """Every portal, as `check_all` does. Raises `ConfigError`."""
    parts = await asyncio.gather(*map(_portal, plans(config)))
    return [finding for part in parts for finding in part]


async def read_channels(config: Config, names: Sequence[str]) -> list[Finding]:
    """How each PBX's channels of these names will be read, and why."""
    found = []
    for pbx in config.pbx:
        numbering = numbering_of(config, pbx, await _directory(pbx))
        for name in names:
            kind, number, reason = numbering.explain(name)
            found.append(Finding(plain(f"{pbx.id}, {name}"), True, _reading(kind, number, reason)))
    return found


def _reading(kind: Kind, number: str, reason: str) -> Phrase:
    return READ_AS.given(kind=KINDS[kind], number=plain(number), reason=REASONS[reason])


async def _directory(pbx: Pbx) -> Directory:
    """What the PBX tells of its numbers; nothing where it cannot be reached or may not be asked."""
    source = AmiSource(pbx.id, ami_settings(pbx), WallClock(), random.random)
    try:
        async with asyncio.timeout(PATIENCE_S), aclosing(source.moments()) as moments:
            async for _ in moments:
                if source.state.up:
                    return await source.directory()
                break
    except (PbxError, TimeoutError):
        pass
    finally:
        await source.close()
    return Directory()


def _numbers(pbx: Pbx, directory: Directory) -> list[Finding]:
    """What is known of the PBX's numbers, and from where; nothing of it is required."""
    queues = [f"{queue} ({', '.join(of)})" if of else queue for queue, of in directory.queues.items()]
    found = [
        _extensions(pbx, directory),
        Finding(QUEUES.given(pbx=pbx.id), True, _listed(queues) if queues else NONE_TOLD),
        Finding(GROUPS.given(pbx=pbx.id), True, _listed(directory.groups) if directory.groups else NONE_TOLD),
        _trunks(pbx, directory),
    ]
    if directory.denied:
        denied = DENIED.given(actions=", ".join(directory.denied))
        found.append(Finding(DISCOVERY.given(pbx=pbx.id), True, denied, DENIED_CURE))
    return found


def _extensions(pbx: Pbx, directory: Directory) -> Finding:
    topic = NUMBERS.given(pbx=pbx.id)
    if directory.names:
        named = [f"{number} {name}".strip() for number, name in sorted(directory.names.items())]
        return Finding(topic, True, _listed(named))
    if pbx.extensions or pbx.trunks:
        return Finding(topic, True, CONFIGURED)
    return Finding(topic, True, INFERRED, INFERRED_CURE)


def _trunks(pbx: Pbx, directory: Directory) -> Finding:
    topic = TRUNKS.given(pbx=pbx.id)
    if pbx.trunks:
        return Finding(topic, True, CONFIGURED)
    return Finding(topic, True, _listed(directory.trunks) if directory.trunks else NO_TRUNKS)


def _listed(names: Sequence[str]) -> Phrase:
    """How many they are, and the first of them."""
    more = f" … +{len(names) - SHOWN}" if len(names) > SHOWN else ""
    return FOUND.given(count=len(names), shown=plain(", ".join(names[:SHOWN]) + more))


async def _pbx(pbx: Pbx, account: Account | None) -> tuple[list[Finding], Directory]:
    seen = await probe.probe(ami_settings(pbx))
    reached = bool(seen) and seen[0].well
    found = [
        Finding(OF_PBX.given(pbx=pbx.id, topic=one.topic), one.well, one.found, one.cure) for one in seen
    ]
    directory = await _directory(pbx) if reached else Directory()
    if reached:
        found += _numbers(pbx, directory)
    return [*found, await _recordings(pbx, account)], directory


async def _recordings(pbx: Pbx, account: Account | None) -> Finding:
    topic = RECORDINGS.given(pbx=pbx.id)
    if not pbx.recordings:
        return Finding(topic, True, NOT_SET, NOT_SET_CURE)
    if "://" in pbx.recordings:
        return await _elsewhere(pbx, topic)
    found, cure = await asyncio.to_thread(_closed, Path(pbx.recordings), account)
    if found is not None:
        return Finding(topic, False, found, cure)
    return Finding(topic, True, READABLE.given(folder=pbx.recordings))


def _closed(folder: Path, account: Account | None) -> tuple[Phrase | None, Phrase | None]:
    """What keeps the service from the newest recording, and the cure; nothing when it can be read."""
    try:
        if not folder.is_dir():
            return ABSENT.given(folder=folder), ABSENT_CURE
        path = next((one for one in _towards_newest(folder) if not may_read(one, account)), None)
    except OSError as error:  # a folder above it is closed to us, or it goes away while we look
        return UNREADABLE.given(folder=error.filename or folder), UNREADABLE_CURE
    if path is None:
        return None, None
    if account is None:
        return UNREADABLE.given(folder=path), UNREADABLE_CURE
    group = group_of(path)
    open_to_group = path.stat().st_mode & stat.S_IRGRP
    cure = JOIN.given(group=group, user=account.name) if open_to_group else OPEN_UP.given(folder=path)
    return UNREADABLE_BY.given(folder=path, user=account.name), cure


def _towards_newest(folder: Path) -> Iterator[Path]:
    """The folder, and what leads from it to the newest recording by name: a day's folder, a file."""
    for _ in range(DEEP):
        yield folder
        inside = sorted(folder.iterdir(), key=lambda one: (one.is_dir(), one.name))
        if not inside:
            return
        folder = inside[-1]
        if not folder.is_dir():
            yield folder
            return


async def _elsewhere(pbx: Pbx, topic: Phrase) -> Finding:
    """Whether another machine lets us look for a recording, which need not be there."""
    place, client = place_at(pbx.recordings, access_of(pbx))
    try:
        found = await place.look([PurePosixPath("callme-check.wav")])
    finally:
        if client is not None:
            await client.close()
    if isinstance(found, Trouble):
        return Finding(topic, False, found.why)
    return Finding(topic, True, READABLE.given(folder=pbx.recordings))


async def _portal(plan: Plan) -> list[Finding]:
    portal = opened(plan)
    try:
        seen = await portal.check()
    finally:
        await portal.close()
    if plan.home.quiet:
        seen = [*seen, Finding(SHADOW, True, NOTHING_TOLD, COMPARE)]
    return [
        Finding(OF_PORTAL.given(portal=portal.id, topic=one.topic), one.well, one.found, one.cure)
        for one in seen
    ]
