"""Which line was called stands in the record: lines are added before the first call that names them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from callme.crm.port import Ambiguous, Delivered, Later, Outcome, Urgency
from callme.portals.bitrix24 import lines
from callme.portals.bitrix24.adapter import Bitrix24
from tests.portals.bitrix24.scripted import (
    OpenGate,
    Scripted,
    attempt,
    bad,
    lost,
    ok,
    page,
    portal,
    ringing,
    unreachable,
)

REGISTER = "telephony.externalCall.register"
CALL = "externalCall.0123456789abcdef0123456789abcdef.1767225600"
LINE = "74950000001"
EXISTS = bad(400, "", "Line already exists")
DENIED = bad(403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method")


def script() -> Scripted:
    return Scripted().says(REGISTER, ok({"CALL_ID": CALL}))


def row(number: str, name: str = "", creates: str = "N") -> dict[str, str]:
    return {"NUMBER": number, "NAME": name, "CRM_AUTO_CREATE": creates}


async def ring(
    bitrix: Bitrix24, call: str = "office-1.1", number: int = 1, show: str = "101", **more: Any
) -> Outcome:
    one = replace(attempt(), number=number)
    return await bitrix.register(ringing(call=call, **more), frozenset({show}), one)


def named(asked: Scripted) -> list[str | None]:
    """The line that each register named."""
    return [params.get("LINE_NUMBER") for params in asked.of(REGISTER)]


def notice(outcome: Outcome) -> str:
    assert isinstance(outcome, Delivered), outcome
    assert outcome.notice is None or outcome.notice.say("ru")
    return "" if outcome.notice is None else outcome.notice.say("en")


async def test_a_new_line_is_added_once_before_the_register_that_names_it() -> None:
    asked, gate = script(), OpenGate()
    bitrix = portal(asked, gate)
    await bitrix.refresh()
    gate.entered.clear()
    await ring(bitrix)
    await ring(bitrix, "office-1.2")
    await bitrix.close()
    assert [method.rpartition(".")[2] for method, _ in asked.asked[2:]] == ["add", "register", "register"]
    assert asked.of(lines.ADD) == [{"NUMBER": LINE, "NAME": LINE, "CRM_AUTO_CREATE": "N"}]
    assert named(asked) == [LINE, LINE]
    assert gate.entered == [Urgency.CARD] * 3


async def test_a_call_that_nobody_waits_for_goes_after_cards_and_waits_longer_for_its_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "PATIENCE_S", 0.0)
    asked, gate = script(), OpenGate()
    bitrix = portal(asked, gate)
    await bitrix.refresh()
    gate.entered.clear()
    assert notice(await ring(bitrix, show="199")) == ""
    await bitrix.close()
    assert named(asked) == [LINE]
    assert gate.entered == [Urgency.REGISTER] * 2


async def test_calls_that_ring_together_add_it_once_and_all_name_it() -> None:
    asked = script()
    bitrix = portal(asked)
    await asyncio.gather(*(ring(bitrix, f"office-1.{number}") for number in range(10)))
    await bitrix.close()
    assert len(asked.of(lines.ADD)) == len(asked.of(lines.GET)) == 1
    assert named(asked) == [LINE] * 10


async def test_the_configuration_says_how_a_line_is_made_and_where_its_clients_come_from() -> None:
    asked = script()
    setting = {"name": "Sales", "source": "WEB", "create": True}
    bitrix = portal(asked, lines={LINE: setting}, create={"inbound": False})
    await ring(bitrix)
    await ring(bitrix, "office-1.2", line="74950000002")
    await bitrix.close()
    assert asked.of(lines.ADD)[0] == {"NUMBER": LINE, "NAME": "Sales", "CRM_AUTO_CREATE": "Y"}
    said = [(params.get("CRM_SOURCE"), params["CRM_CREATE"]) for params in asked.of(REGISTER)]
    assert said == [("WEB", 1), (None, 0)]


async def test_a_line_is_one_with_and_without_its_plus() -> None:
    asked = script().says(lines.GET, ok([row("+74950000001")]))
    bitrix = portal(asked)
    await ring(bitrix)
    await bitrix.close()
    assert asked.of(lines.ADD) == []
    assert named(asked) == ["+74950000001"]


@pytest.mark.parametrize("line", ["", "  "])
async def test_a_call_without_a_line_asks_nothing_about_lines(line: str) -> None:
    asked = script()
    bitrix = portal(asked)
    await ring(bitrix, line=line)
    await bitrix.close()
    assert asked.of(lines.GET) == asked.of(lines.ADD) == []
    assert named(asked) == [None]


async def test_a_line_that_is_there_already_is_named() -> None:
    asked = script().says(lines.GET, page(502)).says(lines.ADD, EXISTS)
    bitrix = portal(asked)
    assert notice(await ring(bitrix)) == ""
    await bitrix.close()
    assert named(asked) == [LINE]


async def test_a_refused_line_costs_no_call_and_is_not_asked_for_again_until_the_refresh() -> None:
    asked = script().says(lines.ADD, [bad(400, "", "DB error"), ok({"ID": 1})])
    bitrix = portal(asked)
    assert "DB error" in notice(await ring(bitrix))
    assert "DB error" in notice(await ring(bitrix, "office-1.2"))
    await bitrix.refresh()
    assert notice(await ring(bitrix, "office-1.3")) == ""
    await bitrix.close()
    assert len(asked.of(lines.ADD)) == 2
    assert named(asked) == [None, None, LINE]


@pytest.mark.parametrize("where", [lines.GET, lines.ADD])
async def test_a_portal_that_keeps_lines_from_webhooks_is_left_in_peace(where: str) -> None:
    asked = script().says(where, DENIED)
    bitrix = portal(asked)
    for call in ("office-1.1", "office-1.2"):
        assert notice(await ring(bitrix, call)) == ""
    await bitrix.close()
    assert named(asked) == [None, None]
    assert len(asked.of(lines.GET)) == 1
    assert len(asked.of(lines.ADD)) == int(where == lines.ADD)


async def test_a_slow_portal_delays_no_card_and_knows_the_line_for_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "PATIENCE_S", 0.02)
    asked, answer = script(), asyncio.Event()

    async def slow(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith(lines.ADD):
            await answer.wait()
        return asked(request)

    bitrix = portal(asked, transport=httpx2.MockTransport(slow))
    assert "still being added" in notice(await ring(bitrix))
    answer.set()
    monkeypatch.setattr(lines, "PATIENCE_S", 5.0)
    assert notice(await ring(bitrix, "office-1.2")) == ""
    await bitrix.close()
    assert named(asked) == [None, LINE]
    assert len(asked.of(lines.ADD)) == 1


async def test_what_is_still_being_added_ends_with_the_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PATIENCE_S", 0.02)
    asked = script()

    async def never(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith(lines.ADD):
            await asyncio.Event().wait()
        return asked(request)

    bitrix = portal(asked, transport=httpx2.MockTransport(never))
    await ring(bitrix)
    await bitrix.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("trouble", [unreachable(), bad(503, "QUERY_LIMIT_EXCEEDED"), page(503)])
async def test_a_portal_in_trouble_is_asked_later_and_the_record_names_its_line(trouble: Any) -> None:
    asked = script().says(lines.ADD, [trouble, ok({"ID": 1})])
    bitrix = portal(asked)
    assert isinstance(await ring(bitrix), Later)
    assert notice(await ring(bitrix, number=2)) == ""
    await bitrix.close()
    assert named(asked) == [LINE]


async def test_no_call_waits_for_its_line_for_ever() -> None:
    asked = script().says(lines.ADD, bad(503, "QUERY_LIMIT_EXCEEDED"))
    bitrix = portal(asked)
    outcomes = [await ring(bitrix, number=number) for number in (1, 2, 3, 4)]
    await bitrix.close()
    assert [type(one) for one in outcomes] == [Later, Later, Later, Delivered]
    assert "could not be added" in notice(outcomes[-1])


async def test_a_method_that_is_blocked_by_itself_stops_no_call() -> None:
    asked = script().says(lines.ADD, bad(429, "OPERATION_TIME_LIMIT"))
    bitrix = portal(asked)
    assert "operating time" in notice(await ring(bitrix))
    await bitrix.close()
    assert named(asked) == [None]


@pytest.mark.parametrize(
    ("listed", "adds"), [([ok([]), ok([row(LINE)])], 1), ([ok([]), ok([])], 2)], ids=["done", "not done"]
)
async def test_after_a_lost_answer_the_lines_are_looked_at_before_it_is_added_again(
    listed: list[httpx2.Response], adds: int
) -> None:
    asked = script().says(lines.GET, listed).says(lines.ADD, [lost(), ok({"ID": 1})])
    bitrix = portal(asked)
    assert notice(await ring(bitrix)) == ""
    await bitrix.close()
    assert named(asked) == [LINE]
    assert len(asked.of(lines.ADD)) == adds


async def test_a_register_in_doubt_keeps_its_words_though_the_line_is_known_by_now() -> None:
    """With another line it would be another call (sheet §1.2, the duplicate rule)."""
    asked = script().says(lines.ADD, [bad(400, "", "DB error"), ok({"ID": 1})])
    asked.says(REGISTER, [lost(), ok({"CALL_ID": CALL})])
    bitrix = portal(asked, lines={LINE: {}})
    order = ringing()
    assert isinstance(await bitrix.register(order, frozenset(), attempt()), Ambiguous)
    await bitrix.refresh()
    assert isinstance(await bitrix.register(order, frozenset(), attempt(doubt=True)), Delivered)
    await bitrix.close()
    first, second = asked.of(REGISTER)
    assert first == second


async def test_strange_numbers_do_not_fill_the_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINES_MAX", 2)
    asked = script()
    bitrix = portal(asked, lines={"74950000009": {}})
    outcomes = [await ring(bitrix, f"office-1.{n}", line=str(n)) for n in range(100, 104)]
    await ring(bitrix, "office-2.1", line="74950000009")
    await bitrix.close()
    assert named(asked) == ["100", "101", None, None, "74950000009"]
    assert "too many" in notice(outcomes[-1])


# --------------------------------------------------------------------------------------------- refresh
async def test_configured_lines_are_made_and_renamed_ahead_of_calls() -> None:
    asked = script().says(
        lines.GET, ok([row("1", "Old"), row("2", "Right", "Y"), row("4", "A person's own")])
    )
    asked.says(lines.UPDATE, ok({"ID": "1"}))
    wished = {"1": {"name": "New"}, "2": {"name": "Right", "create": True}, "3": {"name": "Third"}, "4": {}}
    gate = OpenGate()
    bitrix = portal(asked, gate, lines=wished)
    await bitrix.refresh()
    await bitrix.close()
    assert asked.of(lines.UPDATE) == [{"NUMBER": "1", "NAME": "New", "CRM_AUTO_CREATE": "N"}]
    assert asked.of(lines.ADD) == [{"NUMBER": "3", "NAME": "Third", "CRM_AUTO_CREATE": "N"}]
    assert set(gate.entered) == {Urgency.UPKEEP}


async def test_a_failed_refresh_keeps_the_lines_that_were_known() -> None:
    asked = script().says(lines.GET, [ok([row(LINE)]), page(502)])
    bitrix = portal(asked)
    await bitrix.refresh()
    await bitrix.refresh()
    await ring(bitrix)
    await bitrix.close()
    assert asked.of(lines.ADD) == []
    assert named(asked) == [LINE]


async def test_a_line_that_a_person_deleted_is_added_anew() -> None:
    asked = script().says(lines.GET, [ok([row(LINE)]), ok([])])
    bitrix = portal(asked)
    await ring(bitrix)
    await bitrix.refresh()
    await ring(bitrix, "office-1.2")
    await bitrix.close()
    assert len(asked.of(lines.ADD)) == 1
    assert named(asked) == [LINE, LINE]
