"""Notifications (im.notify.system.add)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.sandboxes.bitrix24.client import Client

ADD = "im.notify.system.add"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"MESSAGE": "x"}, "USER_ID_EMPTY"),
        ({"USER_ID": 0, "MESSAGE": "x"}, "USER_ID_EMPTY"),
        ({"USER_ID": 2}, "MESSAGE_EMPTY"),
        ({"USER_ID": 2, "MESSAGE": "  "}, "MESSAGE_EMPTY"),
    ],
)
async def test_what_is_refused(client: Client, params: dict[str, Any], code: str) -> None:
    status, said, _ = await client.refused(ADD, params)
    assert (status, said) == (400, code)


async def test_a_tag_is_unique_beside_a_client_id_alone(client: Client) -> None:
    for text in ("one", "two"):
        await client.result(ADD, {"USER_ID": 2, "MESSAGE": text, "TAG": "t"})
    assert [one.text for one in client.office.notifications] == ["one", "two"]
    client.office.notifications.clear()
    for text in ("one", "two"):
        await client.result(ADD, {"USER_ID": 2, "MESSAGE": text, "TAG": "t", "CLIENT_ID": "c"})
    assert [one.text for one in client.office.notifications] == ["two"]


async def test_nobody_there_is_no_error(client: Client) -> None:
    assert await client.result(ADD, {"USER_ID": 99, "MESSAGE": "x"}) is False


async def test_it_needs_its_scope(client: Client) -> None:
    client.portal.knobs = client.portal.knobs.with_changes({"scopes": ["crm", "telephony"]})
    assert (await client.refused(ADD, {"USER_ID": 2, "MESSAGE": "x"}))[1] == "insufficient_scope"
