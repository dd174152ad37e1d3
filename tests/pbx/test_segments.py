"""The transcript on disk: what is written can be replayed, a call can be cut out, and trouble with the disk
harms nobody."""

from __future__ import annotations

import errno
import gzip
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from callme.calls.facts import Fact, LinkDown, LinkUp, Snapshot
from callme.calls.model import Call
from callme.pbx import segments as s
from callme.pbx.ami import translate
from callme.pbx.ami.transcript import moments, read_chunks
from callme.pbx.ami.wire import Framer
from callme.pbx.port import Moment
from callme.pbx.segments import AGAIN_S, DAY_S, HOUR_S, Cutter, Place, Transcript, segments, sweep
from tests.calls.played import FOLDER, Case, Living, cases, play, told

AT = 1_795_453_200.0
"""2026-11-23T17:00:00Z, a full hour."""


class Noted:
    """What the transcript said of its disk."""

    def __init__(self) -> None:
        self.said: list[OSError | None] = []
        self.heard = threading.Event()

    def __call__(self, trouble: OSError | None) -> None:
        self.said.append(trouble)
        self.heard.set()


@contextmanager
def writing(folder: Path, noted: Noted | None = None, days: int = 14) -> Iterator[Transcript]:
    transcript = Transcript(folder, days, noted or Noted())
    try:
        yield transcript
    finally:
        transcript.close()


def event(uniqueid: str = "1795453201.1", name: str = "Newstate") -> bytes:
    return f"Event: {name}\r\nChannel: PJSIP/101-00000001\r\nUniqueid: {uniqueid}\r\n\r\n".encode()


def at(seconds: float, raw: bytes = b"", *facts: Fact) -> Moment:
    return Moment(AT + seconds, facts, raw or event())


def as_served(case: Case) -> list[Moment]:
    """The recording as the service's source gives it: only the kept packets' bytes, whole."""
    found: list[Moment] = []
    framer = Framer()
    up = LinkUp(None)
    facts: tuple[Fact, ...] = (up,)
    for chunk in case.chunks:
        if chunk.fresh:
            found.append(Moment(found[-1].at, (LinkDown(),)))
            framer, facts = Framer(), (up,)
        raw = b"".join(one + b"\r\n\r\n" for one in framer.feed(chunk.data) if translate.keep(one))
        if raw:
            found.append(Moment(chunk.at, facts, raw))
            facts = ()
    return found


def calls_in(folder: Path) -> list[Call]:
    chunks = [chunk for _, file in segments(folder) for chunk in read_chunks(file)]
    return play(moments(chunks))


# ------------------------------------------------------------------------------------ whole way
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_was_kept_replays_to_the_same_calls(case: Case, tmp_path: Path) -> None:
    with writing(tmp_path / "office") as transcript:
        for moment in as_served(case):
            transcript.keep(moment)
    assert list(map(told, calls_in(tmp_path / "office"))) == list(map(told, play(case.moments)))


# ------------------------------------------------------------------------------------ snapshots
CHANNELS = (
    b"Response: Success\r\nActionID: x-1\r\nEventList: start\r\nMessage: Channels will follow\r\n\r\n"
    b"Event: CoreShowChannel\r\nActionID: x-1\r\nChannel: PJSIP/101-00000001\r\nChannelStateDesc: Up\r\n"
    b"Context: from-internal\r\nUniqueid: 1795453201.1\r\nLinkedid: 1795453201.1\r\nBridgeId: b1\r\n\r\n"
    b"Event: CoreShowChannel\r\nActionID: x-1\r\nChannel: PJSIP/102-00000002\r\nChannelStateDesc: Up\r\n"
    b"Context: from-internal\r\nUniqueid: 1795453201.2\r\nLinkedid: 1795453201.2\r\nBridgeId: \r\n\r\n"
    b"Event: CoreShowChannelsComplete\r\nActionID: x-1\r\nEventList: Complete\r\nListItems: 2\r\n\r\n"
    b"Response: Success\r\nActionID: x-2\r\nEventList: start\r\nMessage: Bridge listing will follow\r\n\r\n"
    b"Event: BridgeListItem\r\nBridgeUniqueid: b1\r\nBridgeTechnology: holding_bridge\r\n\r\n"
    b"Event: BridgeListComplete\r\nActionID: x-2\r\nEventList: Complete\r\nListItems: 1\r\n\r\n"
    b"Event: ParkedCall\r\nActionID: x-3\r\nParkeeUniqueid: 1795453201.1\r\nParkingSpace: 71\r\n\r\n"
)
TAKEN = Snapshot((), AT + 4.5)


