"""Who is behind an extension: the portal's users, kept here so that a ringing phone asks nothing.

The adapter loads it once before the first call and the shell refreshes it in the background; a failed
refresh keeps the last good copy. Explicit entries of the configuration win over the portal's own
extensions, which hold four digits at most (sheet §5.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from callme.crm.port import Outcome, Urgency
from callme.portals.bitrix24 import payloads
from callme.portals.bitrix24.rest import Done, Fault, Rest
from callme.wording import Phrase

PHONE_LEAST = 5
"""A shorter number in a user's profile is an extension, or a mistake."""

PHONE_FIELDS = ("WORK_PHONE", "PERSONAL_PHONE", "PERSONAL_MOBILE")

PAGES_MAX = 400  # 20 000 users; more means that the paging does not end


@dataclass(frozen=True, slots=True)
class User:
    """An active user. `extension` is empty when the portal knows none for him; `phones` are his other
    telephones, which the portal shows with the right `user` or `user_basic` alone."""

    id: int
    name: str
    extension: str
    phones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """One good copy of the users, with the extensions that it and the configuration give them."""

    users: Mapping[int, User] = field(default_factory=dict)
    by_extension: Mapping[str, int] = field(default_factory=dict)
    doubled: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    phones: frozenset[str] = frozenset()  # of all users, as the portal compares numbers

    def has_phone(self, number: str) -> bool:
        """Whether an outside number is a user's own telephone."""
        return payloads.indexed(number) in self.phones

    def user_of(self, extension: str) -> int | None:
        """The user behind an extension."""
        return self.by_extension.get(extension)

    def extension_of(self, user: int) -> str:
        """The telephone to ring for a user: his own extension, unless the configuration gives it to another;
        empty when he has none."""
        known = self.users.get(user)
        if known is not None and self.by_extension.get(known.extension) == user:
            return known.extension
        return min((ext for ext, owner in self.by_extension.items() if owner == user), default="")

    def of_phone(self, number: str) -> User | None:
        """The user of whom that is one of his own telephones."""
        known = payloads.indexed(number)
        if known not in self.phones:
            return None
        return next(
            (user for user in self.users.values() if known in map(payloads.indexed, user.phones)), None
        )

    def named(self, user: int) -> str:
        """How to show a user to a person."""
        known = self.users.get(user)
        return f"{known.name} ({user})" if known and known.name else str(user)


class Directory:
    """The cached users of one portal."""

    def __init__(self, rest: Rest, explicit: Mapping[str, int]) -> None:
        self._rest = rest
        self._explicit = dict(explicit)
        self._loading = asyncio.Lock()
        self._loaded = False
        self.people = People(by_extension=self._explicit)

    async def ready(self) -> Outcome | None:
        """Loads the users if that never succeeded; the outcome to give when they cannot be had."""
        if not self._loaded:  # a refresh that goes on meanwhile must not hold up a call
            async with self._loading:
                if not self._loaded:
                    fault = await self._load(Urgency.REGISTER)
                    return fault.outcome if isinstance(fault, Fault) else None
        return None

    async def refresh(self) -> list[Phrase] | Fault:
        """Reads the users anew. Gives what is worth telling: doubled extensions, and who moved since the last
        copy; or the fault, and then the old copy stays."""
        async with self._loading:
            return await self._load(Urgency.UPKEEP)

    async def _load(self, urgency: Urgency) -> list[Phrase] | Fault:
        users = await self._users(urgency)
        if isinstance(users, Fault):
            return users
        before, first = self.people, not self._loaded
        self.people = gather(users, self._explicit)
        self._loaded = True
        told = [doubled(extension, ids, self.people) for extension, ids in self.people.doubled.items()]
        return told if first else told + list(differences(before, self.people))

    async def _users(self, urgency: Urgency) -> list[User] | Fault:
        found: list[User] = []
        start: int | None = 0
        for _ in range(PAGES_MAX):
            page = await self._rest.call(
                "user.get",
                {"FILTER": {"ACTIVE": True}, "sort": "ID", "order": "ASC", "start": start},
                urgency,
                reads=True,
            )
            if isinstance(page, Fault):
                return page
            found += [user for user in map(_user, _rows(page)) if user is not None]
            if page.next is None or page.next <= (start or 0):
                break
            start = page.next
        return found


def gather(users: list[User], explicit: Mapping[str, int]) -> People:
    """The directory that these users make. Of two with one extension the elder account has it."""
    holders: dict[str, list[int]] = {}
    for user in sorted(users, key=lambda user: user.id):
        if user.extension:
            holders.setdefault(user.extension, []).append(user.id)
    theirs = {extension: ids[0] for extension, ids in holders.items()}
    return People(
        users={user.id: user for user in users},
        by_extension={**theirs, **explicit},
        phones=frozenset(
            number
            for user in users
            for number in map(payloads.indexed, user.phones)
            if len(number) >= PHONE_LEAST
        ),
        doubled={
            extension: tuple(ids)
            for extension, ids in holders.items()
            if len(ids) > 1 and extension not in explicit
        },
    )


def differences(before: People, after: People) -> Iterator[Phrase]:
    """What changed between two copies, extension by extension."""
    for extension in sorted({*before.by_extension, *after.by_extension}):
        old, new = before.user_of(extension), after.user_of(extension)
        if old == new:
            continue
        if new is None:
            yield Phrase(
                "Extension {extension} no longer belongs to a Bitrix24 user; it was {old}'s.",
                "Добавочный {extension} больше не принадлежит пользователю Битрикс24; раньше — {old}.",
            ).given(extension=extension, old=before.named(old or 0))
        else:
            yield Phrase(
                "Extension {extension} now belongs to {new}.", "Добавочный {extension} теперь у {new}."
            ).given(extension=extension, new=after.named(new))


def doubled(extension: str, ids: tuple[int, ...], people: People) -> Phrase:
    """Two users claim one extension."""
    return Phrase(
        "Extension {extension} stands at several users: {users}; calls go to the first.",
        "Добавочный {extension} указан у нескольких пользователей: {users}; звонки получает первый.",
    ).given(extension=extension, users=", ".join(people.named(user) for user in ids))


def _rows(page: Done) -> list[dict[str, Any]]:
    return [row for row in page.result if isinstance(row, dict)] if isinstance(page.result, list) else []


def _user(row: Mapping[str, Any]) -> User | None:
    """A user from a row of `user.get`. The activity is looked at again: a filter that the portal does not
    understand gives everybody (§8.3.19)."""
    number = str(row.get("ID", ""))
    if not number.isdecimal() or row.get("ACTIVE") not in (True, "Y", "1", 1, "true"):
        return None
    name = " ".join(str(row.get(part) or "") for part in ("NAME", "LAST_NAME")).strip()
    phones = tuple(text for key in PHONE_FIELDS if (text := str(row.get(key) or "").strip()))
    return User(int(number), name, str(row.get("UF_PHONE_INNER") or "").strip(), phones)
