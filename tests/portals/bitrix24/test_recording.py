"""How a recording gets to the portal, and what stops it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from callme.crm.intents import Attach
from callme.crm.port import Ambiguous, Attempt, Audio, Delivered, Later, Outcome, Refused
from callme.portals.bitrix24 import recording
from tests.portals.bitrix24.scripted import SECRET, START, Scripted, about, attempt, bad, lost, ok, portal

ATTACH = "telephony.externalCall.attachRecord"
STATISTIC = "voximplant.statistic.get"
CALL = "externalCall.0.1"
UPLOAD = f"https://acme.bitrix24.example/rest/1/{SECRET}/upload/?token=abc"
ADDRESS = ok({"uploadUrl": UPLOAD, "fieldName": "file"})
ROW = {"ID": "9", "CALL_ID": CALL, "EXTERNAL_CALL_ID": about().call}


@pytest.fixture
def audio(tmp_path: Path) -> Audio:
    file = tmp_path / "talk.mp3"
    file.write_bytes(b"ID3sound")
    return Audio(file, "2026-01-01 talk.mp3", "audio/mpeg", 6.0, "first")


async def attached(
    script: Scripted, audio: Audio, circumstances: Attempt | None = None, ordinal: int = 0
) -> Outcome:
    bitrix = portal(script)
    order = Attach(about(), "office", "/monitor/talk.wav", START + 60, ordinal)
    outcome = await bitrix.attach(order, audio, circumstances or attempt({"call": CALL}))
    await bitrix.close()
    for text in (getattr(outcome, "why", None), getattr(outcome, "notice", None)):
        assert text is None or SECRET not in text.say("en") + text.say("ru")
    return outcome


def working() -> Scripted:
    return Scripted().says(ATTACH, ADDRESS).says("upload", ok({"FILE_ID": 31}))


async def test_two_steps_bring_the_file_and_its_id_is_remembered(audio: Audio) -> None:
    script = working()
    outcome = await attached(script, audio)
    assert isinstance(outcome, Delivered)
    assert outcome.memory == {"file": "31", "sum": "first"}
    assert script.of(ATTACH) == [{"CALL_ID": CALL, "FILENAME": "2026-01-01 talk.mp3"}]
    body = script.of("upload")[0]["body"]
    assert b'name="file"; filename="2026-01-01 talk.mp3"' in body
    assert b"ID3sound" in body


async def test_the_extension_goes_out_in_small_letters(audio: Audio, tmp_path: Path) -> None:
    loud = audio.file.rename(tmp_path / "TALK.MP3")
    script = working()
    await attached(script, Audio(loud, "TALK.MP3", "audio/mpeg", 6.0))
    assert script.of(ATTACH)[0]["FILENAME"] == "TALK.mp3"


async def test_other_formats_are_refused_unasked(audio: Audio, tmp_path: Path) -> None:
    script = working()
    outcome = await attached(script, Audio(tmp_path / "talk.ogg", "talk.ogg", "audio/ogg", 6.0))
    assert isinstance(outcome, Refused)
    assert script.asked == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            bad(400, "", "Call is not found in the statistic table. Looks like it is not finished yet."),
            ADDRESS,
        ),
        (bad(400, "", "Call is not found in the statistic table. It looks like it is not."), ADDRESS),
        (lost(), ADDRESS),
        (ADDRESS, bad(403, "ACCESS_DENIED", "Access denied! Link check failed")),
        (ADDRESS, bad(400, "", "Call is not found in the statistic table.")),
        (ADDRESS, httpx2.ConnectError("refused")),
    ],
)
async def test_what_can_pass_is_tried_later(
    audio: Audio, first: httpx2.Response | Exception, second: httpx2.Response | Exception
) -> None:
    assert isinstance(await attached(Scripted().says(ATTACH, first).says("upload", second), audio), Later)


async def test_a_lost_upload_is_in_doubt(audio: Audio) -> None:
    assert isinstance(await attached(working().says("upload", lost()), audio), Ambiguous)


async def test_in_doubt_a_recording_that_is_there_is_not_sent_again(audio: Audio) -> None:
    script = working().says(STATISTIC, ok([{**ROW, "RECORD_FILE_ID": 31}]))
    outcome = await attached(script, audio, attempt({"call": CALL}, doubt=True))
    assert isinstance(outcome, Delivered)
    assert outcome.memory["file"] == "31"
    assert script.of("upload") == []


@pytest.mark.parametrize(
    "answer", [ok([{**ROW, "RECORD_FILE_ID": None}]), ok([]), bad(403, "ACCESS_DENIED", "Access denied!")]
)
async def test_in_doubt_a_recording_that_is_not_seen_is_sent(audio: Audio, answer: httpx2.Response) -> None:
    script = working().says(STATISTIC, answer)
    await attached(script, audio, attempt({"call": CALL}, doubt=True))
    assert len(script.of("upload")) == 1


async def test_the_same_sound_is_not_sent_twice_and_a_better_one_replaces_it(audio: Audio) -> None:
    script = working()
    held = attempt({"call": CALL, "file": "30", "sum": "first"})
    assert isinstance(await attached(script, audio, held), Delivered)
    assert script.asked == []
    better = await attached(script, replace(audio, checksum="second"), held, ordinal=1)
    assert isinstance(better, Delivered)
    assert better.memory == {"file": "31", "sum": "second"}
    assert len(script.of("upload")) == 1


async def test_in_doubt_about_a_better_one_the_portals_file_tells(audio: Audio) -> None:
    held = attempt({"call": CALL, "file": "30", "sum": "first"}, doubt=True)
    better = replace(audio, checksum="second")
    for file, uploads in ((31, 0), (30, 1)):
        script = working().says(STATISTIC, ok([{**ROW, "RECORD_FILE_ID": file}]))
        outcome = await attached(script, better, held, ordinal=1)
        assert isinstance(outcome, Delivered)
        assert outcome.memory == {"file": "31", "sum": "second"}
        assert len(script.of("upload")) == uploads


async def test_more_than_the_portal_takes_is_refused_unasked(
    audio: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "LARGEST", 4)
    script = working()
    outcome = await attached(script, audio)
    assert isinstance(outcome, Refused)
    assert audio.name in outcome.why.say("ru")
    assert script.asked == []


async def test_the_audio_goes_to_the_portal_alone(audio: Audio) -> None:
    script = Scripted().says(ATTACH, ok({"uploadUrl": "https://elsewhere.example/upload"}))
    outcome = await attached(script, audio)
    assert isinstance(outcome, Refused)
    assert "elsewhere.example" in outcome.why.say("ru")


async def test_a_file_that_is_gone_is_tried_later_and_named(audio: Audio) -> None:
    audio.file.unlink()
    outcome = await attached(working(), audio)
    assert isinstance(outcome, Later)
    assert str(audio.file) in outcome.why.say("en")
