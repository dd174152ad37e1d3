"""Our tab in a CRM's card of a call: who looks at it, and what he may do with the call. The words of it, for
any CRM.

A portal's adapter tells who has opened the tab; the service finds his call and carries his orders out; the
web shows both. Pure, and free of any CRM's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from callme.calls.model import Call, Direction
from callme.wording import Phrase


class Order(StrEnum):
    """What a button asks of the PBX."""

    HANG_UP = "hang-up"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: his id in the portal and his telephones. `call` is the portal's own id of the call that the
    card is of, and `remembered` the key of a lane's memory that holds it. `supervises`: every call is open to
    him."""

    user: str
    call: str
    remembered: str
    extensions: frozenset[str] = frozenset()
    supervises: bool = False


@dataclass(frozen=True, slots=True)
class Stranger:
    """Nobody whom the portal knows as one of its people. `later`: that could not be found out now."""

    why: Phrase
    later: bool = False


class Tab(Protocol):
    """What the adapter knows of the tab."""

    @property
    def frame(self) -> str:
        """The origin that may show our page inside its own; empty where there is no tab."""

    async def viewer(self, fields: Mapping[str, str]) -> Viewer | Stranger:
        """Who has opened the tab, by what his browser sent; proven by the portal itself. Raises nothing for
        what a stranger may send."""

    def viewer_again(self, user: str, call: str) -> Viewer:
        """The same person a little later, as the portal's people are known now."""

    def colleagues(self) -> Mapping[str, str]:
        """Extension → name of whoever has it."""


@runtime_checkable
class Tabs(Protocol):
    """A portal in whose cards our tab may stand. One without them simply lacks it."""

    id: str

    @property
    def tab(self) -> Tab: ...


def takes_part(call: Call, viewer: Viewer) -> bool:
    """Whether he may look: his telephone rang or talked, or he called."""
    people = {ring.extension for ring in call.rang} | {talk.extension for talk in call.talks}
    people |= {call.caller, call.owner, call.answered_by}
    return viewer.supervises or not viewer.extensions.isdisjoint(one for one in people if one)


def orders(call: Call, viewer: Viewer) -> frozenset[Order]:
    """What he may do at this moment. Who talks may do all; who alone is rung may hand the call on, but not
    end it, since it may still go to others; who calls out may give up."""
    if not call.open or call.direction is Direction.INTERNAL:
        return frozenset()
    own = viewer.extensions
    if call.direction is Direction.OUT and not call.talks:
        return frozenset({Order.HANG_UP}) if viewer.supervises or call.caller in own else frozenset()
    if viewer.supervises or not own.isdisjoint(call.talking or call.staying):
        return frozenset(Order)
    if call.talks:
        return frozenset()
    alone = len(call.ringing) == 1 and call.ringing[0] in own
    return frozenset({Order.TRANSFER}) if alone else frozenset()
