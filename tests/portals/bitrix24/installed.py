"""A portal that is connected as a local application, before a sandbox that keeps webhooks from telephony."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from callme.crm.installation import Home, Installed, Verdict
from callme.lab.sandboxes.bitrix24.installation import prepared
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.portals.bitrix24.adapter import Bitrix24
from callme.portals.registry import open_portal
from tests.portals.bitrix24.scripted import MOSCOW
from tests.portals.bitrix24.test_conformance import SandboxStand, Wire
from tests.portals.conformance import OpenGate, Stand

CLOUD = Knobs(webhook_telephony="deny", rate_limit_x=0)
PUBLIC = "https://pbx.example.com"


class ApplicationStand(SandboxStand):
    """As over a webhook; the secrets are tokens now."""

    given: list[str]

    def secrets(self) -> list[str]:
        return [*self.given, "sandboxclientsecret", "token="]

    def deny(self) -> None:
        self.sandbox.knobs = CLOUD.with_changes({"scopes": []})

    @property
    def bitrix(self) -> Bitrix24:
        assert isinstance(self.portal, Bitrix24)
        return self.portal

    def fields(self, form: str = "api", user: int = 1) -> dict[str, str]:
        """What the portal sends when the application is installed."""
        query, body = prepared(
            self.sandbox.authority, self.sandbox.knobs, "http://127.0.0.1/", self.now, form=form, user=user
        )
        sent = {**query, **body}
        self.given += [
            value for name, value in sent.items() if "_token]" in name or name in ("AUTH_ID", "REFRESH_ID")
        ]
        return sent

    async def install(self, form: str = "api", user: int = 1) -> Installed:
        return await self.bitrix.install(self.fields(form, user))


def standing(
    folder: Path, sandbox: SandboxPortal | None = None, address: str = PUBLIC, **settings: Any
) -> ApplicationStand:
    """Not installed yet. With a `sandbox` it is another process before the same portal."""
    now = Stand.now
    sandbox = sandbox or SandboxPortal(CLOUD, clock=lambda: now)
    wire, gate = Wire(sandbox), OpenGate()
    table = {**sandbox.application, "default_user": 1, **settings}
    home = Home(folder, address)
    portal = open_portal("bitrix24", "main", table, gate=gate, zone=MOSCOW, transport=wire, home=home)
    stand = ApplicationStand(portal, gate)
    stand.sandbox, stand.wire, stand.given = sandbox, wire, []
    return stand


async def installed(folder: Path, sandbox: SandboxPortal | None = None, **settings: Any) -> ApplicationStand:
    """Installed, and nothing counted yet."""
    stand = standing(folder, sandbox, **settings)
    assert (await stand.install()).verdict is Verdict.KEPT
    stand.wire.sent = 0
    stand.wire.methods.clear()
    stand.gate.entered.clear()
    return stand
