"""What the portal says to us, and what is to be done about it: clicks, customers who ask to be called, and
what happens to our application (sheet §2.3, §2.7).

The adapter gives it what came by the door; `fetching` gives it what waited in the portal. People are looked
up in the kept copy of the users: a portal that does not answer now must not keep the telephone from ringing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

import structlog

from callme.crm.commands import Click, Foreign, Heard, Hearing, Unclear
from callme.crm.port import Urgency
from callme.errors import StoreError
from callme.portals.bitrix24 import payloads, webhook
from callme.portals.bitrix24.application import Application
from callme.portals.bitrix24.clients import Client, Clients, nearest
from callme.portals.bitrix24.directory import Directory
from callme.portals.bitrix24.lines import Lines
from callme.portals.bitrix24.news import News
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.settings import Settings

PEOPLE_S = 3.0
"""So long a click waits for the users to be read, where that never succeeded yet."""

CLIENT_S = 3.0
"""So long a customer who asked for a call waits until it is known who is responsible for him."""

_log = structlog.get_logger(__name__)


class Listener:
    """Understands one portal. `renew` is called with the form that brought new tokens."""

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        lines: Lines,
        clients: Clients,
        rest: Rest,
        application: Application | None,
        news: News,
        renew: Callable[[Mapping[str, str]], Awaitable[object]],
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._lines = lines
        self._clients = clients
        self._rest = rest
        self._application = application
        self._news = news
        self._renew = renew

    async def hear(self, body: bytes, now: float) -> Hearing:
        """A form that was posted to us."""
        message = webhook.read(body, *self._tokens())
        if message is None:
            return Foreign()
        if not isinstance(message, webhook.Message):
            return Unclear(message)
        return await self.understand(message, now)

    async def understand(self, message: webhook.Message, now: float) -> Hearing:
        """An event of our portal, however it came."""
        match message.event:
            case webhook.CLICK:
                pressed = webhook.pressed(message)
                if not isinstance(pressed, webhook.Pressed):
                    return Unclear(pressed)
                return await self._pressed(pressed, now)
            case webhook.CALLBACK:
                wish = webhook.wished(message)
                if not isinstance(wish, webhook.Wished):
                    return Unclear(wish)
                return await self._wished(wish, now)
            case webhook.UNINSTALLED if self._application is not None:
                _log.warning("the application was uninstalled in the portal", portal=self._application.host)
                try:
                    await self._application.forget()
                except StoreError as error:
                    _log.error("tokens not removed", portal=self._application.host, why=error.say("en"))
                return Heard(stirred=True)
            case webhook.UPDATED if self._application is not None:
                await self._renew(message.fields)
                return Heard(stirred=True)
        self._news.hear(message)
        return Heard()

    async def _pressed(self, pressed: webhook.Pressed, now: float) -> Heard:
        await self._people_ready()
        people = self._directory.people
        click = Click(
            ref=pressed.call_id,
            who=people.named(pressed.user),
            extension=people.extension_of(pressed.user),
            number=pressed.number,
            at=now if pressed.at is None else min(pressed.at, now),
            line=pressed.line,
            by=str(pressed.user),
            then=pressed.extension,
            client=pressed.entity,
            campaign=pressed.call_list,
        )
        return Heard(click, self._settings.click_max_age)

    async def _wished(self, wish: webhook.Wished, now: float) -> Heard:
        await self._people_ready()
        people, fixed = self._directory.people, self._settings.callback_extension
        user = people.user_of(fixed) if fixed else await self._responsible(wish)
        click = Click(
            ref=wish.ref,
            who=fixed or people.named(user or 0),
            extension=fixed or people.extension_of(user or 0),
            number=wish.number,
            at=now if wish.at is None else min(wish.at, now),
            line=wish.line,
            by=str(user or ""),
            client=wish.entity,
            callback=True,
            text=wish.text,
        )
        return Heard(click, self._settings.callback_max_age)

    async def _responsible(self, wish: webhook.Wished) -> int:
        """Whose telephone rings for a customer: the one responsible for him, the owner of the line, and at
        the end the default user; the first with a telephone."""
        people = self._directory.people
        client: Client | None = None
        number = payloads.phone_number(wish.number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLIENT_S):
                found = await self._clients.find(self._rest, number, Urgency.COMMAND)
                client = None if isinstance(found, Fault) else nearest(found, wish.entity)
        owner = people.user_of(self._lines.setting(wish.line).owner)
        for one in (client.user if client is not None else None, owner):
            if one is not None and people.extension_of(one):
                return one
        return self._settings.default_user

    async def _people_ready(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PEOPLE_S):
                await self._directory.ready()  # where that fails the configured extensions still count

    def _tokens(self) -> tuple[str, ...]:
        """What proves that an event comes from our portal; nothing where nothing is agreed on."""
        given = self._settings.application_token
        return (
            given.get_secret_value() if given is not None else "",
            self._application.event_token if self._application is not None else "",
        )
