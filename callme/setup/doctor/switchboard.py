"""One PBX from close by: which classes of events come, what they carry, whether a filter stands between, and
whose clock is wrong.
"""

from __future__ import annotations

import time
from pathlib import Path

from callme.config import Pbx, is_loopback
from callme.errors import PbxError, TroubleError
from callme.pbx.ami.rights import CALL_EVENTS, DIALPLAN_EVENTS, SYSTEM_ACTION, Rights, try_rights
from callme.pbx.ami.session import AmiSettings
from callme.setup import ami_user, house, sections
from callme.setup.doctor.network import skew
from callme.setup.doctor.signs import Area, Level, Sign, well
from callme.wording import Phrase

OF = Phrase("PBX “{pbx}”: {topic}", "АТС «{pbx}»: {topic}")
CALLS = Phrase("events of calls", "события звонков")
COME = Phrase(
    "they come: a channel that rings nobody was ordered and seen",
    "приходят: заказан канал, который никому не звонит, и мы его увидели",
)
NONE_COME = Phrase("none came of a channel that was ordered", "заказанный канал не вызвал ни одного")
NONE_MEANS = Phrase("no call is seen at all", "не виден ни один звонок")
SOME_COME = Phrase("some are hidden: {events} did not come", "часть скрыта: не пришли {events}")
SOME_MEANS = Phrase(
    "an “eventfilter” stands between: calls will be told wrong or late",
    "их отсекает eventfilter: звонки будут учтены неверно или поздно",
)
FILTER_CURE = Phrase(
    "take the “eventfilter” lines from our user in manager.conf, then: asterisk -rx 'manager reload'",
    "уберите строки eventfilter у нашего пользователя в manager.conf, затем: asterisk -rx 'manager reload'",
)
READ_CURE = Phrase(
    "set “read = {read}” for our user in manager.conf, then: asterisk -rx 'manager reload'",
    "задайте «read = {read}» нашему пользователю в manager.conf, затем: asterisk -rx 'manager reload'",
)
NOT_TRIED = Phrase(
    "not tried: our user may not order a channel", "не проверены: нашему пользователю нельзя заказать канал"
)
NOT_TRIED_CURE = Phrase(
    "optional: “originate” in the “write” line of our user, which clicks need too",
    "необязательно: originate в строке write нашего пользователя, он нужен и для звонков по клику",
)
CARRIED = Phrase("variables in events", "переменные в событиях")
ALL_CARRIED = Phrase("{names} come with each event", "{names} приходят с каждым событием")
BY_FLOOD = Phrase("{names} come, by way of class dialplan", "{names} приходят, но через класс dialplan")
FLOOD_MEANS = Phrase("ten times the events for the same calls", "вдесятеро больше событий на те же звонки")
LACKING = Phrase("{names} do not come", "{names} не приходят")
LACKING_MEANS = Phrase(
    "recordings are not found, and the number that was called may stay unknown",
    "записи разговоров не найдутся, а набранный номер может остаться неизвестным",
)
WISHED_MEANS = {
    ami_user.MESSAGE: Phrase(
        "what callers say to a mailbox is not found", "сообщения, оставленные на автоответчике, не найдутся"
    ),
    ami_user.VOTE: Phrase(
        "the mark that a customer gives by key after a call does not reach the CRM",
        "оценка, которую клиент ставит кнопкой после разговора, не попадёт в CRM",
    ),
}
SETUP = Phrase("callme setup", "callme setup")
NEEDLESS = Phrase("class dialplan", "класс dialplan")
NEEDLESS_FOUND = Phrase(
    "comes, and is not needed: “channelvars” says it all", "приходит без нужды: channelvars всё сообщает"
)
NEEDLESS_CURE = Phrase(
    "take “dialplan” from the “read” line of our user, then: asterisk -rx 'manager reload'",
    "уберите dialplan из строки read нашего пользователя, затем: asterisk -rx 'manager reload'",
)
MIGHT = Phrase("more rights than needed", "лишние права")
MIGHT_FOUND = Phrase("our user may write “system”", "нашему пользователю разрешён write system")
MIGHT_MEANS = Phrase(
    "with “originate” that is a shell on the PBX for whoever learns the secret",
    "вместе с originate это командная строка на АТС для любого, кто узнает секрет",
)
MIGHT_CURE = Phrase(
    "set “write = {write}” for our user, then: asterisk -rx 'manager reload'",
    "задайте «write = {write}» нашему пользователю, затем: asterisk -rx 'manager reload'",
)
CLASSES = Phrase("classes that our user may read", "классы, которые читает наш пользователь")
WRITTEN = Phrase("{classes} ({file}, line {line})", "{classes} ({file}, строка {line})")
MISSING = Phrase(
    "{classes} ({file}, line {line}); missing: {missing}", "{classes} ({file}, строка {line}); нет: {missing}"
)
MISSING_MEANS = Phrase(
    "without “agent” queues are not told, without “system” restarts of the PBX are not noticed",
    "без agent не видно очередей, без system — перезапусков АТС",
)
UNSEEN = Phrase(
    "those of queues (agent) show themselves only in a call to a queue",
    "классы очередей (agent) видны только при звонке в очередь",
)
CLOCK = Phrase("clock against ours", "часы относительно наших")
CLOCK_MEANS = Phrase(
    "times on the PBX and in the CRM differ, and names of recordings bear other times",
    "время на АТС и в CRM разойдётся, а в именах записей будет другое время",
)
NEEDED_CLASSES = ("system", "call", "agent")


