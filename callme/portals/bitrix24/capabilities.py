"""What this portal lets us do beyond reporting calls, as `callme check` tells it: clicks, notifications, how
its CRM works.

`checkup` calls it. Asks only. What is missing here keeps no call from being told, so it is a remark, not a
fault.
"""

from __future__ import annotations

from callme.crm.port import Finding, Urgency
from callme.portals.bitrix24.bindings import Bindings, Way
from callme.portals.bitrix24.fetching import EXTENDED, NEWS_PACE_S, PACE_S
from callme.portals.bitrix24.news import offered
from callme.portals.bitrix24.placing import SCOPE, Place, Placing
from callme.portals.bitrix24.rest import Done, Rest
from callme.portals.bitrix24.settings import Settings
from callme.portals.bitrix24.verdicts import MORE_SCOPES, SCOPES
from callme.wording import Phrase

_UPKEEP = Urgency.UPKEEP
_CLICKS = Phrase("clicks on numbers", "клики по номерам")
_NOTIFICATIONS = Phrase("notifications", "уведомления")
_CRM = Phrase("CRM", "CRM")
_NEWS = Phrase("changes of clients and employees", "изменения клиентов и сотрудников")
_TAB = Phrase("tab in the call card", "вкладка в карточке звонка")

TOLD = Phrase("the portal tells CallMe of them at {address}", "портал сообщает о них по адресу {address}")
BY_WEBHOOK = Phrase(
    "the outgoing webhook with this application_token tells of them",
    "о них сообщает исходящий вебхук с этим application_token",
)
UNTOLD = Phrase("nobody tells CallMe of them", "CallMe о них не узнаёт")
OUTGOING = Phrase(
    "Create an outgoing webhook in Bitrix24 for clicks, and put its token into application_token.",
    "Создайте в Битрикс24 исходящий вебхук для кликов и впишите его токен в application_token.",
)
FETCHED = Phrase(
    "fetched from the portal every {pace} s, since it has no address of CallMe",
    "забираются из портала каждые {pace} с: адреса CallMe у него нет",
)
FRAGILE = Phrase(
    "{how}; this plan deletes them as they are fetched, so a crash in that moment loses one",
    "{how}; на этом тарифе они удаляются при получении, и сбой в этот миг потеряет клик",
)
BY_TIME = Phrase(
    "not told to a webhook: a client is asked for again after a minute, the employees after five",
    "вебхуку не сообщаются: о клиенте CallMe спрашивает снова через минуту, о сотрудниках — через пять",
)
NEWS_UNTOLD = Phrase(
    "not told: a client is asked for again after a minute, the employees after five",
    "не сообщаются: о клиенте CallMe спрашивает снова через минуту, о сотрудниках — через пять",
)
NEWS_TOLD = Phrase(
    "the portal tells of them at once at {address}", "портал сразу сообщает о них по адресу {address}"
)
NEWS_FETCHED = Phrase("fetched from the portal every {pace} s", "забираются из портала каждые {pace} с")
MAY_TELL = Phrase("users are told why a click failed", "пользователи узнают, почему клик не удался")
MAY_NOT_TELL = Phrase(
    "users are not told why a click failed: the right is missing",
    "пользователи не узнают, почему клик не удался: нет права",
)
ADD_RIGHT = Phrase(
    "Add the right {names} to the webhook and save it, if they shall know.",
    "Если они должны это знать, добавьте вебхуку право {names} и сохраните его.",
)
PLACED = Phrase(
    "call cards have it, opened at {address}", "есть в карточках звонков, открывается по адресу {address}"
)
NO_ADDRESS = Phrase(
    "call cards have none: browsers know no https address of CallMe",
    "в карточках звонков её нет: у браузеров нет https-адреса CallMe",
)
GIVE_ADDRESS = Phrase(
    "Set [service] public_url to an https address that employees' browsers reach, if they shall have it.",
    "Если вкладка нужна, укажите в [service] public_url https-адрес, доступный браузерам сотрудников.",
)
MAY_NOT_PLACE = Phrase(
    "call cards have none: the right is missing", "в карточках звонков её нет: не хватает права"
)
LEADS = Phrase("unknown callers become leads", "неизвестные звонящие становятся лидами")
DEALS = Phrase(
    "without leads: unknown callers become contacts with a deal",
    "без лидов: неизвестные звонящие становятся контактами со сделкой",
)


async def examine(
    rest: Rest, scopes: set[str], settings: Settings, bindings: Bindings, placing: Placing
) -> list[Finding]:
    """One finding for each."""
    found = [await _clicks(rest, settings, bindings)] if "telephony" in scopes else []
    if "im" in scopes:
        found.append(Finding(_NOTIFICATIONS, True, MAY_TELL))
    else:
        cure = MORE_SCOPES if rest.credentials.application else ADD_RIGHT
        found.append(Finding(_NOTIFICATIONS, True, MAY_NOT_TELL, cure.given(names=SCOPES["im"])))
    found.append(_news(rest, scopes, bindings))
    found += _tab(scopes, placing)
    mode = await rest.call("crm.settings.mode.get", {}, _UPKEEP, reads=True) if "crm" in scopes else None
    if isinstance(mode, Done) and mode.result in (1, 2):
        found.append(Finding(_CRM, True, LEADS if mode.result == 1 else DEALS))
    return found


def _tab(scopes: set[str], placing: Placing) -> list[Finding]:
    """Nothing where there can be none, or none is wanted."""
    if placing.place in (Place.NEVER, Place.UNWANTED):
        return []
    if placing.place is Place.UNREACHED:
        return [Finding(_TAB, True, NO_ADDRESS, GIVE_ADDRESS)]
    if SCOPE not in scopes:
        return [Finding(_TAB, True, MAY_NOT_PLACE, MORE_SCOPES.given(names=SCOPES[SCOPE]))]
    return [Finding(_TAB, True, PLACED.given(address=placing.handler))]


def _news(rest: Rest, scopes: set[str], bindings: Bindings) -> Finding:
    """By what the application may be told; which of it was subscribed to, the log says at the start."""
    if not rest.credentials.application:
        return Finding(_NEWS, True, BY_TIME)
    if bindings.way is Way.NONE or not offered(scopes):
        return Finding(_NEWS, True, NEWS_UNTOLD)
    if bindings.way is Way.TOLD:
        return Finding(_NEWS, True, NEWS_TOLD.given(address=bindings.handler))
    return Finding(_NEWS, True, NEWS_FETCHED.given(pace=f"{NEWS_PACE_S:g}"))


async def _clicks(rest: Rest, settings: Settings, bindings: Bindings) -> Finding:
    match bindings.way:
        case Way.TOLD:
            return Finding(_CLICKS, True, TOLD.given(address=bindings.handler))
        case Way.FETCHED:
            how = FETCHED.given(pace=f"{PACE_S:g}")
            told = await rest.call("feature.get", {"CODE": EXTENDED}, _UPKEEP, reads=True)
            answer = told.result if isinstance(told, Done) and isinstance(told.result, dict) else {}
            return Finding(_CLICKS, True, how if answer.get("value") == "Y" else FRAGILE.given(how=how))
    if settings.application_token is not None:
        return Finding(_CLICKS, True, BY_WEBHOOK)
    return Finding(_CLICKS, True, UNTOLD, OUTGOING)
