"""What `callme check` tells about a Bitrix24 portal. Asks only; creates nothing.

Whether the portal lets us report calls is told by a register without a user: permission is looked at first,
then the user, before anything is made (sheet §1.2, order of errors).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callme.crm.port import Finding, Outcome, Unauthorised, Urgency
from callme.portals.bitrix24 import capabilities, verdicts
from callme.portals.bitrix24.application import Application
from callme.portals.bitrix24.bindings import Bindings
from callme.portals.bitrix24.directory import Directory, doubled
from callme.portals.bitrix24.lines import Lines
from callme.portals.bitrix24.placing import Placing
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.settings import Settings
from callme.portals.bitrix24.statistics import is_sealed
from callme.portals.bitrix24.verdicts import LOCAL_APP, SCOPES
from callme.wording import Phrase

_UPKEEP = Urgency.UPKEEP

_PORTAL = Phrase("portal", "портал")
_RIGHTS = Phrase("webhook's rights", "права вебхука")
_APPLICATION_RIGHTS = Phrase("application's rights", "права приложения")
_APPLICATION = Phrase("application", "приложение")
_ACCEPTS_WEBHOOK = Phrase("{host} answers and accepts the webhook", "{host} отвечает и принимает вебхук")
_ACCEPTS_APPLICATION = Phrase(
    "{host} answers and accepts the application", "{host} отвечает и принимает приложение"
)
_HALF = Phrase(
    "its installation in Bitrix24 is not finished: no clicks come, and employees see a notice",
    "установка в Битрикс24 не завершена: клики не приходят, а сотрудники видят предупреждение",
)
_OPEN_IT = Phrase(
    "Open the application in Bitrix24 as an administrator and wait for CallMe's page.",
    "Откройте приложение в Битрикс24 как администратор и дождитесь страницы CallMe.",
)
_CALLS = Phrase("reporting calls", "передача звонков")
_STATISTICS = Phrase("call statistics", "статистика звонков")
_PEOPLE = Phrase("people", "сотрудники")
_DEFAULT_USER = Phrase("default_user", "default_user")
_USERS = Phrase("users", "users")
_LINES = Phrase("lines", "линии")


async def examine(
    rest: Rest,
    directory: Directory,
    lines: Lines,
    settings: Settings,
    bindings: Bindings,
    placing: Placing,
    application: Application | None = None,
) -> list[Finding]:
    """Each thing looked at, how it is, and the cure if it is not well. Stops where nothing more can be
    learnt."""
    granted = await rest.call("scope", {}, _UPKEEP, reads=True)
    if isinstance(granted, Fault):
        return [_trouble(_PORTAL, granted.outcome)]
    findings = [
        Finding(
            _PORTAL,
            True,
            (_ACCEPTS_APPLICATION if application else _ACCEPTS_WEBHOOK).given(host=rest.credentials.host),
        )
    ]
    if application is not None:
        findings.append(await _installed(rest, application))
    scopes = {str(scope) for scope in granted.result} if isinstance(granted.result, list) else set()
    also = [scope for scope, needed in settings.scopes.items() if needed]
    findings.append(_rights(scopes, also, application=application is not None))
    if "telephony" in scopes:
        findings.append(await _calls(rest))
        if findings[-1].well:  # who may not report calls may not keep lines either: that is said already
            findings.append(await _lines(rest, lines))
        findings.append(await _statistics(rest))
    if scopes & {"user", "user_basic", "user_brief"}:
        findings += await _people(directory, settings)
    return findings + await capabilities.examine(rest, scopes, settings, bindings, placing)


async def _installed(rest: Rest, application: Application) -> Finding:
    """The portal keeps an application with pages half installed until its page says it is done (§3.1)."""
    told = await rest.call("app.info", {}, _UPKEEP, reads=True)
    if isinstance(told, Fault):
        return _trouble(_APPLICATION, told.outcome)
    app = told.result if isinstance(told.result, Mapping) else {}
    if app.get("INSTALLED") is not True:
        return Finding(_APPLICATION, False, _HALF, _OPEN_IT)
    if application.renamed:
        named = verdicts.moved(application.host, application.renamed, application=True)
        return Finding(_APPLICATION, False, named.why, named.cure)
    return Finding(_APPLICATION, True, Phrase("installed", "установлено"))


def _rights(scopes: set[str], also: Sequence[str] = (), *, application: bool = False) -> Finding:
    topic = _APPLICATION_RIGHTS if application else _RIGHTS
    missing = [scope for scope in ("telephony", "crm") if scope not in scopes]
    if not scopes & {"user", "user_basic", "user_brief"}:
        missing.append("user")
    missing += [scope for scope in also if scope not in scopes]
    if not missing:
        return Finding(topic, True, Phrase("telephony, users, CRM", "телефония, пользователи, CRM"))
    names = _listed([SCOPES["tasks" if scope == "task" else scope] for scope in missing])
    return Finding(
        topic,
        False,
        Phrase("missing: {names}", "не хватает: {names}").given(names=names),
        verdicts.MORE_SCOPES.given(names=names)
        if application
        else Phrase(
            "Open the webhook in Bitrix24, add the rights {names} and save it.",
            "Откройте вебхук в Битрикс24, добавьте права {names} и сохраните.",
        ).given(names=names),
    )


async def _calls(rest: Rest) -> Finding:
    probe = await rest.call("telephony.externalCall.register", {}, _UPKEEP, reads=True)
    if isinstance(probe, Fault) and not probe.says("USER_ID or USER_PHONE_INNER"):
        return _trouble(_CALLS, probe.outcome)
    return Finding(
        _CALLS, True, Phrase("the portal lets us report calls", "портал разрешает передавать звонки")
    )


async def _lines(rest: Rest, lines: Lines) -> Finding:
    fault = await lines.look(rest)
    if lines.denied:
        return Finding(
            _LINES,
            False,
            Phrase(
                "the portal keeps its lines from webhooks: its records will not say which line was called",
                "портал не даёт вебхуку вести линии: в записях не будет видно, на какой номер звонили",
            ),
            LOCAL_APP,
        )
    if fault is not None:
        return _trouble(_LINES, fault.outcome)
    return Finding(
        _LINES,
        True,
        Phrase(
            "the portal knows {count}; others are added with their first call",
            "портал знает {count}; остальные добавятся с первым звонком",
        ).given(count=len(lines)),
    )


async def _statistics(rest: Rest) -> Finding:
    probe = await rest.call("voximplant.statistic.get", {"FILTER": {"CALL_ID": "0"}}, _UPKEEP, reads=True)
    if not isinstance(probe, Fault):
        return Finding(_STATISTICS, True, Phrase("may be read", "доступна для чтения"))
    if not is_sealed(probe):
        return _trouble(_STATISTICS, probe.outcome)
    return Finding(
        _STATISTICS,
        False,
        Phrase(
            "may not be read: after a lost answer it stays uncertain whether a call was finished",
            "недоступна: если ответ портала потеряется, нельзя будет узнать, завершён ли звонок",
        ),
        _STATISTICS_OF_APPLICATION if rest.credentials.application else _STATISTICS_OF_WEBHOOK,
    )


_STATISTICS_OF_WEBHOOK = Phrase(
    "Give the webhook's owner the right “Call statistics – View” in Bitrix24's telephony.",
    "Дайте владельцу вебхука право «Статистика звонков — просмотр» в настройках телефонии Битрикс24.",
)
_STATISTICS_OF_APPLICATION = Phrase(
    "Give the administrator who installed the application the right “Call statistics – View” in telephony.",
    "Дайте администратору, установившему приложение, право «Статистика звонков — просмотр» в телефонии.",
)


async def _people(directory: Directory, settings: Settings) -> list[Finding]:
    told = await directory.refresh()
    if isinstance(told, Fault):
        return [_trouble(_PEOPLE, told.outcome)]
    people = directory.people
    reached = set(people.by_extension.values()) & set(people.users)
    count = Phrase(
        "{total} active, {reached} of them with an extension",
        "активных — {total}, из них с добавочным — {reached}",
    ).given(total=len(people.users), reached=len(reached))
    lonely = sorted(user.name or str(user.id) for key, user in people.users.items() if key not in reached)
    if lonely:
        count = Phrase("{count}; without one: {names}", "{count}; без добавочного: {names}").given(
            count=count, names=_some(lonely)
        )
    findings = [Finding(_PEOPLE, bool(reached), count, None if reached else _NO_EXTENSIONS)]
    findings += [
        Finding(_PEOPLE, False, doubled(extension, ids, people), _ONE_EXTENSION)
        for extension, ids in people.doubled.items()
    ]
    findings.append(_default_user(settings.default_user, people.users.get(settings.default_user)))
    findings += [
        Finding(_USERS, False, _gone(user).given(extension=extension), _MAPPING)
        for extension, user in settings.users.items()
        if user not in people.users
    ]
    findings += [
        Finding(_LINES, False, _OWNERLESS.given(line=number, extension=line.owner), _OWNER)
        for number, line in settings.lines.items()
        if line.owner and people.user_of(line.owner) is None
    ]
    return findings


_OWNERLESS = Phrase(
    "line {line} is to belong to extension {extension}, which is no Bitrix24 user's",
    "линия {line} закреплена за добавочным {extension}, а он не принадлежит пользователю Битрикс24",
)
_OWNER = Phrase(
    "Correct owner of this line, or give the extension to a user in Bitrix24 or in users.",
    "Исправьте owner этой линии или закрепите добавочный за пользователем в Битрикс24 либо в users.",
)


_NO_EXTENSIONS = Phrase(
    "Fill in the extension of each employee in Bitrix24 (Telephony → Users), or map them in users.",
    "Укажите сотрудникам добавочные номера в Битрикс24 (Телефония → Пользователи) или задайте их в users.",
)
_ONE_EXTENSION = Phrase(
    "Leave the extension with one of them in Bitrix24, or say in users whose it is.",
    "Оставьте добавочный в Битрикс24 у одного из них или укажите в users, чей он.",
)
_MAPPING = Phrase(
    "Correct the number in users: it is the id in the address of the user's profile.",
    "Исправьте номер в users: это id из адреса профиля пользователя.",
)


def _default_user(user: int, known: object) -> Finding:
    name = getattr(known, "name", "")
    if known is not None:
        return Finding(
            _DEFAULT_USER,
            True,
            Phrase(
                "calls that nobody else owns go to {name} ({user})", "ничьи звонки получает {name} ({user})"
            ).given(name=name, user=user),
        )
    return Finding(
        _DEFAULT_USER,
        False,
        _gone(user),
        Phrase(
            "Put the id of an active employee into default_user: it stands in the address of his profile.",
            "Укажите в default_user id активного сотрудника: он стоит в адресе его профиля.",
        ),
    )


def _gone(user: int) -> Phrase:
    return Phrase(
        "Bitrix24 has no active user {user}", "в Битрикс24 нет активного пользователя {user}"
    ).given(user=user)


def _some(names: Sequence[str], limit: int = 10) -> Phrase:
    listed = ", ".join(names[:limit])
    if len(names) <= limit:
        return Phrase("{names}", "{names}").given(names=listed)
    return Phrase("{names} and {more} more", "{names} и ещё {more}").given(
        names=listed, more=len(names) - limit
    )


def _listed(phrases: Sequence[Phrase]) -> Phrase:
    names = [f"p{position}" for position in range(len(phrases))]
    template = ", ".join(f"{{{name}}}" for name in names)
    return Phrase(template, template, dict(zip(names, phrases, strict=True)))


def _trouble(topic: Phrase, outcome: Outcome) -> Finding:
    why = getattr(outcome, "why", None)
    cure = outcome.cure if isinstance(outcome, Unauthorised) else None
    return Finding(topic, False, why if isinstance(why, Phrase) else Phrase("failed", "не вышло"), cure)
