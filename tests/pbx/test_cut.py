"""A call's part of the transcript: whole, alone but for those whom it met, and replayed to the same call."""

from __future__ import annotations

from pathlib import Path

import pytest

from callme.calls.facts import LinkDown, Snapshot
from callme.calls.model import Call
from callme.pbx.ami.transcript import moments, read_chunks
from callme.pbx.cut import cut
from tests.calls.played import FOLDER, Case, cases, play, told
from tests.pbx.test_segments import AT, CHANNELS, TAKEN, as_served, at, event, snapshots, writing


def own(call: Call) -> list[str]:
    """The channel that the call is named after."""
    return [call.id.removeprefix("pbx-")]


@pytest.mark.parametrize("case", cases(9_000), ids=lambda case: case.name)
def test_a_call_is_cut_out_whole_and_with_no_call_but_those_that_it_met(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "office"
    with writing(folder) as transcript:
        for moment in as_served(case):
            transcript.keep(moment)
    for call in play(case.moments):
        part = cut(folder, call.started_at - 10, (call.ended_at or 0) + 60, own(call))
        assert part is not None
        (tmp_path / "cut.ami").write_bytes(part.ami)
        (tmp_path / "cut.ami.idx").write_bytes(part.idx)
        again = {one.id: one for one in play(moments(read_chunks(tmp_path / "cut.ami")))}
        assert told(again[call.id]) == told(call)
        assert again[call.id].started_at == pytest.approx(call.started_at, abs=0.002)
        assert set(again) - {call.id} <= set(call.linked)


CONFERENCE = b"BridgeUniqueid: 800\r\nBridgeTechnology: softmix"
PARKING = b"BridgeUniqueid: park\r\nBridgeTechnology: holding_bridge"


def in_bridge(uniqueid: str, bridge: bytes, name: str = "BridgeEnter") -> bytes:
    return event(uniqueid, name)[:-2] + bridge + b"\r\n\r\n"


def test_who_was_in_the_conference_comes_with_the_call_and_who_had_left_does_not(
    tmp_path: Path,
) -> None:
    customer, early, gone, late, parked = (f"1795453{number}.1" for number in (401, 201, 202, 403, 203))
    said = [
        (10, in_bridge(early, CONFERENCE)),
        (20, in_bridge(gone, CONFERENCE)),
        (30, in_bridge(parked, PARKING)),
        (40, in_bridge(gone, CONFERENCE, "BridgeLeave")),
        (1000, event(customer, "Newchannel")),
        (1001, in_bridge(customer, PARKING)),
        (1002, in_bridge(customer, PARKING, "BridgeLeave")),
        (1003, in_bridge(customer, CONFERENCE)),
        (1010, in_bridge(customer, CONFERENCE, "BridgeLeave")),
        (1020, in_bridge(late, CONFERENCE)),
    ]
    with writing(tmp_path) as transcript:
        for seconds, raw in said:
            transcript.keep(at(seconds, raw))
    part = cut(tmp_path, AT + 995, AT + 1015, [customer])
    assert part is not None
    named = {one for one in (customer, early, gone, late, parked) if one.encode() in part.ami}
    assert named == {customer, early}
    assert part.idx.startswith(f"# wall {AT + 10:.6f}\n".encode())


def test_after_a_lost_link_the_snapshot_tells_who_is_in_the_conference(tmp_path: Path) -> None:
    """One had left meanwhile."""
    customer, early, gone = "1795453401.1", "1795453201.1", "1795453202.1"
    item = event(early, "CoreShowChannel")[:-2] + b"BridgeId: 800\r\n\r\n"
    with writing(tmp_path) as transcript:
        transcript.keep(at(10, in_bridge(early, CONFERENCE)))
        transcript.keep(at(11, in_bridge(gone, CONFERENCE)))
        transcript.keep(at(20, b"", LinkDown()))
        transcript.keep(at(30, item + b"Event: CoreShowChannelsComplete\r\nListItems: 1\r\n\r\n", TAKEN))
        transcript.keep(at(1000, in_bridge(customer, CONFERENCE)))
    part = cut(tmp_path, AT + 995, AT + 1015, [customer])
    assert part is not None
    assert early.encode() in part.ami
    assert gone.encode() not in part.ami


def test_of_two_calls_each_is_cut_out_alone(tmp_path: Path) -> None:
    case = Case(FOLDER / "plain16" / "two_overlapping_calls.ami.gz")
    with writing(tmp_path) as transcript:
        for moment in as_served(case):
            transcript.keep(moment)
    first, second = play(case.moments)
    part = cut(tmp_path, first.started_at - 1, first.started_at + 600, own(first))
    assert part is not None
    assert own(first)[0].encode() in part.ami
    assert own(second)[0].encode() not in part.ami
    assert cut(tmp_path, first.started_at - 1, first.started_at + 600, ["1.1"]) is None
    assert cut(tmp_path, first.started_at - 1, first.started_at + 600, []) is None
    assert cut(tmp_path, AT - 1000, AT - 900, own(first)) is None


def test_a_cut_snapshot_names_only_the_channels_of_the_call(tmp_path: Path) -> None:
    with writing(tmp_path / "office") as transcript:
        transcript.keep(at(5, CHANNELS, TAKEN))
    part = cut(tmp_path / "office", AT, AT + 10, ["1795453201.2"])
    assert part is not None
    (tmp_path / "20261123T170000Z.ami").write_bytes(part.ami)
    (tmp_path / "20261123T170000Z.ami.idx").write_bytes(part.idx)
    _, found = snapshots(tmp_path)
    (snapshot,) = found.facts
    assert isinstance(snapshot, Snapshot)
    assert ([one.leg.name for one in snapshot.legs], snapshot.asked_at) == (["PJSIP/102-00000002"], AT + 4.5)


def test_bytes_can_be_read_while_the_segment_is_open(tmp_path: Path) -> None:
    (tmp_path / "20261123T170000Z.ami").write_bytes(event() + event("1795453201.2"))
    (tmp_path / "20261123T170000Z.ami.idx").write_text(f"# wall {AT}\n0.5 0\n1.5 {len(event())}\n9.0 5000\n")
    part = cut(tmp_path, AT, AT + 5, ["1795453201.2"])
    assert part is not None
    assert part.ami == event("1795453201.2")
    assert part.idx.decode().splitlines()[1:] == ["1.500 0"]
