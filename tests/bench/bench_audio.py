"""How fast recordings become mp3, and what that costs the event loop. Run by hand:

make bench-audio, which installs ffmpeg and lame where they are missing, or
.venv/bin/python -m tests.bench.bench_audio [minutes of sound] [conversions queued]

Prints seconds of sound converted per second and core beside plain ffmpeg and lame on the same file in the
same run, for one file, for two joined ones and for stereo; then the delay of the event loop (p50, p99, worst)
while so many conversions are queued, two of them running.

November 2026, 2 cores shared with other work (load 7), ffmpeg 5.1, lame 3.100, 10 minutes of sound, all in
one run: plain ffmpeg 547 s of sound per core second, plain lame 598, one file 625, two joined 564, both sides
231. Event loop with 50 queued: p50 0.7 ms, p99 7.3 ms, worst 81 ms (the same loop idle: p99 3.0 ms).
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from callme.pbx.mp3 import Track, convert

TICK_S = 0.005


def spoken(file: Path, minutes: float) -> Path:
    """Speech-like sound: noise in the band of a telephone, with pauses."""
    sound = f"anoisesrc=d={minutes * 60}:c=pink:r=8000:a=0.3,tremolo=f=2:d=0.9,lowpass=f=3400"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", sound, "-ac", "1", str(file)]
    subprocess.run(command, check=True)
    return file


def cpu() -> float:
    """Seconds of processor time that programs of ours have taken, those that ended included."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


async def measured(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """One line: seconds of sound per second of processor time."""
    before, began = cpu(), time.perf_counter()
    await work()
    spent, took = cpu() - before, time.perf_counter() - began
    print(f"{name:34} {seconds / spent:7.0f} s of sound per core second   ({took:.2f} s in all)")


async def program(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0


async def throughput(folder: Path, minutes: float) -> None:
    one, other = spoken(folder / "a.wav", minutes), spoken(folder / "b.wav", minutes)
    seconds = minutes * 60
    plain = ("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(one), "-b:a", "32k", str(folder / "p.mp3"))
    await measured("plain ffmpeg", seconds, lambda: program(*plain))
    if shutil.which("lame"):
        lame = ("lame", "--quiet", "-b", "32", str(one), str(folder / "l.mp3"))
        await measured("plain lame", seconds, lambda: program(*lame))
    else:
        print("plain lame                         left out: lame is not installed (Debian's package lame)")
    await measured("one file", seconds, lambda: convert([Track(one)], folder / "1.mp3"))
    await measured("two joined", 2 * seconds, lambda: convert([Track(one), Track(other)], folder / "2.mp3"))
    stereo = [Track(one, left=one, right=other)]
    await measured("both sides, stereo", seconds, lambda: convert(stereo, folder / "3.mp3"))


async def delays(folder: Path, count: int) -> None:
    """How late the loop is while conversions are queued."""
    source = spoken(folder / "c.wav", 1.0)
    late: list[float] = []

    async def watch() -> None:
        while True:
            due = time.perf_counter() + TICK_S
            await asyncio.sleep(TICK_S)
            late.append(time.perf_counter() - due)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(1.0)
    idle, late[:] = sorted(late), []
    await asyncio.gather(*(convert([Track(source)], folder / f"q{n}.mp3") for n in range(count)))
    watching.cancel()
    for name, found in (("idle", idle), (f"{count} conversions queued", sorted(late))):
        p50, p99 = statistics.median(found), found[int(len(found) * 0.99)]
        print(f"event loop, {name:22} p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms, "
              f"worst {found[-1] * 1e3:.2f} ms ({len(found)} looks)")  # fmt: skip


async def main(minutes: float, count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="callme-bench-") as folder:
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {minutes:g} minutes of sound")
        await throughput(Path(folder), minutes)
        await delays(Path(folder), count)


if __name__ == "__main__":
    told = [float(word) for word in sys.argv[1:]]
    asyncio.run(main(told[0] if told else 30.0, int(told[1]) if len(told) > 1 else 50))
