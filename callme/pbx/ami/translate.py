"""AMI messages into facts: the only place that knows how Asterisk words an event.

Pure. `keep` decides on raw bytes which packets are worth parsing at all (nine in ten are not),
`Translator.facts` turns one parsed message into facts, `snapshot` turns the answers to CoreShowChannels and
BridgeList into one. Event names and fields are those of Asterisk 13–22 (sheet freepbx §3.1, §3.14;
asterisk-ami-observed §10).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from callme.calls import facts as f
from callme.calls.facts import ChannelState, DialStatus, Fact, Leg
from callme.calls.observed import NAMES_OF_FILES, VOTE
from callme.pbx.ami.wire import Message, unescape

_STATES = {state.value: state for state in ChannelState if state.value}
_STATUSES = {status.value: status for status in DialStatus if status.value}

WANTED_VARIABLES = frozenset(("FROM_DID", "EXTTOCALL", "CALLME_COMMAND", VOTE)) | NAMES_OF_FILES
"""Variables that a derivation asks for (sheet freepbx §2.1)."""

_VARIABLE = re.compile(
    rb"\nVariable: _*(" + b"|".join(name.encode() for name in sorted(WANTED_VARIABLES)) + rb")\r?\n"
)
_FILE = re.compile(rb"\n[Rr]ecording[Ff]ile: [^\r\n]")
_PLACE = re.compile(
    rb"\nContext: (?:ivr-|ext-|app-|timecond|from-did-direct|follow|fmgrps|grps|macro-vm|sub-vm|vm|park)"
    rb"|\nExten: \d{2,6}\r?\n"
    rb"|\nApplication: (?:VoiceMail|ConfBridge|MeetMe|Page|Park|Busy)"
)


# --------------------------------------------------------------------------------------- filter
def keep(raw: bytes) -> bool:
    """Is this event packet worth parsing? Decided by its first line, for the two floods and for records of
    calls by one look inside."""
    if not raw.startswith(b"Event: "):
        return False
    end = raw.find(b"\n")
    name = raw[7 : end if end >= 0 else len(raw)].rstrip()
    if name == b"VarSet":
        return _VARIABLE.search(raw) is not None
    if name == b"Newexten":
        return _PLACE.search(raw) is not None
    if name == b"Cdr":
        return _FILE.search(raw) is not None
    return name in _KEPT


# ----------------------------------------------------------------------------------------- legs
def leg(message: Message, prefix: str = "") -> Leg | None:
    """The channel that the headers with this prefix name; `None` when there is none."""
    get = message.get
    uniqueid = get(prefix + "Uniqueid")
    if not uniqueid:
        return None
    return Leg(
        uniqueid=uniqueid,
        linkedid=get(prefix + "Linkedid"),
        name=get(prefix + "Channel"),
        state=_STATES.get(get(prefix + "ChannelStateDesc"), ChannelState.OTHER),
        number=_said(get(prefix + "CallerIDNum")),
        caller_name=_named(_said(get(prefix + "CallerIDName"))),
        connected=_said(get(prefix + "ConnectedLineNum")),
        context=get(prefix + "Context"),
        exten=get(prefix + "Exten"),
        variables=_variables(message, prefix + "ChanVariable"),
    )


def _said(value: str) -> str:
    return "" if value == "<unknown>" else value


def _named(value: str) -> str:
    """A caller's name, C-escaped as it comes (freepbx §4.7): one line, whatever his telephone says."""
    if "\\" not in value:
        return value
    plain = "".join(sign if sign.isprintable() else " " for sign in unescape(value))
    return " ".join(plain.split())


def _variables(message: Message, header: str) -> tuple[tuple[str, str], ...]:
    """What `channelvars` adds to each channel event: `ChanVariable: NAME=value`, C-escaped."""
    if header not in message:
        return ()
    found = []
    for line in message.all(header):
        name, _, value = line.partition("=")
        name = name.strip().lstrip("_")
        if value and name in WANTED_VARIABLES:
            found.append((name, unescape(value)))
    return tuple(found)


