"""The installation of the local application: what the portal sends us, and how it is proven.

Two forms (sheet §2.7, §3.1, §3.2): an application without pages is told once, by the portal's server, in the
shape of an event; one with pages is opened in a frame, and stays uninstalled until our page calls
`BX24.installFinish()`. Anybody can send us either, so nothing is kept before the configured portal itself has
confirmed the token: that it is one of our application (app.info) and an administrator's (profile).
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard
from urllib.parse import urlsplit

from callme.crm.installation import Installed, Verdict
from callme.crm.port import Gate, Later, Outcome, Unauthorised, Urgency
from callme.errors import StoreError
from callme.http import HttpClient
from callme.portals.bitrix24.application import Application, presented
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.tokens import Tokens
from callme.wording import Phrase

LIBRARY = "https://api.bitrix24.com/api/v1/"
FINISH = "BX24.init(function () { BX24.installFinish(); });"
TRIES_MAX, TRIES_S = 10, 60.0
"""Each proof costs requests of the portal's budget, and anybody may ask for one."""

DONE = Phrase(
    "CallMe is connected to {host}. Calls will appear here by themselves.",
    "CallMe подключён к {host}. Звонки будут появляться сами.",
)
KNOWN = Phrase("CallMe is connected to {host}.", "CallMe подключён к {host}.")
NOTHING = Phrase(
    "This address is for Bitrix24: it comes here when the local application is installed.",
    "Этот адрес — для Битрикс24: он обращается сюда при установке локального приложения.",
)
ENTER = Phrase(
    "Enter it in Bitrix24 as the application's initial installation path.",
    "Укажите его в Битрикс24 как путь первоначальной установки приложения.",
)
OTHER_PORTAL = Phrase(
    "This installation is from {domain}, but CallMe is configured for {host}.",
    "Эта установка — с портала {domain}, а CallMe настроен на {host}.",
)
DOMAIN = Phrase(
    "If that is the right portal, put {domain} into domain.",
    "Если портал верный, укажите {domain} в domain.",
)
OTHER_APP = Phrase(
    "The portal says that this is another application than client_id names.",
    "Портал сообщает, что это не то приложение, которое указано в client_id.",
)
CLIENT = Phrase(
    "Copy client_id and client_secret from this application's page in Bitrix24.",
    "Скопируйте client_id и client_secret со страницы этого приложения в Битрикс24.",
)
NOT_ADMIN = Phrase(
    "Only an administrator of the portal can connect CallMe.",
    "Подключить CallMe может только администратор портала.",
)
AS_ADMIN = Phrase("Open the application as an administrator.", "Откройте приложение как администратор.")
UNPROVEN = Phrase("The portal did not confirm this: {why}", "Портал этого не подтвердил: {why}")
TOO_OFTEN = Phrase(
    "Too many installations in a minute. Try again a little later.",
    "Слишком много установок за минуту. Повторите чуть позже.",
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came. `framed`: the portal shows our answer to a person."""

    domain: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    member: str = ""
    application: str = field(default="", repr=False)
    framed: bool = False


def read(fields: Mapping[str, str]) -> Sent | None:
    """Either form; `None` when it is neither."""
    if is_token(fields.get("AUTH_ID")) and is_token(fields.get("REFRESH_ID")):
        return Sent(
            domain=fields.get("DOMAIN", ""),
            access=fields["AUTH_ID"],
            refresh=fields["REFRESH_ID"],
            member=fields.get("member_id", ""),
            application=fields.get("APPLICATION_TOKEN", ""),
            framed=True,
        )
    if is_token(fields.get("auth[access_token]")) and is_token(fields.get("auth[refresh_token]")):
        endpoint = urlsplit(fields.get("auth[client_endpoint]", "")).hostname or ""
        return Sent(
            domain=endpoint or fields.get("auth[domain]", ""),
            access=fields["auth[access_token]"],
            refresh=fields["auth[refresh_token]"],
            member=fields.get("auth[member_id]", ""),
            application=fields.get("auth[application_token]", ""),
        )
    return None


def is_token(text: str | None) -> TypeGuard[str]:
    """Real ones have 70 characters; what is shorter would star out half of every text when masked."""
    return text is not None and text.isascii() and text.isprintable() and 16 <= len(text) <= 1000


class Installation:
    """Judges installations of one portal's application, one at a time."""

    def __init__(self, application: Application, http: HttpClient, gate: Gate) -> None:
        self._application = application
        self._http = http
        self._gate = gate
        self._one = asyncio.Lock()
        self._tries: list[float] = []

    async def judge(self, fields: Mapping[str, str]) -> Installed:
        """Keeps the tokens if the portal confirms them. The good ones that are kept stay otherwise."""
        try:
            sent = read(fields)
        except ValueError:  # an address that is none
            sent = None
        if sent is None:
            return Installed(Verdict.UNCLEAR, NOTHING, ENTER)
        host = self._application.host
        domain = sent.domain.partition(":")[0].lower()
        if domain != host.lower():
            shown = domain[:100] or "?"
            return Installed(
                Verdict.FOREIGN, OTHER_PORTAL.given(domain=shown, host=host), DOMAIN.given(domain=shown)
            )
        async with self._one:
            if not self._admits(asyncio.get_running_loop().time()):
                return Installed(Verdict.LATER, TOO_OFTEN)
            return await self._prove(sent)

    def _admits(self, now: float) -> bool:
        self._tries = [at for at in self._tries if at > now - TRIES_S]
        if len(self._tries) >= TRIES_MAX:
            return False
        self._tries.append(now)
        return True

    async def _prove(self, sent: Sent) -> Installed:
        await self._application.ready()  # what is kept already must be known first
        rest = Rest(Presented(self._application, sent.access), self._http, self._gate)
        told = await rest.call("app.info", {}, Urgency.COMMAND, reads=True)
        if isinstance(told, Fault):
            return _unproven(told.outcome)
        app = told.result if isinstance(told.result, dict) else {}
        code = str(app.get("CODE") or "")
        ours = self._application.who.client_id
        if code.startswith("local.") and not hmac.compare_digest(code.encode(), ours.encode()):
            return Installed(Verdict.FOREIGN, OTHER_APP, CLIENT)
        person = await rest.call("profile", {}, Urgency.COMMAND, reads=True)
        if isinstance(person, Fault):
            return _unproven(person.outcome)
        if not (isinstance(person.result, dict) and person.result.get("ADMIN") is True):
            return self._guest(sent)
        tokens = Tokens(sent.access, sent.refresh, sent.member, self._application.host, sent.application)
        try:
            await self._application.keep(tokens)
        except StoreError as error:
            return Installed(Verdict.LATER, error.problem, error.cure)
        unfinished = sent.framed and app.get("INSTALLED") is not True
        return Installed(
            Verdict.KEPT,
            DONE.given(host=self._application.host),
            frame=self._frame(sent),
            script=LIBRARY if unfinished else "",
            call=FINISH if unfinished else "",
        )

    def _guest(self, sent: Sent) -> Installed:
        """An employee has opened the application: his rights are too small to work with (§8.3.21)."""
        if self._application.installed is not None:
            return Installed(Verdict.KNOWN, KNOWN.given(host=self._application.host), frame=self._frame(sent))
        return Installed(Verdict.FOREIGN, NOT_ADMIN, AS_ADMIN, frame=self._frame(sent))

    def _frame(self, sent: Sent) -> str:
        return self._application.who.portal if sent.framed else ""


class Presented:
    """A token that is to be proven, as credentials: it is asked with, never renewed."""

    application = True

    def __init__(self, asked: Application, access: str) -> None:
        self._asked = asked
        self._access = access

    @property
    def host(self) -> str:
        return self._asked.host

    async def ready(self) -> Outcome | None:
        return None

    def address(self, method: str) -> str:
        return presented(self._asked.who.portal, method, self._access)

    def mask(self, text: str) -> str:
        return self._asked.mask(text.replace(self._access, "***"))

    async def renew(self, refused: str) -> Outcome | None:
        return _STALE


_STALE = Unauthorised(
    Phrase("these tokens are not valid.", "эти токены не действуют."),
    Phrase("Install the application again.", "Установите приложение заново."),
)


def _unproven(outcome: Outcome) -> Installed:
    why = getattr(outcome, "why", None)
    said = UNPROVEN.given(why=why if isinstance(why, Phrase) else "?")
    cure = outcome.cure if isinstance(outcome, Unauthorised) else None
    return Installed(Verdict.LATER if isinstance(outcome, Later) else Verdict.FOREIGN, said, cure)
