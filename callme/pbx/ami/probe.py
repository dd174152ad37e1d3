"""Whether one PBX can be used, found out by one short visit: for `callme check` and the set-up wizard.

It connects once, logs in, asks harmless questions and leaves: nothing is dialled, set or repeated. Which
actions our user may use is asked with `ListCommands`, which lists exactly those that his `write` line allows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from callme.errors import PbxError
from callme.pbx.ami.asking import RIGHTS
from callme.pbx.ami.link import Link
from callme.pbx.ami.read import Read, ReadKind
from callme.pbx.ami.session import AmiSettings, Reply
from callme.wording import Phrase, plain


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `callme check`: what was looked at, how it is, and the cure if it is not well."""

    topic: Phrase
    well: bool
    found: Phrase
    cure: Phrase | None = None


LINK = Phrase("Link to {host}:{port}", "Соединение с {host}:{port}")
ENTERED = Phrase(
    "logged in as “{user}”, Asterisk {version} (manager interface {interface})",
    "вход выполнен как «{user}», Asterisk {version} (интерфейс управления {interface})",
)
SOMEWHAT = Phrase("of unknown version", "неизвестной версии")
READING = Phrase("What the PBX tells us", "Что АТС нам сообщает")
TELLS_BOOT = Phrase("“read” holds “system”", "в «read» есть «system»")
HIDES_BOOT = Phrase(
    "no FullyBooted after the login: “read” lacks “system”",
    "после входа не пришло FullyBooted: в «read» нет «system»",
)
READ_CURE = Phrase(
    "set “read = system,call,agent,user,cdr,dialplan” for our user in manager.conf, then “manager reload”",
    "задайте «read = system,call,agent,user,cdr,dialplan» нашему пользователю в manager.conf, затем "
    "выполните «manager reload»",
)
ALLOWED = Phrase("allowed", "разрешено")
FORBIDDEN = Phrase("not allowed: {actions}", "не разрешено: {actions}")
OPEN_CALLS = Phrase("Seeing the calls that are open", "Видеть текущие звонки")
CLICKS = Phrase("Click-to-call, transfer, hang up", "Звонок по клику, перевод, завершение звонка")
READ_BASE = Phrase("Reading extension names", "Читать имена внутренних номеров")

_NEEDED: tuple[tuple[Phrase, tuple[str, ...]], ...] = (
    (OPEN_CALLS, ("CoreShowChannels", "Getvar")),
    (CLICKS, ("Originate", "Redirect", "Hangup")),
    (READ_BASE, ("DBGet",)),
)


async def probe(settings: AmiSettings) -> list[Finding]:
    """What a visit to this PBX shows, the most basic thing first. Raises nothing about the PBX."""
    topic = LINK.given(host=settings.host, port=settings.port)
    link = Link(settings, keep=lambda raw: False, clock=time.monotonic)
    try:
        await link.connect()
        first = await anext(link.reads())
        if first.kind is not ReadKind.UP:
            return [Finding(topic, False, first.problem or plain(""), link.cure)]
        return [await _entered(link, topic, settings, first), _reading(first), *await _rights(link)]
    except PbxError as error:
        return [Finding(topic, False, error.problem, error.cure)]
    finally:
        link.close()


async def _entered(link: Link, topic: Phrase, settings: AmiSettings, up: Read) -> Finding:
    core = await link.ask("CoreSettings", [], settings.connect_timeout)
    version = core.response.get("AsteriskVersion") or SOMEWHAT
    found = ENTERED.given(user=settings.username, version=version, interface=up.version)
    return Finding(topic, True, found)


def _reading(up: Read) -> Finding:
    if up.uptime is None:
        return Finding(READING, False, HIDES_BOOT, READ_CURE)
    return Finding(READING, True, TELLS_BOOT)


async def _rights(link: Link) -> list[Finding]:
    listed = await link.ask("ListCommands", [], timeout=10.0)
    return [_right(topic, actions, listed) for topic, actions in _NEEDED]


def _right(topic: Phrase, actions: tuple[str, ...], listed: Reply) -> Finding:
    missing = [action for action in actions if action not in listed.response]
    if missing:
        return Finding(topic, False, FORBIDDEN.given(actions=", ".join(missing)), RIGHTS)
    return Finding(topic, True, ALLOWED)
