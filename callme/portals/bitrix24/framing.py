"""Who has opened our tab in a call's card: what the frame's form says, proven by the portal (sheet §3.2, §6).

The form comes through a person's browser, so all of it may be made up. It is believed when it names the
portal that has installed us, and when that portal itself says whose token it holds and that the token is our
application's: a token that another application was given opens nothing here. The call is only named by it;
whether it is his, the service judges. Nothing of it is kept.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping

from callme.crm.port import Gate, Later, Outcome, Urgency
from callme.crm.tabs import Stranger, Viewer
from callme.http import HttpClient
from callme.portals.bitrix24.application import Application
from callme.portals.bitrix24.directory import Directory
from callme.portals.bitrix24.installing import Presented, is_token
from callme.portals.bitrix24.placing import CARD, Place, Placing
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.settings import CallTab
from callme.wording import Phrase

TRIES_MAX, TRIES_S = 20, 60.0
"""So many forms without the portal's own token for us are looked at in a minute: each costs two requests."""

CALL_MAX = 255

NO_TAB = Phrase("There is no tab of CallMe in this portal.", "В этом портале нет вкладки CallMe.")
NOT_OURS = Phrase(
    "This was not sent by the Bitrix24 that CallMe is installed in.",
    "Это отправил не тот Битрикс24, в котором установлен CallMe.",
)
NO_CARD = Phrase(
    "This page belongs into the card of a call in Bitrix24.",
    "Эта страница открывается в карточке звонка Битрикс24.",
)
UNPROVEN = Phrase(
    "Bitrix24 did not confirm who you are. Close the card and open it again.",
    "Битрикс24 не подтвердил, кто вы. Закройте карточку и откройте её снова.",
)
NOT_NOW = Phrase(
    "Bitrix24 does not answer now. Open the tab again a little later.",
    "Битрикс24 сейчас не отвечает. Откройте вкладку чуть позже.",
)


class Framing:
    """The frames of one portal; without an application there are none."""

    def __init__(
        self,
        application: Application | None,
        http: HttpClient,
        gate: Gate,
        directory: Directory,
        placing: Placing,
        settings: CallTab,
    ) -> None:
        self._application = application
        self._http = http
        self._gate = gate
        self._directory = directory
        self._placing = placing
        self._supervisors = frozenset(settings.supervisors)
        self._tries: list[float] = []

    @property
    def frame(self) -> str:
        """The portal's origin; empty where the tab is not offered."""
        offered = self._placing.place is Place.OFFERED
        return self._application.who.portal if self._application is not None and offered else ""

    async def viewer(self, fields: Mapping[str, str]) -> Viewer | Stranger:
        """Whoever the portal says that it is."""
        application, access = self._application, fields.get("AUTH_ID")
        if application is None or not self.frame:
            return Stranger(NO_TAB)
        await application.ready()
        if not is_token(access) or not self._from_home(fields):
            return Stranger(NOT_OURS)
        if fields.get("PLACEMENT", "").upper() != CARD:
            return Stranger(NO_CARD)
        known = self._knows_us(fields)
        if not known and not self._admits(asyncio.get_running_loop().time()):
            return Stranger(NOT_NOW, later=True)
        rest = Rest(Presented(application, access), self._http, self._gate)
        user = await self._user(rest, proven=known)
        if isinstance(user, Stranger):
            return user
        if await self._directory.ready() is not None:
            return Stranger(NOT_NOW, later=True)
        return self.viewer_again(user, _call(fields.get("PLACEMENT_OPTIONS", "")))

    def viewer_again(self, user: str, call: str) -> Viewer:
        """His telephones as they are known now."""
        number = int(user)
        own = frozenset(
            extension for extension, owner in self._directory.people.by_extension.items() if owner == number
        )
        return Viewer(user, call, "call", own, number in self._supervisors)

    def colleagues(self) -> Mapping[str, str]:
        """Everybody with a telephone."""
        people = self._directory.people
        return {
            extension: people.users[user].name
            for extension, user in people.by_extension.items()
            if user in people.users
        }

    def _from_home(self, fields: Mapping[str, str]) -> bool:
        """From the portal that has installed us: its name, and its id where both sides know one."""
        application = self._application
        kept = application.installed if application is not None else None
        if application is None or kept is None:
            return False
        domain = fields.get("DOMAIN", "").partition(":")[0].lower()
        if domain not in (application.host.lower(), application.renamed.lower() or application.host.lower()):
            return False
        given = fields.get("member_id", "")
        return bool(kept.member) and _same(given, kept.member)

    def _knows_us(self, fields: Mapping[str, str]) -> bool:
        """The form bears what the portal alone tells those who may open us."""
        token = self._application.event_token if self._application is not None else ""
        return bool(token) and _same(fields.get("APPLICATION_TOKEN", ""), token)

    async def _user(self, rest: Rest, *, proven: bool) -> str | Stranger:
        """Whose token it is. That it is our application's must be said by its code, or, where the portal
        names local applications in another way, by `proven`."""
        told = await rest.call("app.info", {}, Urgency.COMMAND, reads=True)
        if isinstance(told, Fault):
            return _unproven(told.outcome)
        code = str(told.result.get("CODE") or "") if isinstance(told.result, dict) else ""
        ours = self._application.who.client_id if self._application is not None else ""
        if not (_same(code, ours) if code.startswith("local.") else proven):
            return Stranger(NOT_OURS)
        person = await rest.call("profile", {}, Urgency.COMMAND, reads=True)
        if isinstance(person, Fault):
            return _unproven(person.outcome)
        user = str(person.result.get("ID") or "") if isinstance(person.result, dict) else ""
        return user if user.isascii() and user.isdecimal() else Stranger(UNPROVEN)

    def _admits(self, now: float) -> bool:
        self._tries = [at for at in self._tries if at > now - TRIES_S]
        if len(self._tries) >= TRIES_MAX:
            return False
        self._tries.append(now)
        return True


def _call(options: str) -> str:
    """The portal's id of the call that the card is of; empty for a card without one."""
    try:
        told = json.loads(options)
    except (ValueError, RecursionError):
        return ""
    call = told.get("CALL_ID") if isinstance(told, dict) else None
    return call if isinstance(call, str) and len(call) <= CALL_MAX else ""


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _unproven(outcome: Outcome) -> Stranger:
    return Stranger(NOT_NOW, later=True) if isinstance(outcome, Later) else Stranger(UNPROVEN)
