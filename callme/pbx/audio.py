"""What an Asterisk recording is made of, how long it is, and how it becomes an mp3.

Called by `pbx.recordings`. Originals are never written to. Conversion is a program of its own (ffmpeg, or
lame where only that is installed), so that a broken file cannot harm the calls; without one a recording goes
out as it is (facts: ecosystem §6).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from weakref import WeakKeyDictionary

from callme.wording import Phrase

PARALLEL = 2
"""Conversions at once: a minute of speech takes a tenth of a second, and calls come first."""

LONGEST = 600.0
"""Seconds that a conversion may take; an hour of speech takes about six."""

BIT_RATE = "32k"

NO_CONVERTER = Phrase(
    "the recording was handed over as {kind}: neither ffmpeg nor lame can convert it; install ffmpeg to send "
    "mp3, which is four times smaller and plays everywhere",
    "запись передана как {kind}: её нечем преобразовать — нет ни ffmpeg, ни lame; установите ffmpeg, чтобы "
    "отправлять mp3: он вчетверо меньше и воспроизводится везде",
)
BROKEN = Phrase(
    "the recording was handed over as it is: {program} could not convert it ({why})",
    "запись передана как есть: {program} не смог её преобразовать ({why})",
)
ENDLESS = Phrase("not done after {seconds} s", "не закончил за {seconds} с")


@dataclass(frozen=True, slots=True)
class Audio:
    """A recording ready to hand over; `notice` tells what a person should know about it. `seconds` is 0 where
    the length cannot be measured."""

    file: Path
    media_type: str
    seconds: float
    notice: Phrase | None = None


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

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


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
    coding, _, _, byte_rate, block = struct.unpack_from("<HHIIH", form)
    there = size - data_at
    agrees = abs(riff + 8 - size) <= 1 and told <= there and (told > 0 or there == 0)
    block = max(block, 1)
    return Wav(coding, byte_rate, block, data_at, told if agrees else there - there % block, agrees)


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


async def measure(file: Path) -> float:
    """Length in seconds, 0 where it cannot be told: mp3 and ogg need ffprobe."""
    raw = _RAW.get(file.suffix.lower())
    size = (await asyncio.to_thread(file.stat)).st_size
    if raw:
        return size / raw.byte_rate
    wav = await asyncio.to_thread(_open_wav, file, size)
    if wav:
        return wav.data / wav.byte_rate if wav.byte_rate else 0.0
    if not shutil.which("ffprobe"):
        return 0.0
    asked = ("-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", f"file:{file}")
    try:
        code, said = await _run("ffprobe", *asked)
        return float(said) if code == 0 else 0.0
    except (TimeoutError, ValueError):
        return 0.0


def _open_wav(file: Path, size: int) -> Wav | None:
    with file.open("rb") as opened:
        return read_wav(opened, size)


# ----------------------------------------------------------------------------------------------------- to mp3
async def convert(source: Path, target: Path) -> Audio:
    """Make `target` an mp3 of `source`; it appears whole or not at all.

    Where that cannot be done, or is not needed, the answer names `source` itself and, if a person can help,
    says why.
    """
    seconds = await measure(source)
    kind = media_type(source)
    if kind == "audio/mpeg":
        return Audio(source, kind, seconds)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    command = await asyncio.to_thread(_command, source, part)
    if command is None:
        return Audio(source, kind, seconds, NO_CONVERTER.given(kind=source.suffix.lstrip(".") or "raw"))
    try:
        async with _turn():
            code, said = await _run("nice", "-n", "10", *command)
        why: Phrase | str = said
        if code == 0 and await asyncio.to_thread(_publish, part, target):
            return Audio(target, "audio/mpeg", seconds)
    except TimeoutError:
        why = ENDLESS.given(seconds=f"{LONGEST:g}")
    finally:
        part.unlink(missing_ok=True)
    return Audio(source, kind, seconds, BROKEN.given(program=command[0], why=why))


def _command(source: Path, part: Path) -> tuple[str, ...] | None:
    """The program that converts this file, or None if none here can."""
    raw = _RAW.get(source.suffix.lower())
    if shutil.which("ffmpeg"):
        read = raw.demuxer if raw else ()
        write = ("-vn", "-codec:a", "libmp3lame", "-b:a", BIT_RATE, "-f", "mp3", "-y", f"file:{part}")
        return ("ffmpeg", "-nostdin", "-v", "error", *read, "-i", f"file:{source}", *write)
    if shutil.which("lame"):
        wav = None if raw else _open_wav(source, source.stat().st_size)
        if wav and wav.coding == 1:
            return (
                "lame",
                "--quiet",
                "-b",
                BIT_RATE.rstrip("k"),
                str(source.absolute()),
                str(part.absolute()),
            )
    return None


def _publish(part: Path, target: Path) -> bool:
    """Give a finished file its name, once its bytes are on the disk. False if the program wrote nothing."""
    if not part.exists() or part.stat().st_size == 0:
        return False
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    return True


def _turn() -> asyncio.Semaphore:
    """One queue of conversions per event loop: a semaphore belongs to the loop that first waits on it."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(PARALLEL))


async def _run(*command: str) -> tuple[int, str]:
    """Run a program to its end and give its code and its words, the last 300 characters. It never outlives
    us."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(LONGEST):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said.decode("utf-8", "replace").strip()[-300:]
