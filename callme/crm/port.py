"""The contract between the delivery side and one CRM.

A new CRM is a folder in `portals/` that offers a `Portal`. The worker in `delivery` calls it, one order per
call at a time; what a portal needs to remember between orders of one call (the id that it gave the call,
say) it hands back as `memory` and gets again with the next order. Nothing here names a CRM: a portal that
creates and updates records fits it as well as one with a live call API (facts: other-crms §8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from callme.crm.intents import Attach, Finish, Register, Remind, Settle, Transcribe
from callme.crm.transcript import Line
from callme.wording import Phrase

Memory = Mapping[str, str]


# ------------------------------------------------------------------------------------- outcomes
@dataclass(frozen=True, slots=True)
class Delivered:
    """The portal did it. `memory` is added to the lane's memory; `shown` is, for orders that touch cards,
    the set of extensions whose wish is now met (people without a portal user count as met)."""

    memory: Memory = field(default_factory=dict)
    shown: frozenset[str] | None = None
    notice: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: too many requests, portal down, file not closed yet. `wait_s` is the portal's own wait, if
    it named one; it outranks our back-off."""

    why: Phrase
    wait_s: float | None = None
    memory: Memory = field(default_factory=dict)  # of what was done all the same; added to the lane's


@dataclass(frozen=True, slots=True)
class Refused:
    """The portal understood and will not: repeating the same order cannot help."""

    why: Phrase


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """Credentials or rights are wrong: the whole portal pauses and says so."""

    why: Phrase
    cure: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Sent, no answer: it may have been done. The next attempt has `doubt` set and must look before it
    repeats."""

    why: Phrase


Outcome = Delivered | Later | Refused | Unauthorised | Ambiguous


# --------------------------------------------------------------------------------------- orders
@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of an attempt and what came back, as a person may read them: no secret in either, each
    cut to a readable length."""

    request: str
    answer: str


class Trace(Protocol):
    """Keeps what an adapter asked and was answered during one attempt (law 12)."""

    def note(self, request: str, answer: str) -> None:
        """One exchange. The adapter has masked every secret and cut both texts."""


class Untraced:
    """Keeps nothing."""

    def note(self, request: str, answer: str) -> None:
        """Dropped."""


UNTRACED = Untraced()


@dataclass(frozen=True, slots=True)
class Attempt:
    """The circumstances of one order: how often it was tried, whether an earlier try may have succeeded
    unseen, what the lane remembers, and the wall time. What is asked of the portal is noted in `trace`.
    `asking` are the extensions that see the card only if the client is theirs, as far as the portal knows
    one."""

    number: int
    doubt: bool
    memory: Memory
    now: float
    first_at: float
    trace: Trace = field(default=UNTRACED, compare=False)
    asking: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Audio:
    """A recording ready to hand over. `name` is the file name to show; `seconds` its length. Two with the
    same `checksum` are the same sound. `notice` is for whoever looks at the delivery. `lacking` says what is
    not in it yet though it may come; it is looked for again in `again_s`. `sides`: the customer alone is
    heard on the left, our people on the right."""

    file: Path
    name: str
    media_type: str
    seconds: float
    checksum: str = ""
    notice: Phrase | None = None
    lacking: Phrase | None = None
    again_s: float = 0.0
    sides: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is owed of one call that is over, to travel with other calls' in one request: its register, its
    finish, or both, to be carried out in this order. Each has its attempt; that of a finish behind its
    register cannot hold what the register will bring."""

    orders: tuple[tuple[Register | Finish, Attempt], ...]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a portal can do; the docs' matrix is made from it."""

    cards: bool  # a live card can be shown to and hidden from chosen people
    live_register: bool  # a call can be opened before it is over
    recordings: bool  # audio can be attached
    batch: int = 0  # so many calls' records travel in one request; 0: each order is a request of its own


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `callme check` about a portal: what was looked at, how it is, and the cure if it is not
    well."""

    topic: Phrase
    well: bool
    found: Phrase
    cure: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Whom a number belongs to, as a CRM says. `name` is for a telephone's display, `extension` that of the
    employee who is responsible (both may be empty). `on_duty`: whether his workday is open, `None` where the
    CRM does not tell. `colleague`: the number is an employee's own."""

    known: bool
    name: str = ""
    extension: str = ""
    on_duty: bool | None = None
    vip: bool = False
    colleague: bool = False


