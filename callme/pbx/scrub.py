"""Makes an AMI recording fit to be shown to others: numbers, names, addresses and secrets are replaced, and
it still replays to the same calls.

Used by `callme record`. Pure: the key of the replacement is given. A number keeps its length and all but its
last seven digits, so that country, kind and every written form of it (8…, +7…, 00…) stay what they were;
different numbers stay different. Numbers of fewer than seven digits are extensions and services and stay.
What is no phone number but looks like one is replaced too: too much rather than too little.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from callme.calls.numbering import Numbering, hidden
from callme.pbx.ami.translate import WANTED_VARIABLES

DIGITS = 7
"""The shortest number that can be somebody's, and how many digits of a number are replaced."""

_LOW, _HIGH = 1000, 10_000
_ROUNDS = 6

_TOKEN = re.compile(
    r"(?P<uuid>(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f]))"
    r"|(?P<uniqueid>(?<!\d)[12]\d{9}\.\d+(?![\d.]))"
    r"|(?P<date>(?<!\d)20\d{6}-\d{6}(?!\d))"
    r"|(?P<ip>(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]))"
    r"|(?P<ip6>(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){1,6}(?:(?::[0-9a-fA-F]{1,4}){1,6}|:)(?![\w:])"
    r"|(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:]))"
    r"|(?P<email>(?=[\w.+%-]*[A-Za-z])[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?![\w-]))"
    r"|(?P<host>(?<=@)(?:[\w-]+\.)+[A-Za-z]{2,}(?![\w-]))"
    r"|(?P<suffix>(?<=-)[0-9a-f]{8}(?=;[12]\b|$|[\s,&|\"')]))"
    r"|(?P<number>(?<!\d)\d{7,}(?!\d))"
)
_IN_CHANNEL = re.compile(r"[A-Za-z]\w*/[^\s,&|]*-$")
_URI = re.compile(
    r"(?P<scheme>\bsips?:)(?:(?P<user>[^@\s<>:;,&\"']+)(?::[^@\s<>;,&\"']+)?@)?"
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)"
)
_NAME_HEADER = re.compile(r"(?:callerid|connectedline)name$|^(?:member|agent|full)name$|^cidname$", re.I)
_NAME_VARIABLE = re.compile(r"(?:caller|connectedline|cid|party|client|customer).*name|cnam|cidname$", re.I)
_STRUCTURE = re.compile(
    r"(?:channel|context|exten|extension|uniqueid|linkedid|queue|application|technology|interface|device"
    r"|dialstring|status|state|statedesc|cause-txt)$",
    re.I,
)
"""Headers that a replay lives by: a person's name that happens to stand there is a name of something else."""
_SECRET = re.compile(
    r"secret|passw|token|challenge|credential|digest|\bauth|account_?id|^key$|pin(?:code|set)?$", re.I
)
_AGENT = re.compile(r"user-?agent", re.I)
_SAYS_NAME = re.compile(
    r"((?:CALLERID|CONNECTEDLINE|REDIRECTING|CDR)\((?:[\w-]*name|all|cnam|outbound_cnam)(?:,\w+)?\)=\"?)"
    r"([^<\")]+)",
    re.I,
)
_QUOTED = re.compile(r"(^|=)\"?([^<\"=]+?)\"?( ?<\+?[\d*#]+>)")
_NUMBERLIKE = re.compile(r"[+*#\d\s().-]*")
MASK = "***"


