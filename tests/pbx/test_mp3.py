"""Length and conversion of recordings, with the real ffmpeg and with programs that misbehave."""

from __future__ import annotations

import array
import asyncio
import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from callme.pbx import mp3
from callme.pbx.audio import measure
from callme.pbx.mp3 import Track, convert
from tests.pbx.test_recordings import SPEECH, wav

FORMATS = {
    "a.wav": (),
    "a.WAV": ("-c:a", "gsm_ms", "-f", "wav"),
    "a.gsm": ("-f", "gsm"),
    "a.ulaw": ("-f", "mulaw"),
    "a.alaw": ("-f", "alaw"),
    "a.sln": ("-f", "s16le"),
    "a.sln16": ("-ar", "16000", "-f", "s16le"),
    "a.g722": ("-ar", "16000", "-f", "g722"),
    "a.ogg": (),
}


def record(file: Path, *how: str) -> Path:
    """Three seconds of a tone, made by ffmpeg, which these tests need."""
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=3:sample_rate=8000", "-ac", "1")
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *tone, *how, f"file:{file}"], check=True)
    return file


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> None:
    """Make these shell scripts the only programs beside the system's plainest ones."""
    folder.mkdir()
    for needed in ("nice", "sh", "sleep", "cat", "cp", "echo"):
        found = shutil.which(needed)
        assert found
        (folder / needed).symlink_to(found)
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "a.wav"
    file.write_bytes(wav(SPEECH))
    return file


@pytest.mark.parametrize("name", FORMATS)
async def test_every_format_of_asterisk_becomes_an_mp3(tmp_path: Path, name: str) -> None:
    source = record(tmp_path / name, *FORMATS[name])
    before = source.read_bytes()
    made = await convert([Track(source)], tmp_path / "out" / "made.mp3")
    assert made.seconds == pytest.approx(3.0, abs=0.1)
    assert (made.media_type, made.notice) == ("audio/mpeg", None)
    assert made.file == tmp_path / "out" / "made.mp3"
    assert (await measure(made.file)).seconds == pytest.approx(3.0, abs=0.2)
    assert source.read_bytes() == before
    assert os.listdir(tmp_path / "out") == ["made.mp3"]


async def test_an_mp3_stays_as_it_is(tmp_path: Path) -> None:
    source = record(tmp_path / "a.mp3")
    made = await convert([Track(source)], tmp_path / "made.mp3")
    assert made.file == source
    assert made.seconds == pytest.approx(3.0, abs=0.2)


async def test_without_any_converter_the_wav_goes_out_and_says_why(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "bin", monkeypatch)
    made = await convert([Track(source)], tmp_path / "made.mp3")
    assert (made.file, made.media_type, made.seconds) == (source, "audio/wav", 2.0)
    assert made.notice is not None
    assert "ffmpeg" in made.notice.say("ru")


async def test_lame_alone_is_enough_for_a_wav(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "bin", monkeypatch, lame='[ "$2" = -b ] && echo mp3 > "$5"')
    made = await convert([Track(source)], tmp_path / "made.mp3")
    assert made.notice is None
    assert made.file.read_text() == "mp3\n"


