"""What each kind of answer means for an order (law 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from callme.crm.port import Ambiguous, Later, Outcome, Refused, Unauthorised, Urgency
from callme.http import HttpClient
from callme.portals.bitrix24.credentials import Webhook
from callme.portals.bitrix24.rest import Done, Fault, Rest
from tests.portals.bitrix24.scripted import (
    SECRET,
    WEBHOOK,
    Answer,
    OpenGate,
    Scripted,
    bad,
    lost,
    ok,
    page,
    unreachable,
)

REGISTER = "telephony.externalCall.register"


@asynccontextmanager
async def calling(script: Scripted, gate: OpenGate | None = None) -> AsyncIterator[Rest]:
    async with HttpClient(transport=httpx2.MockTransport(script)) as http:
        yield Rest(Webhook(WEBHOOK), http, gate or OpenGate())


async def outcome(answer: Answer, *, reads: bool = False, gate: OpenGate | None = None) -> Outcome:
    async with calling(Scripted().says(REGISTER, answer), gate) as rest:
        found = await rest.call(REGISTER, {}, Urgency.REGISTER, reads=reads)
    assert isinstance(found, Fault)
    why = getattr(found.outcome, "why").say("ru") + getattr(found.outcome, "why").say("en")  # noqa: B009
    assert SECRET not in why + found.text
    return found.outcome


async def test_a_result_is_done_after_passing_the_gate() -> None:
    gate = OpenGate()
    async with calling(Scripted().says("scope", ok(["telephony"], next=50)), gate) as rest:
        found = await rest.call("scope", {}, Urgency.UPKEEP)
    assert found == Done(["telephony"], 50)
    assert gate.entered == [Urgency.UPKEEP]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (bad(400, "", "Unknown TYPE"), Refused),
        (bad(400, "ERROR_CORE", "Unsupported phone number format"), Refused),
        (bad(200, "wrong_client"), Refused),
        (bad(400, "ERROR_ARGUMENT", "x"), Refused),
        (bad(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"), Later),
        (bad(429, "OPERATION_TIME_LIMIT", "blocked"), Later),
        (bad(503, "OVERLOAD_LIMIT"), Later),
        (bad(401, "CONNECTION_ERROR"), Later),
        (bad(401, "METHOD_CONFIRM_WAITING"), Later),
        (page(503), Later),
        (unreachable(), Later),
        (bad(500, "INTERNAL_SERVER_ERROR", "Internal server error"), Ambiguous),
        (bad(500, "ERROR_CORE", "SQL query error!"), Ambiguous),
        (page(500), Ambiguous),
        (page(502), Ambiguous),
        (page(200), Ambiguous),
        (httpx2.Response(200, content=b'{"result": {"CALL_ID": "exter'), Ambiguous),
        (httpx2.Response(200, json=[1]), Ambiguous),
        (httpx2.Response(200, json={"time": {}}), Ambiguous),
        (lost(), Ambiguous),
        (httpx2.RemoteProtocolError("cut"), Ambiguous),
        (bad(401, "INVALID_CREDENTIALS"), Unauthorised),
        (bad(403, "invalid_credentials"), Unauthorised),
        (bad(401, "NO_AUTH_FOUND"), Unauthorised),
        (bad(401, "expired_token"), Unauthorised),
        (bad(403, "ACCESS_DENIED", "REST is available only on commercial plans."), Unauthorised),
        (bad(500, "PORTAL_DELETED"), Unauthorised),
        (bad(410, "PORTAL_DELETED"), Unauthorised),
        (bad(404, "ERROR_METHOD_NOT_FOUND", "Method not found!"), Unauthorised),
        (page(403), Unauthorised),
        (page(404), Unauthorised),
        (page(302), Unauthorised),
        (page(413), Refused),
    ],
)
async def test_each_answer_has_its_outcome(answer: Answer, kind: type[Outcome]) -> None:
    assert isinstance(await outcome(answer), kind)


@pytest.mark.parametrize("answer", [lost(), page(502), bad(500, "INTERNAL_SERVER_ERROR")])
async def test_what_only_reads_is_never_in_doubt(answer: Answer) -> None:
    assert isinstance(await outcome(answer, reads=True), Later)


@pytest.mark.parametrize(
    ("answer", "cure"),
    [
        (bad(403, "WRONG_AUTH_TYPE"), "create a local application"),
        (bad(401, "insufficient_scope"), "Telephony (telephony)"),
        (bad(401, "INVALID_CREDENTIALS"), "incoming webhook"),
        (bad(403, "ACCESS_DENIED", "REST is available only by subscription."), "subscription"),
        (page(302, location="https://new.bitrix24.example/rest/1/x/"), "new.bitrix24.example"),
        (page(302, location="//["), "copy the webhook"),
    ],
)
async def test_a_refused_credential_comes_with_its_cure(answer: Answer, cure: str) -> None:
    found = await outcome(answer)
    assert isinstance(found, Unauthorised)
    assert found.cure is not None
    assert cure in found.cure.say("en")
    assert found.cure.placeholders() <= set(found.cure.values)


async def test_a_secret_in_the_portals_words_is_masked() -> None:
    found = await outcome(bad(400, "", f"no such path /rest/1/{SECRET}/x"))
    assert isinstance(found, Refused)


async def test_too_many_requests_bid_everyone_wait_and_longer_each_time() -> None:
    gate = OpenGate()
    script = Scripted().says("scope", [bad(503, "QUERY_LIMIT_EXCEEDED")] * 7 + [ok([]), page(503)])
    async with calling(script, gate) as rest:
        for _ in range(9):
            await rest.call("scope", {}, Urgency.UPKEEP)
    assert gate.waits == [1, 2, 4, 8, 16, 30, 30, 1]


async def test_a_wait_that_the_portal_names_is_kept() -> None:
    gate = OpenGate()
    found = await outcome(page(503, **{"retry-after": "17"}), gate=gate)
    assert isinstance(found, Later)
    assert (found.wait_s, gate.waits) == (17, [17])


async def test_operating_time_blocks_one_method_until_its_reset() -> None:
    gate = OpenGate()
    spent: dict[str, Any] = {"time": {"finish": 1000.0, "operating": 479.0, "operating_reset_at": 1200}}
    script = Scripted()
    script.says(
        "user.get", [httpx2.Response(200, json={"result": [], **spent}), bad(429, "OPERATION_TIME_LIMIT")]
    )
    script.says("scope", ok([]))
    async with calling(script, gate) as rest:
        await rest.call("user.get", {}, Urgency.UPKEEP)
        for _ in range(3):
            found = await rest.call("user.get", {}, Urgency.UPKEEP)
            assert isinstance(found, Fault)
            assert isinstance(found.outcome, Later)
            assert found.outcome.wait_s == pytest.approx(200, abs=5)
        assert isinstance(await rest.call("scope", {}, Urgency.UPKEEP), Done)
    assert len(script.of("user.get")) == 2, "a blocked method is not asked again"
    assert gate.waits == []


async def test_an_expired_token_is_renewed_and_the_call_repeated_once() -> None:
    class Tokens:
        host = "acme.bitrix24.example"
        application = True
        token = "old"

        async def ready(self) -> Outcome | None:
            return None

        def address(self, method: str) -> str:
            return f"https://{self.host}/rest/{method}?auth={self.token}"

        def mask(self, text: str) -> str:
            return text

        async def renew(self, refused: str) -> Outcome | None:
            assert refused == self.address("scope")
            self.token = "new"
            return None

    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.params["auth"])
        return ok([]) if seen[-1] == "new" else bad(401, "expired_token")

    async with HttpClient(transport=httpx2.MockTransport(answer)) as http:
        assert await Rest(Tokens(), http, OpenGate()).call("scope", {}, Urgency.UPKEEP) == Done([])
    assert seen == ["old", "new"]
