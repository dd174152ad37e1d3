"""Ordered trouble strikes where and when it was ordered, with or without the action having happened."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from tests.lab.sandboxes.bitrix24.client import Client

REGISTER = "telephony.externalCall.register"
GOOD: dict[str, Any] = {"USER_ID": 2, "PHONE_NUMBER": "+79261234567", "TYPE": 2}
BOTH = [(Moment.BEFORE, 0), (Moment.AFTER, 1)]


@pytest.mark.parametrize(("moment", "calls"), BOTH)
async def test_errors(client: Client, moment: Moment, calls: int) -> None:
    client.portal.faults.add(
        Fault(REGISTER, FaultKind.ERROR, moment, status=503, code="OVERLOAD_LIMIT", text="Busy")
    )
    assert await client.refused(REGISTER, GOOD) == (503, "OVERLOAD_LIMIT", "Busy")
    assert len(client.office.calls) == calls
    assert await client.result(REGISTER, GOOD)


@pytest.mark.parametrize(("moment", "calls"), BOTH)
async def test_expired(client: Client, moment: Moment, calls: int) -> None:
    client.portal.faults.add(Fault(REGISTER, FaultKind.EXPIRED, moment))
    assert (await client.refused(REGISTER, GOOD))[:2] == (401, "expired_token")
    assert len(client.office.calls) == calls


@pytest.mark.parametrize(("moment", "calls"), BOTH)
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_html(client: Client, status: int, moment: Moment, calls: int) -> None:
    client.portal.faults.add(Fault("*", FaultKind.HTML, moment, status=status))
    answer = await client.http.post(f"/rest/1/sandboxsecret/{REGISTER}", json=GOOD)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert len(client.office.calls) == calls


async def test_truncated_after_the_action(client: Client) -> None:
    client.portal.faults.add(Fault(REGISTER, FaultKind.TRUNCATED))
    answer = await client.http.post(f"/rest/1/sandboxsecret/{REGISTER}", json=GOOD)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r".+"):
        answer.json()
    assert len(client.office.calls) == 1


@pytest.mark.parametrize(("moment", "calls"), BOTH)
async def test_a_lost_answer(client: Client, moment: Moment, calls: int) -> None:
    client.portal.faults.add(Fault(REGISTER, FaultKind.DROP, moment))
    with pytest.raises(httpx2.RemoteProtocolError):
        await client.ask(REGISTER, GOOD)
    assert len(client.office.calls) == calls


@pytest.mark.parametrize(
    ("kind", "error"), [(FaultKind.DROP, httpx2.RemoteProtocolError), (FaultKind.HANG, httpx2.ReadTimeout)]
)
@pytest.mark.parametrize(("moment", "calls"), BOTH)
async def test_on_the_wire(kind: FaultKind, error: type[Exception], moment: Moment, calls: int) -> None:
    async with SandboxPortal() as portal, httpx2.AsyncClient(timeout=0.2) as http:
        portal.knobs = portal.knobs.with_changes({"webhook_telephony": "allow"})
        portal.faults.add(Fault(REGISTER, kind, moment, seconds=30))
        with pytest.raises(error):
            await http.post(portal.webhook_url + REGISTER, json=GOOD)
        assert len(portal.office.calls) == calls
        assert (await http.post(portal.webhook_url + REGISTER, json=GOOD)).status_code == 200


async def test_who_hangs_up_does_not_call_the_request_back() -> None:
    async with SandboxPortal() as portal, httpx2.AsyncClient(timeout=0.1) as http:
        portal.knobs = portal.knobs.with_changes({"webhook_telephony": "allow"})
        portal.faults.add(Fault(REGISTER, FaultKind.DETACHED, seconds=0.3))
        with pytest.raises(httpx2.ReadTimeout):
            await http.post(portal.webhook_url + REGISTER, json=GOOD)
        assert portal.office.calls == {}
        async with asyncio.timeout(5):
            while not portal.requests:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert len(portal.office.calls) == 1


async def test_the_nth_call_and_how_often(client: Client) -> None:
    client.portal.faults.add(Fault("PROFILE", FaultKind.ERROR, nth=2, times=2))
    statuses = [(await client.ask("profile"))[0] for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    assert client.portal.faults.as_json() == []


async def test_other_methods_do_not_count(client: Client) -> None:
    client.portal.faults.add(Fault("profile", FaultKind.ERROR))
    await client.result("server.time")
    assert (await client.ask("profile"))[0] == 500


@pytest.mark.parametrize(("moment", "calls"), BOTH)
async def test_one_command_of_a_batch(client: Client, moment: Moment, calls: int) -> None:
    client.portal.faults.add(Fault(REGISTER, FaultKind.ERROR, moment), Fault(REGISTER, FaultKind.DROP))
    command = f"{REGISTER}?USER_ID=2&PHONE_NUMBER=123456&TYPE=2"
    body = await client.result("batch", {"cmd": {"r": command, "me": "profile"}})
    assert body["result_error"]["r"]["error"] == "INTERNAL_SERVER_ERROR"
    assert list(body["result"]) == ["me"]
    assert len(client.office.calls) == calls


async def test_the_upload_step(client: Client) -> None:
    client.portal.faults.add(Fault("upload", FaultKind.HTML, status=503))
    answer = await client.http.post("/rest/1/sandboxsecret/upload/?token=x", files={"file": ("a.mp3", b"x")})
    assert answer.status_code == 503


async def test_over_http(client: Client) -> None:
    asked = {"method": "profile", "kind": "error", "status": 500}
    armed = (await client.http.post("/sandbox/faults", json=[asked])).json()
    assert [(fault["method"], fault["kind"], fault["moment"]) for fault in armed] == [
        ("profile", "error", "before")
    ]
    assert (await client.ask("profile"))[0] == 500
    await client.http.post("/sandbox/faults", json=asked)
    assert (await client.http.delete("/sandbox/faults")).json() == []
    await client.result("profile")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"method": "profile"}, "'kind'"),
        ({"method": "profile", "kind": "meteor"}, "meteor"),
        ({"method": "profile", "kind": "error", "when": 1}, "'when'"),
    ],
)
async def test_a_fault_that_is_not_understood(client: Client, sent: dict[str, Any], said: str) -> None:
    answer = await client.http.post("/sandbox/faults", json=sent)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
