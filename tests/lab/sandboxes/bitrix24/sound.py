"""Sounds for the recording tests, made on the spot."""

from __future__ import annotations

import io
import wave


def wav(seconds: float = 2.0, rate: int = 8000) -> bytes:
    """Silence as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"\0\0" * int(seconds * rate))
    return file.getvalue()


def mp3(frames: int = 100) -> bytes:
    """Frames of MPEG-2 layer III at 8 kbit/s and 16 kHz: 36 ms each."""
    return (b"\xff\xf3\x18\xc0" + b"\0" * (576 // 8 * 8000 // 16000 - 4)) * frames
