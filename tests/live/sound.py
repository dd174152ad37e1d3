"""What is in a recording: its length as another program decodes it, and whose telephones are heard.

Each of the lab's telephones plays a tone of its own, so that a recording tells who talked.
"""

from __future__ import annotations

import array
import asyncio
import math
import sys
from collections.abc import Sequence

from callme.lab.numbering import EXTENSIONS, SECOND_PHONE, person
from callme.lab.phones import RATE, frequency

WINDOW = RATE // 2
LOUD = 0.2
"""Share of the window's power that makes a tone heard; two telephones that talk have about a half each."""

OUTSIDE = 1000
"""The tone of every telephone outside the company, in Hz."""


async def decoded(content: bytes) -> Sequence[int]:
    """The samples, 8000 a second, as ffmpeg decodes them. AssertionError when it cannot."""
    process = await asyncio.create_subprocess_exec(
        "ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "s16le", "-ac", "1", "-ar", str(RATE), "pipe:1",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, trouble = await process.communicate(content)
    assert process.returncode == 0, trouble.decode()
    samples = array.array("h", out[: len(out) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def seconds(samples: Sequence[int]) -> float:
    """How long it is."""
    return len(samples) / RATE


def heard(samples: Sequence[int]) -> frozenset[str]:
    """Extensions whose tone is in it, and `outside`."""
    phones = [*EXTENSIONS, *SECOND_PHONE.values()]
    tones = [*((person(phone), frequency(phone)) for phone in phones), ("outside", OUTSIDE)]
    windows = [samples[at : at + WINDOW] for at in range(0, len(samples) - WINDOW + 1, WINDOW)]
    return frozenset(who for who, hertz in tones if sum(_share(one, hertz) >= LOUD for one in windows) >= 2)


def _share(window: Sequence[int], hertz: int) -> float:
    """How much of the window's power is at that frequency, 0…1 (Goertzel)."""
    power = sum(sample * sample for sample in window)
    if power == 0:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for sample in window:
        before, last = last, sample + turn * last - before
    magnitude = last * last + before * before - turn * last * before
    return 2 * magnitude / (len(window) * power)
