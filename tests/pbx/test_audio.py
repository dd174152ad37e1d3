"""Length and conversion of recordings, with the real ffmpeg and with programs that misbehave."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from callme.pbx import audio
from callme.pbx.audio import convert, measure
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
    made = await convert(source, tmp_path / "out" / "made.mp3")
    assert made.seconds == pytest.approx(3.0, abs=0.1)
    assert (made.media_type, made.notice) == ("audio/mpeg", None)
    assert made.file == tmp_path / "out" / "made.mp3"
    assert await measure(made.file) == pytest.approx(3.0, abs=0.2)
    assert source.read_bytes() == before
    assert os.listdir(tmp_path / "out") == ["made.mp3"]


async def test_an_mp3_stays_as_it_is(tmp_path: Path) -> None:
    source = record(tmp_path / "a.mp3")
    made = await convert(source, tmp_path / "made.mp3")
    assert made.file == source
    assert made.seconds == pytest.approx(3.0, abs=0.2)


async def test_without_any_converter_the_wav_goes_out_and_says_why(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "bin", monkeypatch)
    made = await convert(source, tmp_path / "made.mp3")
    assert (made.file, made.media_type, made.seconds) == (source, "audio/wav", 2.0)
    assert made.notice is not None
    assert "ffmpeg" in made.notice.say("ru")


async def test_lame_alone_is_enough_for_a_wav(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "bin", monkeypatch, lame='[ "$2" = -b ] && echo mp3 > "$5"')
    made = await convert(source, tmp_path / "made.mp3")
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
    made = await convert(source, tmp_path / "made.mp3")
    assert made.file == source
    assert made.notice is not None
    assert "bad" in made.notice.say("en")
    assert sorted(os.listdir(tmp_path)) == ["a.wav", "bin"]


async def test_a_converter_that_hangs_is_ended(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "bin", monkeypatch, ffmpeg="exec sleep 60")
    monkeypatch.setattr(audio, "LONGEST", 0.1)
    made = await convert(source, tmp_path / "made.mp3")
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
    converting = asyncio.ensure_future(convert(source, tmp_path / "made.mp3"))
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
    await asyncio.gather(*(convert(source, tmp_path / f"{n}.mp3") for n in range(6)))
    running = most = 0
    for mark in log.read_text().split():
        running += 1 if mark == "+" else -1
        most = max(most, running)
    assert 1 <= most <= audio.PARALLEL


async def test_a_cancelled_conversion_leaves_nothing_running(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    install(tmp_path / "bin", monkeypatch, ffmpeg=f"echo $$ > {pid}; exec sleep 60")
    converting = asyncio.ensure_future(convert(source, tmp_path / "made.mp3"))
    number = int(await asyncio.to_thread(pid.read_text))
    converting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await converting
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
