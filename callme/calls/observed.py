"""What was seen of each channel, kept as histories: the memory from which every field of a call is derived.

`calls.intake` writes here and nowhere else; the derivations only read. Nothing is overwritten that a later
question may need ("was it ever up?", "who rang it first?"), so that facts of one millisecond may come in
any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from callme.calls.facts import ChannelState, DialStatus, Leg
from callme.calls.numbering import hidden, parse_name

STATIONS_KEPT = 64
"""A channel in a dialplan loop visits places for ever; the first 64 tell the way."""

VOTE = "CALLME_VOTE"
"""The channel variable in which a dialplan leaves the caller's rating."""


MESSAGE = "VM_MESSAGEFILE"
"""Set by VoiceMail() when the caller has left a message: its file, without a suffix (app_voicemail, 16 and
22)."""

NAMES_OF_FILES = frozenset(("MIXMONITOR_FILENAME", "FullFname", "CallMeFULLFNAME", MESSAGE))
"""Variables whose value names a file with sound. The second and the third are set by the dialplan of the old
CallMe scripts, which turns the recording into mp3 with lame: the address under which a web server shows
it."""


@dataclass(slots=True)
class Dial:
    """One ringing of this channel by `caller` (`None`: an Originate). `status` is empty while it rings."""

    caller: str | None
    since: float
    dial_string: str = ""
    until: float | None = None
    status: DialStatus = DialStatus.OTHER
    shown: str = ""  # the caller's own number at that moment
    exten: str = ""  # where the caller was in the dialplan
    context: str = ""
    forward: str = ""  # where the phone sent the call instead


@dataclass(slots=True)
class Stay:
    """One stay in a bridge."""

    bridge: str
    holding: bool
    since: float
    until: float | None = None


@dataclass(slots=True)
class Place:
    """One place in the dialplan."""

    context: str
    exten: str
    at: float


@dataclass(slots=True)
class Span:
    """One stretch of time, open while `until` is `None`."""

    since: float
    until: float | None = None


@dataclass(slots=True)
class Waiting:
    """One wait in a queue."""

    queue: str
    since: float
    until: float | None = None


@dataclass(slots=True)
class Handover:
    """This channel was handed from one to another: `by` is a channel's uniqueid or a device, `to` a
    uniqueid or a number."""

    kind: str
    by: str
    to: str
    at: float


@dataclass(slots=True)
class Recording:
    """One file that the channel named: of a talk, or the message a caller left."""

    path: str
    at: float
    message: bool = False


