"""Whose a call is that nobody took."""

from __future__ import annotations

from typing import Any

import pytest

from callme.crm.intents import Direction, Finish, Result
from callme.crm.port import Delivered, Urgency
from callme.portals.bitrix24.clients import SEARCH
from tests.portals.bitrix24.scripted import (
    START,
    OpenGate,
    Scripted,
    about,
    attempt,
    lost,
    ok,
    page,
    portal,
    ringing,
)

FINISH = "telephony.externalCall.finish"
REGISTER = "telephony.externalCall.register"
CALL = "externalCall.0123456789abcdef0123456789abcdef.1767225600"
LINE = "74950000001"
ANNA, BORIS, CLARA = 1, 11, 12


def client(kind: str, user: Any) -> dict[str, Any]:
    return {"CRM_ENTITY_TYPE": kind, "CRM_ENTITY_ID": 5, "ASSIGNED_BY_ID": user, "ASSIGNED_BY": {}}


def script(*found: dict[str, Any]) -> Scripted:
    return Scripted().says(FINISH, ok({"ID": 5})).says(SEARCH, ok(list(found)))


async def owner(
    asked: Scripted,
    *,
    ext: str | None = None,
    rung: tuple[str, ...] = (),
    result: Result = Result.NO_ANSWER,
    gate: OpenGate | None = None,
    facts: dict[str, Any] | None = None,
    **settings: Any,
) -> tuple[int, str]:
    """The user of the record, and the notice."""
    bitrix = portal(asked, gate, **settings)
    order = Finish(about(**(facts or {})), ext, result, int(result is Result.ANSWERED), START + 9, rung=rung)
    done = await bitrix.finish(order, attempt({"call": CALL}))
    await bitrix.close()
    assert isinstance(done, Delivered), done
    return asked.of(FINISH)[-1]["USER_ID"], done.notice.say("en") if done.notice else ""


OF_CLARA: dict[str, Any] = {"lines": {LINE: {"owner": "102"}}}


async def test_who_was_rung_owns_a_missed_call_and_nobody_is_asked() -> None:
    asked = script(client("CONTACT", CLARA))
    assert await owner(asked, ext="101", rung=("101", "102"), **OF_CLARA) == (BORIS, "")
    assert asked.of(SEARCH) == []


async def test_of_those_rung_the_first_who_is_a_portal_user() -> None:
    assert await owner(script(), ext="199", rung=("199", "102")) == (CLARA, "")


async def test_then_the_owner_of_the_line() -> None:
    asked = script(client("CONTACT", BORIS))
    assert await owner(asked, **OF_CLARA) == (CLARA, "")
    assert await owner(script(), facts={"line": "+" + LINE}, **OF_CLARA) == (CLARA, "")
    assert asked.of(SEARCH) == []


async def test_then_the_clients_responsible_then_the_default_user() -> None:
    asked, gate = script(client("CONTACT", BORIS)), OpenGate()
    assert await owner(asked, gate=gate) == (BORIS, "")
    assert asked.of(SEARCH) == [{"PHONE_NUMBER": "+79161234567"}]
    assert Urgency.FINISH in gate.entered
    assert await owner(script()) == (ANNA, "")


@pytest.mark.parametrize(
    ("order", "whose"),
    [
        (["line", "rung"], CLARA),
        (["responsible", "rung", "line"], BORIS),
        (["default", "rung"], ANNA),
        (["rung"], BORIS),
        ([], ANNA),
    ],
)
async def test_any_other_order_by_configuration(order: list[str], whose: int) -> None:
    asked = script(client("LEAD", BORIS))
    found = await owner(asked, ext="101", rung=("101",), missed_owner=order, **OF_CLARA)
    assert found == (whose, "")


@pytest.mark.parametrize(
    ("result", "direction"), [(Result.ANSWERED, Direction.IN), (Result.BUSY, Direction.OUT)]
)
async def test_who_talked_or_called_out_owns_his_call_whatever_the_order(
    result: Result, direction: Direction
) -> None:
    asked = script(client("CONTACT", CLARA))
    facts = {"direction": direction}
    found = await owner(asked, ext="101", result=result, facts=facts, missed_owner=["responsible"])
    assert found == (BORIS, "")
    assert asked.of(SEARCH) == []


async def test_a_rung_stranger_is_named_with_who_got_the_call_instead() -> None:
    whose, notice = await owner(script(client("CONTACT", CLARA)), ext="199", rung=("199",))
    assert whose == CLARA
    assert "199" in notice
    assert "Clara C (12)" in notice


@pytest.mark.parametrize(
    ("found", "whose"),
    [
        ([client("COMPANY", 11), client("CONTACT", 12)], CLARA),
        ([client("CONTACT", 99), client("LEAD", "11")], BORIS),
        ([client("CONTACT", None), client("CONTACT", "x"), client("DEAL", 11)], ANNA),
    ],
    ids=["contacts first", "dismissed passed over", "nobody"],
)
async def test_the_first_client_with_an_active_user_counts(found: list[dict[str, Any]], whose: int) -> None:
    assert await owner(script(*found)) == (whose, "")


@pytest.mark.parametrize("trouble", [page(502), lost(), ok({"odd": 1})])
async def test_a_look_up_that_fails_loses_no_record(trouble: Any) -> None:
    assert await owner(script().says(SEARCH, trouble)) == (ANNA, "")


async def test_a_hidden_caller_is_nobodys_client() -> None:
    asked = script(client("CONTACT", BORIS))
    assert await owner(asked, facts={"number": ""}) == (ANNA, "")
    assert asked.of(SEARCH) == []


async def test_who_calls_again_and_again_is_looked_up_once() -> None:
    asked = script(client("CONTACT", BORIS))
    bitrix = portal(asked)
    for number in range(3):
        order = Finish(about(call=f"office-1.{number}"), None, Result.NO_ANSWER, 0, START + 9)
        await bitrix.finish(order, attempt({"call": CALL}))
    await bitrix.close()
    assert len(asked.of(SEARCH)) == 1
    assert [params["USER_ID"] for params in asked.of(FINISH)] == [BORIS] * 3


async def test_a_call_that_is_opened_for_nobody_is_opened_for_the_lines_owner() -> None:
    asked = script().says(REGISTER, ok({"CALL_ID": CALL}))
    bitrix = portal(asked, **OF_CLARA)
    await bitrix.register(ringing(None), frozenset(), attempt())
    await bitrix.register(ringing(None, call="office-1.2", line="2"), frozenset(), attempt())
    await bitrix.close()
    assert [params["USER_ID"] for params in asked.of(REGISTER)] == [CLARA, ANNA]
    assert asked.of(SEARCH) == []
