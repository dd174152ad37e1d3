"""What the pages and the API need to know, as one protocol that the service fulfils.

Everything but `retry` reads only. Times are epoch seconds. A
cursor is opaque text that the board itself gave out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry

from callme.calls.model import Call, Direction, Disposition
from callme.crm.port import Exchange
from callme.wording import Language, Phrase


@dataclass(frozen=True, slots=True)
class LinkState:
    """One PBX link. `why` and `cure` are said while it is down; `since` is when it came up or went down."""

    pbx: str
    up: bool
    since: float
    why: Phrase | None = None
    cure: Phrase | None = None


@dataclass(frozen=True, slots=True)
class PortalState:
    """One portal. `up` is false while it is paused or out of reach; `backlog` counts what it has not taken
    yet, `refused` what it will not take until a person looks at it. `shadow`: it is told nothing."""

    portal: str
    up: bool
    since: float
    why: Phrase | None = None
    cure: Phrase | None = None
    backlog: int = 0
    refused: int = 0
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One record on its way to one portal: kind is register, finish or attach; state waiting, sending,
    done or refused. `why` is of the last attempt that did not succeed, `next_at` when it is tried again.
    `shadow`: it counts as done, and was not sent."""

    portal: str
    kind: str
    state: str
    attempts: int = 0
    why: Phrase | None = None
    next_at: float | None = None
    settled_at: float | None = None
    id: int = 0
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt that ended. `kind` is that of the record, or `cards`; `outcome` delivered, later, refused,
    unauthorised or ambiguous. `exchanges` are the requests that it made and their answers."""

    portal: str
    kind: str
    number: int
    at: float
    took_ms: int
    outcome: str
    why: Phrase | None = None
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something observed about a call that the model did not expect."""

    at: float
    text: Phrase


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call with the state of its deliveries; none when the call is told to no portal."""

    call: Call
    deliveries: tuple[DeliveryView, ...] = ()


@dataclass(frozen=True, slots=True)
class CallStory:
    """Everything that is known of one call (law 12)."""

    call: Call
    deliveries: tuple[DeliveryView, ...] = ()
    attempts: tuple[AttemptView, ...] = ()
    oddities: tuple[Oddity, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the PBX said of one call: a recording of its link, and the index of that."""

    ami: bytes
    idx: bytes


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Which calls, newest first. `None` is no condition; `number` matches the end of the outside number's
    digits; `since` is included, `until` is not. `after` is the cursor of the page before."""

    open: bool | None = None
    direction: Direction | None = None
    disposition: Disposition | None = None
    number: str | None = None
    line: str | None = None
    pbx: str | None = None
    since: float | None = None
    until: float | None = None
    limit: int = 50
    after: str | None = None


@dataclass(frozen=True, slots=True)
class CallPage:
    """One page of calls. `next` is the cursor of the page after it, `None` on the last one."""

    rows: tuple[CallRow, ...]
    next: str | None = None


class BadCursor(ValueError):
    """The cursor is none of ours."""


class Board(Protocol):
    """What the service shows of itself."""

    @property
    def language(self) -> Language:
        """The configured language: what a page is said in unless its reader asks for another."""

    @property
    def country(self) -> str:
        """The configured country, whose numbers are shown in their national form."""

    @property
    def version(self) -> str:
        """Version of the program."""

    @property
    def registry(self) -> CollectorRegistry:
        """What `/metrics` shows."""

    def now(self) -> float:
        """The wall clock."""

    async def links(self) -> tuple[LinkState, ...]:
        """Each configured PBX."""

    async def portals(self) -> tuple[PortalState, ...]:
        """Each configured portal."""

    async def oddities_since(self, moment: float) -> int:
        """How many anomalies were noted since then."""

    async def list_calls(self, query: CallQuery) -> CallPage:
        """Calls, newest first. Raises `BadCursor`."""

    async def story(self, call: str) -> CallStory | None:
        """All about one call; `None` when there is none with that id."""

    async def transcript(self, call: str) -> Transcript | None:
        """What the PBX said of one call; `None` when there is no such call, or nothing of it is kept."""

    async def retry(self, delivery: int) -> bool:
        """Tries a refused or waiting delivery again. False when there is none of that id, or it is done."""

    def changes(self) -> AsyncGenerator[None, None]:
        """Yields each time that something shown here has changed; may merge changes that come close
        together."""
