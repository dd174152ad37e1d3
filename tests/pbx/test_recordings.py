"""Finding a recording: where it is, whether it is written to the end, and what is never taken."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callme.pbx.audio import read_wav
from callme.pbx.places import Entry, Folder
from callme.pbx.recordings import (
    ABSENCE_PATIENCE,
    GIVE_UP,
    HEADER_PATIENCE,
    Absent,
    Empty,
    Found,
    Missing,
    NotYet,
    Ready,
    Settled,
    There,
    Wanted,
    absence,
    examine,
    fetch,
    judge,
    locate,
    names_of,
)

ROOT = "/var/spool/asterisk/monitor"
DAY = "2026/11/24/external-101-79001234567-20261124-100000-1795453573.114.wav"
NOW = 1_795_500_000.0


def wav(data: bytes, *, riff: int | None = None, told: int | None = None) -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    told = len(data) if told is None else told
    riff = 36 + len(data) if riff is None else riff
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", 16) + form
    return head + b"data" + struct.pack("<I", told) + data


SPEECH = bytes(range(256)) * 125  # 32 000 bytes: two seconds


class Monitor:
    """A folder of recordings as a PBX leaves it."""

    def __init__(self, tmp: Path) -> None:
        self.here = tmp / "monitor"
        self.work = tmp / "work"
        self.here.mkdir()
        (self.here / "lost+found").mkdir()

    def put(self, data: bytes, name: str = DAY, age: float = 100.0) -> Path:
        file = self.here / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        os.utime(file, (NOW - age, NOW - age))
        return file

    async def fetch(
        self, path: str = f"{ROOT}/{DAY}", ended: float = 100.0, size_before: int | None = None
    ) -> Found:
        return await fetch(Wanted(path, ROOT, NOW - ended), Folder(self.here), NOW, size_before)

    def entry(self, name: str = DAY, age: float = 100.0) -> Entry:
        return Entry(PurePosixPath(name), (self.here / name).stat().st_size, NOW - age)


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    return Monitor(tmp_path)


# ------------------------------------------------------------------------------------------ judge
@pytest.mark.parametrize(
    ("size", "before", "age", "verdict"),
    [
        (50_000, None, 1.0, Settled()),
        (50_000, 50_000, 5.0, Settled()),
        (50_000, 40_000, 5.0, NotYet(1.0, size=50_000)),
        (50_000, None, 0.25, NotYet(0.75, size=50_000)),
        (50_000, 50_000, 0.25, NotYet(0.75, size=50_000)),
        (50_000, None, -30.0, NotYet(1.0, size=50_000)),
        (50_000, 50_000, -30.0, Settled()),
    ],
)
def test_judge(size: int, before: int | None, age: float, verdict: object) -> None:
    assert judge(size, before, NOW - age, NOW) == verdict


@pytest.mark.parametrize("size", [0, 44, 60, 1023])
def test_a_header_alone_is_an_empty_recording(size: int) -> None:
    assert isinstance(judge(size, None, NOW - 5, NOW), Empty)


@given(st.integers(0, 10**9), st.none() | st.integers(0, 10**9), st.floats(-100, 100))
def test_waiting_as_told_comes_to_an_end(size: int, before: int | None, age: float) -> None:
    now = NOW
    for _ in range(4):
        verdict = judge(size, before, NOW - age, now)
        if not isinstance(verdict, NotYet):
            return
        assert 0 < verdict.wait_s <= 1.0
        now, before = now + verdict.wait_s, size
    raise AssertionError("a file that does not change is never taken")


# ------------------------------------------------------------------------------------------ locate
@pytest.mark.parametrize(
    ("path", "below"),
    [
        (f"{ROOT}/{DAY}", DAY),
        (f"{ROOT}//2026/x.wav", "2026/x.wav"),
        ("q-700-79001-20261124-101500-1795453573.2.wav", None),
        ("x.wav", "x.wav"),
    ],
)
def test_a_path_is_found_below_the_root(path: str, below: str | None) -> None:
    assert str(locate(path, ROOT)) == (below or f"2026/11/24/{path}")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        f"{ROOT}/../../../../etc/passwd",
        "../secret.wav",
        ROOT,
        f"{ROOT}x/y.wav",
        f"{ROOT}/a\0b.wav",
    ],
)
async def test_a_path_that_leaves_the_root_is_refused(monitor: Monitor, path: str) -> None:
    found = await monitor.fetch(path)
    assert isinstance(found, Missing)
    assert ROOT in found.why.say("ru")


async def test_a_link_that_leaves_the_root_is_refused(monitor: Monitor, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(SPEECH))
    os.utime(secret, (NOW - 100, NOW - 100))
    (monitor.here / "x.wav").symlink_to(secret)
    assert isinstance(await monitor.fetch(f"{ROOT}/x.wav"), Missing)


# ------------------------------------------------------------------------------------------ fetch
async def test_a_finished_recording_is_taken_as_it_is(monitor: Monitor) -> None:
    file = monitor.put(wav(SPEECH))
    assert await monitor.fetch() == There(monitor.entry())
    assert Folder(monitor.here).here(monitor.entry()) == file
    assert examine(file, monitor.entry(), monitor.work, NOW - 100, NOW) == Ready(file)
    assert not monitor.work.exists()


async def test_a_call_that_just_ended_is_looked_at_a_moment_later(monitor: Monitor) -> None:
    monitor.put(wav(SPEECH))
    found = await monitor.fetch(ended=0.5)
    assert isinstance(found, NotYet)
    assert found.wait_s == pytest.approx(1.5)


async def test_a_growing_file_is_not_taken(monitor: Monitor) -> None:
    monitor.put(wav(SPEECH), age=0.25)
    found = await monitor.fetch(ended=3)
    assert isinstance(found, NotYet)
    assert found.size == len(wav(SPEECH))
    monitor.put(wav(SPEECH * 2), age=5)
    assert isinstance(await monitor.fetch(ended=8, size_before=found.size), NotYet)
    monitor.put(wav(SPEECH * 2), age=6)
    assert isinstance(await monitor.fetch(ended=9, size_before=len(wav(SPEECH * 2))), There)


async def test_an_unanswered_call_leaves_an_empty_recording(monitor: Monitor) -> None:
    monitor.put(wav(b""))
    found = await monitor.fetch()
    assert isinstance(found, Empty)
    assert "44" in found.why.say("en")


async def test_a_short_gsm_recording_is_not_empty(monitor: Monitor) -> None:
    monitor.put(b"\xd2" + b"\0" * 32 * 20, name="x.gsm")
    assert await monitor.fetch(f"{ROOT}/x.gsm") == There(monitor.entry("x.gsm"))


async def test_an_absent_file_is_looked_for_ever_more_seldom_and_then_given_up(monitor: Monitor) -> None:
    assert isinstance(await monitor.fetch(ended=ABSENCE_PATIENCE - 1), NotYet)
    late = await monitor.fetch(ended=ABSENCE_PATIENCE)
    much_later = await monitor.fetch(ended=GIVE_UP - 1)
    assert isinstance(late, Absent)
    assert isinstance(much_later, Absent)
    assert (late.wait_s, much_later.wait_s) == (15.0, 3600.0)
    found = await monitor.fetch(ended=GIVE_UP)
    assert isinstance(found, Missing)
    assert DAY in found.why.say("en")
    assert isinstance(await monitor.fetch(""), Missing)


def test_three_days_of_looking_cost_a_hundred_looks() -> None:
    waited, looks = ABSENCE_PATIENCE, 0
    while (again := absence(waited)) is not None:
        waited, looks = waited + again, looks + 1
    assert looks < 120


@pytest.mark.parametrize("named", [f"{ROOT}/{DAY}", f"{ROOT}/{DAY}".removesuffix(".wav")])
async def test_a_recording_that_a_script_turned_into_mp3_is_found(monitor: Monitor, named: str) -> None:
    name = DAY.replace(".wav", ".mp3")
    monitor.put(b"\xff\xfb" * 1000, name=name)
    assert await monitor.fetch(named) == There(monitor.entry(name))


async def test_both_directions_are_found_beside_the_mixed_file(monitor: Monitor) -> None:
    for mark in ("", "-in", "-out", "_in"):
        monitor.put(wav(SPEECH), name=DAY.replace(".wav", f"{mark}.wav"))
    heard, told = (monitor.entry(DAY.replace(".wav", f"{mark}.wav")) for mark in ("-in", "-out"))
    assert await monitor.fetch() == There(monitor.entry(), (heard, told))


@pytest.mark.parametrize(
    ("address", "base", "first"),
    [
        (
            "https://pbx.example.com/monitor/2026/11/24/a.mp3",
            "https://pbx.example.com/monitor",
            "2026/11/24/a.mp3",
        ),
        ("https://pbx.example.com/monitor/a%20b.mp3?x=1", "https://pbx.example.com/monitor/", "a b.mp3"),
        ("http://pbx/records/2026/11/24/a.mp3", "", "records/2026/11/24/a.mp3"),
    ],
)
def test_an_address_is_a_name_in_the_place_that_shows_it(address: str, base: str, first: str) -> None:
    assert str(names_of(address, ROOT, base)[0]) == first


async def test_an_address_leads_to_the_file_in_a_folder(monitor: Monitor) -> None:
    name = DAY.replace(".wav", ".mp3")
    monitor.put(b"\xff\xfb" * 1000, name=name)
    assert await monitor.fetch(f"http://pbx.example.com/monitor/{name}") == There(monitor.entry(name))
    assert isinstance(await monitor.fetch("http://pbx.example.com/../../../etc/passwd"), Absent)


async def test_a_folder_that_is_not_mounted_gives_no_recording_up(monitor: Monitor) -> None:
    (monitor.here / "lost+found").rmdir()
    empty = await monitor.fetch(ended=10_000)
    monitor.here.rmdir()
    absent = await monitor.fetch(ended=10_000)
    for found in (empty, absent):
        assert isinstance(found, NotYet)
        assert found.wait_s >= 60
        assert str(monitor.here) in found.why.say("ru")


async def test_a_pipe_in_place_of_a_file_hangs_nobody(monitor: Monitor) -> None:
    os.mkfifo(monitor.here / "x.wav")
    assert isinstance(await monitor.fetch(f"{ROOT}/x.wav"), Missing)


@pytest.mark.parametrize(
    "broken",
    [wav(SPEECH, riff=0, told=0), wav(SPEECH, riff=36 + 100, told=100), wav(SPEECH, told=10**6)],
    ids=["sizes of zero", "sizes of the last flush", "sizes beyond the end"],
)
def test_a_header_left_wrong_by_a_killed_pbx_is_mended_on_a_copy(monitor: Monitor, broken: bytes) -> None:
    file = monitor.put(broken)
    entry = monitor.entry(age=HEADER_PATIENCE - 1)
    waiting = examine(file, entry, monitor.work, NOW - 15, NOW)
    assert isinstance(waiting, NotYet)
    assert waiting.wait_s == pytest.approx(1.0)
    found = examine(file, monitor.entry(age=HEADER_PATIENCE), monitor.work, NOW - 15, NOW)
    assert isinstance(found, Ready)
    assert found.repaired
    assert found.file.parent == monitor.work
    assert found.file.read_bytes() == wav(SPEECH)
    assert file.read_bytes() == broken
    assert os.listdir(monitor.work) == [found.file.name]


@given(st.binary(max_size=200), st.integers(0, 10**6))
def test_any_bytes_are_a_wav_or_none(data: bytes, size: int) -> None:
    for head in (b"", b"RIFF\0\0\0\0WAVE"):
        found = read_wav(io.BytesIO(head + data), size)
        assert found is None or found.block >= 1
