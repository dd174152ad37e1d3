"""Recordings as files: with and without an index, compressed, broken, and files that are none."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from callme.calls import facts as f
from callme.errors import ConfigError
from callme.pbx.ami.transcript import Chunk, moments, read_chunks

HANGUP = b"Event: Hangup\r\nChannel: PJSIP/101-00000001\r\nUniqueid: 1764000000.%d\r\nCause: 16\r\n\r\n"
TWO = HANGUP % 1 + HANGUP % 2


def recording(folder: Path, data: bytes = TWO, index: str | None = None, name: str = "a.ami") -> Path:
    file = folder / name
    file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    if index is not None:
        (folder / (name.removesuffix(".gz") + ".idx")).write_text(index, "utf-8")
    return file


@pytest.mark.parametrize("name", ["a.ami", "a.ami.gz"])
def test_index_tells_when_bytes_came(tmp_path: Path, name: str) -> None:
    cut = len(HANGUP % 1)
    file = recording(tmp_path, TWO, f"# wall 1764000000.5\n0.0 0\n1.25 {cut}\n", name)
    first, second = moments(read_chunks(file))
    assert (first.at, second.at) == (1764000000.5, 1764000001.75)
    assert isinstance(first.facts[0], f.HungUp)


def test_without_index_the_first_uniqueid_dates_it(tmp_path: Path) -> None:
    (only,) = moments(read_chunks(recording(tmp_path)))
    assert (only.at, len(only.facts)) == (1764000000.0, 2)


def test_bytes_before_the_first_mark_are_not_lost(tmp_path: Path) -> None:
    file = recording(tmp_path, TWO, f"# wall 100\n3.0 {len(HANGUP % 1)}\n")
    assert sum(len(moment.facts) for moment in moments(read_chunks(file))) == 2


def test_reconnect_is_blindness_since_the_last_read(tmp_path: Path) -> None:
    half = len(HANGUP % 1) - 10  # the first packet was cut off by the break
    data = (HANGUP % 1)[:half] + HANGUP % 2
    file = recording(tmp_path, data, f"# wall 100\n0.0 0\n# reconnect {half}\n9.0 {half}\n")
    down, later = moments(read_chunks(file))
    assert (down.at, down.facts) == (100.0, (f.LinkDown(),))
    assert later.at == 109.0
    (fact,) = later.facts
    assert isinstance(fact, f.HungUp)
    assert fact.leg.uniqueid == "1764000000.2"


def test_nothing_of_nothing() -> None:
    assert list(moments([])) == []
    assert list(moments([Chunk(1.0, b"\r\n\r\n\xff")])) == []


@pytest.mark.parametrize(
    ("line", "number"), [("x 0", 2), ("1.0", 2), ("1.0 y", 2), ("# reconnect z", 2), ("# wall x", 2)]
)
def test_broken_index_is_named(tmp_path: Path, line: str, number: int) -> None:
    file = recording(tmp_path, TWO, f"# wall 1.0\n{line}\n")
    with pytest.raises(ConfigError) as trouble:
        read_chunks(file)
    assert f"a.ami.idx, line {number}: expected `seconds offset`" in trouble.value.say("en")
    assert "a.ami.idx, строка" in trouble.value.say("ru")


@pytest.mark.parametrize("data", [b"", b"Hello, world\n", b"\x00" * 100, b"Response: Success\r\n\r\n"])
def test_other_files_are_refused_with_the_cure(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ConfigError) as trouble:
        read_chunks(recording(tmp_path, data))
    assert "holds no AMI events" in trouble.value.say("en")
    assert "callme record" in trouble.value.say("en")


def test_missing_folder_and_damaged_files_are_named(tmp_path: Path) -> None:
    damaged = tmp_path / "b.ami.gz"
    damaged.write_bytes(gzip.compress(TWO)[:-9])
    plain = tmp_path / "c.ami.gz"
    plain.write_bytes(TWO)
    for file in (tmp_path / "none.ami", tmp_path, damaged, plain):
        with pytest.raises(ConfigError) as trouble:
            read_chunks(file)
        assert f"{file} cannot be read" in trouble.value.say("en")
