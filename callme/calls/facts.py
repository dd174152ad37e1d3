"""What was observed on a PBX: the only thing that enters the tracker.

A translator (`pbx.ami.translate` today; an ARI source, a CEL reader or a replay file tomorrow) turns its
own messages into these values. Facts carry no time: the shell says when they arrived. A fact names channels
through a `Leg`, which is all that the message happened to say about the channel, so that every fact also
introduces a channel whose birth was missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChannelState(StrEnum):
    """Asterisk's channel states as far as a call depends on them (`ChannelStateDesc`)."""

    DOWN = "Down"
    RING = "Ring"  # the far end of this channel is calling us
    RINGING = "Ringing"  # we are ringing the far end
    UP = "Up"
    BUSY = "Busy"
    OTHER = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """What one message said of a channel. Empty text is "not said"; numbers are as the PBX wrote them."""

    uniqueid: str
    linkedid: str
    name: str
    state: ChannelState = ChannelState.OTHER
    number: str = ""
    caller_name: str = ""
    connected: str = ""
    context: str = ""
    exten: str = ""
    variables: tuple[tuple[str, str], ...] = ()  # of `channelvars`


class DialStatus(StrEnum):
    """How one dialled leg ended (`DialStatus` of DialEnd)."""

    ANSWER = "ANSWER"
    BUSY = "BUSY"
    NO_ANSWER = "NOANSWER"
    CANCEL = "CANCEL"
    CONGESTION = "CONGESTION"
    UNAVAILABLE = "CHANUNAVAIL"
    OTHER = ""


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """A channel was born (`born`), or told something new of itself: state, caller id, place in the
    dialplan."""

    leg: Leg
    born: bool = False


@dataclass(frozen=True, slots=True)
class VariableSet:
    """A channel variable that matters got a value; inheritance marks (`_`, `__`) are already cut off the
    name."""

    leg: Leg
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ApplicationRan:
    """The dialplan ran an application on the channel, at the place its leg names."""

    leg: Leg
    application: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Dialled:
    """A channel began to ring another. `caller` is `None` for an Originate, which has no caller."""

    caller: Leg | None
    dest: Leg
    dial_string: str


@dataclass(frozen=True, slots=True)
class DialEnded:
    """The ringing of `dest` ended so. `forward` is where its phone sent the call instead (a 302)."""

    caller: Leg | None
    dest: Leg
    status: DialStatus
    forward: str = ""


@dataclass(frozen=True, slots=True)
class DialProgressed:
    """The far end of `dest` is heard before it answers: many providers send their own tones (183) and never
    say that it rings."""

    dest: Leg


@dataclass(frozen=True, slots=True)
class BridgeEntered:
    """A channel entered a bridge. `holding` bridges (parking, waiting) are no talk. `swap` is the uniqueid
    it replaced."""

    leg: Leg
    bridge: str
    holding: bool
    swap: str = ""


@dataclass(frozen=True, slots=True)
class BridgeLeft:
    """A channel left a bridge."""

    leg: Leg
    bridge: str


@dataclass(frozen=True, slots=True)
class LocalPaired:
    """Two halves of one Local channel: what goes in at one comes out at the other."""

    one: Leg
    two: Leg


@dataclass(frozen=True, slots=True)
class BlindTransferred:
    """`by` sent `who` to `exten`."""

    by: Leg
    who: Leg
    exten: str


@dataclass(frozen=True, slots=True)
class AttendedTransferred:
    """`first` (talking with `transferee`) and `second` (consulting `target`) are two channels of the one
    who joined the two others."""

    first: Leg
    second: Leg
    transferee: Leg | None
    target: Leg | None


@dataclass(frozen=True, slots=True)
class PickedUp:
    """`picker` took the call that rang at `target`."""

    picker: Leg
    target: Leg


@dataclass(frozen=True, slots=True)
class Parked:
    """`parkee` waits in `space`; `parker` is the device that parked it, as dial string."""

    parkee: Leg
    parker: str
    space: str


@dataclass(frozen=True, slots=True)
class Unparked:
    """`retriever` took `parkee` out of parking. `None` when parking timed out or the parkee gave up."""

    parkee: Leg
    retriever: Leg | None


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """The channel's phone put the other side on hold, or took it back."""

    leg: Leg
    held: bool


@dataclass(frozen=True, slots=True)
class QueueJoined:
    """The channel waits in the queue."""

    leg: Leg
    queue: str


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """The channel waits no longer; `abandoned` when it was not for an agent."""

    leg: Leg
    queue: str
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class HangupAsked:
    """The phone or line behind the channel sent a BYE or CANCEL."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class HungUp:
    """The channel is gone. `cause` is the Q.850 cause that Asterisk gave."""

    leg: Leg
    cause: int


@dataclass(frozen=True, slots=True)
class OriginateEnded:
    """The Originate that we or others sent has its answer; `uniqueid` is empty when it failed."""

    action_id: str
    uniqueid: str
    ok: bool
    reason: int


@dataclass(frozen=True, slots=True)
class LinkUp:
    """We are connected. `booted_at` is when the PBX itself started (epoch seconds), if it told."""

    booted_at: float | None = None


@dataclass(frozen=True, slots=True)
class LinkDown:
    """We are blind from now on."""


@dataclass(frozen=True, slots=True)
class LiveLeg:
    """One channel of a snapshot, with the bridge it is in."""

    leg: Leg
    bridge: str = ""
    holding: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every channel that lived when the PBX answered; `asked_at` is when we asked (epoch seconds)."""

    legs: tuple[LiveLeg, ...]
    asked_at: float


@dataclass(frozen=True, slots=True)
class FileNoted:
    """The PBX's own record of a channel names a recording, without its folder. It comes when the channel
    goes."""

    uniqueid: str
    name: str


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A deadline that a step named has come."""


Fact = (
    ChannelSeen
    | VariableSet
    | ApplicationRan
    | Dialled
    | DialEnded
    | DialProgressed
    | BridgeEntered
    | BridgeLeft
    | LocalPaired
    | BlindTransferred
    | AttendedTransferred
    | PickedUp
    | Parked
    | Unparked
    | HoldChanged
    | QueueJoined
    | QueueLeft
    | HangupAsked
    | HungUp
    | OriginateEnded
    | FileNoted
    | LinkUp
    | LinkDown
    | Snapshot
    | TimePassed
)
