"""Makes one mp3 of the recordings of a call: its pieces in order, both directions apart where there are.

Called by whoever prepares a recording for a portal. Originals are never written to. Conversion is a program
of its own (ffmpeg, or lame where only that is installed) at a low priority, so that a broken file cannot harm
the calls; without one a recording goes out as it is (facts: ecosystem §6). Nothing is done to the loudness,
and a beep that announces the recording stays.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from callme.pbx.audio import Measured, demuxer, measure, media_type, run
from callme.pbx.unbroken import unbroken
from callme.wording import Phrase

PARALLEL = 2
"""Conversions at once: a minute of speech takes a tenth of a second, and calls come first."""

LONGEST = 600.0
"""Seconds that a conversion may take for each hour of speech begun; it takes about six."""

KBIT = 32
"""Bits a second and channel, in thousands: speech of a telephone needs no more."""

NICE = "15"

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
ONE_OF_SEVERAL = Phrase(
    "only the longest of {count} recordings was handed over: to join them ffmpeg is needed",
    "передана только самая длинная из записей (всего их {count}): чтобы их склеить, нужен ffmpeg",
)
ENDLESS = Phrase("not done after {seconds} s", "не закончил за {seconds} с")

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, asyncio.Semaphore]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Audio:
    """A recording ready to hand over; `notice` tells what a person should know about it. `seconds` is 0 where
    the length cannot be measured."""

    file: Path
    media_type: str
    seconds: float
    notice: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One piece: from `start` to `end` (`None`: its end) of a file. `left` and `right` are the files of both
    directions where they are kept; `pair` says that the file itself holds both, sample by sample, and
    `crossed` that the customer's is its second."""

    file: Path
    start: float = 0.0
    end: float | None = None
    left: Path | None = None
    right: Path | None = None
    pair: bool = False
    crossed: bool = False

    @property
    def plain(self) -> bool:
        """One file, as it is."""
        return self.start == 0.0 and self.end is None and self.left is None and not self.pair


Progress = Callable[[float], None]
"""Told how many seconds of sound are done."""


async def convert(
    tracks: Sequence[Track], target: Path, *, kbit: int = KBIT, progress: Progress | None = None
) -> Audio:
    """Make `target` an mp3 of the tracks, one after the other; it appears whole or not at all.

    Where that cannot be done, or is not needed, the answer names a source itself and, if a person can help,
    says why. `OSError` when there is no room to write it.
    """
    only = tracks[0] if len(tracks) == 1 and tracks[0].plain else None
    if only is not None and media_type(only.file) == "audio/mpeg":
        return Audio(only.file, "audio/mpeg", (await measure(only.file)).seconds)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part").absolute()
    known = [await measure(track.file) for track in tracks]
    lengths = [_length(track, one) for track, one in zip(tracks, known, strict=True)]
    command = _command(tracks, known, part, kbit)
    if command is None:
        return await _as_it_is(tracks, lengths, None)
    limit = LONGEST * max(1.0, sum(lengths) / 3600)
    try:
        async with _turn():
            code, said = await run("nice", "-n", NICE, *command, limit_s=limit, heard=_teller(progress))
        why: Phrase | str = said
        _written(said, target.parent)
        if code == 0 and await unbroken(_publish, part, target):
            seconds = sum(lengths) or (await measure(target)).seconds
            return Audio(target, "audio/mpeg", seconds)
    except TimeoutError:
        why = ENDLESS.given(seconds=f"{limit:g}")
    finally:
        part.unlink(missing_ok=True)
    return await _as_it_is(tracks, lengths, BROKEN.given(program=command[0], why=why))


def _written(said: str, folder: Path) -> None:
    """`OSError` when the program could not write all of it. ffmpeg (5.1) ends well all the same when only its
    last write failed: a short recording then waits in its buffer until the end, and would be cut."""
    if "No space left" in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    if "Error writing" in said or "Error closing" in said:
        raise OSError(errno.EIO, said.splitlines()[-1], str(folder))


def _length(track: Track, known: Measured) -> float:
    if track.end is not None:
        return track.end - track.start
    return max(0.0, known.seconds / (2 if track.pair else 1) - track.start)