async def test_a_file_that_cannot_be_converted_goes_out_as_it_is(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(
        tmp_path / "bin",
        monkeypatch,
        ffmpeg='for out; do :; done; echo half > "${out#file:}"; echo bad; exit 1',
    )
    made = await convert([Track(source)], tmp_path / "made.mp3")
    assert made.file == source
    assert made.notice is not None
    assert "bad" in made.notice.say("en")
    assert sorted(os.listdir(tmp_path)) == ["a.wav", "bin"]


async def test_a_converter_that_hangs_is_ended(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "bin", monkeypatch, ffmpeg="exec sleep 60")
    monkeypatch.setattr(mp3, "LONGEST", 0.1)
    made = await convert([Track(source)], tmp_path / "made.mp3")
    assert made.file == source
    assert made.notice is not None
    assert "0.1" in made.notice.say("ru")


async def test_a_half_written_target_is_never_seen(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    slow = f'for out; do :; done; echo half > "${{out#file:}}"; cat {go}; echo whole >> "${{out#file:}}"'
    install(tmp_path / "bin", monkeypatch, ffmpeg=slow)
    converting = asyncio.ensure_future(convert([Track(source)], tmp_path / "made.mp3"))
    writer = await asyncio.to_thread(go.open, "w")  # opens when the program has come to its `cat`
    assert not (tmp_path / "made.mp3").exists()
    writer.close()
    made = await converting
    assert made.file.read_text() == "half\nwhole\n"


async def test_only_so_many_conversions_run_at_once(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    script = f'for out; do :; done; echo + >> {log}; sleep 0.1; echo - >> {log}; echo x > "${{out#file:}}"'
    install(tmp_path / "bin", monkeypatch, ffmpeg=script)
    await asyncio.gather(*(convert([Track(source)], tmp_path / f"{n}.mp3") for n in range(6)))
    running = most = 0
    for mark in log.read_text().split():
        running += 1 if mark == "+" else -1
        most = max(most, running)
    assert 1 <= most <= mp3.PARALLEL


async def test_a_cancelled_conversion_leaves_nothing_running(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    install(tmp_path / "bin", monkeypatch, ffmpeg=f"echo $$ > {pid}; exec sleep 60")
    converting = asyncio.ensure_future(convert([Track(source)], tmp_path / "made.mp3"))
    number = int(await asyncio.to_thread(pid.read_text))
    converting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await converting
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


# ------------------------------------------------------------------------------------- several pieces
def sine(file: Path, hertz: int, seconds: float, *how: str) -> Path:
    """A tone of one telephone."""
    tone = ("-f", "lavfi", "-i", f"sine=frequency={hertz}:duration={seconds}:sample_rate=8000")
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *tone, *how, f"file:{file}"], check=True)
    return file


async def tones(file: Path) -> list[list[int]]:
    """What is heard in each half second of each channel of a file, in Hz rounded to tens."""
    return _tones(file, (await measure(file)).channels)


def _tones(file: Path, count: int) -> list[list[int]]:
    read = ["ffmpeg", "-v", "error", "-i", str(file), "-f", "s16le", "-ar", "8000", "pipe:1"]
    samples = array.array("h", subprocess.run(read, capture_output=True, check=True).stdout)
    found = []
    for channel in range(count):
        mine = samples[channel::count]
        windows = (mine[at : at + 4000] for at in range(0, len(mine) - 3999, 4000))
        found.append([_hertz(window) for window in windows])
    return found


def _hertz(window: array.array[int]) -> int:
    if max(map(abs, window)) < 200:
        return 0
    crossings = sum((a < 0) != (b < 0) for a, b in itertools.pairwise(window))
    return round(crossings / 10) * 10


async def test_pieces_are_joined_in_order_and_cut_where_told(tmp_path: Path) -> None:
    first, second = sine(tmp_path / "a.wav", 400, 4), sine(tmp_path / "b.gsm", 1000, 3, "-f", "gsm")
    made = await convert(
        [Track(first, 1.0, 3.0), Track(second), Track(first, 3.0)], tmp_path / "out" / "made.mp3"
    )
    assert made.notice is None
    assert made.seconds == pytest.approx(6.0, abs=0.2)
    (heard,) = await tones(made.file)
    assert heard[1:3] == pytest.approx([400, 400], abs=20)
    assert heard[5:9] == pytest.approx([1000] * 4, abs=20)
    assert heard[-2] == pytest.approx(400, abs=20)


async def test_the_customer_is_on_the_left_where_both_directions_are_kept(tmp_path: Path) -> None:
    mixed = sine(tmp_path / "a.wav", 700, 3)
    customer, agent = sine(tmp_path / "a-in.wav", 400, 3), sine(tmp_path / "a-out.wav", 1000, 3)
    plain = sine(tmp_path / "b.wav", 600, 2)
    made = await convert(
        [Track(mixed, left=customer, right=agent), Track(plain)], tmp_path / "out" / "made.mp3"
    )
    left, right = await tones(made.file)
    assert left[1:5] == pytest.approx([400] * 4, abs=20)
    assert right[1:5] == pytest.approx([1000] * 4, abs=20)
    assert [left[-3], right[-3]] == pytest.approx([600, 600], abs=20)


@pytest.mark.parametrize("crossed", [False, True])
async def test_a_raw_file_of_both_directions_is_taken_apart(tmp_path: Path, crossed: bool) -> None:
    pair = ("-f", "lavfi", "-i", "sine=frequency=1000:duration=3:sample_rate=8000")
    how = ("-filter_complex", "[0:a][1:a]amerge=inputs=2", "-f", "s16le", "-ac", "2")
    source = sine(tmp_path / "a.raw", 400, 3, *pair, *how)
    made = await convert([Track(source, pair=True, crossed=crossed)], tmp_path / "made.mp3")
    assert made.seconds == pytest.approx(3.0, abs=0.2)
    left, right = await tones(made.file)
    assert [left[2], right[2]] == pytest.approx([1000, 400] if crossed else [400, 1000], abs=20)


async def test_the_loudness_stays(tmp_path: Path) -> None:
    source = sine(tmp_path / "a.wav", 400, 3)
    made = await convert([Track(source, 0.0, 1.5), Track(source, 1.5)], tmp_path / "made.mp3")
    assert _loudest(made.file) == pytest.approx(_loudest(source), rel=0.1)


def _loudest(file: Path) -> int:
    read = ["ffmpeg", "-v", "error", "-i", str(file), "-f", "s16le", "pipe:1"]
    samples = array.array("h", subprocess.run(read, capture_output=True, check=True).stdout)
    return max(samples[4000:-4000])


async def test_progress_is_told(tmp_path: Path) -> None:
    told: list[float] = []
    await convert([Track(sine(tmp_path / "a.wav", 400, 3))], tmp_path / "made.mp3", progress=told.append)
    assert told[-1] == pytest.approx(3.0, abs=0.2)


async def test_a_full_disk_is_no_reason_to_hand_over_something_else(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "bin", monkeypatch, ffmpeg="echo av_interleaved: No space left on device; exit 1")
    with pytest.raises(OSError, match="No space left"):
        await convert([Track(source)], tmp_path / "made.mp3")


@pytest.mark.parametrize("why", ["No space left on device", "Disk quota exceeded"])
async def test_what_was_cut_by_the_disk_is_not_taken_though_the_program_ended_well(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """As ffmpeg does when only its last write failed."""
    said = (
        f'for made; do :; done; head -c 4096 /dev/zero > "${{made#file:}}"; echo Error writing trailer: {why}'
    )
    install(tmp_path / "bin", monkeypatch, ffmpeg=said)
    target = tmp_path / "made.mp3"
    with pytest.raises(OSError, match=why):
        await convert([Track(source)], target)
    assert not target.exists()


async def test_without_ffmpeg_the_longest_of_several_goes_out(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = tmp_path / "b.wav"
    longer.write_bytes(wav(SPEECH * 2))
    install(tmp_path / "bin", monkeypatch, lame="exit 1")
    made = await convert([Track(source), Track(longer)], tmp_path / "made.mp3")
    assert made.file == longer
    assert made.notice is not None
    assert "2" in made.notice.say("en")


async def test_the_real_converter_on_a_disk_that_is_really_full(source: Path, tmp_path: Path) -> None:
    """The kernel says it, not a pretended program."""
    target = tmp_path / "made.mp3"
    (tmp_path / "made.mp3.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        await convert([Track(source)], target)
    assert not target.exists()
    assert (await convert([Track(source)], target)).file == target, "there is room again"
