"""What was said in a call gets to the portal line by line: before the strict sandbox, and in doubt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import pytest

from callme.crm.intents import CallFacts, Direction, Finish, Register, Result, Transcribe
from callme.crm.port import (
    Ambiguous,
    Attempt,
    Delivered,
    Later,
    Outcome,
    Refused,
    Transcribes,
    Unauthorised,
)
from callme.crm.transcript import Line, Side
from callme.portals.bitrix24.transcription import METHOD
from tests.portals.bitrix24.scripted import START, Scripted, about, attempt, bad, lost, ok, portal
from tests.portals.bitrix24.test_conformance import SandboxStand, sandbox_stand

CALL = "externalCall.0.1"
STATISTIC = "voximplant.statistic.get"
ROW = {"ID": "9", "CALL_ID": CALL, "EXTERNAL_CALL_ID": about().call}
TALK = (
    Line(Side.CUSTOMER, 0.0, 0.4, "Алло"),
    Line(Side.EMPLOYEE, 1.9, 3.2, "Слушаю вас"),
    Line(Side.UNKNOWN, 4.0, 5.0, "неразборчиво"),
)
MESSAGES = [
    {"SIDE": "Client", "START_TIME": 0, "STOP_TIME": 1, "MESSAGE": "Алло"},
    {"SIDE": "User", "START_TIME": 1, "STOP_TIME": 4, "MESSAGE": "Слушаю вас"},
]


@pytest.fixture
async def stand() -> AsyncIterator[SandboxStand]:
    made = sandbox_stand()
    yield made
    await made.portal.close()


async def test_the_sandbox_has_both_sides_lines_of_a_finished_call(stand: SandboxStand) -> None:
    desk = stand.portal
    assert isinstance(desk, Transcribes)
    facts = CallFacts("office-1.1", Direction.IN, "+79165550001", "", "", stand.now - 30)

    def circumstances(memory: Any = None, doubt: bool = False) -> Attempt:
        return Attempt(1 + doubt, doubt, memory or {}, stand.now, stand.now)

    order = Transcribe(facts, "office", "/monitor/a.wav", stand.now)
    registered = await desk.register(Register(facts, "101"), frozenset(), circumstances())
    assert isinstance(registered, Delivered)
    memory = registered.memory
    assert isinstance(await desk.transcribe(order, TALK, circumstances(memory)), Later), "not finished yet"
    end = Finish(facts, "101", Result.ANSWERED, 5, stand.now)
    assert isinstance(await desk.finish(end, circumstances(memory)), Delivered)
    told = await desk.transcribe(order, TALK, circumstances(memory))
    assert isinstance(told, Delivered)
    assert told.notice is not None
    assert "1" in told.notice.say("ru"), "one line is nobody's"
    office = stand.sandbox.office
    assert list(office.transcripts.values()) == [MESSAGES]
    # The answer to it may have been lost: what the statistics show is not sent again.
    again = await desk.transcribe(order, TALK, circumstances(memory, doubt=True))
    assert isinstance(again, Delivered)
    assert again.memory == told.memory == {"transcript": str(next(iter(office.transcripts)))}
    assert len(office.transcripts) == 1


async def transcribed(
    script: Scripted, circumstances: Attempt | None = None, lines: Sequence[Line] = TALK
) -> Outcome:
    bitrix = portal(script)
    order = Transcribe(about(), "office", "/monitor/talk.wav", START + 60)
    outcome = await bitrix.transcribe(order, lines, circumstances or attempt({"call": CALL}))
    await bitrix.close()
    return outcome


async def test_lines_of_nobody_known_are_not_asked_about_and_that_is_said() -> None:
    script = Scripted()
    outcome = await transcribed(script, lines=TALK[2:])
    assert isinstance(outcome, Delivered), "nothing to repeat, nothing for a person to mend"
    assert outcome.notice is not None
    assert "Not attached" in outcome.notice.say("en")
    assert "who speaks" in outcome.notice.say("en")
    assert outcome.memory == {}
    assert script.asked == []


async def test_a_call_that_was_never_registered_has_no_transcript() -> None:
    assert isinstance(await transcribed(Scripted(), attempt({})), Refused)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (bad(400, "", f"Call {CALL} is not found. Is it finished?"), Later),
        (bad(400, "", "MESSAGES[0][MESSAGE] is empty"), Refused),
        (bad(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"), Later),
        (bad(401, "insufficient_scope", "The request requires higher privileges"), Unauthorised),
        (lost(), Ambiguous),
        (httpx2.ConnectError("refused"), Later),
    ],
)
async def test_what_the_portal_answers_decides(answer: httpx2.Response | Exception, kind: type) -> None:
    assert isinstance(await transcribed(Scripted().says(METHOD, answer)), kind)


@pytest.mark.parametrize(
    ("row", "sent"),
    [
        (ok([{**ROW, "TRANSCRIPT_ID": "7"}]), 0),
        (ok([{**ROW, "TRANSCRIPT_ID": "6"}]), 1),  # the one that was there before
        (ok([{**ROW, "TRANSCRIPT_ID": None}]), 1),
        (ok([]), 1),
        (bad(403, "ACCESS_DENIED", "Access denied!"), 1),
    ],
)
async def test_in_doubt_the_statistics_are_looked_at_first(row: httpx2.Response, sent: int) -> None:
    script = Scripted().says(STATISTIC, row).says(METHOD, ok({"TRANSCRIPT_ID": 7}))
    held = attempt({"call": CALL, "transcript": "6"}, doubt=True)
    outcome = await transcribed(script, held)
    assert isinstance(outcome, Delivered)
    assert outcome.memory == {"transcript": "7"}
    assert script.of(METHOD) == [{"CALL_ID": CALL, "MESSAGES": MESSAGES}] * sent