def snapshots(folder: Path) -> list[Moment]:
    chunks = [chunk for _, file in segments(folder) for chunk in read_chunks(file)]
    return list(moments(chunks))


def test_a_snapshot_is_read_again_with_the_moment_it_was_asked_for(tmp_path: Path) -> None:
    with writing(tmp_path) as transcript:
        transcript.keep(at(5, CHANNELS, TAKEN))
    _, found = snapshots(tmp_path)
    (snapshot,) = found.facts
    assert isinstance(snapshot, Snapshot)
    assert snapshot.asked_at == AT + 4.5
    assert [(one.leg.name, one.bridge, one.holding) for one in snapshot.legs] == [
        ("PJSIP/101-00000001", "b1", True),
        ("PJSIP/102-00000002", "", False),
    ]


def test_a_list_whose_beginning_is_missing_ends_no_call(tmp_path: Path) -> None:
    rest = CHANNELS[CHANNELS.index(b"Event: CoreShowChannel\r", 200) :]
    with writing(tmp_path) as transcript:
        transcript.keep(at(5, rest, TAKEN))
    assert [fact for moment in snapshots(tmp_path) for fact in moment.facts] == [LinkDown()]


@pytest.mark.parametrize("index", [4, 8])
def test_a_call_over_a_lost_link_replays_as_it_was_seen(tmp_path: Path, index: int) -> None:
    """The link is lost in the middle; the raw bytes of the snapshot tell what lived."""
    case = Case(FOLDER / "plain16" / "in_direct_answered.ami.gz")
    served = as_served(case)
    living = Living()
    for moment in case.moments:
        if moment.at > served[index].at:
            break
        for fact in moment.facts:
            living.take(fact)
    snapshot = living.snapshot(served[index].at)
    items = [
        f"Event: CoreShowChannel\r\nChannel: {one.leg.name}\r\nUniqueid: {one.leg.uniqueid}\r\n"
        f"Linkedid: {one.leg.linkedid}\r\nBridgeId: {one.bridge}\r\n\r\n"
        for one in snapshot.legs
    ]
    raw = "".join(items) + f"Event: CoreShowChannelsComplete\r\nListItems: {len(items)}\r\n\r\n"
    lost = [
        Moment(served[index].at, (LinkDown(),)),
        Moment(served[index].at, (LinkUp(None),)),
        Moment(served[index].at, (snapshot,), raw.encode()),
    ]
    with writing(tmp_path) as transcript:
        for moment in [*served[: index + 1], *lost, *served[index + 1 :]]:
            transcript.keep(moment)
    (call,) = calls_in(tmp_path)
    (truth,) = play(case.moments)
    assert told(call) == told(truth)


def test_a_pbx_that_boots_under_our_link_loses_us_nothing(tmp_path: Path) -> None:
    with writing(tmp_path) as transcript:
        for moment in (at(0), at(1, b"", LinkUp(AT)), at(2), at(3, b"", LinkDown()), at(4)):
            transcript.keep(replace(moment, raw=b"") if moment.facts else moment)
    chunks = [chunk for _, file in segments(tmp_path) for chunk in read_chunks(file)]
    assert [(chunk.at - AT, chunk.fresh) for chunk in chunks] == [(0, True), (2, False), (4, True)]


# ------------------------------------------------------------------------------ files and names
def test_a_new_segment_begins_each_hour_and_when_one_is_full() -> None:
    cutter = Cutter(["20261123T170000Z"])
    assert cutter.place(AT, 100) == Place("20261123T170001Z", 0)
    assert cutter.place(AT + 1, 50) == Place("20261123T170001Z", 100)
    assert cutter.now == Place("20261123T170001Z", 150)
    assert cutter.place(AT + 2, s.SEGMENT_BYTES) == Place("20261123T170002Z", 0)
    assert cutter.place(AT + HOUR_S, 10) == Place("20261123T180000Z", 0)


