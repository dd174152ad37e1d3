"""Subscribes the application to clicks on numbers: a portal tells of them only where it was asked to (sheet
§2.1, contract `event.bind`).

The adapter calls it with its upkeep. Once the subscription was seen nothing more is asked, until the next
start or installation: an update of the application drops it (§8.3.24). A webhook cannot subscribe; there a
person makes an outgoing webhook.
"""

from __future__ import annotations

from collections.abc import Mapping

from callme.crm.port import Urgency
from callme.portals.bitrix24.rest import Done, Fault, Rest
from callme.portals.bitrix24.webhook import CLICK
from callme.wording import Phrase

GET, BIND = "event.get", "event.bind"

NOT_BOUND = Phrase(
    "clicks on numbers will not be dialled: {why}", "клики по номерам не будут набираться: {why}"
)


class Bindings:
    """The subscription of one application; without a `handler`, an address of ours, there is none."""

    def __init__(self, handler: str) -> None:
        self._handler = handler
        self._bound = not handler

    def forget(self) -> None:
        """Looks again next time."""
        self._bound = not self._handler

    async def refresh(self, rest: Rest) -> Phrase | None:
        """Subscribes unless that was done; what is to be told when it fails."""
        if self._bound:
            return None
        found = await rest.call(GET, {}, Urgency.UPKEEP, reads=True)
        if isinstance(found, Done) and not self._is_among(found.result):
            found = await rest.call(BIND, {"event": CLICK, "handler": self._handler}, Urgency.UPKEEP)
        if isinstance(found, Fault):
            why = getattr(found.outcome, "why", None)
            return NOT_BOUND.given(why=why if isinstance(why, Phrase) else "?")
        self._bound = True
        return None

    def _is_among(self, bound: object) -> bool:
        rows = bound if isinstance(bound, list) else []
        return any(
            isinstance(row, Mapping)
            and str(row.get("event") or "").upper() == CLICK
            and row.get("handler") == self._handler
            for row in rows
        )
