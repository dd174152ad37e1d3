"""What is known of a call: one immutable `Call`, made anew from the observations each time something
changed.

`derive` makes it, `crm.policy` turns it into intents, the store keeps it, pages and `callme replay` show
it. Nothing here computes; see `calls.derive` for the rule behind each field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NewType

from callme.calls.stretches import Stretch

CallId = NewType("CallId", str)
"""`<pbx>-<uniqueid of the call's first channel>`: fixed at birth, never reused, at most 64 characters."""


class Direction(StrEnum):
    """Who called whom, seen from the company."""

    IN = "in"
    OUT = "out"
    INTERNAL = "internal"


class Disposition(StrEnum):
    """How a call ended. While it is open: how it would end now."""

    ANSWERED = "answered"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    DECLINED = "declined"
    CANCELLED = "cancelled"  # the calling side gave up
    FAILED = "failed"  # wrong number, no route, congestion
    VOICEMAIL = "voicemail"
    AFTER_HOURS = "after-hours"
    BLOCKED = "blocked"  # the PBX's blacklist turned the caller away
    UNKNOWN = "unknown"  # the end was not seen and nothing certain is known


class Side(StrEnum):
    """Who hung up first."""

    CALLER = "caller"
    AGENT = "agent"
    CALLEE = "callee"  # the outside party that we called
    PBX = "pbx"


class TransferKind(StrEnum):
    """How a call went from one person to another."""

    BLIND = "blind"
    ATTENDED = "attended"
    PARK = "park"
    PICKUP = "pickup"


@dataclass(frozen=True, slots=True)
class Ring:
    """One stretch in which an extension rang for the call. `until` is `None` while it rings. Epoch
    seconds."""

    extension: str
    since: float
    until: float | None = None
    device: str = ""  # the channel that rang
    via: str = ""  # the outside number that rang on the extension's behalf (forward, follow-me)
    answered: bool = False  # it picked up and is still there


@dataclass(frozen=True, slots=True)
class Talk:
    """One stretch in which a person talked with the customer. `who` is an extension or, for an outside
    phone, its number; `extension` is the colleague to whom the talk belongs (the one who forwarded), `None`
    for an outsider."""

    who: str
    extension: str | None
    since: float
    until: float | None = None
    present: bool = False  # neither side has hung up: between two bridges, or asking a colleague


@dataclass(frozen=True, slots=True)
class Hold:
    """One stretch in which a side had put the other on hold."""

    who: str
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """One hand-over. `to` is an extension, group, queue or number, as far as seen."""

    kind: TransferKind
    by: str
    to: str
    at: float


@dataclass(frozen=True, slots=True)
class Step:
    """One station on the call's way through the PBX: kind is `did`, `ivr`, `group`, `queue`, `hours`,
    `announcement`, `forward`, `followme`, `voicemail`, `parking`, `conference`; `name` is the PBX's own
    number or name for it."""

    kind: str
    name: str
    at: float


class Sound(StrEnum):
    """What a file holds."""

    TALK = "talk"
    VOICEMAIL = "voicemail"  # the message that the caller left


class Ear(StrEnum):
    """Whom a recorded channel hears: where a PBX writes both directions apart, it is he who is in the
    receiving one."""

    CUSTOMER = "customer"
    COLLEAGUE = "colleague"


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """One file as the PBX names it, with the channel that was recorded.

    `since` is when we learnt of it, seldom more than a moment after it began. The PBX closes it when that
    channel goes, at `until` (`None` while it lives). Only then the rest is told: `bridged` are the stretches
    in which the channel was in a bridge (a MixMonitor with option `b` writes in these alone, sheet freepbx
    §2.2), `talk` those of the customer's talk that passed through it; both whole, however late the file was
    begun: how much of them it holds, its length tells. Where they are not `sure`, part of the call went by
    while nobody watched.
    """

    path: str
    channel: str
    uniqueid: str
    since: float
    until: float | None = None
    bridged: tuple[Stretch, ...] = ()
    talk: tuple[Stretch, ...] = ()
    hears: Ear = Ear.CUSTOMER
    kind: Sound = Sound.TALK
    sure: bool = True

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> RecordingFile:
        """The file that `asdict` gave; keys that a newer version added are left out."""
        known = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        for name in ("bridged", "talk"):
            known[name] = tuple((since, until) for since, until in known.get(name, ()))
        known["hears"] = Ear(known.get("hears", Ear.CUSTOMER))
        known["kind"] = Sound(known.get("kind", Sound.TALK))
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Call:
    """Everything that DESIGN §5 lists. Times are epoch seconds; `ended_at` is `None` while the call is
    open.

    `external` is the outside party's number as the PBX gave it, `number` the same in E.164 with `+` where
    it can be told; both empty when hidden. `line` is the DID or the trunk number that was shown. `certain`
    is false when an event was missed and `answered_by` rests on weaker evidence.
    """

    id: CallId
    pbx: str
    direction: Direction
    external: str
    number: str
    name: str
    line: str
    trunk: str
    caller: str | None  # the extension that called out or called a colleague
    started_at: float
    ring_at: float | None = None  # first ring: of our phones, for an outgoing call of the customer's
    ring_until: float | None = None  # the answer, or the end of the last ring
    rang: tuple[Ring, ...] = ()
    answered_by: str | None = None
    via: str | None = None  # the outside number on which a forwarded call was answered
    talks: tuple[Talk, ...] = ()
    holds: tuple[Hold, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    path: tuple[Step, ...] = ()
    last_talker: str | None = None
    owner: str | None = None  # the extension whose call it is for a CRM: who talked last, else who called out
    disposition: Disposition = Disposition.UNKNOWN
    hung_up_by: Side | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    lost: bool = False  # the end was not seen; `ended_at` is the last moment that is certain
    certain: bool = True
    recordings: tuple[RecordingFile, ...] = ()
    command: str | None = None  # the command that caused it (click-to-call)
    linked: tuple[CallId, ...] = ()  # calls that it met
    aliases: tuple[str, ...] = ()  # uniqueids of channels that belong to it
    vote: int | None = None  # how the caller rated the talk, 1 to 5
    cause: int | None = None  # Q.850, of an outgoing call's last outside leg that is gone

    @property
    def open(self) -> bool:
        """Not over yet."""
        return self.ended_at is None

    @property
    def ringing(self) -> tuple[str, ...]:
        """Extensions that ring at this moment, in the order in which they began."""
        return tuple(dict.fromkeys(ring.extension for ring in self.rang if ring.until is None))

    @property
    def picking_up(self) -> tuple[str, ...]:
        """Extensions that answered and have not talked since: their bridge comes in a moment, or, where a
        forwarded call has to be confirmed by a key, after that."""
        return tuple(
            dict.fromkeys(
                ring.extension
                for ring in self.rang
                if ring.answered
                and not any(t.extension == ring.extension and t.since >= ring.since for t in self.talks)
            )
        )

    @property
    def talking(self) -> tuple[str, ...]:
        """Extensions whose talk with the customer goes on."""
        return tuple(dict.fromkeys(t.extension for t in self.talks if t.until is None and t.extension))

    @property
    def staying(self) -> tuple[str, ...]:
        """While nobody talks with the customer: those who did and are still on the line. A bridge may be
        left and another entered in the same millisecond, and who asks a colleague comes back."""
        if any(talk.until is None for talk in self.talks):
            return ()
        return tuple(dict.fromkeys(talk.extension for talk in self.talks if talk.present and talk.extension))

    @property
    def talk_s(self) -> float:
        """Seconds from the first human answer to the end (so far 0 while open and unanswered)."""
        if self.answered_at is None or self.ended_at is None:
            return 0.0
        return max(0.0, self.ended_at - self.answered_at)

    @property
    def ring_s(self) -> float:
        """Seconds from the first ring to the answer, or to the last ring's end (0 while it rings)."""
        if self.ring_at is None or self.ring_until is None:
            return 0.0
        return max(0.0, self.ring_until - self.ring_at)


def encode(call: Call) -> dict[str, Any]:
    """The call as JSON-ready data; `decode(encode(call)) == call`."""
    return asdict(call)


def decode(stored: dict[str, Any]) -> Call:
    """The call that `encode` gave; keys that a newer version added are left out."""
    known: dict[str, Any] = {
        name: value for name, value in stored.items() if name in Call.__dataclass_fields__
    }
    known["direction"] = Direction(known["direction"])
    known["disposition"] = Disposition(known["disposition"])
    known["hung_up_by"] = Side(known["hung_up_by"]) if known.get("hung_up_by") else None
    for name, shape in (
        ("rang", Ring),
        ("talks", Talk),
        ("holds", Hold),
        ("path", Step),
    ):
        known[name] = tuple(shape(**item) for item in known.get(name, ()))
    known["recordings"] = tuple(RecordingFile.of(item) for item in known.get("recordings", ()))
    known["transfers"] = tuple(
        Transfer(**{**item, "kind": TransferKind(item["kind"])}) for item in known.get("transfers", ())
    )
    for name in ("linked", "aliases"):
        known[name] = tuple(known.get(name, ()))
    return Call(**known)
