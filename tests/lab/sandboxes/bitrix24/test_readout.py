"""What the demo and tests read: state, the event stream, recordings in parts, knobs."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from tests.lab.sandboxes.bitrix24.client import NOON, Client
from tests.lab.sandboxes.bitrix24.sound import wav


async def _recorded(client: Client) -> str:
    call = await client.finished()
    content = base64.b64encode(wav()).decode()
    asked = {"CALL_ID": call, "FILENAME": "a.wav", "FILE_CONTENT": content}
    await client.result("telephony.externalCall.attachRecord", asked)
    return call


async def test_state(client: Client) -> None:
    ringing = await client.register(USER_PHONE_INNER="102")
    call = await _recorded(client)
    state = (await client.http.get("/sandbox/state")).json()
    users = {user["extension"]: user for user in state["users"]}
    assert [card["call"] for card in users["102"]["cards"]] == [ringing]
    assert [(card["call"], card["shown_at"], card["hidden_at"]) for card in users["101"]["history"]] == [
        (call, NOON, NOON)
    ]
    assert [one["id"] for one in state["calls"]] == [ringing]
    assert [record["call"] for record in state["statistics"]] == [call]
    assert state["recordings"] == [
        {
            "id": 1,
            "call": call,
            "name": "a.wav",
            "size": len(wav()),
            "sha256": hashlib.sha256(wav()).hexdigest(),
            "duration": 2.0,
            "kind": "wav",
            "orphan": False,
        }
    ]


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        (None, 200, 0, None),
        ("bytes=0-99", 206, 0, 100),
        ("bytes=100-", 206, 100, None),
        ("bytes=-50", 206, -50, None),
        ("bytes=0-999999999", 206, 0, None),
        ("lines=1-2", 200, 0, None),
    ],
)
async def test_recordings_in_parts(
    client: Client, wanted: str | None, status: int, start: int, end: int | None
) -> None:
    await _recorded(client)
    answer = await client.http.get("/sandbox/recordings/1", headers={"range": wanted} if wanted else {})
    assert (answer.status_code, answer.content) == (status, wav()[start:end])
    assert answer.headers["content-type"] == "audio/wav"


async def test_recordings_that_are_not_there(client: Client) -> None:
    assert (await client.http.get("/sandbox/recordings/1")).status_code == 404
    await _recorded(client)
    answer = await client.http.get("/sandbox/recordings/1", headers={"range": "bytes=999999999-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(wav())}")


async def test_the_event_stream_tells_what_was_and_what_comes() -> None:
    async with SandboxPortal(Knobs(webhook_telephony="allow")) as portal, httpx2.AsyncClient() as http:
        asked = {"USER_ID": 2, "PHONE_NUMBER": "+79261234567", "TYPE": 2}
        registered = await http.post(portal.webhook_url + "telephony.externalCall.register", json=asked)
        call = registered.json()["result"]["CALL_ID"]
        async with http.stream("GET", portal.url + "sandbox/events") as stream:
            lines = stream.aiter_lines()
            told: list[tuple[str, int | None]] = []
            kind = ""
            async for line in lines:
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                if line.startswith("data: "):
                    about = json.loads(line.removeprefix("data: "))
                    assert about["call"] == call
                    told.append((kind, about.get("user")))
                if len(told) == 2:
                    break
            assert told == [("registered", 2), ("card.shown", 2)]
            await http.post(portal.webhook_url + "telephony.externalCall.hide", json={"CALL_ID": call})
            assert [line async for line in _until_data(lines)][:2] == ["id: 3", "event: card.hidden"]
        async with http.stream(
            "GET", portal.url + "sandbox/events", headers={"last-event-id": "2"}
        ) as stream:
            assert "id: 3" in [line async for line in _until_data(stream.aiter_lines())]


async def _until_data(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        if line and not line.startswith(":"):
            yield line
        if line.startswith("data: "):
            return


async def test_knobs_are_turned_over_http(client: Client) -> None:
    turned = await client.http.patch(
        "/sandbox/knobs", json={"webhook_telephony": "deny", "scopes": ["telephony"]}
    )
    assert turned.json()["scopes"] == ["telephony"]
    assert (await client.refused("telephony.externalCall.register"))[1] == "WRONG_AUTH_TYPE"
    answer = await client.http.patch("/sandbox/knobs", json={"gravity": 0})
    assert answer.status_code == 400
    assert "unknown knob 'gravity'" in answer.json()["error"]
    answer = await client.http.patch("/sandbox/knobs", json={"webhook_telephony": "perhaps"})
    assert answer.status_code == 400
    assert "webhook_telephony" in answer.json()["error"]
