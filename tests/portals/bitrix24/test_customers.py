"""Of which calls clients are made, whose they are, and who is no client, before the strict sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from callme.crm.intents import CallFacts, Direction, Finish, Register, Result
from callme.crm.port import Attempt, Batches, Delivered, Outcome, Parcel
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.sandboxes.bitrix24.seed import CLIENT_PHONE
from callme.lab.sandboxes.bitrix24.state import Customer, User
from tests.portals.bitrix24.test_conformance import BOX, SandboxStand, sandbox_stand

NUMBER = "+79165550001"
LINE = "74950000001"


class Company:
    """A portal with its sandbox, and calls to tell it of."""

    def __init__(self, **settings: Any) -> None:
        self.stand: SandboxStand = sandbox_stand(**settings)
        self.calls = 0

    @property
    def customers(self) -> list[Customer]:
        known = self.stand.sandbox.office.customers.values()
        return [one for one in known if one.phones != (CLIENT_PHONE,)]

    def attempt(self, memory: Any = None, number: int = 1) -> Attempt:
        return Attempt(number, number > 1, memory or {}, self.stand.now, self.stand.now)

    async def rings(self, **more: Any) -> tuple[Register, Outcome]:
        self.calls += 1
        facts = {"number": NUMBER, "direction": Direction.IN, "line": LINE, **more}
        about = CallFacts(call=f"office-{self.calls}.1", name="", started_at=self.stand.now - 30, **facts)
        order = Register(about, "101")
        return order, await self.stand.portal.register(order, frozenset(), self.attempt())

    async def ends(
        self, result: Result = Result.ANSWERED, *, tries: int = 1, unwanted: bool = False, **more: Any
    ) -> Outcome:
        """A whole call of 102's, or of the default user's where nobody answered."""
        order, opened = await self.rings(**more)
        assert isinstance(opened, Delivered)
        talk = 7 if result is Result.ANSWERED else 0
        owner = "102" if talk else None
        finish = Finish(order.about, owner, result, talk, self.stand.now, unwanted=unwanted)
        for number in range(1, tries):
            await self.stand.portal.finish(finish, self.attempt(opened.memory, number))
        return await self.stand.portal.finish(finish, self.attempt(opened.memory, tries))


@pytest.fixture
async def opened() -> AsyncIterator[list[Company]]:
    companies: list[Company] = []
    yield companies
    for company in companies:
        await company.stand.portal.close()


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("result", [Result.ANSWERED, Result.NO_ANSWER])
@pytest.mark.parametrize("creation", ["never", "answered", "missed", "always", True, False])
async def test_clients_are_made_of_the_calls_that_are_named(
    opened: list[Company], creation: str | bool, result: Result, direction: Direction
) -> None:
    key = "inbound" if direction is Direction.IN else "outbound"
    company = Company(create={"inbound": "never", "outbound": "never", key: creation})
    opened.append(company)
    done = await company.ends(result, direction=direction)
    assert isinstance(done, Delivered)
    assert done.notice is None
    answered = result is Result.ANSWERED
    wanted = creation in ("always", True) or creation == ("answered" if answered else "missed")
    assert [one.type for one in company.customers] == ["LEAD"] * wanted
    (record,) = company.stand.sandbox.office.statistics.values()
    assert (record.activity is not None) is wanted, "the record stands in the client's timeline"
    if wanted:
        at_once = creation in ("always", True)  # then he is whose the call was when it began
        assert company.customers[0].assigned_by == (3 if answered else 2 if at_once else 1)


async def test_a_line_has_its_own_word_in_each_direction(opened: list[Company]) -> None:
    lines = {LINE: {"create": "missed", "create_outbound": "answered", "source": "WEB"}}
    company = Company(create={"inbound": "never"}, lines=lines)
    opened.append(company)
    await company.ends(Result.ANSWERED)
    assert company.customers == []
    await company.ends(Result.ANSWERED, direction=Direction.OUT)
    assert [(one.source, one.phones) for one in company.customers] == [("WEB", (NUMBER,))]
    assert not company.stand.sandbox.office.lines[LINE].auto_create


async def test_without_leads_a_contact_and_its_deal_are_made(opened: list[Company]) -> None:
    company = Company(create={"inbound": "answered"})
    opened.append(company)
    company.stand.sandbox.knobs = BOX.with_changes({"crm_mode": "simple"})
    await company.ends()
    contact, deal = company.customers
    assert (contact.type, deal.type, deal.contact) == ("CONTACT", "DEAL", contact.id)
    assert "- входящий звонок" in deal.title


@pytest.mark.parametrize("creation", ["answered", "always"])
@pytest.mark.parametrize("number", ["+7 (926) 000-11-22", "8 926 000 11 22"])
async def test_a_users_own_telephone_is_no_client(opened: list[Company], creation: str, number: str) -> None:
    company = Company(create={"inbound": creation})
    opened.append(company)
    company.stand.sandbox.office.add_user(User(20, "Мобильный", "Коллега", personal_mobile=number))
    done = await company.ends(number="+79260001122")
    assert isinstance(done, Delivered)
    assert (done.notice, company.customers) == (None, [])


@pytest.mark.parametrize("number", ["", "anonymous"])
async def test_a_hidden_or_unwanted_caller_is_no_client(opened: list[Company], number: str) -> None:
    company = Company(create={"inbound": "answered"})
    opened.append(company)
    await company.ends(number=number)
    await company.ends(unwanted=True)
    assert company.customers == []


async def test_a_known_client_is_not_made_again(opened: list[Company]) -> None:
    company = Company(create={"inbound": "answered"})
    opened.append(company)
    for _ in range(3):
        await company.ends()
    assert len(company.customers) == 1


async def test_a_lost_answer_makes_no_second_client(opened: list[Company]) -> None:
    company = Company(create={"inbound": "answered"})
    opened.append(company)
    company.stand.sandbox.faults.add(Fault("crm.item.add", FaultKind.DROP, Moment.AFTER))
    assert isinstance(await company.ends(tries=2), Delivered)
    assert len(company.customers) == 1


async def test_a_client_that_may_not_be_made_costs_no_record(opened: list[Company]) -> None:
    company = Company(create={"inbound": "answered"})
    opened.append(company)
    company.stand.sandbox.knobs = BOX.with_changes({"crm_writes": False})
    done = await company.ends()
    assert isinstance(done, Delivered)
    assert done.notice is not None
    assert "neither made nor given" in done.notice.say("en")
    assert len(company.stand.sandbox.office.statistics) == 1


# ------------------------------------------------------------------------------------------ reassign
@pytest.mark.parametrize(
    ("rule", "contact", "deal"),
    [
        ({}, 4, 4),
        ({"kinds": ["contact"], "when": "always"}, 3, 4),
        ({"kinds": ["contact", "deal"], "when": "always"}, 3, 3),
        ({"kinds": ["lead"], "when": "always"}, 4, 4),
        ({"kinds": ["contact", "deal"]}, 4, 4),
    ],
)
async def test_known_clients_go_to_who_talked_by_rule_alone(
    opened: list[Company], rule: dict[str, Any], contact: int, deal: int
) -> None:
    company = Company(reassign=rule)
    opened.append(company)
    office = company.stand.sandbox.office
    person = office.add_customer("CONTACT", "Known", 4, (NUMBER,))
    order = office.add_customer("DEAL", "Order", 4)
    order.contact = person.id
    done_with = office.add_customer("DEAL", "Old order", 4)
    done_with.contact, done_with.closed = person.id, True
    await company.ends(Result.NO_ANSWER)
    assert (person.assigned_by, order.assigned_by) == (4, 4)
    await company.ends()
    assert (person.assigned_by, order.assigned_by, done_with.assigned_by) == (contact, deal, 4)


async def test_clients_of_the_dismissed_find_a_new_responsible(opened: list[Company]) -> None:
    company = Company(reassign={"kinds": ["contact"]})
    opened.append(company)
    office = company.stand.sandbox.office
    office.add_user(User(30, "Бывший", "Сотрудник", active=False))
    person = office.add_customer("CONTACT", "Known", 30, (NUMBER,))
    await company.ends()
    assert person.assigned_by == 3


@pytest.mark.parametrize("creation", ["answered", "always", "never"])
async def test_calls_that_travel_together_get_their_clients_too(opened: list[Company], creation: str) -> None:
    company = Company(create={"inbound": creation}, lines={LINE: {"name": "Sales"}})
    opened.append(company)
    portal = company.stand.portal
    assert isinstance(portal, Batches)
    parcels = []
    for number in range(1, 6):
        about = CallFacts(
            f"office-{number}.1", Direction.IN, f"+7916555000{number}", "", LINE, company.stand.now - 30
        )
        finish = Finish(about, "102", Result.ANSWERED, 7, company.stand.now - 20)
        orders = ((Register(about, "101"), company.attempt()), (finish, company.attempt()))
        parcels.append(Parcel(orders))
    done = await portal.batch(parcels)
    assert all(isinstance(outcome, Delivered) for parcel in done for outcome in parcel)
    office = company.stand.sandbox.office
    assert len(office.statistics) == 5
    made = 0 if creation == "never" else 5
    assert (len(company.customers), len(office.activities)) == (made, made)
    assert {one.assigned_by for one in company.customers} <= {3}
