"""user.get with its trap, user.current, profile (§5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from callme.lab.sandboxes.bitrix24.state import User
from tests.lab.sandboxes.bitrix24.client import Client

ALL = ["1", "2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    ("params", "ids"),
    [
        ({}, ALL),
        ({"FILTER": {"UF_PHONE_INNER": "101"}}, ["2"]),
        ({"filter": {"uf_phone_inner": "101"}}, ["2"]),
        ({"UF_PHONE_INNER": "101"}, ["2"]),  # no FILTER: the query is the filter
        ({"FILTER": {"@UF_PHONE_INNER": ["101", "103"]}}, ["2", "4"]),
        ({"FILTER": {"!UF_PHONE_INNER": ""}}, ALL[1:]),
        ({"FILTER": {"UF_PHONE_INNER": "0101"}}, []),
        ({"FILTER": {"ACTIVE": True}}, ALL[:6]),
        ({"FILTER": {"ACTIVE": "Y"}}, ALL[:6]),
        ({"FILTER": {"ACTIVE": 0}}, ["7"]),
        ({"FILTER": {">ID": 5}}, ["6", "7"]),
        ({"FILTER": {"%LAST_NAME": "новик"}}, ["7"]),
        ({"FILTER": {"UF_PHONE_INER": "101"}}, ALL),  # the trap
        ({"FILTER": {}}, ALL),
        ({"sort": "NAME", "order": "DESC", "FILTER": {"<ID": 4}}, ["1", "3", "2"]),
    ],
)
async def test_filters(client: Client, params: dict[str, Any], ids: list[str]) -> None:
    client.office.users[7].active = False
    client.office.add_user(User(50, "Бот", "", kind="bot"))
    assert [row["ID"] for row in await client.result("user.get", params)] == ids


async def test_a_row(client: Client) -> None:
    assert (await client.result("user.get", {"ID": 2}))[0] == {
        "ID": "2",
        "ACTIVE": True,
        "NAME": "Анна",
        "LAST_NAME": "Смирнова",
        "EMAIL": "user101@example.com",
        "UF_PHONE_INNER": "101",
        "UF_DEPARTMENT": [1],
        "USER_TYPE": "employee",
        "IS_ONLINE": "Y",
        "TIMESTAMP_X": {},
        "LAST_ACTIVITY_DATE": {},
    }


async def test_the_brief_scope_shows_no_mail_and_does_not_filter_by_it() -> None:
    async with Client(scopes=("user_brief",)) as client:
        rows = await client.result("user.get", {"FILTER": {"EMAIL": "user101@example.com"}})
        assert [row["ID"] for row in rows] == ALL
        assert "EMAIL" not in rows[1]
        assert rows[1]["UF_PHONE_INNER"] == "101"


async def test_select(client: Client) -> None:
    rows = await client.result("user.get", {"ID": 2, "select": ["ID", "UF_*"]})
    assert rows == [{"ID": "2", "UF_DEPARTMENT": [1], "UF_PHONE_INNER": "101"}]


async def test_pages(client: Client) -> None:
    for number in range(60, 160):
        client.office.add_user(User(number, "Имя", str(number)))
    _, body = await client.ask("user.get", {"start": 50})
    assert (len(body["result"]), body["next"], body["total"]) == (50, 100, 107)


async def test_the_webhooks_owner(client: Client) -> None:
    assert (await client.result("user.current"))["ID"] == "1"
    profile = await client.result("profile")
    assert (profile["ID"], profile["ADMIN"], profile["LAST_NAME"]) == ("1", True, "Орлова")
