"""The door: addresses, bodies, credentials, scopes, webhook rules, the envelope (§1.0, §1.1, §3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.sandboxes.bitrix24.client import Client

DISPUTED = [
    "telephony.externalCall.register",
    "telephony.externalCall.finish",
    "telephony.externalLine.add",
    "telephony.externalLine.update",
    "telephony.externalLine.delete",
    "telephony.externalLine.get",
]
WRONG_TYPE = (403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method")
SHOW = "telephony.externalCall.show"


@pytest.mark.parametrize("method", DISPUTED)
async def test_denied_to_webhooks_before_anything_else(method: str) -> None:
    async with Client(webhook_telephony="deny") as client:
        assert await client.refused(method) == WRONG_TYPE


@pytest.mark.parametrize("method", DISPUTED)
async def test_allowed_to_webhooks(client: Client, method: str) -> None:
    _, body = await client.ask(method)
    assert body.get("error") != "WRONG_AUTH_TYPE"


async def test_the_other_telephony_methods_are_never_denied() -> None:
    async with Client(webhook_telephony="deny") as client:
        assert await client.result(SHOW, {"CALL_ID": "x"}) is False


@pytest.mark.parametrize("method", ["event.bind", "event.get", "events", "event.test", "event.offline.get"])
async def test_events_are_for_applications(client: Client, method: str) -> None:
    assert await client.refused(method) == WRONG_TYPE


async def test_application_methods(client: Client) -> None:
    text = "Access denied! Application context required"
    assert await client.refused("app.info") == (403, "ACCESS_DENIED", text)
    client.portal.knobs = client.portal.knobs.with_changes({"scopes": ["placement"]})
    assert await client.refused("placement.bind") == (
        403,
        "WRONG_AUTH_TYPE",
        WRONG_TYPE[2] + " Application context required",
    )


@pytest.mark.parametrize(("knob", "status"), [("live", 401), ("docs", 403)])
@pytest.mark.parametrize("door", ["1/guess", "2/sandboxsecret", "99/sandboxsecret"])
async def test_wrong_credentials(knob: str, status: int, door: str) -> None:
    async with Client(auth_error_status=knob) as client:
        assert await client.ask("profile", door=door) == (
            status,
            {"error": "INVALID_CREDENTIALS", "error_description": "Invalid request credentials"},
        )


async def test_a_dismissed_owner_kills_the_webhook(client: Client) -> None:
    client.office.users[1].active = False
    assert (await client.refused("profile"))[:2] == (401, "INVALID_CREDENTIALS")


async def test_no_credentials(client: Client) -> None:
    answer = await client.http.get("/rest/profile.json")
    assert (answer.status_code, answer.json()) == (
        401,
        {"error": "NO_AUTH_FOUND", "error_description": "Wrong authorization data"},
    )
    answer = await client.http.get("/rest/profile?auth=abc")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    answer = await client.http.get("/rest/profile?aplogin=1&ap=sandboxsecret")
    assert answer.json()["result"]["ID"] == "1"


@pytest.mark.parametrize(("knob", "status"), [("live", 401), ("docs", 403)])
@pytest.mark.parametrize(
    ("scopes", "method"), [(("crm",), SHOW), (("crm",), "user.get"), (("telephony",), "crm.activity.list")]
)
async def test_missing_scope(knob: str, status: int, scopes: tuple[str, ...], method: str) -> None:
    async with Client(auth_error_status=knob, scopes=scopes, webhook_telephony="deny") as client:
        text = "The request requires higher privileges than provided by the webhook token"
        assert await client.refused(method) == (status, "insufficient_scope", text)


@pytest.mark.parametrize("door", ["1/sandboxsecret", "1/guess"])
async def test_an_unknown_method_comes_before_the_credentials(client: Client, door: str) -> None:
    assert await client.ask("telephony.externalCall.answer", door=door) == (
        404,
        {"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"},
    )


async def test_https_when_it_is_required() -> None:
    async with Client(require_https=True) as client:
        assert await client.refused("profile") == (400, "INVALID_REQUEST", "Https required.")


@pytest.mark.parametrize("name", ["profile", "PROFILE", "profile.json", "Profile.json"])
async def test_method_names_in_any_case(client: Client, name: str) -> None:
    assert (await client.result(name))["ID"] == "1"


@pytest.mark.parametrize(
    "sent",
    [
        {"params": {"CALL_ID": "{call}", "USER_ID[]": ["3", "4"]}},
        {"data": {"CALL_ID": "{call}", "USER_ID[]": ["3", "4"]}},
        {"data": {"CALL_ID": "{call}", "USER_ID[0]": "3", "USER_ID[1]": "4"}},
        {"files": [("CALL_ID", (None, "{call}")), ("USER_ID[]", (None, "3")), ("USER_ID[]", (None, "4"))]},
        {"json": {"CALL_ID": "{call}", "USER_ID": [3, 4], "UNKNOWN": {"x": 1}}},
        {"json": {"CALL_ID": "{call}", "USER_ID": {"a": 3, "b": 4}}},
        {"params": {"CALL_ID": "no"}, "json": {"CALL_ID": "{call}", "USER_ID": [3, 4]}},
    ],
)
async def test_every_way_of_sending(client: Client, sent: dict[str, Any]) -> None:
    call = await client.register(SHOW=0)

    def named(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{call}", call)
        if isinstance(value, dict):
            return {key: named(item) for key, item in value.items()}
        return type(value)(named(item) for item in value) if isinstance(value, list | tuple) else value

    answer = await client.http.post(f"/rest/1/sandboxsecret/{SHOW}", **named(sent))
    assert answer.json()["result"] is True
    assert client.office.seers(call) == {3, 4}


async def test_a_body_that_is_no_json_map_counts_as_empty(client: Client) -> None:
    for content in (b"{", b"[1]", b""):
        answer = await client.http.post(
            f"/rest/1/sandboxsecret/{SHOW}", content=content, headers={"content-type": "application/json"}
        )
        assert answer.json()["result"] is False


async def test_the_envelope(client: Client) -> None:
    answer = await client.http.get("/rest/1/sandboxsecret/server.time")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    body = answer.json()
    assert body["result"] == "2026-11-02T15:00:00+03:00"
    assert body["time"] == {
        "start": client.now,
        "finish": client.now,
        "duration": 0,
        "processing": 0,
        "date_start": "2026-11-02T15:00:00+03:00",
        "date_finish": "2026-11-02T15:00:00+03:00",
        "operating": 0,
    }


async def test_what_may_be_called(client: Client) -> None:
    assert await client.result("scope") == ["crm", "im", "telephony", "user"]
    assert "placement" in await client.result("scope", {"full": True})
    for name, exists, available in (
        ("user.get", True, True),
        ("placement.bind", True, False),
        ("no", False, False),
    ):
        asked = await client.result("method.get", {"name": name})
        assert asked == {"isExisting": exists, "isAvailable": available}
    assert await client.result("feature.get", {"CODE": "rest_auth_connector"}) == {"value": "N"}
    assert await client.refused("feature.get") == (400, "CODE_EMPTY", "CODE can't be empty")


async def test_requests_are_noted(client: Client) -> None:
    await client.refused("telephony.externalCall.register", {"TYPE": 2})
    asked = client.portal.requests[0]
    assert (asked.method, asked.params, asked.status) == ("telephony.externalcall.register", {"TYPE": 2}, 400)