def test_finished_segments_are_compressed_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "transcripts" / "office"
    with writing(folder) as transcript:
        first = transcript.keep(at(0))
        transcript.keep(at(HOUR_S))
    assert first == Place("20261123T170000Z", 0)
    names = sorted(file.name for file in folder.iterdir())
    assert names == [
        "20261123T170000Z.ami.gz",
        "20261123T170000Z.ami.idx",
        "20261123T180000Z.ami",
        "20261123T180000Z.ami.idx",
    ]
    assert gzip.decompress((folder / names[0]).read_bytes()) == event()
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert {stat.S_IMODE(one.stat().st_mode) for one in (folder, folder.parent)} == {0o700}


def test_a_restart_begins_a_segment_of_its_own_and_compresses_what_the_last_run_left(tmp_path: Path) -> None:
    for _ in range(2):
        with writing(tmp_path) as transcript:
            transcript.keep(at(0))
    assert [file.name for _, file in segments(tmp_path)] == [
        "20261123T170000Z.ami.gz",
        "20261123T170001Z.ami",
    ]
    assert [chunk.fresh for _, file in segments(tmp_path) for chunk in read_chunks(file)] == [True, True]


def test_old_segments_are_deleted(tmp_path: Path) -> None:
    with writing(tmp_path) as transcript:
        transcript.keep(at(0))
        transcript.keep(at(10 * DAY_S))
        transcript.keep(at(14 * DAY_S + 2 * HOUR_S))
    assert [stem for stem, _ in segments(tmp_path)] == ["20261203T170000Z", "20261207T190000Z"]
    assert len(list(tmp_path.iterdir())) == 4
    sweep(tmp_path, AT, 0)
    assert list(tmp_path.iterdir()) == []


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "99999999T999999Z.ami").write_text("mine")
    sweep(tmp_path, AT, 0)
    assert segments(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 2


# -------------------------------------------------------------------------------------- trouble
def test_a_disk_in_trouble_is_told_once_and_tried_again(tmp_path: Path) -> None:
    folder, noted = tmp_path / "office", Noted()
    folder.write_text("in the way")
    with writing(folder, noted) as transcript:
        assert transcript.keep(at(0)) == Place("20261123T170000Z", 0)
        assert noted.heard.wait(5)
        while transcript.keep(at(1)) is not None:
            noted.heard.wait(0.01)
        assert transcript.keep(at(2)) is None
        folder.unlink()
        noted.heard.clear()
        assert transcript.keep(at(AGAIN_S)) is None
        place = transcript.keep(at(2 + AGAIN_S))
        assert place is not None
        assert noted.heard.wait(5)
    assert [error is None for error in noted.said] == [False, True]
    assert [stem for stem, _ in segments(folder)] == [place.segment]
    (chunk,) = read_chunks(segments(folder)[0][1])
    assert chunk.fresh
    assert transcript.lost >= 3 * len(event())


def test_a_disk_that_is_too_slow_costs_transcripts_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, go_on = threading.Event(), threading.Event()

    def slow(path: str, flags: int) -> int:
        stuck.set()
        go_on.wait(5)
        return os.open(path, flags, 0o600)

    monkeypatch.setattr(s, "_private", slow)
    monkeypatch.setattr(s, "WAITING_BYTES", 1000)
    noted = Noted()
    with writing(tmp_path, noted) as transcript:
        transcript.keep(at(0))
        assert stuck.wait(5)
        kept = [transcript.keep(at(number)) for number in range(1, 20)]
        go_on.set()
    assert kept[0] is not None
    assert kept[-1] is None
    assert noted.said
    assert isinstance(noted.said[0], OSError)
    assert noted.said[0].errno == errno.ENOBUFS


def test_a_moment_without_bytes_stands_where_the_stream_does(tmp_path: Path) -> None:
    with writing(tmp_path) as transcript:
        transcript.keep(at(0))
        assert transcript.keep(replace(at(1), raw=b"")) == Place("20261123T170000Z", len(event()))
