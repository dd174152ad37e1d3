"""The link between the service and the PBX breaks, freezes or is slow in the middle of a call."""

from __future__ import annotations

import pytest

from callme.lab.scenarios.direct import direct_caller_cancels
from callme.lab.scenarios.groups import ringall_answered
from callme.lab.scenarios.outgoing import out_answered
from tests.faults.calling import Calling
from tests.live.company import Company, now
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def _link(company: Company, *, up: bool) -> None:
    async def as_wanted() -> bool:
        return bool((await company.service.readiness())["pbx"]["office"]["up"]) is up

    await until(as_wanted, within=40, what=f"the link {'up' if up else 'down'}")


async def test_cut_while_it_rings(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009101", answer_s=4))
    await call.carded("102")
    await company.ami.cut()
    await _link(company, up=False)
    await company.ami.mend()
    await call.told_right()


async def test_cut_over_the_answer(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009102", talk_s=8))
    await call.carded("102")
    await company.ami.cut()
    await call.saw("102", "answer")
    answered = now()
    await company.ami.mend()
    await _link(company, up=True)
    await call.told_right(unseen_s=now() - answered)


async def test_cut_while_they_talk(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009103", talk_s=8))
    await call.saw("102", "answer")
    await until(lambda: company.portal.office.watching() == {3}, within=10, what="the card at 102 alone")
    await company.ami.cut()
    await _link(company, up=False)
    await company.ami.mend()
    await call.told_right()


@pytest.mark.long
async def test_cut_until_the_call_is_over(company: Company) -> None:
    """The end was not seen: the call ends as lost, with what is known, at the last moment that is certain."""
    call = Calling(company, direct_caller_cancels("79000009104"))
    await call.carded("101")
    await company.ami.cut()
    await call.over()
    await company.ami.mend()
    await call.told_right()


@pytest.mark.long
async def test_an_outgoing_call_over_a_cut(company: Company) -> None:
    call = Calling(company, out_answered("104", "79000009105", talk_s=8))
    await call.saw("prov", "answer")
    await company.ami.cut()
    await _link(company, up=False)
    await company.ami.mend()
    await call.told_right()


@pytest.mark.long
async def test_frozen_while_they_talk(company: Company) -> None:
    """A half-open link is noticed by its silence and made anew; the talk goes on meanwhile."""
    call = Calling(company, ringall_answered("79000009106", talk_s=40))
    await call.saw("102", "answer")
    company.ami.freeze()
    await _link(company, up=False)
    await company.ami.mend()
    await call.told_right()


@pytest.mark.long
async def test_slow(company: Company) -> None:
    company.ami.delay_s = 0.4
    call = Calling(company, ringall_answered("79000009107", answer_s=4))
    await call.told_right()
