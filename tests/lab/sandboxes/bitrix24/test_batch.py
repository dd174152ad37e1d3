"""Batches: keys, limits, halting, and references to earlier answers (§4.3)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.lab.sandboxes.bitrix24.client import Client

REGISTER = "telephony.externalCall.register?" + urlencode(
    {"USER_ID": 2, "PHONE_NUMBER": "+79261234567", "TYPE": 2}
)
FINISH = "telephony.externalCall.finish?USER_ID=2&DURATION=5&CALL_ID="
NOT_FOUND = "Call is not found (call should be registered prior to finishing"


async def test_a_whole_call_in_one_request(client: Client) -> None:
    body = await client.result("batch", {"cmd": {"r": REGISTER, "f": FINISH + "$result[r][CALL_ID]"}})
    assert body["result"]["f"]["CALL_ID"] == body["result"]["r"]["CALL_ID"]
    assert (body["result_error"], body["result_total"], body["result_next"]) == ([], [], [])
    assert set(body["result_time"]) == {"r", "f"}
    assert len(client.portal.requests) == 1


async def test_an_empty_batch_is_all_empty_lists(client: Client) -> None:
    empty: dict[str, Any] = {
        "result": [],
        "result_error": [],
        "result_total": [],
        "result_next": [],
        "result_time": [],
    }
    assert await client.result("batch") == empty
    assert await client.result("batch", {"cmd": [5, None, ["x"]]}) == empty


async def test_a_list_of_commands_answers_as_a_list(client: Client) -> None:
    body = await client.result("batch", {"cmd": ["user.current", "user.get"]})
    assert [type(result) for result in body["result"]] == [dict, list]
    assert body["result_total"] == {"1": 7}


async def test_as_a_form(client: Client) -> None:
    answer = await client.http.post(
        "/rest/1/sandboxsecret/batch",
        data={"halt": "0", "cmd[me]": "user.current", "cmd[all]": "user.get?ID=3"},
    )
    result = answer.json()["result"]["result"]
    assert (result["me"]["ID"], [row["ID"] for row in result["all"]]) == ("1", ["3"])


@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        ("no.such", "ERROR_METHOD_NOT_FOUND", "Method not found!"),
        ("batch?cmd[x]=profile", "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage"),
        ("upload?token=x", "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage"),
        (FINISH + "nothing", "", NOT_FOUND),
        (FINISH + "$result[r][CALL_ID]", "INVALID_ARGUMENT", "CALL_ID must be a string"),  # becomes an array
        (FINISH + "x$result[r][CALL_ID]", "", NOT_FOUND),  # stays as written
        (
            "placement.get",
            "insufficient_scope",
            "The request requires higher privileges than provided by the webhook token",
        ),
    ],
)
async def test_errors_of_single_commands(client: Client, command: str, code: str, text: str) -> None:
    status, body = await client.ask("batch", {"cmd": {"bad": command, "good": "profile"}})
    assert status == 200
    assert body["result"]["result_error"] == {"bad": {"error": code, "error_description": text}}
    assert list(body["result"]["result"]) == ["good"]


@pytest.mark.parametrize(("halt", "left"), [(0, ["b"]), ("0", ["b"]), (1, []), ("N", [])])
async def test_halt(client: Client, halt: Any, left: list[str]) -> None:
    body = await client.result("batch", {"halt": halt, "cmd": {"a": "no.such", "b": "profile"}})
    assert list(body["result"]) == left


async def test_denied_methods_are_denied_in_a_batch_too() -> None:
    async with Client(webhook_telephony="deny") as client:
        body = await client.result("batch", {"cmd": {"r": REGISTER}})
        assert body["result_error"]["r"]["error"] == "WRONG_AUTH_TYPE"


async def test_fifty_commands_and_no_more(client: Client) -> None:
    body = await client.result("batch", {"cmd": {f"c{n}": "profile" for n in range(52)}})
    refused = {"error": "ERROR_BATCH_LENGTH_EXCEEDED", "error_description": "Max batch length exceeded"}
    assert body["result_error"] == {"c50": refused, "c51": refused}
    assert len(body["result"]) == 50


@pytest.mark.parametrize(
    ("filter_value", "ids"),
    [
        ("$result[me][ID]", ["1"]),
        ("$result[me][ID] ", ["1"]),
        ("$result[list][0][ID]", ["3"]),
        ("$total[list]", ["1"]),
    ],
)
async def test_references(client: Client, filter_value: str, ids: list[str]) -> None:
    commands = {
        "me": "user.current",
        "list": "user.get?FILTER[ID]=3",
        "found": "user.get?" + urlencode({"FILTER[ID]": filter_value}),
    }
    body = await client.result("batch", {"cmd": commands})
    assert [row["ID"] for row in body["result"]["found"]] == ids


async def test_a_reference_ends_at_white_space(client: Client) -> None:
    params = {"NUMBER": "a", "NAME": "$result[me][ID] and $result[me][NAME]"}
    glued = {"NUMBER": "b", "NAME": "<$result[me][ID]>, $result[me][ID],$result[me][ID]"}
    commands = {
        "me": "user.current",
        "a": "telephony.externalLine.add?" + urlencode(params),
        "b": "telephony.externalLine.add?" + urlencode(glued),
    }
    await client.result("batch", {"cmd": commands})
    assert client.office.lines["a"].name == "1 and Мария"
    assert client.office.lines["b"].name == glued["NAME"]


async def test_paging_inside_a_batch(client: Client) -> None:
    for number in range(60):
        await client.finished(EXTERNAL_CALL_ID=str(number))
    body = await client.result(
        "batch", {"cmd": {"s": "voximplant.statistic.get", "t": "voximplant.statistic.get?start=50"}}
    )
    assert (len(body["result"]["t"]), body["result_next"], body["result_total"]) == (
        10,
        {"s": 50},
        {"s": 60, "t": 60},
    )