# --------------------------------------------------------------------------------------- events
def facts(message: Message, now: float) -> tuple[Fact, ...]:
    """The facts in one event; none for an event that says nothing of a call. `now` dates FullyBooted's
    uptime."""
    make = _EVENTS.get(message.name)
    if make is None:
        return ()
    if message.name == "FullyBooted":
        return (_booted(message, now),)
    fact = make(message)
    return () if fact is None else (fact,)


def _booted(message: Message, now: float) -> Fact:
    uptime = message.get("Uptime")
    return f.LinkUp(now - float(uptime) if uptime.isdigit() else None)


def _newchannel(message: Message) -> Fact | None:
    who = leg(message)
    return f.ChannelSeen(who, born=True) if who else None


def _seen(message: Message) -> Fact | None:
    who = leg(message)
    return f.ChannelSeen(who) if who else None


def _varset(message: Message) -> Fact | None:
    who = leg(message)
    name = message.get("Variable").lstrip("_")
    if who is None or name not in WANTED_VARIABLES:
        return None
    return f.VariableSet(who, name, unescape(message.get("Value")))


def _told(message: Message) -> Fact | None:
    """The dialplan's `UserEvent(CallMe,Vote: 5)`; others' events are theirs."""
    who, vote = leg(message), message.get("Vote").strip()
    if who is None or not vote or message.get("UserEvent").lower() != "callme":
        return None
    return f.VariableSet(who, VOTE, vote)


def _newexten(message: Message) -> Fact | None:
    who = leg(message)
    return f.ApplicationRan(who, message.get("Application"), message.get("AppData")) if who else None


def _dial_begin(message: Message) -> Fact | None:
    dest = leg(message, "Dest")
    return f.Dialled(leg(message), dest, message.get("DialString")) if dest else None


def _dial_end(message: Message) -> Fact | None:
    dest = leg(message, "Dest")
    status = _STATUSES.get(message.get("DialStatus"), DialStatus.OTHER)
    return f.DialEnded(leg(message), dest, status, message.get("Forward")) if dest else None


def _dial_state(message: Message) -> Fact | None:
    """RINGING says no more than the channel's own state; Asterisk 13 has no such event."""
    dest = leg(message, "Dest")
    return f.DialProgressed(dest) if dest and message.get("DialStatus") == "PROGRESS" else None


def _enter(message: Message) -> Fact | None:
    who = leg(message)
    holding = message.get("BridgeTechnology") == "holding_bridge"
    bridge = message.get("BridgeUniqueid")
    return f.BridgeEntered(who, bridge, holding, message.get("SwapUniqueid")) if who and bridge else None


def _leave(message: Message) -> Fact | None:
    who = leg(message)
    return f.BridgeLeft(who, message.get("BridgeUniqueid")) if who else None


def _local_bridge(message: Message) -> Fact | None:
    one, two = leg(message, "LocalOne"), leg(message, "LocalTwo")
    return f.LocalPaired(one, two) if one and two else None


def _blind(message: Message) -> Fact | None:
    by, who = leg(message, "Transferer"), leg(message, "Transferee")
    if by is None or who is None or not _succeeded(message):
        return None
    return f.BlindTransferred(by, who, message.get("Extension"))


def _attended(message: Message) -> Fact | None:
    first, second = leg(message, "OrigTransferer"), leg(message, "SecondTransferer")
    if first is None or second is None or not _succeeded(message):
        return None
    return f.AttendedTransferred(first, second, leg(message, "Transferee"), leg(message, "TransferTarget"))


def _succeeded(message: Message) -> bool:
    return message.get("Result", "Success") == "Success"


def _pickup(message: Message) -> Fact | None:
    picker, target = leg(message), leg(message, "Target")
    return f.PickedUp(picker, target) if picker and target else None


