"""A scrubbed recording holds nobody's number or name, and replays to the same calls."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callme.calls.numbering import Numbering
from callme.pbx.ami.transcript import Chunk, moments
from callme.pbx.ami.wire import Framer, parse
from callme.pbx.scrub import Scrubber
from tests.calls.played import Case, cases, expected, matching, play, told

KEY = b"a key for tests"
REAL = re.compile(rb"(?<!\d)(?:7900000\d{4}|7495000\d{4}|7916999\d{4})(?!\d)")


def scrubbed(case: Case, scrubber: Scrubber) -> list[Chunk]:
    """The recording as `callme record` would have written it: whole packets in each read."""
    found: list[Chunk] = []
    framer = Framer()
    fresh = False
    for chunk in case.chunks:
        if chunk.fresh:
            framer, fresh = Framer(), True
        data = b"".join(scrubber.packet(one) + b"\r\n\r\n" for one in framer.feed(chunk.data))
        if data:
            found.append(Chunk(chunk.at, data, fresh))
            fresh = False
    return found


def mapped(value: Any, scrubber: Scrubber) -> Any:
    """What was told, with each number replaced."""
    if isinstance(value, str):
        return scrubber.number(value) if value.lstrip("+").isdigit() else value
    if isinstance(value, dict):
        return {name: mapped(one, scrubber) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(mapped(one, scrubber) for one in value)
    return value


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_scrubbed_recording_replays_to_the_same_calls(case: Case) -> None:
    scrubber = Scrubber(KEY)
    chunks = scrubbed(case, scrubber)
    assert REAL.search(b"".join(chunk.data for chunk in chunks)) is None
    after = play(moments(chunks))
    for call, truth in matching(after, case.truth):
        assert told(call) == mapped(expected(truth), scrubber)
    for now, before in zip(after, play(case.moments), strict=True):
        assert now.number == mapped(before.number, scrubber)
        assert (now.started_at, now.ended_at, now.talks == ()) == (
            before.started_at,
            before.ended_at,
            before.talks == (),
        )


@pytest.mark.parametrize("case", cases(9_000), ids=lambda case: case.name)
def test_kept_numbers_stay(case: Case) -> None:
    lines = [str(truth["line"]) for truth in case.truth if truth["line"]]
    scrubber = Scrubber(KEY, keep=[f"+{line}" for line in lines])
    for call, truth in matching(play(moments(scrubbed(case, scrubber))), case.truth):
        assert call.line == (truth["line"] or "")


@given(
    st.sets(st.from_regex(r"[0-9]{7,15}", fullmatch=True), min_size=2, max_size=6),
    st.binary(min_size=1, max_size=32),
)
def test_different_numbers_stay_different_and_keep_their_kind(numbers: set[str], key: bytes) -> None:
    scrubber, numbering = Scrubber(key), Numbering()
    fakes = {number: scrubber.number(number) for number in numbers}
    assert len(set(fakes.values())) == len(numbers)
    for number, fake in fakes.items():
        assert len(fake) == len(number)
        assert fake[:-7] == number[:-7]
        before, after = numbering.e164(number), numbering.e164(fake)
        assert (before[:1] == "+", len(before)) == (after[:1] == "+", len(after))


def test_all_written_forms_of_a_number_are_replaced_alike() -> None:
    scrubber = Scrubber(KEY)
    forms = ("+79161234567", "79161234567", "89161234567", "9161234567", "0079161234567")
    assert len({scrubber.number(form)[-7:] for form in forms}) == 1
    assert scrubber.number("79161234567") != "79161234567"


def packet(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("CallerIDName: Мария Ветрова", "Мария"),
        ("Event: VarSet\r\nVariable: CALLERID(name)\r\nValue: Anna Berg", "Anna"),
        ("AppData: CALLERID(name)=Anna Berg", "Anna"),
        ('AppData: CALLERID(all)="Anna Berg" <79161234567>', "Anna"),
        ("AppData: CALLERID(all)=Anna Berg <79161234567>", "Anna"),
        ('CallerID: "Anna Berg" <79161234567>', "Anna"),
        ("DialString: 101/sip:101@10.20.30.40:5060", "10.20.30.40"),
        ("RemoteAddress: IPV6/UDP/2a02:6b8::2:242/5060", "2a02"),
        ("ContactURI: sip:101@[2a02:6b8::2:242]:5060", "2a02"),
        ("URI: sip:anna.berg:pass@pbx.example.org;transport=tls", "example.org"),
        ("URI: sip:anna.berg:pass@pbx.example.org;transport=tls", "berg"),
        ("URI: sip:anna:hunter2@10.1.2.3", "hunter2"),
        ("AppData: mail anna@example.org", "example.org"),
        ("UserAgent: Yealink SIP-T46S 66.84", "Yealink"),
        ("Event: VarSet\r\nVariable: SIPUSERAGENT\r\nValue: Yealink", "Yealink"),
        ("Event: VarSet\r\nVariable: DB_PASSWORD\r\nValue: hunter2", "hunter2"),
        ("ChanVariable: API_TOKEN=hunter2", "hunter2"),
        ("Value: external-106-12345678-20261123-170625-1795453585.72", "12345678"),
        ("Channel: Local/79161234567@from-internal-0000000a;1", "79161234567"),
        ("Exten: FMGL-79161234567#", "79161234567"),
    ],
)
def test_what_must_not_be_seen_is_gone(text: str, gone: str) -> None:
    assert gone not in Scrubber(KEY).packet(text.encode()).decode()


@pytest.mark.parametrize(
    "line",
    [
        "Uniqueid: 1795453424.33",
        "Linkedid: pbx1-1795453424.33",
        "Channel: PJSIP/101-00000052",
        "Channel: Local/101@from-internal-1234567a;2",
        "BridgeUniqueid: 56e53aa5-1512-4501-a1ab-123456789012",
        "CallerIDNum: 101",
        "CallerIDName: <unknown>",
        "CallerIDNum: anonymous",
        "Context: macro-dial-one",
        "Value: FALSE",
    ],
)
def test_what_a_replay_needs_stays(line: str) -> None:
    assert Scrubber(KEY).packet(line.encode()).decode() == line


def test_a_name_that_was_seen_is_replaced_everywhere_by_the_same() -> None:
    scrubber = Scrubber(KEY)
    first = parse(scrubber.packet(packet("Event: Newchannel", "CallerIDName: Anna Berg"))).get("CallerIDName")
    second = scrubber.packet(packet("Event: Newexten", "AppData: VERBOSE Anna Berg calls")).decode()
    assert "Berg" not in first
    assert f"VERBOSE {first} calls" in second


def test_bytes_that_are_no_utf8_survive() -> None:
    name = b"Event: Newchannel\r\nCallerIDName: " + "Иван".encode("cp1251") + b"\r\nExten: 101"
    assert Scrubber(KEY).packet(name).endswith(b"\r\nExten: 101")
    assert "Иван".encode("cp1251") not in Scrubber(KEY).packet(name)


def test_whole_packets_keep_their_blank_lines() -> None:
    raw = packet("Event: Hangup", "Cause: 16") + b"\r\n\r\n" + packet("Event: Hold", "Exten: 1") + b"\r\n\r\n"
    assert Scrubber(KEY).stream(raw) == raw
