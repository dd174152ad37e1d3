"""The recorded calls as other versions, channel drivers, rights, dialplans and providers would tell them.

A variant rewrites the packets of a transcript; the truth changes only where the variant says so. Used by
`test_variants`; nothing here knows how the tracker works.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from callme.pbx.ami.transcript import Chunk, moments
from callme.pbx.ami.wire import Framer
from callme.pbx.port import Moment

Headers = list[tuple[str, str]]
Truth = dict[str, Any]
Packet = Callable[[Headers], Headers | None]
Text = Callable[[str, str], str]
Kept = Callable[[str], bool]

DIALPLAN = ("VarSet", "Newexten", "Cdr", "CEL")
AGENT = (
    "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentCalled", "AgentConnect",
    "AgentComplete", "AgentRingNoAnswer",
)  # fmt: skip
YOUNG = (
    "DialState", "MixMonitorStart", "MixMonitorStop", "BridgeMerge", "LocalOptimizationBegin",
    "LocalOptimizationEnd", "NewConnectedLine", "DeviceStateChange", "TestEvent", "RTCPSent", "RTCPReceived",
)  # fmt: skip
IDENTITIES = ("Uniqueid", "Linkedid", "UniqueID", "ChannelState", "Priority", "ActionID", "Cause")


def packets(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, list[Headers]]]:
    """The chunks with the headers of each packet that they complete."""
    framer = Framer()
    for chunk in chunks:
        framer = Framer() if chunk.fresh else framer
        found: list[Headers] = []
        for raw in framer.feed(chunk.data):
            lines = raw.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
            found.append([(name, value) for name, _, value in (line.partition(": ") for line in lines)])
        yield chunk, found


@dataclass(frozen=True)
class Variant:
    """`packet` gives a packet anew, or none; `text` is done on each value before; `truth` on each call's
    truth; `of` says of which cases the variant can be made."""

    name: str
    packet: Packet = lambda headers: headers
    text: Text = lambda _, value: value
    truth: Callable[[Truth], Truth] = lambda truth: truth
    of: Kept = lambda _: True

    def moments(self, chunks: Iterable[Chunk]) -> Iterator[Moment]:
        """The transcript as this PBX would have told it."""
        return moments([self._told(chunk, found) for chunk, found in packets(chunks)])

    def _told(self, chunk: Chunk, found: list[Headers]) -> Chunk:
        told = (self.packet([(name, self.text(name, value)) for name, value in one]) for one in found)
        text = "".join(
            "".join(f"{name}: {value}\r\n" for name, value in one) + "\r\n" for one in told if one is not None
        )
        return Chunk(chunk.at, text.encode("utf-8", "surrogateescape"), chunk.fresh, chunk.asked)

    def expected(self, truth: Truth) -> Truth:
        """The truth of the original as it is of the variant."""
        return self.truth(copy.deepcopy(truth))


# ------------------------------------------------------------------------------ whole packets
def without(*names: str) -> Packet:
    """Headers that this version does not send; `DestLinkedid` goes with `Linkedid`."""
    return lambda headers: [item for item in headers if not item[0].endswith(names)]


def silent(*events: str) -> Packet:
    """Events that this PBX, or this user's rights, do not give."""
    return lambda headers: None if headers[0][1] in events else headers


def both(one: Packet, two: Packet) -> Packet:
    def done(headers: Headers) -> Headers | None:
        found = one(headers)
        return None if found is None else two(found)

    return done


def shuffled(headers: Headers) -> Headers:
    """Every header but the first at another place."""
    rest = headers[1:]
    random.Random(len(headers)).shuffle(rest)
    return [headers[0], *rest]


def some_linkedids(headers: Headers) -> Headers:
    """The Linkedid with a channel's birth alone."""
    return headers if headers[0][1] == "Newchannel" else without("Linkedid")(headers) or headers


def chan_sip(headers: Headers) -> Headers:
    """Channels of chan_sip, and the dial strings that it is given."""

    def dialled(value: str) -> str:
        number, _, peer = value.partition("@")
        if number.lstrip("+").isdigit() and peer and "/" not in value:
            return f"{peer}/{number}"
        return re.sub(r"^(\d+)/sip:.*", r"\1", value)

    return [
        (name, (dialled(value) if name == "DialString" else value).replace("PJSIP/", "SIP/"))
        for name, value in headers
    ]


