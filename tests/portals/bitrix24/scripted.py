"""A portal that answers from a script, for what a well-behaved sandbox never says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta, timezone
from typing import Any

import httpx2

from callme.crm.intents import CallFacts, Direction, Finish, Register, Result
from callme.crm.port import Attempt, Memory, Urgency
from callme.portals.bitrix24.adapter import Bitrix24
from callme.portals.bitrix24.settings import Settings

SECRET = "s3cretw0rd"
WEBHOOK = f"https://acme.bitrix24.example/rest/1/{SECRET}/"
MOSCOW = timezone(timedelta(hours=3))
START = 1_767_225_600.0  # 2026-01-01T00:00:00Z

Answer = httpx2.Response | Exception
Script = Answer | Sequence[Answer] | Callable[[dict[str, Any]], Answer]

USERS = [
    {"ID": "1", "ACTIVE": True, "NAME": "Anna", "LAST_NAME": "Admin", "UF_PHONE_INNER": ""},
    {"ID": "11", "ACTIVE": True, "NAME": "Boris", "LAST_NAME": "B", "UF_PHONE_INNER": "101"},
    {"ID": "12", "ACTIVE": True, "NAME": "Clara", "LAST_NAME": "C", "UF_PHONE_INNER": "102"},
]


def ok(result: Any, **more: Any) -> httpx2.Response:
    return httpx2.Response(200, json={"result": result, "time": {"finish": 100.0}, **more})


def bad(status: int, code: str, text: str = "") -> httpx2.Response:
    return httpx2.Response(status, json={"error": code, "error_description": text})


def page(status: int, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, text="<html>no</html>", headers=headers)


class OpenGate:
    """Lets everybody in at once and remembers who came and what was asked."""

    def __init__(self) -> None:
        self.entered: list[Urgency] = []
        self.waits: list[float] = []

    async def enter(self, urgency: Urgency) -> None:
        self.entered.append(urgency)

    def told_to_wait(self, seconds: float) -> None:
        self.waits.append(seconds)


class Scripted:
    """Answers by method; a list is used up one by one, its last entry stays."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {
            "user.get": ok(USERS),
            "telephony.externalLine.get": ok([]),
            "telephony.externalLine.add": ok({"ID": 1}),
            "telephony.externalCall.searchCrmEntities": ok([]),
        }
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def says(self, method: str, script: Script) -> Scripted:
        self.scripts[method] = list(script) if isinstance(script, Sequence) else script
        return self

    def of(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each request of this method."""
        return [params for name, params in self.asked if name == method]

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        method = request.url.path.rstrip("/").rpartition("/")[2]
        json_sent = request.headers.get("content-type", "").startswith("application/json")
        params = json.loads(request.content) if json_sent else {"body": request.content}
        self.asked.append((method, params))
        answer = self._next(self.scripts[method], params)
        if isinstance(answer, Exception):
            raise answer
        # A fresh copy: one response object can be read only once.
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def _next(self, script: Script, params: dict[str, Any]) -> Answer:
        if isinstance(script, httpx2.Response | Exception):
            return script
        if isinstance(script, list):
            first: Answer = script.pop(0) if len(script) > 1 else script[0]
            return first
        assert callable(script)
        return script(params)


def settings(**more: Any) -> Settings:
    return Settings.model_validate({"webhook": WEBHOOK, "default_user": 1, **more})


def portal(
    script: Scripted,
    gate: OpenGate | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
    **more: Any,
) -> Bitrix24:
    return Bitrix24(
        "main",
        settings(**more),
        gate or OpenGate(),
        MOSCOW,
        transport=transport or httpx2.MockTransport(script),
    )


def about(**more: Any) -> CallFacts:
    facts: dict[str, Any] = {
        "call": "office-1767225600.1",
        "direction": Direction.IN,
        "number": "+79161234567",
        "name": "",
        "line": "74950000001",
        "started_at": START,
    }
    return CallFacts(**{**facts, **more})


def ringing(owner: str | None = "101", **more: Any) -> Register:
    return Register(about(**more), owner)


def ended(
    owner: str | None = "101", result: Result = Result.ANSWERED, talk_s: int = 6, **more: Any
) -> Finish:
    return Finish(about(**more), owner, result, talk_s, START + 60)


def attempt(
    memory: Memory | None = None,
    *,
    doubt: bool = False,
    after_s: float = 1.0,
    asking: frozenset[str] = frozenset(),
) -> Attempt:
    return Attempt(2 if doubt else 1, doubt, memory or {}, START + after_s, START, asking=asking)


def lost() -> Exception:
    return httpx2.ReadTimeout("no answer")


def unreachable() -> Exception:
    return httpx2.ConnectError("[Errno 111] Connection refused")
