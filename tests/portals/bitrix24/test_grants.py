"""What each answer of the authorisation server means for a refresh."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from callme.crm.port import Later, Unauthorised
from callme.http import HttpClient
from callme.portals.bitrix24.grants import Denied, Granted, refresh

SERVER = "https://oauth.example"
QUERY = {"grant_type": "refresh_token", "refresh_token": "a b&c"}
PAIR = {"access_token": "new-access", "refresh_token": "new-refresh"}


async def asked(answer: httpx2.Response | Exception) -> tuple[Granted | Denied, list[httpx2.Request]]:
    seen: list[httpx2.Request] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with HttpClient(transport=httpx2.MockTransport(reply)) as http:
        return await refresh(http, SERVER, QUERY), seen


def body(status: int, **told: Any) -> httpx2.Response:
    return httpx2.Response(status, json=told)


async def test_a_pair_comes_with_the_portals_present_name() -> None:
    found, (request,) = await asked(body(200, **PAIR, client_endpoint="https://now.example/rest/"))
    assert found == Granted("new-access", "new-refresh", "now.example")
    assert (request.method, request.url.path) == ("GET", "/oauth/token/")
    assert dict(request.url.params) == QUERY
    assert "new-access" not in repr(found)


@pytest.mark.parametrize("endpoint", [None, "", "http://[x"])
async def test_a_pair_without_a_name_is_a_pair(endpoint: str | None) -> None:
    found, _ = await asked(body(200, **PAIR, client_endpoint=endpoint))
    assert found == Granted("new-access", "new-refresh", "")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "invalid_grant", "used up"),
        (400, "invalid_client", "client_secret is wrong"),
        (200, "wrong_client", "client_secret is wrong"),
        (400, "invalid_request", "client_secret is wrong"),
        (401, "NOT_INSTALLED", "not installed"),
        (401, "PAYMENT_REQUIRED", "payment"),
        (401, "insufficient_scope", "rights have changed"),
        (403, "invalid_scope", "rights have changed"),
    ],
)
async def test_a_refusal_is_told_with_a_cure(status: int, code: str, words: str) -> None:
    found, _ = await asked(body(status, error=code, error_description="?"))
    assert isinstance(found, Denied)
    assert isinstance(found.outcome, Unauthorised)
    assert words in found.outcome.why.say("en")
    assert found.outcome.cure is not None
    assert found.outcome.cure.say("ru") != found.outcome.cure.say("en")
    assert found.final == (code == "invalid_grant"), "only a spent token is never offered again"


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("late"),
        httpx2.Response(502, text="<html>bad gateway</html>"),
        httpx2.Response(200, text="[]"),
        httpx2.Response(200, text='{"access_token": "half'),
        body(200, access_token="alone"),
        body(200, access_token="", refresh_token=""),
        body(500, error="unknown_to_us"),
    ],
)
async def test_trouble_is_a_matter_of_time(answer: httpx2.Response | Exception) -> None:
    found, _ = await asked(answer)
    assert isinstance(found, Denied)
    assert isinstance(found.outcome, Later)
    assert "oauth.example" in found.outcome.why.say("ru")
    assert not found.final


async def test_a_server_that_sends_us_elsewhere_is_not_followed() -> None:
    found, seen = await asked(httpx2.Response(302, headers={"location": "https://else.example/x"}))
    assert isinstance(found, Denied)
    assert isinstance(found.outcome, Unauthorised)
    assert "else.example" in found.outcome.why.say("en")
    assert "oauth_server" in (found.outcome.cure.say("en") if found.outcome.cure else "")
    assert len(seen) == 1
