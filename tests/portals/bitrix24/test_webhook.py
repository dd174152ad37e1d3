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
AT = 1_767_225_608.0
GOOD = Click("externalCall.abc.1", "Анна Смирнова (2)", "101", "+79261112233", AT, "74950000001", "2")


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


async def test_what_follows_the_number_the_card_and_the_call_list_are_kept() -> None:
    more = {"EXTENSION": "12#", "CRM_ENTITY_TYPE": "CONTACT", "CRM_ENTITY_ID": "1", "CALL_LIST_ID": "40"}
    heard = await hear(form(**{f"data[{name}]": value for name, value in more.items()}))
    assert isinstance(heard, Heard)
    assert heard.click is not None
    assert (heard.click.then, heard.click.client, heard.click.campaign) == ("12#", "CONTACT:1", "40")
    nothing = {"CALL_LIST_ID": "0", "CRM_ENTITY_TYPE": "", "CRM_ENTITY_ID": "0"}
    assert await hear(form(**{f"data[{name}]": value for name, value in nothing.items()})) == Heard(GOOD)


WISH = {
    "event": "ONEXTERNALCALLBACKSTART",
    "data[PHONE_NUMBER]": "+79261234567",
    "data[TEXT]": "Перезвоните,\n пожалуйста",
    "data[CRM_ENTITY_TYPE]": "CONTACT",
    "data[CRM_ENTITY_ID]": "1",
    "ts": "1767225608",
    "auth[application_token]": TOKEN,
}


async def wished(changed: dict[str, str] | None = None, **settings: Any) -> Click:
    heard = await hear(urlencode({**WISH, **(changed or {})}).encode(), **settings)
    assert isinstance(heard, Heard)
    assert heard.max_age_s == 300
    assert heard.click is not None
    assert heard.click.callback
    return heard.click


async def test_a_callback_rings_whoever_is_responsible() -> None:
    click = await wished()
    assert (click.number, click.extension, click.by) == ("+79261234567", "101", "2")
    assert (click.text, click.who) == ("Перезвоните, пожалуйста", "Анна Смирнова (2)")


async def test_a_callback_of_an_unknown_customer_rings_the_lines_owner_or_the_default_user() -> None:
    unknown = {"data[PHONE_NUMBER]": "+79990000000", "data[LINE_NUMBER]": "74950000001"}
    assert (await wished(unknown, default_user=5)).extension == "104"
    lines = {"74950000001": {"owner": "103"}}
    assert (await wished(unknown, default_user=5, lines=lines)).extension == "103"


async def test_a_callback_may_ring_a_group() -> None:
    click = await wished(callback_extension="600")
    assert (click.extension, click.who, click.by) == ("600", "600", "")


async def test_the_same_wish_has_one_name_and_another_wish_another() -> None:
    assert (await wished()).ref == (await wished()).ref
    assert (await wished()).ref != (await wished({"ts": "1767225609"})).ref


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
        form(event="ONEXTERNALCALLBACKSTART", **{"data[PHONE_NUMBER]": ""}),
    ],
)
async def test_what_cannot_be_understood(body: bytes) -> None:
    heard = await hear(body)
    assert isinstance(heard, Unclear)
    assert TOKEN not in str(heard)
