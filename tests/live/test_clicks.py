"""A click in the CRM, through a real PBX, to the one finished call under the id that the portal gave it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from callme.lab.sandboxes.bitrix24.seed import CLIENT_PHONE
from callme.lab.sandboxes.bitrix24.state import Statistic, User
from callme.lab.script import Answer, Hang, Ignore, Refuse, Ring, Scenario, Step
from callme.lab.truth import Truth
from tests.live import cost
from tests.live.company import CHOSEN, CLICK_RING_S, TOKEN, Company, now
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

ANNA = 2  # who has extension 101
UNTELEPHONED = 1
FINISHED_S = 40.0
RESTART_S = 14.0
"""A talk that lasts so long goes on when the killed service is back, on a busy machine too."""
OLEG = 9  # to whom the configuration gives extension 107, whose telephone is switched off
GRIGORY = 5  # who has extension 104, and a voicemail


@pytest_asyncio.fixture(
    scope="module", loop_scope="session", params=["16", pytest.param("22", marks=pytest.mark.long)]
)
async def company(request: pytest.FixtureRequest) -> AsyncIterator[Company]:
    async with Company(request.param, users={"107": OLEG}, language="ru") as company:
        yield company


async def click(company: Company, number: str, user: int = ANNA, **more: Any) -> str:
    """Presses the button in the portal; the id that the portal gave the call."""
    told = await post(company, "click", {"user": user, "number": number, **more})
    assert set(told["statuses"]) <= {200}, told
    return str(told["call"])


async def post(company: Company, what: str, wish: dict[str, Any]) -> dict[str, Any]:
    """Makes it happen in the portal, which tells the service."""
    where = {"token": TOKEN, "handler": f"{company.service.url}hooks/main"}
    async with httpx2.AsyncClient(timeout=20) as client:
        answer = await client.post(f"{company.portal.url}sandbox/{what}", json={**where, **wish})
    told: dict[str, Any] = answer.json()
    assert answer.status_code == 200, told
    return told


def playing(
    company: Company, number: str, agent: Ring, customer: Ring | None = None, hang: Step | None = None
) -> asyncio.Task[Any]:
    """What Anna's telephone and the customer do when they are rung."""
    outside = {number: customer} if customer is not None else {}
    scenario = Scenario("click", (hang,) if hang else (), Truth(()), {"101": agent}, outside)
    return asyncio.create_task(company.lab.play(scenario))


def rung(company: Company, extension: str, since: float) -> int:
    """How often that telephone was rung."""
    log = company.lab.stage.phones.log
    return sum((one.leg, one.what) == (extension, "invite") and one.at >= since for one in log)


async def finished(company: Company, call: str) -> Statistic:
    """The one record of that call, when nothing of it is open, shown or on its way any more."""
    office = company.portal.office
    record = await until(lambda: office.statistic_of(call), within=FINISHED_S, what=f"{call} finished")
    await until(lambda: not office.watching(), within=10, what="no card on any screen")
    assert call not in office.calls
    assert sum(one.call == call for one in office.statistics.values()) == 1
    assert sum(one.phone == record.phone for one in office.statistics.values()) == 1
    assert not company.open_calls(record.phone)
    assert isinstance(record, Statistic)
    return record


