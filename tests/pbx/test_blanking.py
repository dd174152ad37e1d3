"""What is blanked cannot be read any more, and everything else stays where it was."""

from __future__ import annotations

import gzip
from pathlib import Path

from callme.pbx.blanking import blank
from callme.pbx.segments import SegmentFile, stamp

AT = 1_795_600_000.0
SAID = "Event: Newchannel\r\nCallerIDNum: 79261112233\r\nCallerIDName: Иван\r\n\r\n".encode()
OTHER = b"Event: Newchannel\r\nCallerIDNum: 79260000000\r\n\r\n"


def written(folder: Path, at: float, *packets: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{stamp(at)}.ami"
    segment = SegmentFile(file, at)
    for packet in packets:
        segment.write(at, packet, fresh=False, asked=None)
    segment.close()
    return file


def test_words_are_gone_and_offsets_stay(tmp_path: Path) -> None:
    file = written(tmp_path, AT, SAID, OTHER)
    assert blank(tmp_path, AT, AT + 10, ["79261112233", "Иван"]) == 2
    left = file.read_bytes()
    assert b"79261112233" not in left
    assert "Иван".encode() not in left
    assert len(left) == len(SAID + OTHER)
    assert left[len(SAID) :] == OTHER


def test_a_packed_segment_is_changed_too(tmp_path: Path) -> None:
    file = written(tmp_path, AT, SAID)
    packed = file.with_name(file.name + ".gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    assert blank(tmp_path, AT, AT, ["79261112233"]) == 1
    assert b"79261112233" not in gzip.decompress(packed.read_bytes())
    assert packed.stat().st_mode & 0o777 == 0o600


def test_another_time_is_left_alone(tmp_path: Path) -> None:
    early = written(tmp_path, AT, SAID)
    late = written(tmp_path, AT + 7200, SAID)
    assert blank(tmp_path, AT + 7260, AT + 7300, ["79261112233"]) == 1
    assert early.read_bytes() == SAID
    assert late.read_bytes() != SAID


def test_short_words_are_no_words(tmp_path: Path) -> None:
    file = written(tmp_path, AT, SAID)
    assert blank(tmp_path, AT, AT, ["", "79"]) == 0
    assert file.read_bytes() == SAID
