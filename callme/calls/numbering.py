"""Whose is a channel, and what is a number: extensions, trunks, and one canonical form of an outside
number.

Used by the derivations and the policy. What the configuration or discovery knows decides; where they know
nothing the channel's own name and first context do (the sheet freepbx §3.1), and `Numbering.explain` says
which it was.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import phonenumbers

_NAME = re.compile(r"^(?P<tech>[A-Za-z0-9_]+)/(?P<peer>.+?)(?:-[0-9a-f]{8,})?(?:;(?P<half>[12]))?$")
_COUNTED = re.compile(r"-\d+$")
_EXTENSION_PART = re.compile(r"^((?:\D*\d){7,}?[^,;#wWpPxX]*)[,;#wWpPxX].*$")
_SHORT = re.compile(r"^\d{2,6}$")
_HIDDEN = frozenset(
    (
        "",
        "anonymous",
        "unknown",
        "<unknown>",
        "restricted",
        "unavailable",
        "private",
        "asterisk",
        "withheld",
        "s",
    )
)
_TRUNK_CONTEXTS = (
    "from-pstn",
    "from-trunk",
    "from-digital",
    "from-analog",
    "from-sip-external",
    "from-dahdi",
)
_SERVANTS = frozenset(
    (
        "Announcer",
        "Bridge",
        "CBAnn",
        "CBRec",
        "ConfBridgeAnnouncer",
        "ConfBridgeRecorder",
        "Message",
        "MulticastRTP",
        "OutgoingSpoolFailed",
        "Parking",
        "Recorder",
        "Snoop",
        "Surrogate",
        "UnicastRTP",
    )
)


class Kind(StrEnum):
    """What stands behind a channel."""

    EXTENSION = "extension"  # a colleague's phone
    TRUNK = "trunk"  # the outside world
    LOCAL = "local"  # one half of a Local channel: nobody
    SERVANT = "servant"  # a player or recorder of Asterisk's own: nobody
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Name:
    """A channel name taken apart: `PJSIP/101-0000001a` is tech PJSIP, peer 101; of
    `Local/104@from-queue-…;1` the peer is `104@from-queue` and the half 1."""

    tech: str
    peer: str
    half: str

    @property
    def kind(self) -> Kind:
        """What the name alone says."""
        if self.tech == "Local":
            return Kind.LOCAL
        return Kind.SERVANT if self.tech in _SERVANTS else Kind.UNKNOWN

    @property
    def local_exten(self) -> str:
        """The number that a Local channel dials."""
        return self.peer.partition("@")[0]


def _side(context: str) -> str:
    """Which side of the PBX a first context speaks of: a trunk's endpoint says from-pstn, a phone's
    from-internal."""
    if context.startswith(_TRUNK_CONTEXTS):
        return "outside"
    return "inside" if context.startswith("from-internal") else ""


@lru_cache(maxsize=8192)
def parse_name(name: str) -> Name:
    """The parts of a channel name. A device may itself contain `-`. `AsyncGoto/PJSIP/101-…` and what ends in
    `<ZOMBIE>` are the doubles of a masquerade: they take the uniqueid of nobody with them (channel.c).
    IAX2 and DAHDI count their channels in decimal."""
    found = _NAME.match(name)
    if found is None:
        return Name("", name, "")
    tech, peer = found["tech"], found["peer"]
    if name.startswith("AsyncGoto/") or name.endswith(("<ZOMBIE>", "<MASQ>")):
        tech = "Surrogate"
    if tech in ("IAX2", "DAHDI"):
        peer = _COUNTED.sub("", peer)
    return Name(tech, peer, found["half"] or "")


def local_stem(name: str) -> str:
    """What both halves of one Local channel have in common."""
    return name[:-2] if name.endswith((";1", ";2")) else name


def hidden(number: str) -> bool:
    """The number says that there is none."""
    return number.strip().lower() in _HIDDEN


def pattern(text: str) -> re.Pattern[str]:
    """An extension pattern as people write it: `101`, `1XX`, `10N`, `2XXX`, `101-109`, glob stars."""
    low, dash, high = text.partition("-")
    if dash and low.isdigit() and high.isdigit():
        numbers = "|".join(
            str(n).zfill(len(low)) for n in range(int(low), min(int(high), int(low) + 9999) + 1)
        )
        return re.compile(f"^(?:{numbers})$")
    table = {"X": r"\d", "Z": "[1-9]", "N": "[2-9]", "*": ".*", "?": "."}
    return re.compile("^" + "".join(table.get(char, re.escape(char)) for char in text.lstrip("_")) + "$")


@dataclass(frozen=True, slots=True)
class NumberRule:
    """How a trunk writes numbers: on trunks whose name matches the glob (`PJSIP/` before it does not
    matter), a number that begins with `strip` really is `add` + the rest. `9` + 8 495… dialled through a
    prefix: strip="9"; a provider that sends ten digits: strip="", add="+7"."""

    trunk: str = "*"
    strip: str = ""
    add: str = ""
    digits: int = 0  # only numbers of so many digits; 0: any

    def applies(self, number: str, trunk: str) -> bool:
        """Is this number written so?"""
        length = sum(char.isdigit() for char in number)
        return (
            fnmatch.fnmatchcase(trunk, self.trunk.rpartition("/")[2])
            and number.startswith(self.strip)
            and (not self.digits or length == self.digits)
        )


@dataclass(frozen=True)
class Numbering:
    """One PBX's numbers, as configuration and discovery know them. Empty sets mean "not known: infer".

    `trunks` are globs over `TECH/peer` (`PJSIP/trunk-*`); `extensions` are patterns as `pattern` reads
    them; `devices` maps a device to the extension it belongs to (AstDB DEVICE/…/user); `known_trunks` are
    endpoints that the PBX has and that are nobody's device; `shared` are numbers of queues and ring groups,
    behind which no single person stands; `own` are the company's numbers.
    """

    country: str = "RU"
    trunks: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    devices: dict[str, str] = field(default_factory=dict)
    known_extensions: frozenset[str] = frozenset()
    known_trunks: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    rules: tuple[NumberRule, ...] = ()
    _patterns: tuple[re.Pattern[str], ...] = field(default=(), init=False, repr=False, compare=False)
    _kinds: dict[tuple[str, str], tuple[Kind, str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_patterns", tuple(pattern(text) for text in self.extensions))

    # --------------------------------------------------------------------------------- channels
    def of_channel(self, name: str, context: str) -> tuple[Kind, str]:
        """Kind of the channel, and its extension (or, for a trunk, the trunk's name). `context` is the
        first one it was seen in."""
        parsed = parse_name(name)
        if parsed.kind is not Kind.UNKNOWN:
            return parsed.kind, ""
        key = (f"{parsed.tech}/{parsed.peer}", _side(context))
        known = self._kinds.get(key)
        if known is None:
            if len(self._kinds) > 20_000:
                self._kinds.clear()
            known = self._kinds[key] = self._judge(parsed, *key)[:2]
        return known

    def explain(self, name: str, context: str = "") -> tuple[Kind, str, str]:
        """The same with the reason: `configured`, `discovered` or `inferred`."""
        parsed = parse_name(name)
        if parsed.kind is not Kind.UNKNOWN:
            return parsed.kind, "", "inferred"
        return self._judge(parsed, f"{parsed.tech}/{parsed.peer}", _side(context))

    def _judge(self, name: Name, full: str, side: str) -> tuple[Kind, str, str]:
        peer = name.peer.partition("/")[0] if name.tech == "DAHDI" else name.peer
        if any(fnmatch.fnmatchcase(full, glob) for glob in self.trunks):
            return Kind.TRUNK, peer, "configured"
        owner = self.devices.get(peer)
        if owner is not None:
            return Kind.EXTENSION, owner, "discovered"
        if any(shape.match(peer) for shape in self._patterns):
            return Kind.EXTENSION, peer, "configured"
        if peer in self.known_extensions:
            return Kind.EXTENSION, peer, "discovered"
        if full in self.known_trunks and side != "inside":  # a doorphone of one's own is no device either
            return Kind.TRUNK, peer, "discovered"
        if side != "outside" and _SHORT.match(peer):
            return Kind.EXTENSION, self._without_device_prefix(peer), "inferred"
        if side == "inside" and not peer.lstrip("+").isdigit():
            return Kind.EXTENSION, peer, "inferred"
        return Kind.TRUNK, peer, "inferred"

    def _without_device_prefix(self, peer: str) -> str:
        """FreePBX names a colleague's WebRTC, UCP or Zulu device 99/98/90 + extension (sheet freepbx
        §3.1)."""
        base = peer[2:]
        if peer[:2] in ("90", "98", "99") and len(base) >= 3 and self.is_extension(base):
            return base if base in self.known_extensions or self._patterns else peer
        return peer

    def is_extension(self, number: str) -> bool:
        """Could this be a colleague's number? Where nothing is known every number of two to six digits
        could, but for those of queues and groups; a number that the configuration names itself always is."""
        if number in self.shared and number not in self.known_extensions and number not in self.devices:
            return number in self.extensions
        if self._patterns or self.known_extensions:
            return (
                number in self.known_extensions
                or number in self.devices
                or any(shape.match(number) for shape in self._patterns)
            )
        return bool(_SHORT.match(number))

    # ---------------------------------------------------------------------------------- numbers
    def line(self, number: str, trunk: str = "") -> str:
        """A DID or own number in one form, digits without `+`, however a provider writes it; as it is when it
        is no such number."""
        known = self.e164(number, trunk)
        return known.removeprefix("+") if known.startswith("+") else number

    def e164(self, number: str, trunk: str = "") -> str:
        """The outside number as `+79001234567`; empty when hidden; unchanged when it is no such number. What
        was dialled after a pause or `#` is an extension at the other end, not part of the number."""
        if hidden(number):
            return ""
        found = next((rule for rule in self.rules if rule.applies(number, trunk)), None)
        if found is not None:
            number = found.add + number[len(found.strip) :]
        return _e164(_EXTENSION_PART.sub(r"\1", number), self.country)


@lru_cache(maxsize=16384)
def _e164(number: str, country: str) -> str:
    digits = re.sub(r"[^\d+]", "", number)
    plain = digits.lstrip("+")
    if len(plain) < 7:  # service and internal numbers never become +7…
        return number
    for candidate in (digits, "+" + plain.removeprefix("00"), "+" + plain):
        try:
            parsed = phonenumbers.parse(candidate, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return "+" + plain if digits.startswith("+") else number


def dialled_number(dial_string: str) -> str:
    """The number in a dial string to a trunk: `79…@trunk`, `trunk/79…`, `trunk/sip:79…@host:5060`,
    `g0/79…`."""
    best = ""
    for part in re.split(r"[/@;:]", dial_string):
        if re.fullmatch(r"\+?[\d*#wW]{2,}", part) and len(part) > len(best):
            best = part
            if "@" in dial_string and dial_string.startswith(part + "@"):
                return part
    return best