class Scrubber:
    """Scrubs one recording; equal things are replaced by equal things throughout. Not for two threads."""

    def __init__(self, key: bytes, *, country: str = "RU", keep: Iterable[str] = ()) -> None:
        """`key` (1 to 32 bytes) decides the replacements: with another one they are others. `keep` are
        numbers that may be seen, such as the company's own; they stay in each of their written forms."""
        self._key = key
        self._numbering = Numbering(country=country)
        self._kept = {re.sub(r"\D", "", number)[-DIGITS:] for number in keep} - {""}
        self._numbers: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        self._known_names: re.Pattern[str] | None = None

    # ------------------------------------------------------------------------------------- packets
    def packet(self, raw: bytes) -> bytes:
        """One packet without its blank line."""
        lines = [_halves(line) for line in raw.decode("utf-8", "surrogateescape").split("\r\n")]
        variable = next((value for name, value in lines if name == "Variable"), "")
        for name, value in lines:
            if _NAME_HEADER.search(name) or (name == "Value" and _NAME_VARIABLE.search(variable)):
                self._learn(value)
        told = (_line(name, self._value(name, value, variable)) for name, value in lines)
        return "\r\n".join(told).encode("utf-8", "surrogateescape")

    def stream(self, raw: bytes) -> bytes:
        """Whole packets with their blank lines."""
        return b"".join(
            self.packet(one) + b"\r\n\r\n" for one in raw.split(b"\r\n\r\n") if one.strip(b"\r\n")
        )

    def _value(self, name: str, value: str, variable: str) -> str:
        if name in ("Event", "Response", "Variable", "Privilege") or hidden(value):
            return value
        about = variable if name == "Value" else name
        if name == "ChanVariable":
            about, equals, rest = value.partition("=")
            return about + equals + self._value("Value", rest, about)
        if _SECRET.search(about):
            return MASK
        if _AGENT.search(about):
            return "phone"
        if _NAME_HEADER.search(name):
            return self._name(value)
        if _STRUCTURE.search(name) or about.lstrip("_") in WANTED_VARIABLES:
            return self._marks(value)
        return self.text(value)

    # --------------------------------------------------------------------------------------- words
    def text(self, text: str) -> str:
        """Anything that may hold numbers, names and addresses."""
        for pattern in (_SAYS_NAME, _QUOTED):
            for found in pattern.finditer(text):
                self._learn(found[2])
        if self._known_names is not None:
            text = self._known_names.sub(lambda found: self._names[found[0]], text)
        return self._marks(text)

    def _marks(self, text: str) -> str:
        """Numbers and addresses alone."""
        return _TOKEN.sub(self._token, _URI.sub(self._uri, text))

    def number(self, digits: str) -> str:
        """The replacement of a number of at least seven digits (a leading `+` may stand before it)."""
        plus, digits = ("+", digits[1:]) if digits.startswith("+") else ("", digits)
        if len(digits) < DIGITS or digits[-DIGITS:] in self._kept or not digits.isascii():
            return plus + digits
        if digits not in self._numbers:
            self._numbers[digits] = self._walk(digits)
        return plus + self._numbers[digits]

    def _walk(self, digits: str) -> str:
        """The next number of the permutation that is of the same kind: a valid number stays valid, any
        other stays none. Walking along one cycle keeps different numbers different."""
        kind = self._kind(digits)
        head, tail = digits[:-DIGITS], digits[-DIGITS:]
        while True:
            tail = self._turn(tail)
            if tail not in self._kept and self._kind(head + tail) == kind:
                return head + tail

    def _kind(self, digits: str) -> tuple[str, int]:
        found = self._numbering.e164(digits)
        return (found[:-DIGITS], len(found)) if found.startswith("+") else ("", 0)

    def _turn(self, tail: str) -> str:
        """A permutation of the seven-digit numbers that the key decides (an unbalanced Feistel network)."""
        low, high = int(tail[:3]), int(tail[3:])
        for at in range(_ROUNDS):
            if at % 2:
                high = (high + self._mix(at, low)) % _HIGH
            else:
                low = (low + self._mix(at, high)) % _LOW
        return f"{low:03}{high:04}"

    def _mix(self, at: int, value: int) -> int:
        said = hashlib.blake2s(f"{at} {value}".encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(said, "big")

    # --------------------------------------------------------------------------------------- names
    def _learn(self, name: str) -> None:
        """A person's name is replaced from here on wherever it stands; a number in its place is a number."""
        name = name.strip()
        if len(name) < 2 or "/" in name or hidden(name) or _NUMBERLIKE.fullmatch(name) or name in self._names:
            return
        self._names[name] = f"Name {len(self._names) + 1}"
        longest = sorted(self._names, key=len, reverse=True)
        whole = "|".join(re.escape(one) for one in longest if len(one) > 2)
        self._known_names = re.compile(rf"(?<!\w)(?:{whole})(?!\w)") if whole else None

    def _name(self, value: str) -> str:
        bare = value.strip()
        return self._names[bare] if bare in self._names else self.text(value)

    # ----------------------------------------------------------------------------------- addresses
    def _uri(self, found: re.Match[str]) -> str:
        user, host = found["user"], found["host"]
        if user is not None and not re.fullmatch(r"[\w+*#-]+", user):
            user = "user"
        if not re.fullmatch(r"[\d.]+", host):
            host = self._host(host)
        return found["scheme"] + (f"{user}@" if user is not None else "") + host

    def _token(self, found: re.Match[str]) -> str:
        what, text = found.lastgroup, found[0]
        if what == "number" or (what == "suffix" and not _IN_CHANNEL.search(found.string[: found.start()])):
            return self.number(text) if text.isdigit() else text
        if what in ("ip", "ip6"):
            return self._address(text, 4 if what == "ip" else 6)
        if what == "email":
            return "someone@example.invalid"
        return self._host(text) if what == "host" else text

    def _address(self, text: str, version: int) -> str:
        """An address of a network that is nobody's (RFC 2544, RFC 3849) for each."""
        if text not in self._hosts:
            count = len(self._hosts) + 1
            self._hosts[text] = (
                f"198.18.{count // 250 % 250}.{count % 250 + 1}" if version == 4 else f"2001:db8::{count:x}"
            )
        return self._hosts[text]

    def _host(self, text: str) -> str:
        if text.endswith(".invalid"):
            return text
        if text not in self._hosts:
            self._hosts[text] = f"host{len(self._hosts) + 1}.invalid"
        return self._hosts[text]


def _halves(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(": ")
    return (name, value) if colon else ("", line)


def _line(name: str, value: str) -> str:
    return f"{name}: {value}" if name else value
