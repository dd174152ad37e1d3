"""Whose a call is in the portal: extensions become users, and a call that nobody took finds an owner.

The adapter asks at register and at finish. Who owns a missed call follows the configured order; who is
responsible for the caller is asked of the portal, in one request that may fail without harm (law 11).
"""

from __future__ import annotations

from callme.crm.intents import CallFacts, Direction, Finish, Register, Result
from callme.crm.port import Urgency
from callme.portals.bitrix24 import notices
from callme.portals.bitrix24.clients import responsible
from callme.portals.bitrix24.customers import Customers
from callme.portals.bitrix24.directory import Directory, People
from callme.portals.bitrix24.lines import Lines
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.settings import Settings
from callme.wording import Phrase

USER_UNKNOWN = "User is not found or is not active"
"""How the portal refuses an owner who was dismissed since the users were read."""

Owner = tuple[int, Phrase | None]
"""The user, and what is to be noted about that."""


class Owners:
    """Decides for one portal."""

    def __init__(self, settings: Settings, directory: Directory, lines: Lines, customers: Customers) -> None:
        self._settings = settings
        self._directory = directory
        self._lines = lines
        self._customers = customers

    def of_register(self, order: Register) -> Owner:
        """For whom the call is opened. Without an extension the owner of the line is near enough: the finish
        says for whom it was."""
        if order.owner is not None:
            return self._named(order.owner)
        clicker = self._clicker(order.by)
        if clicker is not None:
            return clicker, None
        user = self._of_line(order.about) if "line" in self._settings.missed_owner else None
        return (self._settings.default_user if user is None else user), None

    async def of_finish(self, rest: Rest, order: Finish) -> Owner:
        """Whose record it is: who talked or called out; else the first owner that the configured order
        finds."""
        ours = order.result is Result.ANSWERED or order.about.direction is Direction.OUT
        if order.owner is not None and ours:
            return self._named(order.owner)
        clicker = self._clicker(order.by)
        if clicker is not None and order.owner is None:
            return clicker, None
        rung = tuple(dict.fromkeys(filter(None, (order.owner, *order.rung))))
        user = await self._missed(rest, order.about, rung)
        looked_at_rung = "rung" in self._settings.missed_owner
        if rung and looked_at_rung and not any(map(self._people.user_of, rung)):
            return user, notices.nobody(rung[0], self._people.named(user))
        return user, None

    async def _missed(self, rest: Rest, about: CallFacts, rung: tuple[str, ...]) -> int:
        for source in self._settings.missed_owner:
            user: int | None = None
            match source:
                case "rung":
                    user = next(filter(None, map(self._people.user_of, rung)), None)
                case "line":
                    user = self._of_line(about)
                case "responsible":
                    user = await self.responsible_for(rest, about, Urgency.FINISH)
                case "default":
                    break
            if user is not None:
                return user
        return self._settings.default_user

    def _named(self, extension: str) -> Owner:
        user = self._people.user_of(extension)
        if user is not None:
            return user, None
        default = self._settings.default_user
        return default, notices.nobody(extension, self._people.named(default))

    def _clicker(self, by: str) -> int | None:
        """Who asked for the call and has no telephone, while he works here."""
        return int(by) if by.isdecimal() and int(by) in self._people.users else None

    def _of_line(self, about: CallFacts) -> int | None:
        extension = self._lines.setting(about.line).owner
        return self._people.user_of(extension) if extension else None

    async def responsible_for(self, rest: Rest, about: CallFacts, urgency: Urgency) -> int | None:
        """The active user responsible for the caller; `None` when there is none or the portal does not
        say."""
        found = await self._customers.find(rest, about, urgency)
        client = None if isinstance(found, Fault) else responsible(found, self._people)
        return None if client is None else client.user

    @property
    def _people(self) -> People:
        return self._directory.people
