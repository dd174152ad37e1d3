"""The bytes of the Asterisk Manager Interface: stream into packets, packet into headers, action into bytes.

Called by `ami.session` for a live link and by whoever replays a transcript. Pure: no clock, no socket, no
log. It gives no meaning to a header; that is `ami.translate`'s work. Nothing here raises on what a server
sent: garbage becomes a message that nobody recognises (facts: freepbx §4.7, asterisk-ami-observed §1,
ecosystem §1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

PACKET_LIMIT = 1 << 20
"""Bytes an unfinished packet may grow to. The largest real ones (CLI output) stay below 100 kB."""

LINE_LIMIT = 1024
"""Bytes of one action line with its CR LF; Asterisk answers a longer one with "line too long" (freepbx
§4.2)."""

HEADER_LIMIT = 128
"""Headers of one action, `Action` and `ActionID` among them (freepbx §4.2)."""

_BANNER = b"Asterisk Call Manager/"
_BLANK = b"\r\n\r\n"
_BLANK_ANY = re.compile(rb"\n\r?\n")
_FOLLOWS = b"Response: Follows"
_END = b"--END COMMAND--"


class Message:
    """One packet: its headers in the order in which they came, names spelt as the server spells them.

    A header may come more than once (`Output`, `ChanVariable`, `Variable`); `get` gives the first, `all`
    gives all. Lines without a colon are kept under the empty name, so that nothing that was sent is lost.
    """

    __slots__ = ("_first", "_pairs")

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._first = dict(reversed(pairs))  # the first of a repeated name wins

    @property
    def kind(self) -> str:
        """Name of the first header: `Event`, `Response`; empty for garbage."""
        return self._pairs[0][0] if self._pairs else ""

    @property
    def name(self) -> str:
        """Value of the first header: `Newchannel`, `Success`."""
        return self._pairs[0][1] if self._pairs else ""

    def get(self, name: str, default: str = "") -> str:
        """The first value of that header, or `default` where the packet has none."""
        return self._first.get(name, default)

    def all(self, name: str) -> list[str]:
        """Every value of that header, in order."""
        return [value for key, value in self._pairs if key == name]

    def items(self) -> Iterator[tuple[str, str]]:
        """Every header as it came, repeated ones too."""
        return iter(self._pairs)

    def __contains__(self, name: str) -> bool:
        return name in self._first

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self._pairs == other._pairs

    def __hash__(self) -> int:
        return hash(tuple(self._pairs))

    def __repr__(self) -> str:
        return f"<Message {self.kind}: {self.name}, {len(self._pairs)} headers>"


class Framer:
    """Cuts a stream into packets, however the network cut it.

    The first line decides how lines end: with CR LF, as Asterisk sends, a packet ends at CR LF CR LF and a
    lone LF in a value stays in the value; a stream whose first line ends with LF alone is cut at any blank
    line. Extra blank lines are skipped: test-enabled builds send one too many after some events
    (asterisk-ami-observed §1).
    """

    __slots__ = (
        "_bare",
        "_buffer",
        "_dropping",
        "_fed",
        "_first",
        "_searched",
        "banner",
        "dropped",
        "foreign",
    )

    def __init__(self) -> None:
        self.banner = ""
        """The greeting of the server, `Asterisk Call Manager/5.0.5`; empty while, or if, none came."""
        self.foreign = False
        """The stream began with something that is no greeting: a transcript, or a server that is no
        Asterisk."""
        self.dropped = 0
        """Packets thrown away because they were larger than `PACKET_LIMIT`."""
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer that are known to hold no end
        self._fed = 0
        self._first = True  # the first line is not complete yet
        self._bare = False  # lines end with LF alone
        self._dropping = b""  # the end that stops the throwing away

    @property
    def offset(self) -> int:
        """Bytes of the stream that are done with: everything up to the end of the last complete packet."""
        return self._fed - len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that these bytes complete, without their blank lines."""
        self._fed += len(data)
        self._buffer += data
        if self._first and not self._greet():
            return []
        packets: list[bytes] = []
        buffer, start = self._buffer, 0
        while (found := self._end(start)) is not None:
            stop, after = found
            if self._dropping or stop - start > PACKET_LIMIT:
                self._dropping = b""
                self.dropped += 1
            elif packet := bytes(buffer[start:stop]).strip(b"\r\n"):
                packets.append(packet)
            start = self._searched = after
        if start:
            del buffer[:start]
            self._searched -= start
        if len(buffer) > PACKET_LIMIT + len(_END):  # the mark of the end does not count
            self._shed()
        return packets

    def _greet(self) -> bool:
        """Take the greeting, a line with no blank line after it. False while the first line is not
        complete."""
        buffer = self._buffer
        blank = len(buffer) - len(buffer.lstrip(b"\r\n"))
        end = buffer.find(b"\n", max(blank, self._searched))
        if end < 0:
            self._searched = len(buffer)
            if len(buffer) <= PACKET_LIMIT:
                return False
        self._first = False
        self._searched = 0
        self._bare = end >= 0 and buffer[end - 1 : end] != b"\r"
        if buffer.startswith(_BANNER, blank) and end >= 0:
            self.banner = buffer[blank:end].decode("utf-8", "replace").strip()
            del buffer[: end + 1]
        else:
            self.foreign = True
        return True

    def _end(self, start: int) -> tuple[int, int] | None:
        """Where the packet that begins at `start` stops and where the next one begins; None if it is
        unfinished."""
        buffer, since = self._buffer, max(start, self._searched)
        end = self._dropping or (_END if self._begins_output(start) else _BLANK)
        if end is _BLANK and self._bare:
            match = _BLANK_ANY.search(buffer, since)
            if match:
                return match.start(), match.end()
        else:
            stop = buffer.find(end, since)
            if stop >= 0:
                after = stop + len(end)
                return (after if end is _END else stop), after
        self._searched = max(start, len(buffer) - len(end) + 1)
        return None

    def _begins_output(self, start: int) -> bool:
        """Whether CLI output in the manner of Asterisk 13 begins here: it may hold blank lines and has its
        own end."""
        buffer = self._buffer
        while start < len(buffer) and buffer[start] in b"\r\n":
            start += 1
        return buffer.startswith(_FOLLOWS, start)

    def _shed(self) -> None:
        """Give up an unfinished packet that is too large: throw away up to its end, but remember which end
        that is."""
        self._dropping = self._dropping or (_END if self._begins_output(0) else _BLANK)
        del self._buffer[: 1 - len(self._dropping)]
        self._searched = 0