async def test_answered(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    number = "79000009501"
    play = playing(company, number, Answer(1), Answer(2), Step(Hang("101"), ("prov", "answer"), 3))
    since = now()
    call = await click(company, f"+{number}")
    played = await play
    record = await finished(company, call)
    assert (record.code, record.user, record.type) == ("200", ANNA, 1)
    assert abs(record.duration - 3) <= 1
    assert sum(one.what == "invite" for one in played.seen) == 2
    assert [card.user for card in company.cards(call)] == [ANNA]
    methods = [one.method for one in company.portal.requests if one.at >= since]
    assert "telephony.externalCall.register" not in methods
    asked = cost.of(company.portal.requests, record)
    with capsys.disabled():
        print(f"\n{company.release} click-to-call: {len(asked)} requests ({', '.join(asked)})")
    assert len(asked) <= cost.RING_GROUP
    await until(lambda: company.portal.office.statistic_of(call).record_file, within=20, what="its recording")  # type: ignore[union-attr]


async def test_the_one_telephone_that_was_chosen(company: Company) -> None:
    number, talk = "79000009516", Step(Hang(CHOSEN), ("prov", "answer"), 3)
    scenario = Scenario("click", (talk,), Truth(()), {CHOSEN: Answer(1)}, {number: Answer(2)})
    play = asyncio.create_task(company.lab.play(scenario))
    call = await click(company, f"+{number}", company.user(CHOSEN))
    played = await play
    record = await finished(company, call)
    assert (record.code, record.user, record.type) == ("200", company.user(CHOSEN), 1)
    assert abs(record.duration - 3) <= 1
    assert sum(one.what == "invite" for one in played.seen) == 2
    assert [card.user for card in company.cards(call)] == [company.user(CHOSEN)]


async def test_the_chosen_telephone_declines(company: Company) -> None:
    scenario = Scenario("click", (), Truth(()), {CHOSEN: Refuse("603")}, {})
    play = asyncio.create_task(company.lab.play(scenario))
    call = await click(company, "+79000009517", company.user(CHOSEN))
    await play
    record = await finished(company, call)
    assert (record.duration, record.user) == (0, company.user(CHOSEN))
    assert record.code not in ("200", "304")


async def test_the_employee_declines(company: Company) -> None:
    play = playing(company, "79000009502", Refuse("603"))
    call = await click(company, "+79000009502")
    await play
    record = await finished(company, call)
    assert (record.duration, record.user) == (0, ANNA)
    assert record.code == "603"


async def test_the_employee_does_not_answer(company: Company) -> None:
    play = playing(company, "79000009503", Ignore())
    call = await click(company, "+79000009503")
    played = await play
    record = await finished(company, call)
    assert (record.code, record.duration, record.user) == ("480", 0, ANNA)
    assert played.ended - played.started < CLICK_RING_S + 10


async def test_a_telephone_that_is_switched_off(company: Company) -> None:
    number = "79000009515"
    company.portal.office.add_user(User(OLEG, "Олег", "Тихий"))
    call = await click(company, f"+{number}", OLEG)
    record = await finished(company, call)
    assert (record.duration, record.user) == (0, OLEG)
    (told,) = await until(
        lambda: [one for one in company.portal.office.notifications if number in one.text],
        within=10,
        what="the user is told",
    )
    assert told.user == OLEG
    assert "не зарегистрирован" in told.text


async def test_the_customer_is_busy(company: Company) -> None:
    play = playing(company, "79000009504", Answer(1), Refuse("486"))
    call = await click(company, "+79000009504")
    await play
    record = await finished(company, call)
    assert (record.code, record.duration, record.user) == ("486", 0, ANNA)


async def test_the_customer_does_not_answer(company: Company) -> None:
    hang = Step(Hang("101"), ("prov", "invite"), 3)
    play = playing(company, "79000009505", Answer(1), Ignore(), hang)
    call = await click(company, "+79000009505")
    await play
    record = await finished(company, call)
    assert (record.code, record.duration, record.user) == ("480", 0, ANNA)


async def test_the_employees_voicemail_does_not_answer_for_him(company: Company) -> None:
    number = "79000009512"
    scenario = Scenario("click", (), Truth(()), {"104": Refuse("486")}, {number: Answer(1)})
    play = asyncio.create_task(company.lab.play(scenario))
    call = await click(company, f"+{number}", GRIGORY)
    played = await play
    record = await finished(company, call)
    assert (record.duration, record.user) == (0, GRIGORY)
    assert record.code != "200"
    assert not any(one.leg == "prov" for one in played.seen)


async def test_the_extension_behind_the_number_is_dialled_after_the_answer(company: Company) -> None:
    number = "79000009514"
    play = playing(company, number, Answer(1), Answer(2), Step(Hang("101"), ("prov", "answer"), 6))
    call = await click(company, f"+{number}", extension="1w2#")
    played = await play
    await finished(company, call)
    pressed = [one for one in played.seen if one.what == "gotkey"]
    assert [(one.leg, one.detail) for one in pressed] == [("prov", "1"), ("prov", "2"), ("prov", "#")]
    (answered,) = (one for one in played.seen if (one.leg, one.what) == ("prov", "answer"))
    assert pressed[0].at > answered.at


async def test_a_customer_who_asks_to_be_called(company: Company) -> None:
    number = CLIENT_PHONE.removeprefix("+")
    office, since = company.portal.office, now()
    play = playing(company, number, Answer(1), Answer(2), Step(Hang("101"), ("prov", "answer"), 3))
    wish = {"number": CLIENT_PHONE, "text": "Жду звонка", "copies": 2}
    statuses = (await post(company, "callback", wish))["statuses"]
    assert statuses == [200, 200]
    played = await play
    (record,) = await until(
        lambda: company.records(CLIENT_PHONE, since), within=FINISHED_S, what="its record"
    )
    assert (record.code, record.user, record.type) == ("200", ANNA, 4)
    assert abs(record.duration - 3) <= 1
    assert sum(one.what == "invite" for one in played.seen) == 2
    assert not company.open_calls(CLIENT_PHONE)
    (shown,) = (one.detail for one in played.seen if (one.leg, one.what) == ("101", "shown"))
    assert "Иван Петров" in shown
    told = [(one.user, one.text) for one in office.notifications if one.at >= since]
    assert told == [(ANNA, f"{CLIENT_PHONE} просит перезвонить: Жду звонка")]


async def test_a_customer_who_asks_to_be_called_and_nobody_picks_up(company: Company) -> None:
    since = now()
    play = playing(company, CLIENT_PHONE, Ignore())
    await post(company, "callback", {"number": CLIENT_PHONE})
    await play
    (record,) = await until(
        lambda: company.records(CLIENT_PHONE, since), within=FINISHED_S, what="its record"
    )
    assert (record.code, record.duration, record.user, record.type) == ("304", 0, ANNA, 4)


async def test_an_event_that_comes_three_times_rings_once(company: Company) -> None:
    play = playing(company, "79000009506", Refuse("603", 2))
    call = await click(company, "+79000009506", copies=3)
    played = await play
    await finished(company, call)
    assert sum(one.what == "invite" for one in played.seen) == 1


async def test_killed_as_soon_as_the_click_is_acknowledged(company: Company) -> None:
    """It is on the disk: whether or not the order had left, it is sent once at most and its call finished."""
    since = now()
    call = await click(company, "+79000009513")
    await company.service.kill()
    await company.service.start()
    record = await finished(company, call)
    assert (record.duration, record.user) == (0, ANNA)
    assert rung(company, "101", since) <= 1


async def test_killed_while_the_employees_telephone_rings(company: Company) -> None:
    number = "79000009507"
    since = now()
    play = playing(company, number, Answer(3), Answer(2), Step(Hang("101"), ("prov", "answer"), RESTART_S))
    call = await click(company, f"+{number}")
    await until(lambda: rung(company, "101", since), within=10, what="101 rings")
    await company.service.kill()
    await company.service.start()
    await play
    record = await finished(company, call)
    assert (record.code, record.user) == ("200", ANNA)
    assert rung(company, "101", since) == 1


async def test_the_pbx_out_of_reach(company: Company) -> None:
    async def down() -> bool:
        return not (await company.service.readiness())["pbx"]["office"]["up"]

    await company.ami.cut()
    await until(down, within=40, what="the link down")
    call = await click(company, "+79000009508", late_s=10)
    record = await finished(company, call)
    assert (record.duration, record.user) == (0, ANNA)
    assert record.code == "503"
    await company.ami.mend()
    await company.service.ready(within=60)
    assert not company.lab.stage.phones.log[-1].detail.startswith("79000009508")


@pytest.mark.parametrize(
    ("number", "more", "why"),
    [
        ("+79000009509", {"late_s": 30}, "набирать было уже поздно"),
        ("+79000009510", {"user": UNTELEPHONED}, "нет внутреннего номера"),
        ("*7279000009511", {}, "набрать нельзя"),
    ],
)
async def test_what_is_not_dialled_is_finished_at_once_and_its_user_told(
    company: Company, number: str, more: dict[str, Any], why: str
) -> None:
    before = len(company.lab.stage.phones.log)
    call = await click(company, number, **more)
    record = await finished(company, call)
    assert (record.code, record.duration) == ("503", 0)
    assert record.user == more.get("user", ANNA)
    assert len(company.lab.stage.phones.log) == before
    (told,) = await until(
        lambda: [one for one in company.portal.office.notifications if number in one.text],
        within=10,
        what="the user is told",
    )
    assert told.user == record.user
    assert why in told.text
