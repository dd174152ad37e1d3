"""What a portal shall know survives a restart as JSON, also across versions."""

from __future__ import annotations

import json

import pytest

from callme.calls.model import Ear, RecordingFile, Sound
from callme.crm.intents import (
    Attach,
    CallFacts,
    Direction,
    Finish,
    Record,
    Register,
    Result,
    Transcribe,
    decode,
    encode,
)

ABOUT = CallFacts("office-1.1", Direction.IN, "+79161234567", "", "74950000001", 1.0)
FINISH = Finish(ABOUT, "101", Result.BUSY, 0, 2.0, rung=("101", "102"))


FILE = RecordingFile(
    "/a.wav", "PJSIP/101-1", "1.1", 1.0, 3.0, ((1.0, 3.0),), ((1.5, 2.0),), Ear.COLLEAGUE, Sound.VOICEMAIL
)
SAID = Transcribe(ABOUT, "office", "/a.wav", 2.0, 1, (FILE,), 1.5, lost=True)
WITH_FILES = Attach(ABOUT, "office", "/a.wav", 2.0, 1, (FILE, FILE), 1.5, lost=True)


@pytest.mark.parametrize(
    "record", [Register(ABOUT, None), FINISH, Attach(ABOUT, "office", "/a.wav", 2.0), WITH_FILES, SAID]
)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    assert decode(record.KIND, json.loads(json.dumps(encode(record)))) == record


def test_a_record_of_an_older_or_newer_version_is_read() -> None:
    stored = {**encode(FINISH), "mood": "new"}
    del stored["rung"]
    assert decode("finish", stored) == Finish(ABOUT, "101", Result.BUSY, 0, 2.0)
