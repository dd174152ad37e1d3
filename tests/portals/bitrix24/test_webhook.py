"""What a portal's outgoing webhook may say, and what is made of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from callme.crm.commands import Click, Foreign, Heard, Hearing, Unclear
from callme.portals.bitrix24.adapter import Bitrix24
from tests.portals.bitrix24.test_conformance import sandbox_stand

TOKEN = "f17a1jyndsrsdw06iefxmqwq35o3wa5a"
NOW = 1_767_225_610.0
CLICK = {
    "event": "ONEXTERNALCALLSTART",
    "data[PHONE_NUMBER]": "8 (926) 111-22-33",
    "data[PHONE_NUMBER_INTERNATIONAL]": "+79261112233",
    "data[USER_ID]": "2",
    "data[LINE_NUMBER]": "74950000001",
    "data[CALL_ID]": "externalCall.abc.1",
    "ts": "1767225608",
    "auth[application_token]": TOKEN,
}
GOOD = Click("externalCall.abc.1", "Анна Смирнова (2)", "101", "+79261112233", 1_767_225_608.0, "74950000001")


async def hear(body: bytes, **settings: Any) -> Hearing:
    stand = sandbox_stand(**{"application_token": TOKEN, **settings})
    assert isinstance(stand.portal, Bitrix24)
    try:
        return await stand.portal.hear(body, NOW)
    finally:
        await stand.portal.close()


def form(**changed: str) -> bytes:
    fields = {**CLICK, **changed}
    return urlencode(fields).encode()


async def test_a_click_names_who_rings_and_whom() -> None:
    assert await hear(form()) == Heard(GOOD, 15.0)


async def test_the_configured_extension_rings_where_the_portal_knows_none() -> None:
    heard = await hear(form(**{"data[USER_ID]": "1"}), users={"777": 1})
    assert isinstance(heard, Heard)
    assert heard.click is not None
    assert heard.click.extension == "777"


async def test_somebody_without_a_telephone_is_heard_too() -> None:
    heard = await hear(form(**{"data[USER_ID]": "1"}))
    assert isinstance(heard, Heard)
    assert heard.click is not None
    assert (heard.click.extension, heard.click.who) == ("", "Мария Орлова (1)")


async def test_a_time_to_come_is_now() -> None:
    heard = await hear(form(ts="1767229999"))
    assert isinstance(heard, Heard)
    assert heard.click is not None
    assert heard.click.at == NOW


async def test_how_long_a_click_counts_is_configured() -> None:
    heard = await hear(form(), click_max_age=40)
    assert isinstance(heard, Heard)
    assert heard.max_age_s == 40


async def test_other_events_are_none_of_ours() -> None:
    assert await hear(form(event="ONVOXIMPLANTCALLEND")) == Heard()


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "пароль"])
async def test_a_stranger_is_not_believed(token: str) -> None:
    assert await hear(form(**{"auth[application_token]": token})) == Foreign()


async def test_without_a_token_of_ours_nobody_is_believed() -> None:
    assert await hear(form(**{"auth[application_token]": ""}), application_token=None) == Foreign()


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"\xff\xfe=1",
        b"&".join(b"a=1" for _ in range(1000)),
        form(event=""),
        form(**{"data[CALL_ID]": " "}),
        form(**{"data[CALL_ID]": "x" * 300}),
        form(**{"data[USER_ID]": "two"}),
        form(**{"data[USER_ID]": "²"}),
        form(**{"data[PHONE_NUMBER]": "", "data[PHONE_NUMBER_INTERNATIONAL]": ""}),
    ],
)
async def test_what_cannot_be_understood(body: bytes) -> None:
    heard = await hear(body)
    assert isinstance(heard, Unclear)
    assert TOKEN not in str(heard)