async def _as_it_is(tracks: Sequence[Track], lengths: Sequence[float], why: Phrase | None) -> Audio:
    """The longest of the sources, unchanged."""
    source = tracks[lengths.index(max(lengths))].file
    if len(tracks) > 1:
        why = ONE_OF_SEVERAL.given(count=len(tracks))
    kind = media_type(source)
    why = why or NO_CONVERTER.given(kind=source.suffix.lstrip(".") or "raw")
    return Audio(source, kind, (await measure(source)).seconds, why)


# ------------------------------------------------------------------------------------------- commands
def _command(
    tracks: Sequence[Track], known: Sequence[Measured], part: Path, kbit: int
) -> tuple[str, ...] | None:
    """The program that does it, or None if none here can."""
    if shutil.which("ffmpeg"):
        return _ffmpeg(tracks, known, part, kbit)
    if shutil.which("lame") and len(tracks) == 1 and tracks[0].plain and known[0].plain:
        return ("lame", "--quiet", "-b", str(kbit), str(tracks[0].file.absolute()), str(part))
    return None


def _ffmpeg(tracks: Sequence[Track], known: Sequence[Measured], part: Path, kbit: int) -> tuple[str, ...]:
    start = ("ffmpeg", "-nostdin", "-v", "error", "-nostats", "-progress", "pipe:1")
    write = ("-codec:a", "libmp3lame", "-threads", "1", "-f", "mp3", "-y", f"file:{part}")
    only = tracks[0]
    if len(tracks) == 1 and only.plain:
        bits = f"{kbit * min(known[0].channels, 2)}k"
        return (*start, *demuxer(only.file), "-i", f"file:{only.file}", "-vn", "-b:a", bits, *write)
    channels = [one.channels for one in known]
    stereo = max(channels) > 1 or any(track.left or track.pair for track in tracks)
    rate = max(one.rate for one in known) or 8000
    read, graph = _graph(tracks, channels, rate, stereo)
    bits = f"{kbit * (2 if stereo else 1)}k"
    return (*start, *read, "-filter_complex", graph, "-map", "[out]", "-b:a", bits, *write)


def _graph(
    tracks: Sequence[Track], channels: Sequence[int], rate: int, stereo: bool
) -> tuple[tuple[str, ...], str]:
    """ffmpeg's inputs, and the filters that cut them, bring them to one form and join them."""
    read: list[str] = []
    steps: list[str] = []
    count = 0
    for number, track in enumerate(tracks):
        ends = "" if track.end is None else f":end={track.end:.3f}"
        cut = f"atrim=start={track.start:.3f}{ends},asetpts=PTS-STARTPTS,aresample={rate}"
        if track.left is not None and track.right is not None:
            for file in (track.left, track.right):
                read += [*demuxer(file), "-i", f"file:{file}"]
            steps.append(f"[{count}:a]{cut},aformat=channel_layouts=mono[l{number}]")
            steps.append(f"[{count + 1}:a]{cut},aformat=channel_layouts=mono[r{number}]")
            steps.append(f"[l{number}][r{number}]amerge=inputs=2[t{number}]")
            count += 2
            continue
        mono = channels[number] == 1 and not track.pair
        form = "aformat=channel_layouts=mono"
        if stereo and mono:  # as loud on either side as it was
            form = "pan=stereo|c0=c0|c1=c0"
        elif stereo:
            form = "pan=stereo|c0=c1|c1=c0" if track.crossed else "aformat=channel_layouts=stereo"
        read += [*demuxer(track.file), *(("-ac", "2") if track.pair else ()), "-i", f"file:{track.file}"]
        steps.append(f"[{count}:a]{cut},{form}[t{number}]")
        count += 1
    joints = "".join(f"[t{number}]" for number in range(len(tracks)))
    steps.append(f"{joints}concat=n={len(tracks)}:v=0:a=1[out]")
    return tuple(read), ";".join(steps)


def _teller(progress: Progress | None) -> Callable[[str], None]:
    def heard(line: str) -> None:
        name, _, value = line.partition("=")
        if name == "out_time_us" and value.isdigit() and progress is not None:
            progress(int(value) / 1e6)

    return heard


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
    turns = _turns.setdefault(asyncio.get_running_loop(), {})
    return turns.setdefault(PARALLEL, asyncio.Semaphore(PARALLEL))