@dataclass(slots=True, eq=False)
class Channel:
    """Everything seen of one channel. `first_*` are the values it was born with; a missed birth leaves them
    to the first message that named it (`born` is false then)."""

    uniqueid: str
    name: str
    linkedid: str
    first_linkedid: str
    born_at: float
    seen_at: float
    born: bool = False
    first_state: ChannelState = ChannelState.OTHER
    first_number: str = ""
    first_name: str = ""
    first_context: str = ""
    first_exten: str = ""
    number: str = ""
    connected: str = ""
    ringing_at: float | None = None
    heard_at: float | None = None  # its far end sent tones of its own
    up_at: float | None = None
    up_context: str = ""
    dials: list[Dial] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    holds: list[Span] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    queues: list[Waiting] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    applications: list[tuple[str, float]] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    partner: str = ""  # the other half, of a Local channel
    asked_at: float | None = None  # its phone asked to hang up
    gone_at: float | None = None
    cause: int | None = None
    vanished: bool = False  # the end was not seen
    unseen: bool = False  # it left a bridge that nobody saw it enter: how long it talked is not known
    patchy: bool = False  # it moved while nobody watched: when exactly is not known

    @property
    def alive(self) -> bool:
        """Not hung up, as far as we saw."""
        return self.gone_at is None

    @property
    def is_local(self) -> bool:
        """One half of a Local channel."""
        return self.name.startswith("Local/")

    @property
    def half(self) -> str:
        """Which half of a Local channel it is."""
        return parse_name(self.name).half

    def learn(self, leg: Leg, now: float) -> bool:
        """Takes over what a message said; true when something that matters is new."""
        self.seen_at = now
        fresh = False
        if leg.linkedid and leg.linkedid != self.linkedid:
            self.linkedid = leg.linkedid
            fresh = True
        if leg.name and leg.name != self.name:
            self.name = leg.name
            fresh = True
        fresh |= self._learn_state(leg, now)
        if leg.number and leg.number != self.number:
            self.number = leg.number
            if hidden(self.first_number) and not hidden(leg.number) and self._introduces_itself(leg):
                self.first_number = leg.number
            fresh = True
        if leg.connected and not hidden(leg.connected):
            self.connected = leg.connected
        if leg.context:
            self.visit(leg.context, leg.exten, now)
        for name, value in leg.variables:
            fresh |= self.set_variable(name, value, now)
        return fresh

    def _introduces_itself(self, leg: Leg) -> bool:
        """The number is the far end's own: later, elsewhere in the dialplan, an outbound route gives a caller
        who is sent on to the outside the company's number (sheet freepbx §1.8)."""
        return not self.dials and not self.stays and leg.context in ("", self.first_context)

    def _learn_state(self, leg: Leg, now: float) -> bool:
        if leg.state is ChannelState.RINGING and self.ringing_at is None:
            self.ringing_at = now
            return True
        if leg.state is ChannelState.UP and self.up_at is None:
            self.up_at = now
            self.up_context = leg.context
            return True
        return False

    def visit(self, context: str, exten: str, now: float) -> None:
        """Notes a place in the dialplan, unless the channel is already there."""
        places = self.places
        if places and places[-1].context == context and places[-1].exten == exten:
            return
        if len(places) < STATIONS_KEPT:
            places.append(Place(context, exten, now))

    def set_variable(self, name: str, value: str, now: float) -> bool:
        """Notes a variable; a recording's path is kept with each value it ever had."""
        if not value or self.variables.get(name) == value:
            return False
        self.variables[name] = value
        if name in NAMES_OF_FILES and all(known.path != value for known in self.recordings):
            self.recordings.append(Recording(value, now, message=name == MESSAGE))
        return True

    def leave(self, bridge: str, now: float) -> bool:
        """Ends the stay in that bridge; true if there was one."""
        for stay in reversed(self.stays):
            if stay.bridge == bridge and stay.until is None:
                stay.until = now
                return True
        return False

    def end(self, now: float) -> None:
        """Closes everything that was open when the channel went."""
        self.gone_at = now
        for stay in self.stays:
            if stay.until is None:
                stay.until = now
        for dial in self.dials:
            if dial.until is None:
                dial.until = now
        for hold in self.holds:
            if hold.until is None:
                hold.until = now
        for waiting in self.queues:
            if waiting.until is None:
                waiting.until = now

    def visited(self, *starts: str) -> bool:
        """Was it ever in a context that begins so?"""
        return any(place.context.startswith(starts) for place in self.places)


_NESTED: dict[str, Any] = {
    "dials": Dial,
    "stays": Stay,
    "places": Place,
    "holds": Span,
    "recordings": Recording,
    "handovers": Handover,
    "queues": Waiting,
}
_PARTS = {name: tuple(shape.__dataclass_fields__) for name, shape in _NESTED.items()}
_PLAIN = tuple(name for name in Channel.__dataclass_fields__ if name not in _NESTED)


def encode_channel(channel: Channel) -> dict[str, Any]:
    """The channel as JSON-ready data. Spelt out: `asdict` copies deeply and took half of a step's time."""
    stored = {name: getattr(channel, name) for name in _PLAIN}
    for name, parts in _PARTS.items():
        stored[name] = [{part: getattr(item, part) for part in parts} for item in getattr(channel, name)]
    stored["variables"] = dict(channel.variables)
    stored["applications"] = list(channel.applications)
    return stored


def decode_channel(stored: dict[str, Any]) -> Channel:
    """The channel that `encode_channel` gave; keys that a newer version added are left out."""
    known: dict[str, Any] = {
        key: value for key, value in stored.items() if key in Channel.__dataclass_fields__
    }
    known["first_state"] = ChannelState(known.get("first_state", ""))
    for name, shape in _NESTED.items():
        known[name] = [shape(**item) for item in known.get(name, ())]
    for dial in known["dials"]:
        dial.status = DialStatus(dial.status)
    known["applications"] = [tuple(item) for item in known.get("applications", ())]
    return Channel(**known)


def overlap(
    since: float, until: float | None, other_since: float, other_until: float | None
) -> tuple[float, float | None] | None:
    """The common part of two stretches, `None` when there is none. Open ends stay open."""
    start = max(since, other_since)
    if until is None:
        end = other_until
    elif other_until is None:
        end = until
    else:
        end = min(until, other_until)
    return None if end is not None and end <= start else (start, end)
