"""Both sides of shadow mode in the portal's words, and that a quiet portal is never written to."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from callme.crm.installation import Home
from callme.crm.intents import Direction, Result
from callme.crm.port import Later, Refused
from callme.crm.shadow import Compares, Entry, Shadowed
from callme.portals.bitrix24.adapter import Bitrix24
from tests.portals.bitrix24.scripted import (
    MOSCOW,
    START,
    OpenGate,
    Scripted,
    bad,
    ended,
    ok,
    portal,
    ringing,
    settings,
)

STATISTIC = "voximplant.statistic.get"


def row(**more: Any) -> dict[str, Any]:
    return {
        "CALL_ID": "externalCall.1",
        "PORTAL_USER_ID": "11",
        "PORTAL_NUMBER": "",
        "PHONE_NUMBER": "79161234567",
        "CALL_TYPE": "2",
        "CALL_DURATION": "9",
        "CALL_START_DATE": "2026-01-01T03:00:00+03:00",
        "CALL_FAILED_CODE": "200",
        "RECORD_FILE_ID": None,
        "CALL_RECORD_URL": "https://pbx.example.com/1.mp3",
        **more,
    }


async def test_the_portals_list_page_by_page() -> None:
    script = Scripted()
    pages = [ok([row()], next=50), ok([row(CALL_ID="b", CALL_TYPE="1", CALL_RECORD_URL=""), "odd"])]
    one = portal(script.says(STATISTIC, pages))
    assert isinstance(one, Compares)
    found = await one.listed(START - 60, START + 60)
    await one.close()
    assert found == (
        Entry("externalCall.1", Direction.IN, "79161234567", START, "Boris B (11)", "200", 9, "", True),
        Entry("b", Direction.OUT, "79161234567", START, "Boris B (11)", "200", 9, "", False),
    )
    first, second = script.of(STATISTIC)
    assert (first["start"], second["start"]) == (0, 50)
    assert first["FILTER"] == {
        ">=CALL_START_DATE": "2025-12-31T23:59:00+00:00",
        "<CALL_START_DATE": "2026-01-01T00:01:01+00:00",
    }


async def test_a_dropped_filter_does_not_bring_calls_of_other_days() -> None:
    script = Scripted().says(STATISTIC, ok([row(CALL_START_DATE="2025-06-01T00:00:00+03:00"), row()]))
    one = portal(script)
    found = await one.listed(START - 60, START + 60)
    await one.close()
    assert isinstance(found, tuple)
    assert len(found) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (bad(403, "ACCESS_DENIED", "Access denied!"), Refused),
        (bad(503, "QUERY_LIMIT_EXCEEDED"), Later),
        (httpx2.ReadTimeout("slow"), Later),
    ],
)
async def test_a_list_that_cannot_be_had_says_why(answer: Any, kind: type) -> None:
    one = portal(Scripted().says(STATISTIC, answer))
    found = await one.listed(START - 60, START + 60)
    await one.close()
    assert isinstance(found, kind)
    assert found.why.say("ru")  # type: ignore[attr-defined]


async def test_our_calls_as_the_portal_would_list_them() -> None:
    one = portal(Scripted())
    calls = [
        Shadowed(ringing(), ended(), recording=True),
        Shadowed(ringing(), ended("102", Result.NO_ANSWER, 0)),
    ]
    found = await one.would_list(calls)
    await one.close()
    common = ("office-1767225600.1", Direction.IN, "+79161234567", START)
    assert found == (
        Entry(*common, "Boris B (11)", "200", 6, "74950000001", True, START + 60),
        Entry(*common, "Clara C (12)", "304", 0, "74950000001", False, START + 60),
    )


async def test_a_quiet_portal_is_read_and_never_written_to() -> None:
    script = Scripted()
    quiet = Bitrix24(
        "main",
        settings(lines={"74950000001": {"name": "Sales"}}),
        OpenGate(),
        MOSCOW,
        transport=httpx2.MockTransport(script),
        home=Home(quiet=True),
    )
    assert await quiet.refresh() is None
    await quiet.would_list([Shadowed(ringing(), ended("102", Result.NO_ANSWER, 0))])
    await quiet.close()
    assert {method for method, _ in script.asked} <= {"user.get", "telephony.externalCall.searchCrmEntities"}
