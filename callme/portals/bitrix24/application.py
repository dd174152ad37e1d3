"""Who we are as a local application: tokens that are kept, refreshed when the portal calls them expired, and
never used before they are on the disk (sheet §3.2).

`rest` sees a `Credentials`; `installing` brings the first tokens. One refresh at a time: callers of this
process wait for the same one, other processes are held off by the file's lock and leave their result in the
file. The secret goes to the authorisation server alone, tokens to the configured portal alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from itertools import islice
from urllib.parse import quote, urlsplit

import structlog

from callme.crm.installation import Home
from callme.crm.port import Later, Outcome, Unauthorised
from callme.errors import StoreError
from callme.http import HttpClient
from callme.portals.bitrix24 import grants
from callme.portals.bitrix24.grants import Granted
from callme.portals.bitrix24.settings import Settings
from callme.portals.bitrix24.tokens import Safe, Tokens
from callme.wording import Phrase

SECRETS_MAX = 16

NOT_INSTALLED = Phrase(
    "The application is not installed in Bitrix24 yet: there are no tokens.",
    "Приложение ещё не установлено в Битрикс24: токенов нет.",
)
UNINSTALLED = Phrase(
    "The application was uninstalled in Bitrix24: there are no tokens any more.",
    "Приложение удалено в Битрикс24: токенов больше нет.",
)
INSTALL = Phrase(
    "Create a local application in Bitrix24 (Developer resources → Other → Local application) with the "
    "initial installation path {address} and the rights telephony, user, crm, im, placement; then save it, "
    "or open it once.",
    "Создайте в Битрикс24 локальное приложение («Разработчикам» → «Другое» → «Локальное приложение»): путь "
    "первоначальной установки {address}, права telephony, user, crm, im, placement; сохраните или один раз "
    "откройте.",
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Registration:
    """How the portal and its authorisation server know us. `portal` and `server` are addresses without a
    path."""

    portal: str
    client_id: str
    client_secret: str = field(repr=False)
    server: str = ""


class Application:
    """The credentials of one installed application."""

    application = True

    def __init__(self, who: Registration, safe: Safe, http: HttpClient, install_address: str) -> None:
        self.who = who
        self._safe = safe
        self._http = http
        self._install_address = install_address
        self._missing = NOT_INSTALLED
        self._tokens: Tokens | None = None
        self._unsaved: Tokens | None = None  # refreshed, and the disk would not take it
        self._refused: tuple[str, Outcome] | None = None  # a refresh token that will never work again
        self._renewing: asyncio.Task[Outcome | None] | None = None
        self._secrets: dict[str, None] = {who.client_secret: None}

    @property
    def host(self) -> str:
        """The portal's host name, as configured."""
        return urlsplit(self.who.portal).hostname or ""

    @property
    def renamed(self) -> str:
        """The host name that the authorisation server last gave the portal, where it is another one."""
        named = self._tokens.host if self._tokens else ""
        return named if named and named.lower() != self.host.lower() else ""

    @property
    def event_token(self) -> str:
        """What proves that an event comes from the portal; empty before the installation."""
        return self._tokens.application if self._tokens else ""

    @property
    def installed(self) -> Tokens | None:
        """The tokens in use."""
        return self._tokens

    async def ready(self) -> Outcome | None:
        """Why no request can be sent: not installed, or the installation is spent."""
        try:
            if self._tokens is None:
                self._adopt(await asyncio.to_thread(self._safe.read))
            if self._tokens is not None and self._is_refused(self._tokens):
                self._adopt(await asyncio.to_thread(self._safe.read))
        except StoreError as error:
            return Unauthorised(error.problem, error.cure)
        if self._tokens is None:
            return Unauthorised(self._missing, INSTALL.given(address=self._install_address))
        if self._refused is not None and self._is_refused(self._tokens):
            return self._refused[1]
        return None

    def address(self, method: str) -> str:
        """The method's address with the token."""
        return presented(self.who.portal, method, self._tokens.access if self._tokens else "")

    def mask(self, text: str) -> str:
        """The text with every token and the application's secret replaced by stars."""
        for secret in self._secrets:
            text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
        return text

    def _conceal(self, *secrets: str) -> None:
        """From now on these are masked too; some former ones still are."""
        for secret in filter(None, secrets):
            self._secrets.pop(secret, None)
            self._secrets[secret] = None
        while len(self._secrets) > SECRETS_MAX:  # the first one, our own secret, stays
            del self._secrets[next(islice(self._secrets, 1, None))]

    async def renew(self, refused: str) -> Outcome | None:
        """Fetches the next pair of tokens, unless somebody has done so since the refused request was made."""
        if refused != self.address(_method(refused)):
            return None
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.get_running_loop().create_task(self._renew())
        # A caller that gives up must not lose the pair for everybody.
        return await asyncio.shield(self._renewing)

    async def keep(self, tokens: Tokens) -> None:
        """Takes the tokens of a proven installation. `StoreError` when they cannot be kept."""
        async with self._safe.held():
            await asyncio.to_thread(self._safe.write, tokens)
        self._unsaved = self._refused = None
        self._adopt(tokens)

    async def forget(self) -> None:
        """The portal has uninstalled us: the tokens are worth nothing any more. `StoreError` when they cannot
        be removed."""
        async with self._safe.held():
            await asyncio.to_thread(self._safe.remove)
        self._tokens = self._unsaved = self._refused = None
        self._missing = UNINSTALLED

    async def close(self) -> None:
        """Waits for a refresh that is on its way: its answer exists only once."""
        if self._renewing is not None:
            await asyncio.gather(self._renewing, return_exceptions=True)

    async def _renew(self) -> Outcome | None:
        try:
            async with self._safe.held():
                return await self._exchange()
        except StoreError as error:
            _log.error("portal tokens not kept", portal=self.host, why=error.say("en"))
            return Later(error.problem)

    async def _exchange(self) -> Outcome | None:
        """Under the lock: the file first, for another process may have been here; then the server."""
        if self._unsaved is not None:
            await self._save(self._unsaved)
            return None
        kept = await asyncio.to_thread(self._safe.read) or self._tokens
        if kept is None:
            return Unauthorised(self._missing, INSTALL.given(address=self._install_address))
        if self._tokens is None or kept.access != self._tokens.access:
            self._adopt(kept)
            return None
        found = await grants.refresh(self._http, self.who.server, self._query(kept))
        if not isinstance(found, Granted):
            if found.final:
                self._refused = (kept.refresh, found.outcome)
            _log.warning("portal tokens not refreshed", portal=self.host, code=found.code)
            return found.outcome
        self._conceal(found.access, found.refresh)
        self._unsaved = replace(
            kept, access=found.access, refresh=found.refresh, host=found.host or kept.host
        )
        await self._save(self._unsaved)
        if self.renamed:
            _log.warning("portal has a new name", portal=self.host, new=self.renamed)
        return None

    async def _save(self, tokens: Tokens) -> None:
        await asyncio.to_thread(self._safe.write, tokens)
        self._unsaved = None
        self._adopt(tokens)

    def _query(self, tokens: Tokens) -> dict[str, str]:
        return {
            "grant_type": "refresh_token",
            "client_id": self.who.client_id,
            "client_secret": self.who.client_secret,
            "refresh_token": tokens.refresh,
        }

    def _adopt(self, tokens: Tokens | None) -> None:
        self._tokens = tokens
        if tokens is not None:
            self._conceal(tokens.access, tokens.refresh, tokens.application)

    def _is_refused(self, tokens: Tokens) -> bool:
        return self._refused is not None and self._refused[0] == tokens.refresh


def configured(id: str, settings: Settings, http: HttpClient, home: Home) -> Application | None:
    """The local application, where the settings name one."""
    if settings.webhook is not None:
        return None
    who = Registration(
        settings.domain,
        settings.client_id,
        settings.client_secret.get_secret_value().strip(),
        settings.oauth_server,
    )
    key = settings.token_key.get_secret_value() if settings.token_key else ""
    return Application(who, Safe(home.folder, id, key), http, home.install_address(id))


def presented(portal: str, method: str, access: str) -> str:
    """The address of a method with an access token."""
    return f"{portal}/rest/{method}?auth={quote(access, safe='')}"


def _method(address: str) -> str:
    return urlsplit(address).path.rpartition("/")[2]