def parse(raw: bytes) -> Message:
    """The headers of one packet. Bytes that are no UTF-8 (old trunks send CP1251) become U+FFFD; nothing
    raises."""
    text = raw.decode("utf-8", "replace")
    if text.startswith("Response: Follows"):
        return Message(_output(text))
    if "\r\n" not in text:
        return Message(_headers(text))
    try:  # almost every packet: a third of the time that looking at each line takes
        lines = [line.split(": ", 1) for line in text.split("\r\n")]
        message = Message([(name, value) for name, value in lines])
    except ValueError:
        return Message(_headers(text))
    return Message(_headers(text)) if ":" in "".join(message._first) else message


def _headers(text: str) -> list[tuple[str, str]]:
    """Headers of any look: no space after the colon, no colon at all, lines that end with LF alone."""
    pairs = []
    for line in text.split("\r\n" if "\r\n" in text else "\n"):
        name, colon, value = line.partition(":")
        if colon:
            pairs.append((name, value[1:] if value[:1] == " " else value))
        elif line:
            pairs.append(("", line))
    return pairs


def _output(text: str) -> list[tuple[str, str]]:
    """Asterisk 13 prints CLI output raw after its headers; tell it in the words of later ones, as `Output`
    lines."""
    pairs: list[tuple[str, str]] = []
    in_headers = True
    for line in text.replace("\r\n", "\n").split("\n"):
        name, _, value = line.partition(":")
        in_headers = in_headers and name in ("Response", "Privilege", "ActionID", "Message")
        if in_headers:
            pairs.append((name, value.removeprefix(" ")))
        elif line.endswith("--END COMMAND--"):
            if rest := line.removesuffix("--END COMMAND--"):
                pairs.append(("Output", rest))
        else:
            pairs.append(("Output", line))
    return pairs


_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|[abfnrtv\\'\"?])")
_ESCAPED = dict(zip("abfnrtv\\'\"?", "\a\b\f\n\r\t\v\\'\"?", strict=True))
_ESCAPES = str.maketrans({plain: f"\\{code}" for code, plain in _ESCAPED.items()})


def unescape(value: str) -> str:
    """Undo the C escapes that Asterisk puts into caller names, `VarSet` values and `ChanVariable` (freepbx
    §4.7).

    Done once per value, by whoever knows that the value is escaped; an unknown escape stays as it is.
    """
    return _ESCAPE.sub(_unescaped, value) if "\\" in value else value


def escape(value: str) -> str:
    """The value as Asterisk would write it there: what is looked for in a transcript."""
    return value.translate(_ESCAPES)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code in _ESCAPED:
        return _ESCAPED[code]
    return chr(int(code[1:], 16) if code[0] == "x" else int(code, 8))


def encode_action(name: str, headers: Iterable[tuple[str, str]], action_id: str) -> bytes:
    """The bytes of one action.

    A value with a line break would smuggle further headers in, so it is refused; so is a line or an action
    that Asterisk would not read. `ValueError` names the header and never shows its value, which may be a
    secret.
    """
    lines = []
    for key, value in (("Action", name), ("ActionID", action_id), *headers):
        if not key or any(mark in key for mark in "\r\n\0: "):
            raise ValueError(f"AMI header name {key!r} cannot be sent")
        if any(mark in value for mark in "\r\n\0"):
            raise ValueError(f"AMI header {key} holds a line break or NUL")
        line = f"{key}: {value}\r\n".encode("utf-8", "replace")
        if len(line) > LINE_LIMIT:
            raise ValueError(
                f"AMI header {key} makes a line of {len(line)} bytes; Asterisk reads {LINE_LIMIT}"
            )
        lines.append(line)
    if len(lines) > HEADER_LIMIT:
        raise ValueError(f"AMI action {name} has {len(lines)} headers; Asterisk reads {HEADER_LIMIT}")
    return b"".join(lines) + b"\r\n"
