"""A whole company on this machine: a lab PBX with telephones, CallMe as a process, a sandbox portal.

Used by the live and the fault tests; each owns its companies, so that none disturbs another. The portal is
one without a rate limit: many plays side by side would spend it, and cards would rightly wait.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from callme.lab import scenarios
from callme.lab.asterisk import Release
from callme.lab.lab import Lab
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.seed import default_office
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.sandboxes.bitrix24.state import Card, Office, Recording, Statistic, User
from tests.live.process import Running, written
from tests.live.until import until
from tests.live.wire import Wire

DEFAULT_USER = 1
TOKEN = "f17a1jyndsrsdw06iefxmqwq35o3wa5a"
"""What the portal's outgoing webhook shows with each event."""
CLICK_RING_S = 8
"""So long an employee's telephone rings after a click."""
CHOSEN = "103"
"""Who clicks there has one of his telephones rung straight, not his extension."""
SETTLED_S = 60.0
ASK_S = 0.3
"""So often the service is asked for its list of calls: that is work, and others are still being played."""


class Company:
    """`async with Company("16") as company: …`. Both wires, to the PBX and to the portal, can be cut."""

    def __init__(self, release: Release, **portal: Any) -> None:
        """`portal` are further keys of the portal's table."""
        self.release = release
        self._more = portal
        self.lab = Lab(release, scenarios.OPTIONS)
        self.portal = SandboxPortal(Knobs(webhook_telephony="allow", rate_limit_x=0), office=_office())
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callme-live-")))
            await stack.enter_async_context(self.lab)
            await stack.enter_async_context(self.portal)
            self.ami = await stack.enter_async_context(Wire(self.lab.pbx.host, 5038))
            self.web = await stack.enter_async_context(Wire(self.portal.host, self.portal.port))
            self.service = Running(self._config())
            stack.push_async_callback(self.service.kill)
            await self.service.start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _config(self) -> Path:
        clicks = {"ring_s": CLICK_RING_S, "devices": {CHOSEN: f"PJSIP/{CHOSEN}"}}
        pbx = {**self.lab.config(), "host": "127.0.0.1", "port": self.ami.port, "click_to_call": clicks}
        webhook = self.portal.webhook_url.replace(f":{self.portal.port}/", f":{self.web.port}/")
        portal = {"id": "main", "crm": "bitrix24", "webhook": webhook, "default_user": DEFAULT_USER}
        portal |= {"application_token": TOKEN}
        portal |= {"requests_per_second": 100, "burst": 1000, **self._more}
        return written(self.folder, pbx, portal)

    # ---------------------------------------------------------------------- what the portal holds
    def records(self, phone: str, since: float = 0) -> list[Statistic]:
        """The finished calls with that outside party, eldest first."""
        found = (one for one in self.portal.office.statistics.values() if one.phone == phone)
        return sorted((one for one in found if one.started_at >= int(since)), key=lambda one: one.started_at)

    def open_calls(self, phone: str) -> list[str]:
        """Calls with that party which the portal believes to go on."""
        return [one.id for one in self.portal.office.calls.values() if one.phone == phone]

    def cards(self, call: str) -> list[Card]:
        """Every showing of that call's card."""
        return [card for card in self.portal.office.cards if card.call == call]

    def recording(self, record: Statistic) -> Recording | None:
        """What is attached to that call."""
        return None if record.record_file is None else self.portal.office.recordings[record.record_file]

    def extension(self, user: int) -> str:
        """Whose card that is; empty for a user without a telephone."""
        return self.portal.office.users[user].extension

    def user(self, extension: str | None) -> int:
        """Whom a call of that extension belongs to in the portal."""
        found = self.portal.office.by_extension(extension or "")
        return found.id if found else DEFAULT_USER

    # ---------------------------------------------------------------------------- what is awaited
    async def settled(
        self, since: float, *, calls: int = 1, number: str = "", until_: float | None = None
    ) -> list[dict[str, Any]]:
        """Wait until so many calls that began then are over and all about them is delivered; the service's
        own list of them. What is refused has settled too: tests see it in the portal."""
        query = {"number": number} if number else {}
        query |= {"until": repr(until_)} if until_ else {}

        async def all_over() -> list[dict[str, Any]]:
            found = await self.service.calls(since=repr(since - 1), **query)
            over = len(found) >= calls and all(map(_over, found))
            return found if over else []

        what = f"{calls} finished calls of {number or 'anybody'}, all delivered"
        found: list[dict[str, Any]] = await until(all_over, within=SETTLED_S, what=what, pause=ASK_S)
        return found


def _office() -> Office:
    """The sandbox's people and one more, who has two telephones."""
    office = default_office()
    office.add_user(User(8, "Илья", "Волков", "108", "user108@example.com"))
    return office


def _over(call: dict[str, Any]) -> bool:
    told = call["deliveries"]
    return not call["open"] and bool(told) and all(one["state"] in ("done", "refused") for one in told)


def now() -> float:
    """The wall clock of telephones, portal and service alike."""
    return time.time()
