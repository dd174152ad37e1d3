"""The adapter before the strict sandbox portal: everything that any portal must do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import httpx2
import pytest

from callme.crm.intents import CallFacts, Direction, Register
from callme.crm.port import Ambiguous, Attempt, Delivered
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.sandboxes.bitrix24.state import Statistic
from callme.portals.registry import open_portal
from tests.portals.conformance import OpenGate, PortalConformance, Seen, Stand, Trouble

BOX = Knobs(webhook_telephony="allow", rate_limit_x=0)

_FAULTS = {
    Trouble.BUSY: Fault(
        "*", FaultKind.ERROR, status=503, code="QUERY_LIMIT_EXCEEDED", text="Too many requests"
    ),
    Trouble.BROKEN_BEFORE: Fault("*", FaultKind.ERROR),
    Trouble.BROKEN_AFTER: Fault("*", FaultKind.ERROR, Moment.AFTER),
    Trouble.LOST: Fault("*", FaultKind.DROP, Moment.AFTER),
    Trouble.PAGE: Fault("*", FaultKind.HTML, Moment.AFTER, status=502),
    Trouble.CUT: Fault("*", FaultKind.TRUNCATED, Moment.AFTER),
}


class Wire(httpx2.AsyncBaseTransport):
    """The way to the sandbox; some connections never stand."""

    def __init__(self, sandbox: SandboxPortal) -> None:
        self.inner: httpx2.AsyncBaseTransport = httpx2.ASGITransport(app=sandbox.app)
        self.sent = 0
        self.methods: list[str] = []
        self.dead: set[int] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent += 1
        self.methods.append(request.url.path.rstrip("/").rpartition("/")[2])
        if self.sent in self.dead:
            raise httpx2.ConnectError("[Errno 111] Connection refused")
        return await self.inner.handle_async_request(request)


class SandboxStand(Stand):
    sandbox: SandboxPortal
    wire: Wire

    def _seen(self, record: Statistic) -> Seen:
        recordings = [
            kept.content
            for kept in self.sandbox.office.recordings.values()
            if kept.call == record.call and not kept.orphan
        ]
        extension = self.sandbox.office.users[record.user].extension
        answered = (record.code, record.duration > 0) == ("200", True)
        line = "" if record.line.startswith("REST_APP:") else record.line
        return Seen(
            record.phone, extension, record.type == 2, answered, record.duration, tuple(recordings), line
        )

    def finished(self) -> list[Seen]:
        return [self._seen(record) for record in self.sandbox.office.statistics.values()]

    def unfinished(self) -> int:
        return len(self.sandbox.office.calls)

    def clients(self) -> int:
        return len(self.sandbox.office.customers)

    def seers(self) -> set[str]:
        office = self.sandbox.office
        return {office.users[card.user].extension for card in office.cards if card.hidden_at is None}

    def trouble(self, kind: Trouble, nth: int = 1) -> None:
        if kind is Trouble.UNREACHABLE:
            self.wire.dead.add(self.wire.sent + nth)
            return
        fault = _FAULTS[kind]
        self.sandbox.faults.add(
            Fault(
                fault.method,
                fault.kind,
                fault.moment,
                nth=nth,
                status=fault.status,
                code=fault.code,
                text=fault.text,
            )
        )

    def armed(self) -> int:
        return len(self.sandbox.faults.as_json()) + sum(nth > self.wire.sent for nth in self.wire.dead)

    def deny(self) -> None:
        self.sandbox.knobs = BOX.with_changes({"scopes": []})

    def lines_held(self) -> list[str]:
        return list(self.sandbox.office.lines)

    def secrets(self) -> list[str]:
        return ["sandboxsecret", "token="]

    def requests(self) -> int:
        return self.wire.sent


def sandbox_stand(knobs: Knobs = BOX, sandbox: SandboxPortal | None = None, **settings: Any) -> SandboxStand:
    """A portal before a sandbox of its own, or before one that is there already."""
    now = Stand.now
    sandbox = sandbox or SandboxPortal(knobs, clock=lambda: now)
    wire, gate = Wire(sandbox), OpenGate()
    table = {"webhook": sandbox.webhook_url, "default_user": 1, "crm": "bitrix24", "id": "main", **settings}
    portal = open_portal("bitrix24", "main", table, gate=gate, zone=UTC, transport=wire)
    stand = SandboxStand(portal, gate)
    stand.sandbox, stand.wire = sandbox, wire
    return stand


@pytest.fixture
async def stand() -> AsyncIterator[SandboxStand]:
    stand = sandbox_stand()
    yield stand
    await stand.portal.close()


class TestBitrix24(PortalConformance):
    """Over an incoming webhook of a portal that lets webhooks report calls."""


@pytest.mark.parametrize("fault", [FaultKind.DROP, FaultKind.HANG, FaultKind.TRUNCATED])
async def test_a_lost_answer_over_a_real_connection_makes_no_second_call(fault: FaultKind) -> None:
    order = Register(CallFacts("office-1.1", Direction.IN, "+79165550001", "", "", time.time() - 5), "101")
    async with SandboxPortal(BOX) as sandbox:
        table = {"webhook": sandbox.webhook_url, "default_user": 1, "answer_timeout": 1}
        portal = open_portal("bitrix24", "main", table, gate=OpenGate(), zone=UTC)
        await portal.refresh()
        sandbox.faults.add(Fault("telephony.externalCall.register", fault, Moment.AFTER, seconds=1.5))
        first = await portal.register(order, frozenset(), Attempt(1, False, {}, time.time(), time.time()))
        assert isinstance(first, Ambiguous)
        again = await portal.register(order, frozenset(), Attempt(2, True, {}, time.time(), time.time()))
        assert isinstance(again, Delivered)
        assert list(sandbox.office.calls) == [again.memory["call"]]
        await portal.close()