def early_media(headers: Headers) -> Headers | None:
    """A provider that says 183 and never 180: the far end is heard, and never seen to ring."""
    said = dict(headers)
    if "trunk-" not in (said.get("DestChannel") or said.get("Channel", "")):
        return headers
    if said.get("Event") == "Newstate" and said.get("ChannelStateDesc") == "Ringing":
        return None
    if said.get("Event") == "DialState":
        return [(name, "PROGRESS" if name == "DialStatus" else value) for name, value in headers]
    return [
        (name, "Down" if name.endswith("ChannelStateDesc") and value == "Ringing" else value)
        for name, value in headers
    ]


# --------------------------------------------------------------------------------------- values
def every(names: tuple[str, ...], put: str) -> Text:
    """Headers that end so have that value."""
    return lambda name, value: put if name.endswith(names) else value


def instead(header: str, was: str, put: str) -> Text:
    """That header's value is another one."""
    return lambda name, value: put if name == header and value == was else value


def replaced(shape: str, put: str | Callable[[re.Match[str]], str]) -> Text:
    """In every value."""
    found = re.compile(shape)
    return lambda _, value: found.sub(put, value)


def renumbered(put: str) -> Text:
    """Extensions have other numbers, wherever they stand but in identities."""
    found = re.compile(r"(?<![\w.])10([1-6])(?!\d)")
    return lambda name, value: value if name.endswith(IDENTITIES) else found.sub(put, value)


def did(put: str) -> Text:
    """The provider names the number called so."""
    found = re.compile(r"7(4950000\d{3})")
    named = ("Exten", "Value", "ChanVariable", "Extension")
    return lambda name, value: found.sub(put, value) if name in named else value


def caller(put: str) -> Text:
    """The customer shows himself so."""
    found = re.compile(r"^79000000(\d{3})$")
    named = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")
    return lambda name, value: found.sub(put, value) if name.endswith(named) else value


def systemname(name: str, value: str) -> str:
    """`systemname` of asterisk.conf stands before each uniqueid."""
    plain = name.endswith(("Uniqueid", "Linkedid", "UniqueID")) and re.fullmatch(r"\d{9,}\.\d+", value)
    return f"pbx-office.1-{value}" if plain else value


def trunk(put: str) -> Text:
    return replaced(r"PJSIP/trunk-prov(?=-)", put)


def iax(found: re.Match[str]) -> str:
    return f"IAX2/prov-{int(found[1], 16)}"


