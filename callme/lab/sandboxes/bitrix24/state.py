"""What the portal holds: people, customers, lines, open calls, cards, activities, the statistics and
recordings.

A plain in-memory state machine without a clock: `now` is an argument. The methods change it through the few
verbs here; tests, the page and `/sandbox/state` read it. It checks nothing: the rules are in the methods'
modules.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

STALE_CALL_S = 30 * 86400
"""Never finished calls vanish this long after their start date and never reach the statistics (§1.3)."""


@dataclass(slots=True)
class User:
    """A portal user. `kind` is `employee` or `extranet` for people, else `bot` or `email` (§5.1)."""

    id: int
    name: str
    last_name: str
    extension: str = ""
    email: str = ""
    work_phone: str = ""
    personal_mobile: str = ""
    active: bool = True
    admin: bool = False
    kind: str = "employee"
    workday: str = "UNAVAILABLE"  # TIMEMAN_STATUS: OPENED, CLOSED, PAUSED, EXPIRED, NOT_INSTALLED… (§1.5)

    @property
    def real(self) -> bool:
        """A person who may own a call."""
        return self.active and self.kind in ("employee", "extranet")

    @property
    def full_name(self) -> str:
        """Name and last name."""
        return f"{self.name} {self.last_name}".strip()


@dataclass(slots=True)
class Customer:
    """A CRM object: LEAD, CONTACT, COMPANY or DEAL. `call` is the call that created it."""

    type: str
    id: int
    title: str
    assigned_by: int
    phones: tuple[str, ...] = ()
    source: str = ""
    contact: int | None = None  # of a deal
    closed: bool = False
    call: str | None = None
    own: dict[str, Any] = field(default_factory=dict)
    """The portal's own fields, as it names them: `UF_CRM_VIP`."""


@dataclass(slots=True)
class Line:
    """An external line. `auto_create` is what `CRM_AUTO_CREATE` says."""

    id: int
    number: str
    name: str = ""
    auto_create: bool = True


@dataclass(slots=True)
class OpenCall:
    """The live row that register makes and finish removes."""

    id: str
    user: int
    phone: str
    type: int
    started_at: float
    line: str
    external_id: str | None
    internal: bool
    bindings: list[tuple[str, int]] = field(default_factory=list)
    created: list[tuple[str, int]] = field(default_factory=list)
    creation_error: str | None = None
    primary: tuple[str, int] | None = None


@dataclass(slots=True)
class Card:
    """One showing of a call's card to one user; `hidden_at` is `None` while it stands on the screen."""

    call: str
    user: int
    phone: str
    line: str
    type: int
    client: str
    shown_at: float
    hidden_at: float | None = None
    hidden_by: str = ""


@dataclass(slots=True)
class Activity:
    """What a call leaves on a customer's timeline."""

    id: int
    origin: str
    responsible: int
    direction: int
    subject: str
    started_at: float
    ended_at: float
    completed: bool
    missed: bool
    bindings: tuple[tuple[str, int], ...]
    files: tuple[int, ...] = ()


@dataclass(slots=True)
class Statistic:
    """The permanent record of a finished call."""

    id: int
    call: str
    external_id: str | None
    user: int
    line: str
    phone: str
    type: int
    duration: int
    started_at: float
    code: str
    reason: str
    cost: float
    currency: str
    vote: int
    activity: int | None
    primary: tuple[str, int] | None
    bindings: tuple[tuple[str, int], ...]
    record_url: str | None = None
    record_file: int | None = None
    transcript: int | None = None


@dataclass(slots=True)
class Recording:
    """A stored file. `orphan` when a later upload took its place and left it behind (§1.6)."""

    id: int
    call: str
    name: str
    content: bytes
    at: float
    duration: float | None
    orphan: bool = False

    @property
    def sha256(self) -> str:
        """Of the content, in hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(slots=True, eq=False)
class Kept:
    """An event that waits to be fetched. `process` is who has reserved it."""

    id: int
    at: float
    event: str
    data: dict[str, Any]
    message: str
    process: str = ""
    error: bool = False


@dataclass(slots=True)
class Missed:
    """An entry in the list of missed calls, open until someone calls that very number back."""

    call: str
    phone: str
    user: int
    at: float
    called_back: bool = False


@dataclass(slots=True)
class Task:
    """Something that a user shall do; `crm` are the objects it is about, as `C_5`."""

    id: int
    title: str
    description: str
    responsible: int
    deadline: float | None
    crm: tuple[str, ...]
    created_at: float
    completed_at: float | None = None


@dataclass(slots=True)
class Notification:
    """A line among a user's notifications. `tag` names its sender too; empty where it has none."""

    id: int
    user: int
    text: str
    tag: str
    at: float


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the portal's journal, as the event stream tells it."""

    ordinal: int
    at: float
    kind: str
    about: dict[str, Any]


