"""The JSON API and what machines ask."""

from __future__ import annotations

import io
import zipfile

import pytest

from callme.config import Service
from callme.web.board import CallRow
from tests.web.boards import NOW, SampleBoard, answered, full, missed
from tests.web.serving import asking


async def test_calls_tell_everything_and_their_deliveries() -> None:
    async with asking(full(language="en")) as client:
        body = (await client.get("/api/v1/calls?open=false")).json()
    ids = {one["id"]: one for one in body["calls"]}
    rich = ids["office-7"]
    assert (rich["direction"], rich["disposition"], rich["answered_by"]) == ("in", "answered", "102")
    assert (rich["last_talker"], rich["open"], rich["talk_s"]) == ("104", False, 185.0)
    assert rich["transfers"] == [{"kind": "attended", "by": "102", "to": "104", "at": NOW - 800}]
    assert [one["kind"] for one in rich["deliveries"]] == ["register", "finish", "attach"]
    (refused,) = ids["office-8"]["deliveries"]
    assert refused["why"] == "PHONE_NUMBER is longer than 20 characters"
    assert body["next"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("open=true", {"1", "2", "3", "4"}),
        ("open=false&direction=out", {"9", "14"}),
        ("disposition=voicemail", {"11"}),
        ("number=8750", {"12"}),
        ("line=74950000003", {"4"}),
        (f"since={NOW - 10}", {"1", "3"}),
        (f"until={NOW - 100000}", {"14"}),
        ("until=2026-11-23T00:00:00Z", {"14"}),
        ("pbx=office&direction=internal", {"13"}),
    ],
)
async def test_filters(query: str, expected: set[str]) -> None:
    async with asking(full()) as client:
        body = (await client.get(f"/api/v1/calls?{query}")).json()
    assert {one["id"].removeprefix("office-") for one in body["calls"]} == expected


async def test_pages_follow_each_other_without_a_gap() -> None:
    board = SampleBoard(rows=[CallRow(answered(str(at), 100 + at)) for at in range(25)])
    seen: list[str] = []
    after: str | None = ""
    async with asking(board) as client:
        while after is not None:
            answer = await client.get(
                "/api/v1/calls", params={"limit": 10, **({"after": after} if after else {})}
            )
            body = answer.json()
            seen += [one["id"] for one in body["calls"]]
            after = body["next"]
    assert seen == [f"office-{at}" for at in range(25)]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "direction=up", "since=yesterday", "open=perhaps"])
async def test_wrong_questions_are_named(query: str) -> None:
    async with asking(full()) as client:
        answer = await client.get(f"/api/v1/calls?{query}")
    assert answer.status_code == 422
    assert query.split("=")[0] in answer.text


async def test_a_foreign_cursor_is_400() -> None:
    async with asking(full()) as client:
        assert (await client.get("/api/v1/calls?after=nonsense")).status_code == 400


async def test_one_call_with_its_attempts() -> None:
    async with asking(full()) as client:
        body = (await client.get("/api/v1/calls/office-7")).json()
        assert [one["outcome"] for one in body["attempt_log"]][:2] == ["ambiguous", "delivered"]
        (exchange,) = body["attempt_log"][1]["exchanges"]
        assert exchange["request"].startswith("telephony.register {")
        assert exchange["answer"].startswith("200 {")
        assert (await client.get("/api/v1/calls/none")).status_code == 404


async def test_the_transcript_of_a_call_is_a_zip_that_replay_understands() -> None:
    async with asking(full()) as client:
        answer = await client.get("/api/v1/calls/office-7/transcript")
        assert (await client.get("/api/v1/calls/office-8/transcript")).status_code == 404
    assert answer.headers["content-disposition"] == 'attachment; filename="office-7.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["office-7.ami", "office-7.ami.idx"]
        assert archive.read("office-7.ami") == b"Event: Hangup\r\n\r\n"


async def test_state_and_the_openapi_document() -> None:
    async with asking(full(language="en")) as client:
        state = (await client.get("/api/v1/state")).json()
        document = (await client.get("/api/v1/openapi.json")).json()
    assert [(one["pbx"], one["up"]) for one in state["pbx"]] == [("office", True), ("warehouse", False)]
    assert state["portals"][1]["why"] == "The webhook was refused"
    assert (state["anomalies"], state["version"]) == (3, "0.1.0")
    assert {"/api/v1/calls", "/api/v1/calls/{call_id}", "/api/v1/state", "/readyz"} <= set(document["paths"])
    assert "/" not in document["paths"]


async def test_a_retry_needs_the_header_that_no_foreign_page_can_send() -> None:
    board = full()
    async with asking(board) as client:
        assert (await client.post("/api/v1/deliveries/8/retry")).status_code == 403
        assert board.retried == []
        assert (await client.post("/api/v1/deliveries/8/retry", headers={"X-CallMe": "1"})).json() == {
            "id": 8
        }
        assert (await client.post("/api/v1/deliveries/9/retry", headers={"X-CallMe": "1"})).status_code == 404
    assert board.retried == [8, 9]


async def test_healthz_and_readyz() -> None:
    async with asking(full(language="en"), host="10.0.0.7") as client:
        assert (await client.get("/healthz")).json() == {"alive": True}
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["pbx"]["warehouse"]["why"] == "The PBX warehouse refused user or secret"
    async with asking(SampleBoard(rows=[CallRow(missed("1", 50))])) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


async def test_readyz_gives_no_reasons_to_strangers() -> None:
    guarded = Service(listen="0.0.0.0:1", web_user="a", web_password="b")  # type: ignore[arg-type]
    async with asking(full(), guarded) as client:
        body = (await client.get("/readyz")).json()
    assert body["pbx"]["warehouse"] == {"up": False}


async def test_metrics_are_prometheus_text() -> None:
    async with asking(full()) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "calls_seen_total 14.0" in answer.text
