"""What a call does to the portal's clients: the one that is made at its end, and whose a client becomes.

Whom the portal has under a number is `clients`' affair. The adapter lets `settle` put the clients right
before it finishes a call, because the portal itself can make one only when the call begins (sheet §1.2),
looks for one once more at the end and ties the record to it (§1.3). Every step looks before it writes, so it
may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callme.crm.intents import CallFacts, Direction, Finish, Register, Result
from callme.crm.port import Ambiguous, Later, Urgency
from callme.portals.bitrix24 import notices, payloads
from callme.portals.bitrix24.clients import Client, Clients, Found, number
from callme.portals.bitrix24.directory import Directory
from callme.portals.bitrix24.lines import Lines
from callme.portals.bitrix24.policies import Creation
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.settings import Settings
from callme.wording import Language, Phrase

MODE = "crm.settings.mode.get"
ADD = "crm.item.add"
UPDATE = "crm.item.update"
LIST = "crm.item.list"

TRIES = 3
"""So many attempts of a finish may fail because of its client; then the record goes without."""

SIMPLE = 2
"""What crm.settings.mode.get says of a CRM without leads."""


Settled = Phrase | Later | Ambiguous | None


class Customers:
    """The clients of one portal."""

    def __init__(
        self, settings: Settings, directory: Directory, lines: Lines, clients: Clients, language: Language
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._lines = lines
        self._clients = clients
        self._language = language
        self._simple: bool | None = None

    async def find(
        self, rest: Rest, about: CallFacts, urgency: Urgency, *, anew: bool = False
    ) -> Found | Fault:
        """The clients with the caller's number, none for a hidden one; from memory unless `anew`."""
        if payloads.is_hidden(about):
            return ()
        return await self._clients.find(rest, payloads.phone_number(about.number), urgency, anew=anew)

    def creation(self, about: CallFacts) -> Creation:
        """Of which calls like this one the portal gets a new client: as the line says, else the portal."""
        line, create = self._lines.setting(about.line), self._settings.create
        if about.direction is Direction.IN:
            return line.create or create.inbound
        return line.outgoing or create.outbound

    def at_once(self, order: Register) -> bool:
        """Whether the portal itself shall make a client when the call begins."""
        wanted = self.creation(order.about) is Creation.ALWAYS
        return wanted and not order.unwanted and not self.colleague(order.about)

    def colleague(self, about: CallFacts) -> bool:
        """Whether the outside number is one of a user's own telephones: he is no client."""
        return self._directory.people.has_phone(about.number)

    # ------------------------------------------------------------------------------------- before finish
    async def settle(
        self, rest: Rest, order: Finish, user: int, tries: int
    ) -> Phrase | Later | Ambiguous | None:
        """Makes the client that the configuration wants of a call that ended so, or gives a known one to
        `user`. A notice when it cannot be; an outcome when the finish has to wait for it."""
        makes, gives = self._makes(order), self._gives(order)
        if not (makes or gives) or payloads.is_hidden(order.about) or self.colleague(order.about):
            return None
        found = await self.find(rest, order.about, Urgency.FINISH, anew=True)
        if isinstance(found, Fault):
            fault: Fault | None = found
        elif found:
            fault = await self._give(rest, found, user) if gives else None
        else:
            fault = await self._make(rest, order, user) if makes else None
        if fault is None:
            return None
        if isinstance(fault.outcome, Later | Ambiguous) and tries <= TRIES:
            return fault.outcome
        return notices.unsettled(getattr(fault.outcome, "why", None))

    def _makes(self, order: Finish) -> bool:
        wanted = self.creation(order.about)
        if order.unwanted:
            return False
        answered = order.result is Result.ANSWERED
        return wanted is (Creation.ANSWERED if answered else Creation.MISSED)

    def _gives(self, order: Finish) -> bool:
        return bool(self._settings.reassign.kinds) and order.result is Result.ANSWERED

    async def _make(self, rest: Rest, order: Finish, user: int) -> Fault | None:
        """A lead; in a CRM without leads a contact with a deal, as the portal itself does."""
        if self._simple is None:
            mode = await rest.call(MODE, {}, Urgency.FINISH, reads=True)
            if isinstance(mode, Fault):
                return mode
            self._simple = mode.result in (SIMPLE, str(SIMPLE))
        self._clients.made(payloads.phone_number(order.about.number))
        source = self._lines.setting(order.about.line).source
        kinds = ("CONTACT", "DEAL") if self._simple else ("LEAD",)
        contact = 0
        for kind in kinds:
            params = payloads.client(order, kind, user, source, self._language, contact)
            made = await rest.call(ADD, params, Urgency.FINISH)
            if isinstance(made, Fault):
                return made
            contact = _id(made.result)
        return None

    async def _give(self, rest: Rest, found: Found, user: int) -> Fault | None:
        """Each client of the configured kinds that is somebody else's, or nobody's who works here."""
        rule = self._settings.reassign
        clients = [client for client in found if client.kind in rule.marks]
        if "DEAL" in rule.marks:
            deals = await self._deals(rest, found)
            if isinstance(deals, Fault):
                return deals
            clients += deals
        for client in clients:
            gone = client.user not in self._directory.people.users
            if client.user == user or not (gone or rule.when == "always"):
                continue
            given = await rest.call(UPDATE, payloads.give(client.kind, client.id, user), Urgency.FINISH)
            self._clients.forget(client.key)
            if isinstance(given, Fault):
                return given
        return None

    async def _deals(self, rest: Rest, found: Found) -> list[Client] | Fault:
        """The open deals of the first contact or company."""
        owner = next((client for client in found if client.kind in ("CONTACT", "COMPANY")), None)
        if owner is None:
            return []
        params = payloads.open_deals(owner.kind, owner.id)
        told = await rest.call(LIST, params, Urgency.FINISH, reads=True)
        if isinstance(told, Fault):
            return told
        answer = told.result if isinstance(told.result, Mapping) else {}
        rows = answer.get("items")
        return [
            Client("DEAL", id, "", number(row.get("assignedById")))
            for row in (rows if isinstance(rows, list) else [])
            # The portal drops a filter that it does not know and gives every deal (§8.3.19).
            if isinstance(row, Mapping)
            and (id := number(row.get("id")))
            and number(row.get(payloads.deal_field(owner.kind))) == owner.id
        ]


def _id(result: Any) -> int:
    item = result.get("item") if isinstance(result, Mapping) else None
    return number(item.get("id")) if isinstance(item, Mapping) else 0
