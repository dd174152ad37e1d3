"""A call that the portal opened by itself is told of under the portal's own id, whatever the PBX made of
it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callme.calls.model import Call, CallId, Direction, Disposition, Ring
from callme.crm import intents
from callme.crm.intents import Finish, Register, Result
from callme.crm.policy import Given, Told, decide

GIVEN = Given("externalCall.1", "101", "+79261112233")


def call(direction: Direction, **more: object) -> Call:
    plain = Call(CallId("office-1.2"), "office", direction, "", "", "", "", "", None, 10.0)
    ring = Ring("101", 11.0, 14.0)
    return replace(plain, rang=(ring,), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("direction", [Direction.OUT, Direction.INTERNAL])
def test_the_portals_id_and_number_and_who_clicked(direction: Direction) -> None:
    said, told = decide(
        call(direction, ended_at=20.0, disposition=Disposition.NO_ANSWER), Told(), given=GIVEN
    )
    register, finish = said
    assert isinstance(register, Register)
    assert (register.given, register.owner, register.about.number) == (GIVEN.ref, "101", GIVEN.number)
    assert register.about.direction is intents.Direction.OUT
    assert isinstance(finish, Finish)
    assert (finish.result, finish.owner, finish.talk_s) == (Result.NO_ANSWER, "101", 0)
    assert (told.registered, told.finished) == (True, True)


def test_other_calls_have_no_given_id() -> None:
    (register, *_), _ = decide(call(Direction.OUT), Told())
    assert isinstance(register, Register)
    assert register.given == ""
    stored = intents.encode(replace(register, given=GIVEN.ref))
    assert intents.decode("register", stored) == replace(register, given=GIVEN.ref)
    del stored["given"]  # as an older version kept it
    assert intents.decode("register", stored) == register
