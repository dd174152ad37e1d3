"""The kind and the length of a recording."""

from __future__ import annotations

import pytest

from callme.lab.sandboxes.bitrix24 import audio
from tests.lab.sandboxes.bitrix24.sound import mp3, wav


@pytest.mark.parametrize(
    ("content", "kind", "seconds"),
    [
        (wav(2.5), "wav", 2.5),
        (mp3(100), "mp3", 3.6),
        (b"ID3\x04\0\0\0\0\0\x0a" + b"\0" * 10 + mp3(50), "mp3", 1.8),
        (b"fLaC" + b"\0" * 40, "flac", None),
        (b"RIFF\0\0\0\0WAVE", "wav", None),
        (b"<html>", None, None),
        (b"", None, None),
    ],
)
def test_kind_and_duration(content: bytes, kind: str | None, seconds: float | None) -> None:
    assert audio.kind(content) == kind
    measured = audio.duration(content)
    assert measured is None if seconds is None else measured == pytest.approx(seconds)
