"""What follows a call, through a real PBX: the caller's rating, the blacklist, and the task that reminds of a
missed call until the client was reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from callme.lab import scenarios
from callme.lab.asterisk import Release
from callme.lab.lab import Lab
from callme.lab.numbering import OWN_NUMBER
from callme.lab.play import Played
from callme.lab.sandboxes.bitrix24.state import Statistic
from callme.lab.scenarios.parts import ends, inbound
from callme.lab.script import Answer, Hang, Ignore, Ring, Scenario, Step
from callme.lab.truth import Truth
from tests.live.company import Company
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

BY_VARIABLE, BY_EVENT, BLACKLISTED = "74950000021", "74950000022", "74950000023"
ANNA = 2
MENU_S = 3
DIALPLAN = f"""
[ext-did-custom]
exten => {BY_VARIABLE},1,Set(__FROM_DID=${{EXTEN}})
 same => n,Dial(${{PJSIP_DIAL_CONTACTS(101)}},20,g)
 same => n,Wait({MENU_S - 1})
 same => n,Set(CALLME_VOTE=4)
 same => n,Wait(1)
 same => n,Hangup
exten => {BY_EVENT},1,Set(__FROM_DID=${{EXTEN}})
 same => n,Dial(${{PJSIP_DIAL_CONTACTS(101)}},20,g)
 same => n,Wait({MENU_S - 1})
 same => n,UserEvent(CallMe,Vote: 5)
 same => n,Wait(1)
 same => n,Hangup
exten => {BLACKLISTED},1,Set(__FROM_DID=${{EXTEN}})
 same => n,Goto(app-blacklist-check,s,1)

[app-blacklist-check]
exten => s,1,Answer
 same => n,Wait(1)
 same => n,Hangup
"""


class Attentive(Company):
    """A company whose dialplan asks for ratings and whose portal reminds of missed calls."""

    def __init__(self, release: Release) -> None:
        super().__init__(release)
        self.lab = Lab(release, replace(scenarios.OPTIONS, custom=DIALPLAN))
        scopes = (*self.portal.knobs.scopes, "task")
        self.portal.knobs = self.portal.knobs.with_changes({"scopes": scopes})

    def _config(self) -> Path:
        file = super()._config()
        file.write_text(file.read_text("utf-8") + "\n[portal.missed]\ntask = true\n", "utf-8")
        return file

    async def call(self, number: str, line: str, phones: dict[str, Ring], *more: Step) -> Played:
        """A customer calls; what the telephones saw."""
        return await self.lab.play(Scenario("aftermath", (inbound(number, line), *more), Truth(()), phones))

    async def recorded(self, played: Played, number: str) -> Statistic:
        """The one record that the portal has of that number since then."""
        await self.settled(played.started, number=number)
        (record,) = self.records(f"+{number}", played.started)
        return record


@pytest_asyncio.fixture(
    scope="module", loop_scope="session", params=["16", pytest.param("22", marks=pytest.mark.long)]
)
async def company(request: pytest.FixtureRequest) -> AsyncIterator[Attentive]:
    async with Attentive(request.param) as company:
        yield company


@pytest.mark.parametrize(("line", "vote"), [(BY_VARIABLE, 4), (BY_EVENT, 5)])
async def test_a_rating_after_the_talk(company: Attentive, line: str, vote: int) -> None:
    number = f"7900000980{vote}"
    played = await company.call(number, line, {"101": Answer(1)}, Step(Hang("101"), ("101", "answer"), 3))
    record = await company.recorded(played, number)
    assert (record.vote, record.user, record.code) == (vote, ANNA, "200")
    assert abs(record.duration - 3) <= 1, "the menu is no talk"


async def test_a_blacklisted_caller_is_not_missed(company: Attentive) -> None:
    number = "79000009811"
    record = await company.recorded(await company.call(number, BLACKLISTED, {}), number)
    assert (record.code, record.duration) == ("423", 0)
    assert all(one.phone != record.phone for one in company.portal.office.missed)
    assert not company.portal.office.tasks


async def test_a_missed_call_is_a_task_until_the_client_was_reached(company: Attentive) -> None:
    number = "79000009821"
    office = company.portal.office
    await company.recorded(await company.call(number, OWN_NUMBER, {"101": Ignore()}), number)
    task = await until(
        lambda: next((one for one in office.tasks.values() if number in one.title), None),
        within=20,
        what="the task",
    )
    assert (task.responsible, task.completed_at) == (ANNA, None)
    await company.service.kill()
    await company.service.start()
    played = await company.call(number, OWN_NUMBER, {"101": Answer(1)}, ends(f"c1-{number}", 2))
    await until(lambda: task.completed_at, within=20, what="the task completed")
    await company.recorded(played, number)
    assert sum(number in one.title for one in office.tasks.values()) == 1
