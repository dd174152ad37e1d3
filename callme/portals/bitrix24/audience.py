"""Who of those that should see a card can be shown one: extensions become users, and people who see it only
for clients of their own are left out when the client is somebody else's.

The adapter asks for each order that touches cards. Pure. Nobody can show a card to a person without a portal
user, or against the rule, so his wish counts as met.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from callme.portals.bitrix24.directory import People

RESPONSIBLE, SEERS = "responsible", "seers"
"""Under these keys a lane remembers the user whose client it is, and the extensions that have the card."""


def users_of(people: People, extensions: Iterable[str]) -> set[int]:
    """The users behind these extensions."""
    return {user for user in map(people.user_of, extensions) if user is not None}


def let_in(
    people: People, show: frozenset[str], asking: frozenset[str], responsible: int | None
) -> frozenset[str]:
    """Those of `show` whom the rule lets see the card. A client that is nobody's is everybody's."""
    if responsible is None:
        return show
    return frozenset(
        extension for extension in show if extension not in asking or people.user_of(extension) == responsible
    )


def met(people: People, show: frozenset[str], let: frozenset[str], seeing: set[int]) -> frozenset[str]:
    """Of `show`, those whose wish is met when these users see the card; `let` are those of them who may."""
    return frozenset(
        extension
        for extension in show
        if extension not in let or (user := people.user_of(extension)) is None or user in seeing
    )


def held(memory: Mapping[str, str]) -> frozenset[str]:
    """Who has the card, as the lane remembers."""
    return frozenset(filter(None, memory.get(SEERS, "").split(",")))


def kept(extensions: Iterable[str]) -> str:
    """The same for the lane's memory."""
    return ",".join(sorted(extensions))


def remembered(call: str, user: int, seers: Iterable[str], whose: int | None) -> dict[str, str]:
    """What the lane of a call that is open in the portal remembers."""
    memory = {"call": call, "user": str(user), SEERS: kept(seers)}
    return memory if whose is None else {**memory, RESPONSIBLE: str(whose)}


def whose(memory: Mapping[str, str]) -> int | None:
    """The client's responsible, as the lane remembers."""
    known = memory.get(RESPONSIBLE, "")
    return int(known) if known.isdecimal() else None
