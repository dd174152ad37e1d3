"""What a ringing telephone may show of its caller: a colleague, a client, whose client, and is he at work.

The adapter asks while the call waits, when seconds count: an old answer serves for as long as the portal
gives no new one (law 11: a failed look-up harms no call). Whom the portal has under a number is `clients`'
affair, what is done about clients when a call is over `customers`'.
"""

from __future__ import annotations

import asyncio

from callme.crm.port import Customer, Urgency
from callme.portals.bitrix24 import payloads
from callme.portals.bitrix24.clients import Clients, responsible
from callme.portals.bitrix24.directory import Directory
from callme.portals.bitrix24.policies import Vip
from callme.portals.bitrix24.rest import Fault, Rest


class Callers:
    """The callers of one portal."""

    def __init__(self, directory: Directory, clients: Clients, vip: Vip | None = None) -> None:
        self._directory = directory
        self._clients = clients
        self._vip = vip

    async def who(self, rest: Rest, number: str, within_s: float) -> Customer | None:
        """What a telephone may show for that number; `None` when the portal does not say and did not of late.
        A request that takes longer goes on for the next caller of this number."""
        plain = payloads.phone_number(number)
        if plain == payloads.HIDDEN:
            return Customer(known=False)
        colleague = self._directory.people.of_phone(plain)
        if colleague is not None:
            return Customer(True, colleague.name, colleague=True)
        try:
            async with asyncio.timeout(within_s):
                found = await self._clients.find(rest, plain, Urgency.CARD)
                if not isinstance(found, Fault) and found and self._vip is not None:
                    await self._clients.look_at_mark(rest, found[0], self._vip)
        except TimeoutError:
            pass  # what is known by now is told
        return self._told(plain)

    def _told(self, number: str) -> Customer | None:
        remembered = self._clients.remembered(number)
        if remembered is None:
            return None
        found, fresh = remembered
        if not found:
            return Customer(known=False)
        people = self._directory.people
        client = responsible(found, people)
        return Customer(
            known=True,
            name=(client.name if client is not None else "") or found[0].name,
            extension=people.extension_of(client.user) if client is not None else "",
            on_duty=client.on_duty if client is not None and fresh else None,
            vip=self._clients.marked(found[0]),
        )
