"""`kill -9` of the service in the middle of a call: restarted, it leaves one finished call in the portal."""

from __future__ import annotations

import pytest

from callme.lab.scenarios.direct import direct_caller_cancels
from callme.lab.scenarios.groups import ringall_answered
from tests.faults.calling import Calling
from tests.live.company import Company, now

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_killed_while_it_rings(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009001", answer_s=4))
    await call.carded("102")
    await company.service.kill()
    await company.service.start()
    await call.told_right()


async def test_killed_while_it_rings_and_back_in_the_talk(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009002", talk_s=6))
    await call.carded("102")
    await company.service.kill()
    await call.saw("102", "answer")
    answered = now()
    await company.service.start()
    await call.told_right(unseen_s=now() - answered)


async def test_killed_while_they_talk(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009003", talk_s=9))
    await call.carded("101")
    await call.uncarded("101")
    await company.service.kill()
    await company.service.start()
    await call.told_right()


@pytest.mark.long
async def test_killed_before_the_first_ring_is_told(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009004", answer_s=4))
    await call.saw("102", "invite")
    await company.service.kill()
    await company.service.start()
    await call.told_right()


async def test_killed_as_they_hang_up(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009005"))
    await call.saw("102", "gotbye")
    await company.service.kill()
    await company.service.start()
    await call.told_right()


async def test_killed_between_the_record_and_its_recording(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009006"))
    await call.recorded()
    await company.service.kill()
    await company.service.start()
    await call.told_right()


async def test_a_call_that_nobody_answered_while_we_were_dead(company: Company) -> None:
    call = Calling(company, direct_caller_cancels("79000009007"))
    await call.carded("101")
    await company.service.kill()
    await call.over()
    await company.service.start()
    await call.told_right()


@pytest.mark.long
async def test_killed_again_and_again(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009008", answer_s=4, talk_s=8))
    await call.carded("102")
    await company.service.kill()
    await company.service.start()
    await call.saw("102", "answer")
    answered = now()
    for _ in range(2):
        await company.service.kill()
        await company.service.start()
    unseen_s = now() - answered
    await call.saw("102", "gotbye")
    await company.service.kill()
    await company.service.start()
    await call.told_right(unseen_s=unseen_s)