def _parked(message: Message) -> Fact | None:
    parkee = leg(message, "Parkee")
    return f.Parked(parkee, message.get("ParkerDialString"), message.get("ParkingSpace")) if parkee else None


def _unparked(message: Message) -> Fact | None:
    parkee = leg(message, "Parkee")
    return f.Unparked(parkee, leg(message, "Retriever")) if parkee else None


def _hold(message: Message) -> Fact | None:
    who = leg(message)
    return f.HoldChanged(who, held=message.name == "Hold") if who else None


def _queue_join(message: Message) -> Fact | None:
    who = leg(message)
    return f.QueueJoined(who, message.get("Queue")) if who else None


def _queue_leave(message: Message) -> Fact | None:
    who = leg(message)
    return f.QueueLeft(who, message.get("Queue"), message.name == "QueueCallerAbandon") if who else None


def _hangup_request(message: Message) -> Fact | None:
    who = leg(message)
    return f.HangupAsked(who) if who else None


def _hangup(message: Message) -> Fact | None:
    who = leg(message)
    cause = message.get("Cause")
    return f.HungUp(who, int(cause) if cause.isdigit() else 0) if who else None


def _originate(message: Message) -> Fact | None:
    uniqueid = _said(message.get("Uniqueid"))
    reason = message.get("Reason")
    ok = message.get("Response") == "Success"
    return f.OriginateEnded(
        message.get("ActionID"), uniqueid if ok else "", ok, int(reason) if reason.isdigit() else 0
    )


def _cdr(message: Message) -> Fact | None:
    """Where cdr_manager.conf maps the column: FreePBX's own name, and the one that its hook is given."""
    name = message.get("RecordingFile") or message.get("recordingfile")
    uniqueid = message.get("UniqueID") or message.get("UniqueId")
    return f.FileNoted(uniqueid, name) if name and uniqueid else None


_EVENTS: dict[str, Callable[[Message], Fact | None]] = {
    "Newchannel": _newchannel,
    "Newstate": _seen,
    "NewCallerid": _seen,
    "VarSet": _varset,
    "UserEvent": _told,
    "Newexten": _newexten,
    "DialBegin": _dial_begin,
    "DialEnd": _dial_end,
    "DialState": _dial_state,
    "BridgeEnter": _enter,
    "BridgeLeave": _leave,
    "LocalBridge": _local_bridge,
    "BlindTransfer": _blind,
    "AttendedTransfer": _attended,
    "Pickup": _pickup,
    "ParkedCall": _parked,
    "UnParkedCall": _unparked,
    "ParkedCallTimeOut": _unparked,
    "ParkedCallGiveUp": _unparked,
    "Hold": _hold,
    "Unhold": _hold,
    "QueueCallerJoin": _queue_join,
    "QueueCallerLeave": _queue_leave,
    "QueueCallerAbandon": _queue_leave,
    "HangupRequest": _hangup_request,
    "Hangup": _hangup,
    "OriginateResponse": _originate,
    "Cdr": _cdr,
    "FullyBooted": lambda message: None,
}
_KEPT = frozenset(name.encode() for name in _EVENTS) - {b"VarSet", b"Newexten", b"Cdr"}


# ------------------------------------------------------------------------------------- snapshot
def snapshot(messages: Iterable[Message], asked_at: float) -> f.Snapshot:
    """One snapshot from the items of CoreShowChannels and, for holding bridges, BridgeList."""
    items = list(messages)
    holding = {
        item.get("BridgeUniqueid")
        for item in items
        if item.name == "BridgeListItem" and item.get("BridgeTechnology") == "holding_bridge"
    }
    living = []
    for item in items:
        if item.name != "CoreShowChannel":
            continue
        who = leg(item)
        if who is not None:
            bridge = item.get("BridgeId")
            living.append(f.LiveLeg(who, bridge, bridge in holding))
    return f.Snapshot(tuple(living), asked_at)
