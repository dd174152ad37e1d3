"""Missed calls that somebody is reminded of, before the strict sandbox: once, to the right user, until the
client is reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from callme.crm.intents import CallFacts, Direction, Remind, Settle
from callme.crm.port import Attempt, Delivered, Memory, Outcome, Refused, Reminds
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.sandboxes.bitrix24.state import Office, Task, User
from tests.portals.bitrix24.test_conformance import BOX, SandboxStand, sandbox_stand

NUMBER = "+79165550001"
ALL = BOX.with_changes({"scopes": ["crm", "im", "task", "telephony", "user"]})
OWNER = {"user": "3"}


class Desk:
    """A portal with its sandbox, told of missed calls."""

    def __init__(self, knobs: Any = ALL, **settings: Any) -> None:
        self.stand: SandboxStand = sandbox_stand(knobs, **settings)

    @property
    def office(self) -> Office:
        return self.stand.sandbox.office

    @property
    def portal(self) -> Reminds:
        assert isinstance(self.stand.portal, Reminds)
        return self.stand.portal

    def about(
        self, call: str = "office-1.1", number: str = NUMBER, line: str = "", name: str = ""
    ) -> CallFacts:
        return CallFacts(call, Direction.IN, number, name, line, self.stand.now - 30)

    def attempt(self, memory: Memory, doubt: bool = False) -> Attempt:
        return Attempt(2 if doubt else 1, doubt, memory, self.stand.now, self.stand.now)

    async def reminds(self, *, doubt: bool = False, memory: Memory = OWNER, **about: Any) -> Outcome:
        order = Remind(self.about(**about), "102", self.stand.now)
        return await self.portal.remind(order, self.attempt(memory, doubt))

    async def settles(self, memory: Memory, *, doubt: bool = False) -> Outcome:
        return await self.portal.settle(Settle(self.about(), self.stand.now), self.attempt(memory, doubt))

    def told(self) -> list[tuple[int, str]]:
        return [(one.user, one.text) for one in self.office.notifications]

    def tasks(self) -> list[Task]:
        return list(self.office.tasks.values())


@pytest.fixture
async def desks() -> AsyncIterator[list[Desk]]:
    open_desks: list[Desk] = []
    yield open_desks
    for desk in open_desks:
        await desk.stand.portal.close()


def made(desks: list[Desk], knobs: Any = ALL, **settings: Any) -> Desk:
    desks.append(Desk(knobs, **settings))
    return desks[-1]


def memory_of(outcome: Outcome) -> Memory:
    assert isinstance(outcome, Delivered), outcome
    return outcome.memory


async def test_nobody_is_reminded_unasked(desks: list[Desk]) -> None:
    desk = made(desks)
    assert memory_of(await desk.reminds()) == {}
    assert (desk.told(), desk.tasks()) == ([], [])


async def test_the_owner_is_notified_once_however_often_it_is_said(desks: list[Desk]) -> None:
    desk = made(desks, missed={"notify": True})
    await desk.reminds()
    await desk.reminds(doubt=True)
    ((user, text),) = desk.told()
    assert user == 3
    assert NUMBER in text


async def test_a_task_is_given_and_completed_when_the_client_was_reached(desks: list[Desk]) -> None:
    desk = made(desks, missed={"task": True, "task_hours": 2})
    contact = desk.office.add_customer("CONTACT", "Known", 4, (NUMBER,))
    memory = memory_of(await desk.reminds())
    (task,) = desk.tasks()
    assert (task.responsible, task.crm, NUMBER in task.title) == (3, (f"C_{contact.id}",), True)
    assert task.deadline == pytest.approx(desk.stand.now + 7200, abs=1)
    assert desk.told() == []
    assert isinstance(await desk.settles(memory), Delivered)
    assert task.completed_at is not None


async def test_a_callers_name_is_no_markup(desks: list[Desk]) -> None:
    desk = made(desks, missed={"notify": True, "task": True})
    memory_of(await desk.reminds(name="[URL=https://evil.example]Bank[/URL]<b>"))
    ((_, told),) = desk.told()
    (task,) = desk.tasks()
    for text in (told, task.description):
        assert "Bank" in text
        assert not set("[]<>") & set(text)


async def test_the_clients_responsible_where_the_rule_says_so(desks: list[Desk]) -> None:
    desk = made(desks, missed={"task": True, "notify": True, "to": "responsible"})
    desk.office.add_customer("CONTACT", "Known", 4, (NUMBER,))
    await desk.reminds()
    await desk.reminds(call="office-2.1", number="+79165550002")
    assert [task.responsible for task in desk.tasks()] == [4, 3]
    assert [user for user, _ in desk.told()] == [4, 3]


async def test_who_does_not_work_here_any_more_is_not_reminded(desks: list[Desk]) -> None:
    desk = made(desks, missed={"notify": True})
    await desk.reminds(memory={"user": "77"})
    assert [user for user, _ in desk.told()] == [1]


async def test_a_line_may_be_left_out_or_be_the_only_one(desks: list[Desk]) -> None:
    lines = {"74950000001": {"remind": False}, "74950000002": {"remind": True}}
    desk, other = made(desks, missed={"notify": True}, lines=lines), made(desks, lines=lines)
    for one in (desk, other):
        await one.reminds(call="office-1.1", line="+74950000001")
        await one.reminds(call="office-2.1", line="+74950000002")
        assert len(one.told()) == 1


async def test_a_colleague_on_his_mobile_is_nobodys_client(desks: list[Desk]) -> None:
    desk = made(desks, missed={"notify": True})
    desk.office.add_user(User(20, "Мобильный", "Коллега", personal_mobile="8 916 555-00-01"))
    await desk.reminds()
    assert desk.told() == []


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.TRUNCATED])
async def test_a_lost_answer_makes_no_second_task(desks: list[Desk], kind: FaultKind) -> None:
    desk = made(desks, missed={"task": True})
    desk.stand.sandbox.faults.add(Fault("tasks.task.add", kind, Moment.AFTER))
    await desk.reminds(call="office-9.1")
    assert memory_of(await desk.reminds(call="office-9.1", doubt=True)) == {"task": "1"}
    assert memory_of(await desk.reminds(call="office-9.2", doubt=True)) == {"task": "2"}
    assert len(desk.tasks()) == 2


@pytest.mark.parametrize("rule", [{"task": True}, {"notify": True}])
async def test_a_missing_right_costs_the_reminder_alone(desks: list[Desk], rule: dict[str, bool]) -> None:
    desk = made(desks, BOX.with_changes({"scopes": ["crm", "telephony", "user"]}), missed=rule)
    outcome = await desk.reminds()
    assert isinstance(outcome, Refused), "a refused reminder holds nothing up and pauses nobody"
    findings = await desk.stand.portal.check()
    (rights,) = [one for one in findings if not one.well]
    assert ("task" if "task" in rule else "im") in rights.found.say("en")


async def test_a_task_that_a_person_closed_is_left_to_him(desks: list[Desk]) -> None:
    desk = made(desks, missed={"task": True})
    memory = memory_of(await desk.reminds())
    desk.tasks()[0].completed_at = 5.0
    left = await desk.settles(memory)
    assert isinstance(left, Delivered)
    assert left.notice is not None
    again = await desk.settles(memory, doubt=True)
    assert isinstance(again, Delivered)
    assert again.notice is None
    assert isinstance(await desk.settles({}), Delivered)
