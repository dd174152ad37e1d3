"""The telephones' log and their tones."""

from __future__ import annotations

import itertools
import wave
from array import array
from pathlib import Path

import pytest

from callme.lab.hearing import heard, seconds
from callme.lab.phones import RATE, Seen, frequency, tone
from callme.lab.story import told


def linear(code: int) -> int:
    """A-law back to 16 bit, written from ITU-T G.711's table."""
    code ^= 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    value = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return value if code & 0x80 else -value


def recording(path: Path, *phones: str) -> Path:
    """A second in which these telephones sound together."""
    sounds = [[linear(code) // len(phones) for code in tone(frequency(phone))] for phone in phones]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array("h", [sum(samples) for samples in zip(*sounds, strict=True)]).tobytes())
    return path


def test_a_line_of_the_log_is_read() -> None:
    line = "1795564560.000000 694066.000000 c1-7900 call 1-13677@127.11.0.201 74950000003 79000000110"
    seen = Seen.read(line)
    assert seen.at == pytest.approx(1795564560.694066)
    assert (seen.leg, seen.what, seen.call) == ("c1-7900", "call", "1-13677@127.11.0.201")
    assert seen.detail == "74950000003 79000000110"


def test_a_recording_tells_who_is_in_it(tmp_path: Path) -> None:
    path = recording(tmp_path / "talk.wav", "102", "outside")
    assert heard(path, ["101", "102", "103", "outside"]) == {"102", "outside"}
    assert seconds(path) == pytest.approx(1.0)


def test_silence_has_nobody_in_it(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(2 * RATE))
    assert heard(path, ["101", "outside"]) == set()


def test_a_tone_can_be_repeated_without_a_click() -> None:
    sound = [linear(code) for code in tone(frequency("101"))]
    steps = [abs(b - a) for a, b in itertools.pairwise(sound)]
    assert abs(sound[0] - sound[-1]) <= max(steps)


def test_what_was_seen_is_told_in_both_languages() -> None:
    seen = Seen(0, "c1-79000000110", "call", "x", "74950000003 79000000110")
    assert told(seen).say("en") == "79000000110 calls 74950000003"
    assert told(seen).say("ru") == "79000000110 звонит 74950000003"
    assert told(Seen(0, "prov", "invite", "x")).say("ru") == "внешняя линия: звонок"
