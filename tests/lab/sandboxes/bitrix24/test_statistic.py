"""voximplant.statistic.get with its silent drops, and the activities (§1.9, §5.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.sandboxes.bitrix24.client import Client

GET = "voximplant.statistic.get"


async def _three(client: Client) -> list[str]:
    """An answered, a missed and an outgoing call, a minute apart."""
    calls: list[str] = []
    for kind, seconds, external in ((2, 90, "a"), (2, 0, "b"), (1, 7, "c")):
        call = await client.register(TYPE=kind, EXTERNAL_CALL_ID=external)
        await client.finish(call, DURATION=seconds, VOTE=len(calls))
        calls.append(call)
        client.now += 60
    return calls


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"EXTERNAL_CALL_ID": "b"}, "b"),
        ({"=EXTERNAL_CALL_ID": ["a", "c"]}, "ac"),
        ({"external_call_id": "b"}, "b"),
        ({"!EXTERNAL_CALL_ID": "b"}, "ac"),
        ({"CALL_TYPE": 1}, "c"),
        ({">CALL_DURATION": 7}, "a"),
        ({">=CALL_DURATION": "7"}, "ac"),
        ({"<CALL_DURATION": 7}, "b"),
        ({"><CALL_DURATION": [5, 10]}, "c"),
        ({"!><CALL_DURATION": [5, 10]}, "ab"),
        ({">CALL_START_DATE": "2026-11-02T15:00:30+03:00"}, "bc"),
        ({">ID": 1}, "bc"),
        ({"CALL_FAILED_CODE": "304"}, "b"),
        ({"%PHONE_NUMBER": "926123"}, "abc"),
        ({"!%PHONE_NUMBER": "926123"}, ""),
        ({"?PHONE_NUMBER": "926"}, "abc"),
        ({"CRM_BINDINGS.ENTITY_TYPE": "CONTACT"}, "abc"),
        ({"CRM_BINDINGS.ENTITY_TYPE": "LEAD"}, ""),
        ({"PHONE": "999"}, "abc"),  # the trap: an unknown field widens the result
        ({"~EXTERNAL_CALL_ID": "b"}, "abc"),  # and so does an unknown operator
        ({"RECORD_FILE_ID": 77}, "abc"),  # shown, but not a filter
    ],
)
async def test_filters(client: Client, filters: dict[str, Any], found: str) -> None:
    await _three(client)
    rows = await client.result(GET, {"FILTER": filters})
    assert "".join(row["EXTERNAL_CALL_ID"] for row in rows) == found


@pytest.mark.parametrize(
    ("params", "order"),
    [
        ({"SORT": "CALL_DURATION", "ORDER": "DESC"}, "acb"),
        ({"sort": "CALL_DURATION", "order": "ASC"}, "bca"),
        ({"SORT": "CALL_DURATION", "ORDER": "desc"}, "abc"),
        ({"SORT": "CALL_DURATION"}, "abc"),
        ({"SORT": "NOTHING", "ORDER": "DESC"}, "abc"),
        ({"SORT": "CALL_TYPE", "ORDER": "ASC"}, "abc"),
    ],
)
async def test_sorting(client: Client, params: dict[str, Any], order: str) -> None:
    await _three(client)
    assert "".join(row["EXTERNAL_CALL_ID"] for row in await client.result(GET, params)) == order


async def test_a_row_has_its_numbers_as_strings(client: Client) -> None:
    call = (await _three(client))[0]
    row = (await client.result(GET, {"FILTER": {"CALL_ID": call}}))[0]
    assert (
        row
        | {
            "ID": "1",
            "PORTAL_USER_ID": "2",
            "PORTAL_NUMBER": "REST_APP:",
            "CALL_CATEGORY": "external",
            "CALL_DURATION": "90",
            "CALL_START_DATE": "2026-11-02T15:00:00+03:00",
            "CALL_TYPE": "2",
            "COST": "0.0000",
            "CRM_ENTITY_ID": "1",
            "RECORD_FILE_ID": None,
        }
        == row
    )


async def test_pages_of_fifty(client: Client) -> None:
    for number in range(101):
        await client.finished(EXTERNAL_CALL_ID=str(number))
    for start, size, following in ((0, 50, 50), (50, 50, 100), (100, 1, None), (150, 0, None)):
        _, body = await client.ask(GET, {"start": start})
        assert (len(body["result"]), body["total"], body.get("next")) == (size, 101, following)
    _, body = await client.ask(GET, {"start": -1, "FILTER": {">ID": 100}})
    assert ([row["ID"] for row in body["result"]], body["total"], "next" in body) == (["101"], 0, False)


async def test_without_the_right() -> None:
    async with Client(statistics_right=False) as client:
        assert await client.refused(GET) == (403, "ACCESS_DENIED", "Access denied!")


async def test_activities(client: Client) -> None:
    calls = await _three(client)
    asked = {"filter": {"ORIGIN_ID": f"VI_{calls[1]}"}, "select": ["ID", "PROVIDER_ID", "FILES"]}
    assert await client.result("crm.activity.list", asked) == [
        {"ID": "2", "PROVIDER_ID": "VOXIMPLANT_CALL", "FILES": []}
    ]
    assert "FILES" not in (await client.result("crm.activity.list", {"select": ["*"]}))[0]
    activity = await client.result("crm.activity.get", {"id": 2})
    assert (activity["SETTINGS"], activity["DIRECTION"], activity["COMPLETED"]) == (
        {"MISSED_CALL": True},
        "1",
        "N",
    )
    assert (await client.refused("crm.activity.get", {"id": 9}))[0] == 400
