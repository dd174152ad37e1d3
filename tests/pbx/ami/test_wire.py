"""AMI framing, parsing and encoding: the stream may be cut anywhere and hold anything."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callme.pbx.ami.wire import PACKET_LIMIT, Framer, Message, encode_action, escape, parse, unescape

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"
TRACES = sorted(TRANSCRIPTS.glob("*/*.ami"))
HANGUP = b"Event: Hangup\r\nChannel: PJSIP/101-00000001\r\nCause: 16"
END = b"\r\n\r\n"


def frame(*chunks: bytes) -> list[bytes]:
    framer = Framer()
    return [packet for chunk in chunks for packet in framer.feed(chunk)]


def bytewise(data: bytes) -> list[bytes]:
    return frame(*(data[at : at + 1] for at in range(len(data))))


def pairs(raw: bytes) -> list[tuple[str, str]]:
    return list(parse(raw).items())


# ------------------------------------------------------------------------------------------------ traces
@pytest.mark.parametrize("trace", TRACES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_trace_gives_the_same_packets_however_it_is_cut(trace: Path) -> None:
    data = trace.read_bytes()
    whole = frame(data)
    assert len(whole) == data.count(b"\nEvent: ") + data.count(b"\nResponse: ") + 1
    assert bytewise(data) == whole
    dice = random.Random(trace.name)
    for _ in range(5):
        cuts = sorted(dice.sample(range(len(data)), 200))
        assert frame(*(data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True))) == whole


@pytest.mark.parametrize("trace", TRACES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_packets_of_a_trace_hold_every_line_of_it(trace: Path) -> None:
    data = trace.read_bytes()
    lines = [line for line in data.decode().split("\r\n") if line]
    assert [f"{name}: {value}" for raw in frame(data) for name, value in pairs(raw)] == lines


# ----------------------------------------------------------------------------------------------- framing
PIECES = st.sampled_from(
    [
        b"\r",
        b"\n",
        b"\r\n",
        END,
        b"Event: Newchannel",
        b"Response: Follows",
        b"--END COMMAND--",
        b"Asterisk Call Manager/5.0.5\r\n",
        b"CallerIDName: \xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd",
        b"\xff:",
        b": ",
    ]
)


@given(st.lists(PIECES | st.binary(max_size=12), max_size=30), st.data())
@settings(max_examples=300, deadline=None)
def test_any_split_of_any_bytes_gives_the_same_packets(pieces: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole, cut, single = Framer(), Framer(), Framer()
    expected = whole.feed(stream)
    assert [packet for chunk in chunks for packet in cut.feed(chunk)] == expected
    assert [packet for at in range(len(stream)) for packet in single.feed(stream[at : at + 1])] == expected
    assert whole.banner == cut.banner == single.banner
    for packet in expected:
        parse(packet)


def test_an_empty_line_too_many_loses_no_event() -> None:
    data = HANGUP + END + b"\r\n" + HANGUP + END + END + b"\r\n\r\n\r\n" + HANGUP + END
    assert frame(data) == bytewise(data) == [HANGUP] * 3


def test_lines_may_end_with_lf_alone() -> None:
    data = (HANGUP + END).replace(b"\r\n", b"\n") * 2
    assert [pairs(raw) for raw in frame(data)] == [pairs(HANGUP)] * 2
    assert bytewise(data) == frame(data)


def test_an_lf_inside_a_value_stays_in_the_value() -> None:
    raw = b"Event: VarSet\r\nValue: one\n\ntwo\r\nUniqueid: 1.1"
    assert frame(raw + END + HANGUP + END) == [raw, HANGUP]
    assert parse(raw).get("Value") == "one\n\ntwo"


def test_the_greeting_has_no_blank_line_after_it() -> None:
    framer = Framer()
    data = b"Asterisk Call Manager/5.0.5\r\nResponse: Success\r\nChallenge: 1\r\n\r\n"
    packets = [packet for at in range(len(data)) for packet in framer.feed(data[at : at + 1])]
    assert framer.banner == "Asterisk Call Manager/5.0.5"
    assert packets == [b"Response: Success\r\nChallenge: 1"]
    assert not framer.foreign


def test_a_stream_that_begins_otherwise_is_foreign() -> None:
    framer = Framer()
    assert framer.feed(b"SSH-2.0-OpenSSH_9.2\r\n") == []
    assert framer.foreign
    assert framer.banner == ""


def test_cli_output_of_asterisk_13_may_hold_blank_lines() -> None:
    raw = (
        b"Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\n"
        b"Asterisk 13.38\nbuilt: today\n\r\n\r\nlast\n--END COMMAND--"
    )
    data = HANGUP + END + raw + END + HANGUP + END
    assert frame(data) == bytewise(data) == [HANGUP, raw, HANGUP]
    message = parse(raw)
    assert (message.name, message.get("ActionID")) == ("Follows", "7")
    assert message.all("Output") == ["Asterisk 13.38", "built: today", "", "", "last"]


def test_output_of_later_asterisks_is_a_repeated_header() -> None:
    message = parse(b"Response: Success\r\nOutput: a: b\r\nOutput:\r\nOutput: c")
    assert message.all("Output") == ["a: b", "", "c"]
    assert message.get("Output") == "a: b"


def test_an_offset_is_the_end_of_the_last_complete_packet() -> None:
    framer = Framer()
    framer.feed(HANGUP + END + b"Event: Ha")
    assert framer.offset == len(HANGUP + END)
    framer.feed(b"ngup" + END)
    assert framer.offset == len(HANGUP + END) + len(b"Event: Hangup" + END)


@pytest.mark.parametrize("size", [7, 65536, 10 * PACKET_LIMIT])
def test_a_packet_without_end_is_dropped_and_the_next_one_is_read(size: int) -> None:
    giant = b"Event: VarSet\r\nValue: " + b"x" * (PACKET_LIMIT + 5)
    data = HANGUP + END + giant + END + HANGUP + END
    framer = Framer()
    packets = [one for at in range(0, len(data), size) for one in framer.feed(data[at : at + size])]
    assert packets == [HANGUP, HANGUP]
    assert framer.dropped == 1


@pytest.mark.parametrize("size", [4096, 10 * PACKET_LIMIT])
def test_a_packet_of_the_largest_size_is_kept(size: int) -> None:
    large = (b"Event: VarSet\r\nValue: " + b"x" * PACKET_LIMIT)[:PACKET_LIMIT]
    data = large + END + HANGUP + END
    assert frame(*(data[at : at + size] for at in range(0, len(data), size))) == [large, HANGUP]


# ----------------------------------------------------------------------------------------------- parsing
CASES = {
    "space after the colon": (b"Event: Hangup", [("Event", "Hangup")]),
    "no space after the colon": (b"Event:Hangup", [("Event", "Hangup")]),
    "only one space is taken": (b"Event:  Hangup ", [("Event", " Hangup ")]),
    "colons in the value": (b"Channel: a:b: c", [("Channel", "a:b: c")]),
    "an empty header at the end": (b"Event: X\r\nExten: ", [("Event", "X"), ("Exten", "")]),
    "an empty header with nothing after its colon": (b"Exten:", [("Exten", "")]),
    "no colon at all": (b"Event: X\r\njunk", [("Event", "X"), ("", "junk")]),
    "Cyrillic": ("CallerIDName: Иванов".encode(), [("CallerIDName", "Иванов")]),
    "bytes that are no UTF-8": (b"CallerIDName: \xc8\xe2", [("CallerIDName", "\ufffd\ufffd")]),
    "a line separator of Unicode": ("N: a\u2028b\x85c".encode(), [("N", "a\u2028b\x85c")]),
    "a very long value": (b"V: " + b"x" * 70_000, [("V", "x" * 70_000)]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("raw", "expected"), CASES.values(), ids=CASES.keys())
def test_parse(raw: bytes, expected: list[tuple[str, str]]) -> None:
    assert pairs(raw) == expected


def test_a_letter_that_is_cut_by_the_network_stays_whole() -> None:
    raw = "Event: NewCallerid\r\nCallerIDName: Мария".encode()
    for cut in range(len(raw)):
        (packet,) = frame(raw[:cut], raw[cut:] + END)
        assert parse(packet).get("CallerIDName") == "Мария"


def test_a_repeated_header_gives_its_first_value_and_all_of_them() -> None:
    message = parse(b"Event: Hangup\r\nChanVariable: FROM_DID=1\r\nChanVariable: A=2")
    assert message.get("ChanVariable") == "FROM_DID=1"
    assert message.all("ChanVariable") == ["FROM_DID=1", "A=2"]
    assert (message.kind, message.name) == ("Event", "Hangup")
    assert message.get("Absent", "none") == "none"
    assert "ChanVariable" in message
    assert "Absent" not in message


def test_garbage_has_no_kind() -> None:
    assert (Message([]).kind, Message([]).name) == ("", "")
    assert parse(b"\x00\x01").kind == ""


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (r"Иванов \"ООО\"", 'Иванов "ООО"'),
        (r"a\\nb", r"a\nb"),
        (r"a\nb\tc\r", "a\nb\tc\r"),
        (r"what\?", "what?"),
        (r"O\'Neil", "O'Neil"),
        (r"\x41\101", "AA"),
        (r"\q", r"\q"),
        ("ends with \\", "ends with \\"),
        ("nothing", "nothing"),
    ],
)
def test_unescape(escaped: str, plain: str) -> None:
    assert unescape(escaped) == plain
    assert unescape(escape(plain)) == plain


# ---------------------------------------------------------------------------------------------- encoding
def test_an_action_in_bytes() -> None:
    raw = encode_action(
        "Originate", [("Channel", "PJSIP/101"), ("Variable", "A=Имя"), ("Variable", "B=2")], "c-1"
    )
    assert raw.endswith(END)
    (packet,) = frame(raw)
    assert pairs(packet) == [
        ("Action", "Originate"),
        ("ActionID", "c-1"),
        ("Channel", "PJSIP/101"),
        ("Variable", "A=Имя"),
        ("Variable", "B=2"),
    ]


@pytest.mark.parametrize("evil", ["101\r\nAction: Command", "101\n", "101\r", "101\0"])
def test_a_line_break_in_a_value_is_refused_and_not_shown(evil: str) -> None:
    with pytest.raises(ValueError, match="Exten") as caught:
        encode_action("Originate", [("Exten", evil)], "1")
    assert "101" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "A:", "A\nB", "A B"])
def test_a_header_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="header name"):
        encode_action("Ping", [(name, "x")], "1")


def test_a_line_longer_than_asterisk_reads_is_refused() -> None:
    fits = 1024 - len("Data: \r\n")
    assert encode_action("Originate", [("Data", "x" * fits)], "1")
    with pytest.raises(ValueError, match="Data"):
        encode_action("Originate", [("Data", "x" * (fits + 1))], "1")


def test_more_headers_than_asterisk_reads_are_refused() -> None:
    assert encode_action("Originate", [("Variable", "x")] * 126, "1")
    with pytest.raises(ValueError, match="129 headers"):
        encode_action("Originate", [("Variable", "x")] * 127, "1")


@given(st.binary(max_size=60) | st.lists(PIECES, max_size=8).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_headers_are_read_alike_whatever_stands_beside_them(raw: bytes) -> None:
    odd = raw.replace(b"\r", b"").replace(b"\n", b"")
    beside = [("Event", "X"), *pairs(odd), ("Cause", "16")]
    assert pairs(b"Event: X\r\n" + odd + b"\r\nCause: 16") == beside
    assert pairs(b"Event:X\r\n" + odd + b"\r\nCause:16") == beside