class Office:
    """The portal's whole memory."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.customers: dict[tuple[str, int], Customer] = {}
        self.lines: dict[str, Line] = {}
        self.calls: dict[str, OpenCall] = {}
        self.cards: list[Card] = []
        self.activities: dict[int, Activity] = {}
        self.statistics: dict[int, Statistic] = {}
        self.recordings: dict[int, Recording] = {}
        self.missed: list[Missed] = []
        self.chat: list[str] = []  # calls that were told in the chat
        self.notifications: list[Notification] = []
        self.tasks: dict[int, Task] = {}
        self.offline_bound: set[str] = set()
        self.offline: list[Kept] = []
        self.handlers: list[tuple[str, str]] = []  # event and address, as the application bound them
        self.placements: list[dict[str, Any]] = []  # as placement.get tells them
        self.transcripts: dict[int, list[dict[str, Any]]] = {}
        self.journal: deque[Happening] = deque(maxlen=10_000)
        self.watchers: list[Callable[[Happening], None]] = []
        self._ids: Counter[str] = Counter()
        self._standing: dict[tuple[str, int], Card] = {}  # the cards on screens now, by call and user
        self._record_of: dict[str, int] = {}

    def next_id(self, kind: str) -> int:
        """The next number of that kind of thing, from 1."""
        self._ids[kind] += 1
        return self._ids[kind]

    def token(self, now: float) -> str:
        """32 hex digits that this portal never gives again."""
        return hashlib.sha256(f"{self.next_id('token')}:{now}".encode()).hexdigest()[:32]

    def tell(self, kind: str, now: float, **about: Any) -> None:
        """Write a line into the journal and tell the watchers."""
        happening = Happening(self.next_id("happening"), now, kind, about)
        self.journal.append(happening)
        for watcher in tuple(self.watchers):
            watcher(happening)

    def add_user(self, user: User) -> User:
        """Employ someone."""
        self.users[user.id] = user
        return user

    def add_customer(self, kind: str, title: str, assigned_by: int, phones: tuple[str, ...] = ()) -> Customer:
        """Create a CRM object; further fields are set on what is returned."""
        customer = Customer(kind, self.next_id(kind), title, assigned_by, phones)
        self.customers[kind, customer.id] = customer
        return customer

    def change_customer(self, key: tuple[str, int], now: float, **fields: Any) -> None:
        """Somebody works in the CRM: the fields of a `Customer`."""
        customer = self.customers[key]
        for name, value in fields.items():
            setattr(customer, name, value)
        self.tell("customer.changed", now, type=key[0], id=key[1])

    def delete_customer(self, key: tuple[str, int], now: float) -> None:
        """Somebody deletes a CRM object."""
        del self.customers[key]
        self.tell("customer.deleted", now, type=key[0], id=key[1])

    def by_extension(self, extension: str) -> User | None:
        """The active person with exactly that extension."""
        people = (user for user in self.users.values() if user.real and user.extension == extension)
        return next(people, None) if extension else None

    def title(self, key: tuple[str, int] | None) -> str:
        """The customer's name, empty when there is none."""
        customer = self.customers.get(key) if key else None
        return customer.title if customer else ""

    def show(self, call: OpenCall, user: int, now: float) -> None:
        """Put the call's card on the user's screen; nothing when it stands there."""
        if (call.id, user) in self._standing:
            return
        client = self.title(call.primary)
        card = Card(call.id, user, call.phone, call.line, call.type, client, now)
        self.cards.append(card)
        self._standing[call.id, user] = card
        self.tell("card.shown", now, call=call.id, user=user, phone=call.phone, client=client)

    def hide(self, call: str, user: int, now: float, by: str) -> None:
        """Take the call's card from the user's screen; nothing when there is none. `by` is `hide` or
        `finish`."""
        card = self._standing.pop((call, user), None)
        if card is not None:
            card.hidden_at, card.hidden_by = now, by
            self.tell("card.hidden", now, call=call, user=user, by=by)

    def cards_now(self, user: int) -> list[Card]:
        """The cards on that user's screen, oldest first."""
        return [card for card in self._standing.values() if card.user == user]

    def watching(self) -> set[int]:
        """The users who have any card on the screen."""
        return {user for _, user in self._standing}

    def seers(self, call: str) -> set[int]:
        """The users who see that call's card now."""
        return {card.user for card in self._standing.values() if card.call == call}

    def statistic_of(self, call: str) -> Statistic | None:
        """The record of that finished call."""
        number = self._record_of.get(call)
        return None if number is None else self.statistics[number]

    def record(self, record: Statistic) -> None:
        """Keep the record of a finished call."""
        self.statistics[record.id] = record
        self._record_of[record.call] = record.id

    def purge(self, now: float) -> None:
        """Forget calls that nobody finished for 30 days."""
        for call in [c for c in self.calls.values() if c.started_at < now - STALE_CALL_S]:
            del self.calls[call.id]
            self.tell("purged", now, call=call.id)
