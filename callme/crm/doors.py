"""Addresses at which an older connector was called, kept open: what a portal's adapter makes of a request.

The web mounts every path that a portal offers and hands each request on; it knows neither the CRM nor the
connector. The adapter proves who is calling. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from callme.crm.commands import Hearing
from callme.wording import Phrase


@dataclass(frozen=True, slots=True)
class Knock:
    """A request at such an address. `fields` are those of the query and the form, the form's outranking.
    `source` is the address that it came from; empty when a proxy stands between, whose word is not taken."""

    door: str
    fields: Mapping[str, str] = field(repr=False)  # may hold a secret
    source: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """Whoever knocked may. `text` is what the older connector would have answered, `hearing` what there is to
    do, `note` what is worth a line in the log."""

    text: str = ""
    hearing: Hearing | None = None
    note: Phrase | None = None


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Whoever knocked may not; `cure` tells the administrator how to let him in."""

    cure: Phrase


Reply = Welcome | TurnedAway


@runtime_checkable
class OldDoors(Protocol):
    """A portal that answers at older addresses. `doors` are the last parts of their paths, such as
    `Old.php`: in whatever folder they lay."""

    id: str

    @property
    def doors(self) -> tuple[str, ...]: ...

    async def answer(self, knock: Knock, now: float) -> Reply:
        """What becomes of the request. Raises nothing for what a stranger may send."""