@runtime_checkable
class Knows(Protocol):
    """A portal that can be asked whose a number is while it rings. One that cannot simply lacks the
    method."""

    async def who(self, number: str, within_s: float) -> Customer | None:
        """The customer with that number (E.164, else as the PBX gave it); `None` when it cannot be told
        within so many seconds. Asks at most once at a time for a number, keeps the answer for a while, and
        gives an old one rather than none. Raises nothing."""


class Urgency(IntEnum):
    """Who goes first when requests must wait (law 9). Lower goes first."""

    COMMAND = 0
    CARD = 1
    REGISTER = 2
    FINISH = 3
    RECORDING = 4
    UPKEEP = 5


class Gate(Protocol):
    """The portal's request budget, given to the adapter: one `enter` before each HTTP request."""

    async def enter(self, urgency: Urgency) -> None:
        """Returns when a request of this urgency may be sent."""

    def told_to_wait(self, seconds: float) -> None:
        """The portal asked for quiet: nobody enters for so long."""


@runtime_checkable
class Reminds(Protocol):
    """A portal that can remind somebody of a missed call. One that cannot simply lacks the methods."""

    async def remind(self, order: Remind, attempt: Attempt) -> Outcome:
        """Reminds, as it is configured; the call was finished. The same order twice reminds once."""

    async def settle(self, order: Settle, attempt: Attempt) -> Outcome:
        """Closes what `remind` left open, if anything. Refused for nothing that a person has closed."""


@runtime_checkable
class Transcribes(Protocol):
    """A portal that takes what was said as text. One that cannot simply lacks the method."""

    async def transcribe(self, order: Transcribe, lines: Sequence[Line], attempt: Attempt) -> Outcome:
        """Hands over the lines, at least one, of a finished call, in the place of others that it had. The
        same order twice must not be told twice where the portal lets one look."""


class Portal(Protocol):
    """One customer's CRM. Every method returns an outcome; none raises for what the portal or network
    does."""

    id: str
    capabilities: Capabilities

    async def register(self, order: Register, show: frozenset[str], attempt: Attempt) -> Outcome:
        """Opens the call; shows the card at once to those of `show` that this takes no further request for.
        The same order sent twice must not make a second call."""

    async def cards(self, call: str, show: frozenset[str], hide: frozenset[str], attempt: Attempt) -> Outcome:
        """Shows and hides the card of a registered call. `Delivered.shown` answers with all of `show` that
        are met."""

    async def finish(self, order: Finish, attempt: Attempt) -> Outcome:
        """Closes a registered call with its record."""

    async def attach(self, order: Attach, audio: Audio, attempt: Attempt) -> Outcome:
        """Attaches a recording to a finished call, in the place of one that was attached before. The same
        sound twice must not be sent twice."""

    async def check(self) -> list[Finding]:
        """What `callme check` prints: reachability, credentials, rights, people without an extension."""

    async def refresh(self) -> Outcome | None:
        """Renews cached directories (people, lines). A failed refresh keeps the last good copy, is logged,
        and its answer is what the portal said instead; `None` when all is fresh."""

    async def close(self) -> None:
        """Gives connections back."""


@runtime_checkable
class Batches(Protocol):
    """A portal that takes the records of many calls at once; its `Capabilities.batch` says of how many.

    A worker asks it for calls that are over, and for their registers asks nothing else: a portal that was
    sent both orders of a call and did not answer must be able to look, at the next attempt, whether the whole
    was done."""

    async def batch(self, parcels: Sequence[Parcel]) -> list[tuple[Outcome, ...]]:
        """Carries the parcels out and answers in their order: an outcome for each order of a parcel that was
        asked, at least for the first. An ambiguous first one says that the second may have been done too."""


@runtime_checkable
class Examined(Protocol):
    """A portal that can be looked at more closely than `check` does, for `callme doctor`. One that cannot
    simply lacks the methods."""

    id: str

    @property
    def origins(self) -> tuple[str, ...]:
        """Where it is reached: addresses without a path and without secrets."""

    async def extensions(self) -> Mapping[str, str]:
        """Extension → who has it; empty when the portal does not tell. Raises nothing."""

    async def neighbours(self) -> list[Finding]:
        """Whether somebody else reports calls to it. Raises nothing."""
