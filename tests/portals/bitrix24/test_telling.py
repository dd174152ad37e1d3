"""Whoever clicked is told why nothing came of it, and his is the call that failed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from callme.crm.intents import CallFacts, Direction, Finish, Register, Result
from callme.crm.port import Attempt, Delivered, Parcel
from callme.lab.sandboxes.bitrix24.clicking import press
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.sandboxes.bitrix24.state import Statistic
from callme.portals.bitrix24.adapter import Bitrix24
from callme.wording import Phrase
from tests.portals.bitrix24.test_conformance import BOX, SandboxStand, sandbox_stand

MARIA = 1  # an administrator without a telephone
ANNA = 2
NUMBER = "+79261112233"
WHY = Phrase("she has no extension", "у неё нет внутреннего номера")


async def failed(
    stand: SandboxStand, user: int = MARIA, later_s: float = 0.0, tries: int = 1
) -> tuple[Statistic, list[Delivered]]:
    """A click of that user that was not dialled: its record, and what the worker hears of it."""
    opened = press(stand.sandbox.office, user, NUMBER, "", stand.now, 1800)
    about = CallFacts("office-1.2", Direction.OUT, NUMBER, "", "", stand.now)
    attempt = Attempt(1, False, {}, stand.now, stand.now)
    registered = await stand.portal.register(
        Register(about, None, given=opened.id, by=str(user)), frozenset(), attempt
    )
    assert isinstance(registered, Delivered)
    finish = Finish(about, None, Result.FAILED, 0, stand.now - later_s, by=str(user), why=WHY)
    heard = []
    for number in range(tries):
        attempt = Attempt(number + 1, number > 0, registered.memory, stand.now, stand.now)
        done = await stand.portal.finish(finish, attempt)
        if isinstance(done, Delivered):
            heard.append(done)
    (record,) = stand.sandbox.office.statistics.values()
    await stand.portal.close()
    return record, heard


def told(stand: SandboxStand) -> list[tuple[int, str]]:
    return [(one.user, one.text) for one in stand.sandbox.office.notifications]


async def test_the_user_is_told_why_in_the_portals_language() -> None:
    stand = sandbox_stand(default_user=ANNA, language="ru")
    record, (done,) = await failed(stand)
    assert (record.user, record.code, record.duration) == (MARIA, "503", 0)
    assert record.reason == "у неё нет внутреннего номера"
    assert told(stand) == [(MARIA, f"Звонок на {NUMBER} не состоялся: у неё нет внутреннего номера.")]
    assert done.notice is None


async def test_in_english_where_that_is_configured() -> None:
    stand = sandbox_stand(language="en")
    await failed(stand)
    assert told(stand) == [(MARIA, f"The call to {NUMBER} did not come about: she has no extension.")]


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
async def test_a_lost_answer_tells_nobody_twice(moment: Moment) -> None:
    stand = sandbox_stand()
    method = "telephony.externalCall.finish"
    stand.sandbox.faults.add(Fault(method, FaultKind.DROP, moment))
    await failed(stand, tries=2)
    assert [user for user, _ in told(stand)] == [MARIA]


async def test_a_repeated_telling_takes_the_place_of_the_first() -> None:
    stand = sandbox_stand()
    await failed(stand, tries=3)
    assert len(told(stand)) == 1


async def test_without_the_right_the_record_stands_and_says_so() -> None:
    stand = sandbox_stand(BOX.with_changes({"scopes": ["crm", "telephony", "user"]}))
    record, (done,) = await failed(stand)
    assert record.user == MARIA
    assert told(stand) == []
    assert done.notice is not None
    assert "im" in done.notice.say("en")


async def test_nobody_is_told_of_what_is_long_over() -> None:
    stand = sandbox_stand()
    record, _ = await failed(stand, later_s=3600)
    assert record.user == MARIA
    assert told(stand) == []


async def test_the_click_of_somebody_dismissed_since_is_the_default_users() -> None:
    stand = sandbox_stand(default_user=ANNA)
    dismissed = stand.sandbox.office.users[5]
    press(stand.sandbox.office, dismissed.id, NUMBER, "", stand.now, 1800)
    dismissed.active = False
    record, (done,) = await failed(stand, user=dismissed.id)
    assert record.user == ANNA
    assert told(stand) == []
    assert done.notice is not None


async def test_a_customers_words_are_no_markup() -> None:
    stand = sandbox_stand(language="en")
    note = Phrase("{text}", "{text}").given(text="[URL=https://evil.example]win[/URL] <b>now</b>")
    about = CallFacts("office-1.2", Direction.OUT, NUMBER, "", "", stand.now, callback=True)
    order = Register(about, "101", by="2", note=note)
    done = await stand.portal.register(order, frozenset({"101"}), Attempt(1, False, {}, stand.now, stand.now))
    assert isinstance(done, Delivered)
    assert told(stand) == [(ANNA, "(URL=https://evil.example)win(/URL) (b)now(/b)")]
    (call,) = stand.sandbox.office.calls.values()
    assert (call.type, call.user, call.phone) == (4, ANNA, NUMBER)
    finish = Finish(about, "101", Result.FAILED, 0, stand.now, why=WHY)
    await stand.portal.finish(finish, Attempt(1, False, done.memory, stand.now, stand.now))
    (record,) = stand.sandbox.office.statistics.values()
    assert (record.code, record.type) == ("304", 4), "somebody still waits to be called"
    await stand.portal.close()


async def test_in_a_backlog_everybody_is_told_too_and_nobody_twice() -> None:
    stand = sandbox_stand(language="en")
    portal = stand.portal
    assert isinstance(portal, Bitrix24)
    note = Phrase("call me", "перезвоните")
    parcels = []
    for place, user in enumerate((ANNA, 3)):
        about = CallFacts(f"office-1.{place}", Direction.OUT, NUMBER, "", "", stand.now, callback=True)
        opening = Register(about, None, by=str(user), note=note)
        closing = Finish(about, None, Result.FAILED, 0, stand.now, by=str(user), why=WHY)
        attempt = Attempt(1, False, {}, stand.now, stand.now)
        parcels.append(Parcel(((opening, attempt), (closing, attempt))))
    for _ in range(3):
        async with asyncio.timeout(10):
            outcomes = await portal.batch(parcels)
        left = []
        for parcel, outcome in zip(parcels, outcomes, strict=True):
            rest = parcel.orders[len([one for one in outcome if isinstance(one, Delivered)]) :]
            memory = outcome[0].memory if isinstance(outcome[0], Delivered) else {}
            if rest:
                left.append(Parcel(tuple((order, replace(its, memory=memory)) for order, its in rest)))
        parcels = left
        if not parcels:
            break
    assert not parcels
    assert sorted((one.user, one.code) for one in stand.sandbox.office.statistics.values()) == [
        (ANNA, "304"),
        (3, "304"),
    ]
    assert stand.unfinished() == 0
    why = f"The call to {NUMBER} did not come about: she has no extension."
    assert sorted(told(stand)) == [(ANNA, why), (ANNA, "call me"), (3, why), (3, "call me")]
    await stand.portal.close()
