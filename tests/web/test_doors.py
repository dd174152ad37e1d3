"""Who gets in: this machine, or whoever has the password; never a page that borrowed our address."""

from __future__ import annotations

import base64

import pytest
from pydantic import SecretStr

from callme.config import Service
from tests.web.boards import full
from tests.web.serving import asking

OPEN = Service(public_url="https://pbx.example.com")
GUARDED = Service(
    listen="0.0.0.0:8080",
    public_url="https://pbx.example.com",
    web_user="admin",
    web_password=SecretStr("пароль:1"),
)
PATHS = (
    "/",
    "/calls/office-7",
    "/live",
    "/api/v1/calls",
    "/api/v1/state",
    "/api/v1/openapi.json",
    "/metrics",
)


def _basic(pair: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost:8080", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("pbx.example.com", 403),
        ("192.168.1.5:8080", 403),
    ],
)
async def test_without_a_password_only_this_machine_gets_in(host: str, status: int) -> None:
    async with asking(full(), OPEN) as client:
        for path in ("/", "/api/v1/calls", "/metrics", "/static/callme.css"):
            answer = await client.get(path, headers={"Host": host})
            assert answer.status_code == status, path


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_what_a_proxy_brings_is_not_from_this_machine(header: str) -> None:
    async with asking(full(), OPEN) as client:
        answer = await client.get("/", headers={header: "for=1.2.3.4"})
    assert answer.status_code == 403
    assert "web_password" in answer.text


@pytest.mark.parametrize("path", PATHS)
async def test_with_a_password_everybody_needs_it(path: str) -> None:
    async with asking(full(), GUARDED) as client:
        answer = await client.get(path)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        assert "916" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (_basic("admin:пароль:1"), 200),
        (_basic("admin:пароль"), 401),
        (_basic("root:пароль:1"), 401),
        (_basic("admin"), 401),
        (_basic(":"), 401),
        ({"Authorization": "Basic !!!"}, 401),
        ({"Authorization": "Basic /w=="}, 401),
        ({"Authorization": "Bearer admin"}, 401),
    ],
)
async def test_only_the_right_pair_opens(headers: dict[str, str], status: int) -> None:
    async with asking(full(), GUARDED, host="pbx.example.com") as client:
        assert (await client.get("/", headers=headers)).status_code == status


async def test_even_the_password_does_not_excuse_a_borrowed_name() -> None:
    async with asking(full(), GUARDED, host="evil.example") as client:
        assert (await client.get("/", headers=_basic("admin:пароль:1"))).status_code == 421


async def test_every_answer_carries_the_safe_headers() -> None:
    async with asking(full()) as client:
        for path in (*PATHS[:2], "/api/v1/calls", "/static/callme.js", "/nowhere", "/healthz"):
            headers = (await client.get(path)).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static/") else "no-store")
        refused = await client.get("/", headers={"Host": "evil.example"})
        assert "Content-Security-Policy" in refused.headers