async def examine(pbx: Pbx, settings: AmiSettings, etc: Path = house.ETC) -> list[Sign]:
    """The signs of one PBX; none when it cannot be reached, which is told by its check."""
    try:
        rights = await try_rights(settings, ami_user.CHANNELVARS, time.time)
    except PbxError:
        return []
    signs = [*events(rights), _classes(pbx, etc)]
    if rights.ahead_s is not None:
        signs.append(skew(Area.PBX, CLOCK, abs(rights.ahead_s), CLOCK_MEANS))
    return [_of(pbx, sign) for sign in signs]


def events(rights: Rights) -> list[Sign]:
    """What was seen of the channel that rings nobody, and what our user might do beyond his need."""
    signs = []
    if not rights.dialled:
        signs.append(Sign(Area.PBX, Level.HINT, CALLS, NOT_TRIED, None, NOT_TRIED_CURE))
    else:
        signs += [_calls(rights), *_variables(rights)]
    if SYSTEM_ACTION in rights.actions:
        cure = MIGHT_CURE.given(write=ami_user.WRITE)
        signs.append(Sign(Area.PBX, Level.HINT, MIGHT, MIGHT_FOUND, MIGHT_MEANS, cure))
    return signs


def _calls(rights: Rights) -> Sign:
    hidden = sorted(CALL_EVENTS - rights.events)
    if not hidden:
        return well(Area.PBX, CALLS, COME)
    if len(hidden) == len(CALL_EVENTS):
        cure = READ_CURE.given(read=ami_user.READ)
        return Sign(Area.PBX, Level.ILL, CALLS, NONE_COME, NONE_MEANS, cure)
    found = SOME_COME.given(events=", ".join(hidden))
    return Sign(Area.PBX, Level.ILL, CALLS, found, SOME_MEANS, FILTER_CURE)


def _variables(rights: Rights) -> list[Sign]:
    if not CALL_EVENTS & rights.events:
        return []  # without events there is nothing to carry them
    wanted = ami_user.CHANNELVARS
    lacking = [name for name in ami_user.NEEDED_CHANNELVARS if name not in rights.variables]
    wished = [name for name in wanted if name not in rights.variables]
    floods = bool(DIALPLAN_EVENTS & rights.events)
    if lacking and floods:
        found = BY_FLOOD.given(names=", ".join(lacking))
        return [Sign(Area.PBX, Level.HINT, CARRIED, found, FLOOD_MEANS, SETUP)]
    if lacking:
        found = LACKING.given(names=", ".join(lacking))
        return [Sign(Area.PBX, Level.ILL, CARRIED, found, LACKING_MEANS, SETUP)]
    if wished and not floods:
        return [
            Sign(Area.PBX, Level.HINT, CARRIED, LACKING.given(names=name), WISHED_MEANS[name], SETUP)
            for name in wished
        ]
    signs = [well(Area.PBX, CARRIED, ALL_CARRIED.given(names=", ".join(wanted)))]
    if floods:
        signs.append(Sign(Area.PBX, Level.HINT, NEEDLESS, NEEDLESS_FOUND, FLOOD_MEANS, NEEDLESS_CURE))
    return signs


def _classes(pbx: Pbx, etc: Path) -> Sign:
    """As they stand in Asterisk's files, where those can be read from here."""
    user = _section(pbx, etc) if is_loopback(pbx.host) else None
    line = next((one for one in reversed(user.entries) if one.key == "read"), None) if user else None
    if line is None:
        return well(Area.PBX, CLASSES, UNSEEN)
    classes = [one.strip() for one in line.value.split(",") if one.strip()]
    missing = [one for one in NEEDED_CLASSES if one not in classes and "all" not in classes]
    about = {"classes": ", ".join(classes), "file": line.file, "line": line.line}
    if missing:
        found = MISSING.given(missing=", ".join(missing), **about)
        cure = READ_CURE.given(read=ami_user.READ)
        return Sign(Area.PBX, Level.ILL, CLASSES, found, MISSING_MEANS, cure)
    return well(Area.PBX, CLASSES, WRITTEN.given(**about))


def _section(pbx: Pbx, etc: Path) -> sections.Section | None:
    try:
        files = house.conf_files(etc)
    except TroubleError:
        return None
    return sections.read(ami_user.MAIN, files).named(pbx.username)


def _of(pbx: Pbx, sign: Sign) -> Sign:
    topic = OF.given(pbx=pbx.id, topic=sign.topic)
    return Sign(sign.area, sign.level, topic, sign.found, sign.means, sign.cure, sign.fix)
