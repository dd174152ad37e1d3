"""Buttons of the call card's tab on a real PBX: the customer is handed on, his telephone is hung up."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from callme.lab.scenarios.parts import ends, inbound, outgoing
from callme.lab.script import Answer, Hang, Ignore, Ring, Scenario, Step
from callme.lab.truth import Truth
from tests.live.company import DEFAULT_USER, Company, now
from tests.live.process import written
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.asyncio(loop_scope="session")]

GROUP = "74950000003"
PHONES: dict[str, Ring] = {"101": Answer(1), "102": Ignore(), "103": Ignore(), "105": Answer(1)}
TALK_S = 15.0


class Framed(Company):
    """A company that is connected as a local application."""

    def _config(self) -> Path:
        pbx = {**self.lab.config(), "host": "127.0.0.1", "port": self.ami.port}
        portal = {"id": "main", "crm": "bitrix24", **self.portal.application, "default_user": DEFAULT_USER}
        portal |= {"requests_per_second": 100, "burst": 1000}
        self.installing = asyncio.create_task(self._install())  # before that the service is not ready
        return written(self.folder, pbx, portal, public_url="https://pbx.example.com")

    async def _install(self) -> None:
        await until(lambda: "service" in vars(self) and self.service.url, within=30, what="an address")
        status, page = await self.portal.install(f"{self.service.url}hooks/main/install")
        assert status == 200, page

    async def press(self, number: str, extension: str, order: str, to: str = "") -> str:
        """Whoever has that extension opens the tab in the card of the call with that number, and presses."""
        (call,) = self.open_calls(number)
        base = f"{self.service.url}hooks/main/card"
        async with httpx2.AsyncClient(timeout=20) as browser:

            async def ticket() -> str:
                page = await browser.post(base, data=self.portal.card(call, self.user(extension)))
                (found,) = re.findall(r'name="ticket" value="([^"]+)"', page.text)
                return str(found) if f'value="{order}"' in page.text else ""

            found = await until(ticket, within=10, what=f"a button to {order}")
            fields = {"ticket": found, "order": order, "to": to}
            answer = await browser.post(f"{base}/order?LANG=en", data=fields)
        (said,) = re.findall(r'class="said"[^>]*>([^<]+)<', answer.text)
        return str(said)

    async def answered(self, leg: str, since: float) -> None:
        log = self.lab.stage.phones.log
        await until(
            lambda: any((one.leg, one.what) == (leg, "answer") and one.at >= since for one in log),
            within=20,
            what=f"{leg} answers",
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["16", "22"])
async def company(request: pytest.FixtureRequest) -> AsyncIterator[Framed]:
    async with Framed(request.param) as company:
        await company.installing
        yield company


def playing(company: Framed, *steps: Step) -> asyncio.Task[object]:
    return asyncio.create_task(company.lab.play(Scenario("tab", steps, Truth(()), PHONES)))


async def test_a_customer_is_handed_on_to_a_colleague(company: Framed) -> None:
    number, since = "79000009701", now()
    play = playing(company, inbound(number, GROUP), ends(f"c1-{number}", TALK_S))
    await company.answered("101", since)
    assert await company.press(f"+{number}", "101", "transfer", "105") == "The call is handed on to 105."
    await company.answered("105", since)
    await play
    (call,) = await company.settled(since, number=number)
    assert [talk["extension"] for talk in call["talks"]] == ["101", "105"]
    (record,) = company.records(f"+{number}", since)
    assert (record.code, record.user) == ("200", company.user("105"))


async def test_who_talks_hangs_up(company: Framed) -> None:
    number, since = "79000009702", now()
    play = playing(company, inbound(number, GROUP), ends(f"c1-{number}", TALK_S))
    await company.answered("101", since)
    began = now()
    assert await company.press(f"+{number}", "101", "hang-up") == "The call is being ended."
    await company.settled(since, number=number)
    assert now() - began < TALK_S
    (record,) = company.records(f"+{number}", since)
    assert (record.code, record.user) == ("200", company.user("101"))
    await play


async def test_a_customer_who_was_called_is_handed_on_too(company: Framed) -> None:
    number, since = "79000009703", now()
    steps = (outgoing("101", number), Step(Hang("105"), ("105", "answer"), 2))
    scenario = Scenario("tab", steps, Truth(()), PHONES, {number: Answer(1)})
    play = asyncio.create_task(company.lab.play(scenario))
    await until(lambda: company.open_calls(f"+{number}"), within=20, what="the call is open")
    assert await company.press(f"+{number}", "101", "transfer", "105") == "The call is handed on to 105."
    await company.answered("105", since)
    await play
    (call,) = await company.settled(since, number=number)
    assert [talk["extension"] for talk in call["talks"]] == ["101", "105"]
