"""attachRecord in its three ways, the upload step, transcripts (§1.6, §1.7)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from tests.lab.sandboxes.bitrix24.client import Client
from tests.lab.sandboxes.bitrix24.sound import mp3, wav

ATTACH = "telephony.externalCall.attachRecord"
TRANSCRIBE = "telephony.call.attachTranscription"
NOT_FINISHED = "Call is not found in the statistic table. Looks like it is not finished yet."
NOTHING = "Required parameters are not set. Request should contain or URL or FILENAME parameter"
EXTENSION = "Wrong file extension. Only wav and mp3 are allowed"
SOUND = base64.b64encode(wav()).decode()

REFUSED = [
    ("nothing given", {}, NOTHING),
    ("content without a name", {"FILE_CONTENT": SOUND}, NOTHING),
    ("nothing given, before the call is looked for", {"CALL_ID": "no"}, NOTHING),
    ("unknown call", {"CALL_ID": "no", "FILENAME": "a.mp3"}, NOT_FINISHED),
    ("empty name", {"FILENAME": "", "FILE_CONTENT": SOUND}, "File name is empty"),
    ("upper-case extension", {"FILENAME": "a.MP3", "FILE_CONTENT": SOUND}, EXTENSION),
    ("flac as content", {"FILENAME": "a.flac", "FILE_CONTENT": SOUND}, EXTENSION),
    ("extension before content", {"FILENAME": "a.ogg", "FILE_CONTENT": ""}, EXTENSION),
    ("empty content", {"FILENAME": "a.wav", "FILE_CONTENT": ""}, "File content is empty."),
    (
        "no base64 at all",
        {"FILENAME": "a.wav", "FILE_CONTENT": "!!!"},
        "File content is not properly encoded. Base64 encoding is expected.",
    ),
    ("no audio", {"FILENAME": "a.wav", "FILE_CONTENT": "aGVsbG8="}, "Неверный тип файла"),
]


@pytest.mark.parametrize(
    ("params", "text"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_attach_refuses(client: Client, params: dict[str, Any], text: str) -> None:
    call = await client.finished()
    assert await client.refused(ATTACH, {"CALL_ID": call, **params}) == (400, "", text)
    assert client.office.recordings == {}


async def test_texts_as_the_docs_print_them() -> None:
    async with Client(docs_message_variants=True, empty_error_codes=False) as client:
        nothing = "Required parameters are not set. Request should contain either URL or FILENAME parameter"
        assert await client.refused(ATTACH, {}) == (400, "ERROR_CORE", nothing)
        docs = "Call is not found in the statistic table. It looks like it is not finished yet."
        assert await client.refused(ATTACH, {"FILENAME": "a.mp3"}) == (400, "ERROR_CORE", docs)


async def test_before_finish_there_is_nothing_to_attach_to(client: Client) -> None:
    call = await client.register()
    assert await client.refused(ATTACH, {"CALL_ID": call, "FILENAME": "a.mp3"}) == (400, "", NOT_FINISHED)


async def test_content(client: Client) -> None:
    call = await client.finished()
    lenient = SOUND[:40] + " \n!" + SOUND[40:].rstrip("=")
    asked = {"CALL_ID": call, "FILENAME": "a.wav", "FILE_CONTENT": lenient}
    assert await client.result(ATTACH, asked) == {"FILE_ID": 1}
    kept = client.office.recordings[1]
    assert (kept.content, kept.duration, kept.name) == (wav(), 2.0, "a.wav")
    assert client.office.activities[1].files == (1,)


async def _upload(client: Client, url: str, **parts: Any) -> tuple[int, dict[str, Any]]:
    answer = await client.http.post(url, files=parts or None)
    return answer.status_code, answer.json()


async def test_upload_in_two_steps(client: Client) -> None:
    call = await client.finished()
    link = await client.result(ATTACH, {"CALL_ID": call, "FILENAME": "whatever"})
    assert link["fieldName"] == "file"
    assert link["uploadUrl"].startswith("http://portal.test/rest/1/sandboxsecret/upload/?token=telephony%7C")
    status, body = await _upload(client, link["uploadUrl"], file=("call.mp3", mp3()))
    assert (status, body) == (200, {"result": {"FILE_ID": 1}})
    assert client.office.recordings[1].duration == pytest.approx(3.6)
    assert client.office.statistic_of(call).record_file == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({}, "Error: required parameter file is not found"),
        ({"record": ("a.mp3", b"x")}, "Error: required parameter file is not found"),
        ({"file": ("a.MP3", b"x")}, EXTENSION),
        ({"file": ("a.flac", b"x")}, EXTENSION),
    ],
)
async def test_upload_refuses(client: Client, parts: dict[str, Any], text: str) -> None:
    link = await client.result(ATTACH, {"CALL_ID": await client.finished(), "FILENAME": "a.mp3"})
    status, body = await _upload(client, link["uploadUrl"], **parts)
    assert (status, body) == (400, {"error": "", "error_description": text})
    assert client.office.recordings == {}


async def test_a_link_that_the_portal_did_not_sign(client: Client) -> None:
    link = await client.result(ATTACH, {"CALL_ID": await client.finished(), "FILENAME": "a.mp3"})
    body = {"error": "ACCESS_DENIED", "error_description": "Access denied! Link check failed"}
    for url in (
        link["uploadUrl"] + "0",
        "/rest/1/sandboxsecret/upload/?token=x",
        "/rest/1/sandboxsecret/upload",
    ):
        assert await _upload(client, url, file=("a.mp3", mp3())) == (403, body)


async def test_an_upload_with_a_wrong_secret(client: Client) -> None:
    link = await client.result(ATTACH, {"CALL_ID": await client.finished(), "FILENAME": "a.mp3"})
    url = link["uploadUrl"].replace("sandboxsecret", "guess")
    assert (await _upload(client, url, file=("a.mp3", mp3())))[0] == 401


async def test_one_recording_per_call(client: Client) -> None:
    call = await client.finished()
    asked = {"CALL_ID": call, "FILENAME": "a.wav"}
    await client.result(ATTACH, {**asked, "FILE_CONTENT": SOUND})
    await client.result(ATTACH, {**asked, "FILE_CONTENT": SOUND})
    assert list(client.office.recordings) == [2]
    link = await client.result(ATTACH, asked)
    await _upload(client, link["uploadUrl"], file=("b.wav", wav(1)))
    assert {number: kept.orphan for number, kept in client.office.recordings.items()} == {2: True, 3: False}


async def test_a_url_is_fetched_by_the_portal(client: Client) -> None:
    call = await client.finished()
    source = await client.finished(USER_PHONE_INNER="102")
    await client.result(ATTACH, {"CALL_ID": source, "FILENAME": "a.wav", "FILE_CONTENT": SOUND})
    async with SandboxPortal(office=client.office) as other:
        url = f"{other.url}sandbox/recordings/1"
        asked = {"CALL_ID": call, "RECORD_URL": url}
        assert await client.refused(ATTACH, asked) == (
            400,
            "",
            "Неверный тип файла",
        )  # no extension in the address
        assert await client.result(ATTACH, {**asked, "FILENAME": "a.wav"}) == {"FILE_ID": 2}
        missing = {"CALL_ID": call, "RECORD_URL": f"{other.url}sandbox/recordings/77"}
        assert await client.refused(ATTACH, missing) == (400, "", "Server returns HTTP error code 404")
    assert client.office.statistic_of(call).record_url == url  # type: ignore[union-attr]
    status, code, text = await client.refused(ATTACH, asked)
    assert (status, code) == (400, "")
    assert text.startswith("0: ")


LINE: dict[str, Any] = {"SIDE": "User", "START_TIME": 0, "STOP_TIME": 1, "MESSAGE": "Да"}


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"CALL_ID": ""}, "CALL_ID should be set"),
        ({"MESSAGES": "x"}, "MESSAGES should be an array"),
        ({"MESSAGES": [LINE, {**LINE, "SIDE": "user"}]}, "MESSAGES[1][SIDE] should be either Client or User"),
        (
            {"MESSAGES": [{**LINE, "START_TIME": -1}]},
            "MESSAGES[0][START_TIME] should be greater or equal to zero",
        ),
        ({"MESSAGES": [{**LINE, "STOP_TIME": 0}]}, "MESSAGES[0][STOP_TIME] should be greater than zero"),
        ({"MESSAGES": [{**LINE, "MESSAGE": ""}]}, "MESSAGES[0][MESSAGE] is empty"),
        ({"CALL_ID": "x", "MESSAGES": [LINE]}, "Call x is not found. Is it finished?"),
    ],
)
async def test_transcription_refuses(client: Client, params: dict[str, Any], text: str) -> None:
    call = await client.finished()
    assert await client.refused(TRANSCRIBE, {"CALL_ID": call, **params}) == (400, "", text)


async def test_transcription(client: Client) -> None:
    call = await client.finished()
    lines = [LINE, {**LINE, "START_TIME": 9, "SIDE": "Client"}]  # stops before it starts: not checked
    assert await client.result(TRANSCRIBE, {"CALL_ID": call, "MESSAGES": lines}) == {"TRANSCRIPT_ID": 1}
