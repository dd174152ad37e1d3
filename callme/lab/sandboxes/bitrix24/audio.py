"""What a recording is and how long it lasts, from its bytes: WAV by its header, MP3 by walking its frames.

Used by the portal's content check and by tests and the page, which show that a recording has the call's
length.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import Literal

Kind = Literal["wav", "mp3", "flac"]

_BITRATES = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),  # MPEG 1 layer III, kbit/s
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),  # MPEG 2 and 2.5 layer III
}
_RATES = (44100, 48000, 32000)
_VERSIONS = {3: (1, 1), 2: (2, 2), 0: (2, 4)}  # header bits → (table, divisor of the sampling rate)


def kind(content: bytes) -> Kind | None:
    """What the first bytes say."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    if content[:4] == b"fLaC":
        return "flac"
    if content[:3] == b"ID3" or next(_frames(content), None) is not None:
        return "mp3"
    return None


def duration(content: bytes) -> float | None:
    """Seconds, `None` when it cannot be told."""
    what = kind(content)
    if what == "wav":
        try:
            with wave.open(io.BytesIO(content)) as sound:
                seconds: float = sound.getnframes() / sound.getframerate()
                return seconds
        except (wave.Error, EOFError):
            return None
    if what == "mp3":
        return sum(_frames(content))
    return None


def _frames(content: bytes) -> Iterator[float]:
    """The length of each MP3 frame in seconds, behind an ID3 tag if there is one."""
    at = 0
    if content[:3] == b"ID3" and len(content) > 10:
        size = content[6:10]
        at = 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    while at + 4 <= len(content):
        first, second, third = content[at : at + 3]
        version, layer = second >> 3 & 3, second >> 1 & 3
        if first != 0xFF or second >> 5 != 7 or version not in _VERSIONS or layer != 1:
            return
        table, divisor = _VERSIONS[version]
        bitrate, rate_index = _BITRATES[table][third >> 4], third >> 2 & 3
        if not bitrate or rate_index == 3:
            return
        rate = _RATES[rate_index] // divisor
        samples = 1152 if table == 1 else 576
        yield samples / rate
        at += samples // 8 * bitrate * 1000 // rate + (third >> 1 & 1)
