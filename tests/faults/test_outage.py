"""The portal is away, or takes an order and its answer is lost: one right call all the same."""

from __future__ import annotations

import pytest

from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.scenarios.direct import direct_caller_cancels
from callme.lab.scenarios.groups import ringall_answered
from tests.faults.calling import Calling
from tests.live.company import Company
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

REGISTER = "telephony.externalCall.register"
FINISH = "telephony.externalCall.finish"
ATTACH = "telephony.externalCall.attachRecord"
EVER = 10_000


async def test_portal_away_for_a_whole_call(company: Company) -> None:
    await company.web.cut()
    call = Calling(company, ringall_answered("79000009201"))
    await call.over()
    assert not company.records(call.phone, call.since)
    await company.web.mend()
    await call.told_right()
    assert not [card for card in company.portal.office.cards if card.phone == call.phone], (
        "a card was shown for a call that was over"
    )


@pytest.mark.long
async def test_portal_says_503_for_a_whole_call(company: Company) -> None:
    company.portal.faults.add(Fault("*", FaultKind.HTML, times=EVER, status=503))
    call = Calling(company, direct_caller_cancels("79000009202"))
    await call.over()
    company.portal.faults.clear()
    await call.told_right()


@pytest.mark.long
async def test_portal_goes_while_they_talk(company: Company) -> None:
    call = Calling(company, ringall_answered("79000009203"))
    await call.saw("102", "answer")
    await until(lambda: company.portal.office.watching() == {3}, within=10, what="the card at 102 alone")
    await company.web.cut()
    await call.over()
    await company.web.mend()
    await call.told_right()


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        pytest.param(REGISTER, FaultKind.DROP, id="register-dropped"),
        pytest.param(FINISH, FaultKind.DROP, id="finish-dropped"),
        pytest.param(ATTACH, FaultKind.DROP, id="attach-dropped"),
        pytest.param("upload", FaultKind.DROP, id="upload-dropped"),
        pytest.param(REGISTER, FaultKind.TRUNCATED, id="register-truncated", marks=pytest.mark.long),
        pytest.param(FINISH, FaultKind.TRUNCATED, id="finish-truncated", marks=pytest.mark.long),
        pytest.param("upload", FaultKind.TRUNCATED, id="upload-truncated", marks=pytest.mark.long),
    ],
)
async def test_an_answer_is_lost(company: Company, method: str, kind: FaultKind) -> None:
    """The portal did what it was told, and nobody heard that it did."""
    company.portal.faults.add(Fault(method, kind, Moment.AFTER))
    number = 9210 + (REGISTER, FINISH, ATTACH, "upload").index(method) * 2 + (kind is FaultKind.DROP)
    call = Calling(company, ringall_answered(f"7900000{number}"))
    await call.told_right()
    assert not company.portal.faults.as_json(), "the trouble never struck"
    assert (
        len([one for one in company.portal.office.activities.values() if one.origin.endswith(_id(call))]) == 1
    )


def _id(call: Calling) -> str:
    (record,) = call.company.records(call.phone, call.since)
    return record.call
