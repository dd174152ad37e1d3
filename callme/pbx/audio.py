"""What an Asterisk recording is made of and how long it is. Files are only read; a mended copy is a copy.

Called by `pbx.recordings` and by whoever prepares a recording for a portal; `pbx.mp3` converts.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PROBE_S = 30.0
"""Seconds that ffprobe may take for the length of one file."""


@dataclass(frozen=True, slots=True)
class _Raw:
    """A headerless format: how ffmpeg calls it, its bytes per second."""

    demuxer: tuple[str, ...]
    byte_rate: float
    media_type: str = "application/octet-stream"


_MU_LAW = _Raw(("-f", "mulaw", "-ar", "8000"), 8000, "audio/basic")
_A_LAW = _Raw(("-f", "alaw", "-ar", "8000"), 8000)
_RAW = {
    ".ulaw": _MU_LAW,
    ".ul": _MU_LAW,
    ".mu": _MU_LAW,
    ".pcm": _MU_LAW,
    ".alaw": _A_LAW,
    ".al": _A_LAW,
    ".gsm": _Raw(("-f", "gsm"), 1650, "audio/x-gsm"),
    ".g722": _Raw(("-f", "g722"), 8000),
    ".sln": _Raw(("-f", "s16le", "-ar", "8000"), 16000),
    ".raw": _Raw(("-f", "s16le", "-ar", "8000"), 16000),
    **{
        f".sln{khz}": _Raw(("-f", "s16le", "-ar", f"{rate}"), 2 * rate)
        for khz, rate in ((12, 12000), (16, 16000), (24, 24000), (32, 32000), (44, 44100), (48, 48000))
    },
}
_MEDIA_TYPES = {".wav": "audio/wav", ".wav49": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg"}

SUFFIXES = (".wav", ".WAV", ".wav49", ".mp3", ".ogg", *_RAW)
"""Every file name ending that Asterisk, or a script run after it, gives a recording."""


# -------------------------------------------------------------------------------------------------------- WAV
@dataclass(frozen=True, slots=True)
class Wav:
    """The header of a RIFF file against the bytes that are there."""

    coding: int  # 1 PCM, 0x31 GSM ("wav49")
    byte_rate: int
    block: int
    data_at: int
    data: int  # bytes of sound, by the header where it is right, else by the size of the file
    sound: bool  # the sizes in the header agree with the file
    channels: int = 1
    rate: int = 8000


def read_wav(file: BinaryIO, size: int) -> Wav | None:
    """The header of this file of `size` bytes; None if it is no WAV, or not yet."""
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    riff = int.from_bytes(head[4:8], "little")
    form = b""
    at = 12
    while len(chunk := file.read(8)) == 8:
        name, told = chunk[:4], int.from_bytes(chunk[4:], "little")
        at += 8
        if name == b"data":
            return _wav(form, at, told, size, riff)
        if name == b"fmt ":
            form = file.read(min(told, 64))
        at += told + told % 2
        file.seek(at)
    return None


def _wav(form: bytes, data_at: int, told: int, size: int, riff: int) -> Wav | None:
    if len(form) < 16:
        return None
    coding, channels, rate, byte_rate, block = struct.unpack_from("<HHIIH", form)
    there = size - data_at
    agrees = abs(riff + 8 - size) <= 1 and told <= there and (told > 0 or there == 0)
    block = max(block, 1)
    data = told if agrees else there - there % block
    return Wav(coding, byte_rate, block, data_at, data, agrees, channels, rate)


def repair_wav(source: Path, target: Path, wav: Wav) -> None:
    """Write a copy whose header tells the truth. A killed Asterisk leaves sizes that no reader believes
    (asterisk-ami-observed §8)."""
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    with part.open("r+b") as file:
        file.truncate(wav.data_at + wav.data)
        file.seek(4)
        file.write((wav.data_at + wav.data - 8).to_bytes(4, "little"))
        file.seek(wav.data_at - 4)
        file.write(wav.data.to_bytes(4, "little"))
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


# ----------------------------------------------------------------------------------------------------- length
def media_type(file: Path) -> str:
    """The media type by the ending of the name, as Asterisk gives it."""
    suffix = file.suffix.lower()
    raw = _RAW.get(suffix)
    return raw.media_type if raw else _MEDIA_TYPES.get(suffix, "application/octet-stream")


def demuxer(file: Path) -> tuple[str, ...]:
    """What ffmpeg has to be told of a file that has no header; nothing for the others."""
    raw = _RAW.get(file.suffix.lower())
    return raw.demuxer if raw else ()


@dataclass(frozen=True, slots=True)
class Measured:
    """Length in seconds and samples a second, 0 where they cannot be told; channels."""

    seconds: float
    rate: int = 0
    channels: int = 1
    plain: bool = False
    """A PCM WAV, which every program reads."""


async def measure(file: Path) -> Measured:
    """What the file is like. Of mp3 and ogg ffprobe tells the length. `OSError` when it cannot be read."""
    raw = _RAW.get(file.suffix.lower())
    size = (await asyncio.to_thread(file.stat)).st_size
    if raw:
        return Measured(size / raw.byte_rate, _rate_of(raw))
    wav = await asyncio.to_thread(open_wav, file, size)
    if wav:
        seconds = wav.data / wav.byte_rate if wav.byte_rate else 0.0
        return Measured(seconds, wav.rate, max(1, wav.channels), wav.coding == 1)
    return await _probed(file)


def _rate_of(raw: _Raw) -> int:
    told = dict(zip(raw.demuxer, raw.demuxer[1:], strict=False)).get("-ar", "")
    return int(told) if told else (16000 if "g722" in raw.demuxer else 8000)


async def _probed(file: Path) -> Measured:
    if not shutil.which("ffprobe"):
        return Measured(0.0)
    asked = "format=duration:stream=channels,sample_rate"
    command = ("-v", "error", "-select_streams", "a:0", "-show_entries", asked, "-of", "default=nw=1")
    try:
        code, said = await run("ffprobe", *command, f"file:{file}", limit_s=PROBE_S)
        told = dict(line.partition("=")[::2] for line in said.splitlines()) if code == 0 else {}
        return Measured(
            float(told.get("duration", 0)), int(told.get("sample_rate", 0)), int(told.get("channels", 1))
        )
    except (TimeoutError, ValueError):
        return Measured(0.0)


def open_wav(file: Path, size: int) -> Wav | None:
    """The header of a WAV file; None if it is none."""
    with file.open("rb") as opened:
        return read_wav(opened, size)


# -------------------------------------------------------------------------------------------------- programs
async def run(*command: str, limit_s: float, heard: Callable[[str], None] | None = None) -> tuple[int, str]:
    """Run a program to its end and give its code and its words, the last 300 characters. `heard` is told
    each line as it comes. It never outlives us; TimeoutError after so many seconds."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = ""
    try:
        async with asyncio.timeout(limit_s):
            assert process.stdout is not None  # noqa: S101  PIPE was asked for
            async for line in process.stdout:
                text = line.decode("utf-8", "replace")
                if heard is not None and "=" in text:
                    heard(text.strip())
                else:
                    said = (said + text)[-300:]
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        # The pipe of a killed program closes in the loop's next round.
        await asyncio.sleep(0)
    return process.returncode or 0, said.strip()