# ---------------------------------------------------------------------------------------- truth
def deep(shape: str, put: str) -> Callable[[Truth], Truth]:
    """The same done on every text of the truth."""
    found = re.compile(shape)

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return found.sub(put, value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        return {name: walk(item) for name, item in value.items()} if isinstance(value, dict) else value

    return walk


def shows(number: str | None) -> Callable[[Truth], Truth]:
    """An incoming call's external number, where it has one; `…` stands for the last three digits."""

    def change(truth: Truth) -> Truth:
        if truth["direction"] == "in" and truth["external"]:
            truth["external"] = number and number.replace("…", truth["external"][-3:])
        return truth

    return change


def no_line(truth: Truth) -> Truth:
    return {**truth, "line": None} if truth["direction"] == "in" else truth


def no_transfers(kind: str) -> Callable[[Truth], Truth]:
    def change(truth: Truth) -> Truth:
        return {**truth, "transfers": [m for m in truth.get("transfers", ()) if m["kind"] != kind]}

    return change


# ----------------------------------------------------------------------------------------- which
def incoming(name: str) -> bool:
    """Cases with a customer who calls in (the numbers of clicked customers look alike)."""
    return "/in_" in name


def but(*names: str) -> Kept:
    """Cases in which what is left out was all that told something."""
    return lambda name: name.partition("/")[2] not in names


CONNECTED = ("ConnectedLineNum", "ConnectedLineName")
NAMES = ("CallerIDName", "ConnectedLineName")
NOBODY = ("Anonymous", "anonymous", "Unavailable", "Restricted", "<unknown>", "")
SHORT = ("205", "103", "101", "0890")

VARIANTS = (
    Variant("headers_in_any_order", shuffled),
    Variant("no_linkedid", without("Linkedid"), of=but("in_attended_by_code")),
    Variant("linkedid_at_birth_only", some_linkedids),
    Variant(
        "bare_headers",
        without("Language", "AccountCode", "Cause-txt", "TechCause", "ChanVariable", "Privilege"),
    ),
    Variant("no_young_events", silent(*YOUNG)),
    Variant("no_dialplan_class", silent(*DIALPLAN), of=but("in_callforward")),
    Variant(
        "no_dialplan_class_nor_channelvars",
        both(silent(*DIALPLAN), without("ChanVariable")),
        of=but("in_callforward"),
    ),
    Variant("no_agent_class", silent(*AGENT)),
    Variant("no_local_bridge", silent("LocalBridge")),
    Variant("no_swap", without("SwapUniqueid")),
    Variant("no_newstate", silent("Newstate")),
    Variant("no_dial_string", lambda headers: [item for item in headers if item[0] != "DialString"]),
    Variant(
        "no_blind_transfer_event",
        silent("BlindTransfer"),
        truth=no_transfers("blind"),
        of=but("in_blind_to_outside", "in_blind_to_forwarded", "in_blind_to_followme"),
    ),
    Variant("no_attended_transfer_event", silent("AttendedTransfer"), truth=no_transfers("attended")),
    Variant("no_pickup_event", silent("Pickup")),
    Variant("chan_sip", chan_sip),
    Variant("early_media", early_media),
    Variant(
        "early_media_13", both(early_media, silent("DialState")), of=but("click_to_call_customer_noanswer")
    ),
    *(
        Variant(f"cancelled_is_{put or 'empty'}", text=instead("DialStatus", "CANCEL", put))
        for put in ("ABORT", "CONTINUE", "")
    ),
    *(
        Variant(f"cause_{was}_is_{put}", text=instead("Cause", was, put))
        for was, put in (("127", "0"), ("127", "16"), ("26", "16"), ("26", "19"), ("0", "19"))
    ),
    *(Variant(f"connected_{put}", text=every(CONNECTED, put)) for put in ("<unknown>", "")),
    *(
        Variant(f"names_{put}", text=every(NAMES, put))
        for put in ("<unknown>", 'Иван «Ёж» O\'Hara \\"x\\" <1>')
    ),
    *(
        Variant(f"agents_in_{put}", text=replaced("@from-queue", f"@{put}"))
        for put in ("from-internal", "ext-local")
    ),
    Variant("systemname", text=systemname),
    *(
        Variant(f"trunk_{put}", text=trunk(put))
        for put in (
            "SIP/10.20.30.40",
            "PJSIP/anonymous",
            "PJSIP/my-prov-00000-msk-2",
            "SIP/74950000001",
            "SIP/9001",
            "PJSIP/mts-deadbeef",
            "SIP/sip.example.com",
        )
    ),
    Variant("trunk_iax", text=replaced(r"PJSIP/trunk-prov-0000([0-9a-f]{4})", iax)),
    Variant("trunk_dahdi", text=replaced(r"PJSIP/trunk-prov-0000([0-9a-f]{4})", r"DAHDI/i1/79000000125-\1")),
    *(
        Variant(
            f"trunk_in_{put}",
            text=lambda name, value, put=put: (
                put if name.endswith("Context") and value == "from-pstn" else value
            ),
        )
        for put in ("from-trunk-sip-prov", "incoming-mts")
    ),
    Variant(
        "phones_in_office",
        text=lambda name, value: "office" if name.endswith("Context") and value == "from-internal" else value,
    ),
    *(
        Variant(f"extension_{put}", text=renumbered(put), truth=deep(r"^10([1-6])$", put))
        for put in (r"1\1", r"210\1", r"5101\1", r"61014\1", r"0\1", r"00\1", r"000\1")
    ),
    *(
        Variant(f"did_{put}", text=did(put), of=but("in_did_with_plus"))
        for put in (r"+7\1", r"8\1", r"\1", r"007\1")
    ),
    *(Variant(f"did_{put}", text=did(put), truth=no_line) for put in ("office", "s")),
    *(
        Variant(
            f"caller_{put}", text=caller(put + r"79000000\1"), truth=shows(put + "79000000…"), of=incoming
        )
        for put in ("+", "00")
    ),
    Variant("caller_8", text=caller(r"89000000\1"), truth=shows("89000000…"), of=incoming),
    *(Variant(f"caller_{put}", text=caller(put), truth=shows(None), of=incoming) for put in NOBODY),
    *(
        Variant(f"caller_{put}", text=caller(put), truth=shows(put), of=incoming)
        for put in ("74950000001", *SHORT)
    ),
)
