"""Who is in a recording: every telephone of the lab sends a tone of its own (`phones.frequency`).

For tests and the demo, which must prove that a recording is of the right people. Pure but for reading the
file.
"""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Iterable
from pathlib import Path

from callme.lab.phones import frequency

LOUD = 0.02
"""Share of a tone in the sound's energy above which somebody is heard; strangers stay below 0.001."""


def seconds(path: Path) -> float:
    """Length of a WAV file."""
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())


def heard(path: Path, phones: Iterable[str]) -> set[str]:
    """Which of these telephones (extensions, or `outside` for a customer) are in a WAV recording, mixed or
    not."""
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = array("h", file.readframes(file.getnframes()))
    return {phone for phone in phones if share(samples, rate, frequency(phone)) > LOUD}


def share(samples: array[int], rate: int, hertz: float) -> float:
    """Share of one frequency in the energy, by Goertzel over pieces of half a second; the loudest piece
    counts."""
    size = rate // 2
    starts = range(0, len(samples) - size + 1, size)
    return max((_piece(samples[at : at + size], rate, hertz) for at in starts), default=0.0)


def _piece(samples: array[int], rate: int, hertz: float) -> float:
    factor = 2 * math.cos(2 * math.pi * hertz / rate)
    before = last = energy = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
        energy += sample * sample
    if not energy:
        return 0.0
    power = before * before + last * last - factor * before * last
    return float(2 * power / (len(samples) * energy))
