"""Events that wait to be fetched (§2.6), and who may ask for them (contract `event.*`)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callme.lab.sandboxes.bitrix24 import offline
from callme.lab.sandboxes.bitrix24.authority import Installed
from tests.lab.sandboxes.bitrix24.client import Client

CLICK = "ONEXTERNALCALLSTART"
OFFLINE = {"event": CLICK, "event_type": "offline"}


async def ask(client: Client, method: str, params: dict[str, Any] | None = None, user: int = 1) -> Any:
    """As the application with a token of that user: the result, or the refusal's code."""
    client.portal.authority.installed = Installed.WHOLE
    pair = client.portal.authority.issue(user, client.now, client.portal.knobs)
    answer = await client.http.post(
        f"/rest/{method}?auth={pair.access}",
        content=json.dumps(params or {}),
        headers={"content-type": "application/json"},
    )
    body = answer.json()
    return body["result"] if "result" in body else body["error"]


def happen(client: Client, number: str, at: float = 0.0) -> None:
    offline.queue(client.office, CLICK, {"PHONE_NUMBER": number}, client.now + at)


async def test_only_an_administrators_application_has_any(client: Client) -> None:
    for method in ("bind", "unbind", "get", "offline.get", "offline.list", "offline.clear"):
        assert (await client.refused(f"event.{method}", OFFLINE))[1] == "WRONG_AUTH_TYPE"
    for method in ("event.bind", "event.offline.get", "event.offline.list"):
        assert await ask(client, method, OFFLINE, user=2) == "ACCESS_DENIED"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "ERROR_ARGUMENT"),
        ({"event": CLICK}, "ERROR_ARGUMENT"),
        ({"event": CLICK, "event_type": "sometimes"}, "ERROR_ARGUMENT"),
        ({"event": "ONNOTHING", "event_type": "offline"}, "ERROR_EVENT_NOT_FOUND"),
        ({"event": CLICK, "handler": "http://localhost/"}, "ERROR_WRONG_HANDLER_URL"),
    ],
)
async def test_what_cannot_be_bound(client: Client, params: dict[str, Any], code: str) -> None:
    assert await ask(client, "event.bind", params) == code


async def test_nothing_waits_that_was_not_asked_for_and_the_same_waits_once(client: Client) -> None:
    happen(client, "1")
    assert await ask(client, "event.bind", OFFLINE) is True
    assert await ask(client, "event.bind", OFFLINE) == "ERROR_CORE"
    for number in ("1", "2", "1"):
        happen(client, number)
    found = await ask(client, "event.offline.get")
    assert found["process_id"] is None
    assert [row["EVENT_DATA"]["PHONE_NUMBER"] for row in found["events"]] == ["1", "2"]
    assert (await ask(client, "event.offline.get"))["events"] == [], "fetching deletes"
    assert await ask(client, "event.unbind", OFFLINE) == {"count": 1}
    happen(client, "3")
    assert (await ask(client, "event.offline.get"))["events"] == []


async def test_what_is_reserved_is_nobody_elses_until_it_is_cleared(client: Client) -> None:
    await ask(client, "event.bind", OFFLINE)
    happen(client, "1", -1)
    happen(client, "2")
    assert await ask(client, "event.offline.get", {"clear": 0}) == "WRONG_LICENSE"
    client.portal.knobs = client.portal.knobs.with_changes({"offline_extended": True})
    first = await ask(client, "event.offline.get", {"clear": 0, "limit": 1})
    process, message = first["process_id"], first["events"][0]["MESSAGE_ID"]
    second = await ask(client, "event.offline.get", {"clear": 0})
    assert [row["EVENT_DATA"]["PHONE_NUMBER"] for row in second["events"]] == ["2"]
    listed = await ask(client, "event.offline.list")
    assert [row["PROCESS_ID"] for row in listed] == [process, second["process_id"]]
    for params in ({}, {"process_id": process, "message_id": ["short"]}):
        assert await ask(client, "event.offline.clear", params) == "ERROR_ARGUMENT"
    assert await ask(client, "event.offline.clear", {"process_id": "x" * 32}) is True
    assert len(client.office.offline) == 2
    assert await ask(client, "event.offline.clear", {"process_id": process, "message_id": [message]}) is True
    assert len(client.office.offline) == 1
    wrong = {"process_id": second["process_id"], "message_id": [second["events"][0]["MESSAGE_ID"]]}
    assert await ask(client, "event.offline.error", wrong) is True
    assert (await ask(client, "event.offline.get"))["events"] == []
    assert len((await ask(client, "event.offline.get", {"error": 1}))["events"]) == 1


async def test_a_wrong_limit(client: Client) -> None:
    assert await ask(client, "event.offline.get", {"limit": 0}) == "ERROR_ARGUMENT"


async def test_a_filter_lets_some_through_and_an_odd_one_is_refused(client: Client) -> None:
    client.office.offline_bound = {CLICK, "ONCRMLEADADD"}
    happen(client, "1")
    offline.queue(client.office, "ONCRMLEADADD", {"FIELDS": {"ID": 5}}, client.now)
    for name, wanted in (("EVENT_NAME", CLICK), ("=EVENT_NAME", CLICK), ("@EVENT_NAME", [CLICK, "ONOTHER"])):
        rows = await ask(client, "event.offline.list", {"filter": {name: wanted}})
        assert [row["EVENT_NAME"] for row in rows] == [CLICK]
    assert await ask(client, "event.offline.list", {"filter": {"EVENT": CLICK}}) == "ERROR_ARGUMENT"
    taken = await ask(client, "event.offline.get", {"filter": {"@EVENT_NAME": ["ONCRMLEADADD"]}})
    assert [row["EVENT_DATA"] for row in taken["events"]] == [{"FIELDS": {"ID": "5"}}]
    assert [row.event for row in client.office.offline] == [CLICK]
