"""A client of the sandbox portal without a port, with a clock that tests turn by hand."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

import httpx2

from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal

NOON = 1_793_620_800.0
SECRET = "sandboxsecret"


class Client:
    """Asks the portal's methods over its ASGI application."""

    def __init__(self, **knobs: Any) -> None:
        self.now = NOON
        self.portal = SandboxPortal(
            Knobs(**{"webhook_telephony": "allow", "rate_limit_x": 0, **knobs}), clock=lambda: self.now
        )
        self.office = self.portal.office
        transport = httpx2.ASGITransport(app=self.portal.app)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://portal.test")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def ask(
        self, method: str, params: dict[str, Any] | None = None, *, door: str = f"1/{SECRET}"
    ) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to a JSON request."""
        sent, kind = json.dumps(params or {}), {"content-type": "application/json"}
        answer = await self.http.post(f"/rest/{door}/{method}", content=sent, headers=kind)
        body = answer.json()
        assert isinstance(body, dict)
        return answer.status_code, body

    async def result(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The result of a request that must succeed."""
        status, body = await self.ask(method, params)
        assert status == 200, body
        return body["result"]

    async def refused(self, method: str, params: dict[str, Any] | None = None) -> tuple[int, str, str]:
        """Status, code and description of a request that must be refused."""
        status, body = await self.ask(method, params)
        assert "result" not in body, body
        assert "time" not in body
        return status, body["error"], body["error_description"]

    async def register(self, **params: Any) -> str:
        """A call to Anna (101) from the known client, unless said otherwise; gives its CALL_ID."""
        asked = {"USER_PHONE_INNER": "101", "PHONE_NUMBER": "+79261234567", "TYPE": 2, **params}
        call = (await self.result("telephony.externalCall.register", asked))["CALL_ID"]
        assert isinstance(call, str)
        return call

    async def finish(self, call: str, **params: Any) -> dict[str, Any]:
        """The call ends with Anna, unless said otherwise."""
        asked = {"CALL_ID": call, "USER_PHONE_INNER": "101", **params}
        result = await self.result("telephony.externalCall.finish", asked)
        assert isinstance(result, dict)
        return result

    async def finished(self, **params: Any) -> str:
        """A finished call's CALL_ID."""
        call = await self.register(**params)
        await self.finish(call, DURATION=10)
        return call
