"""`/CallMeOut.php` through the adapter: who may, what it answers, what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from callme.crm.commands import Heard, Unclear
from callme.crm.doors import Knock, OldDoors, TurnedAway, Welcome
from tests.portals.bitrix24.callme.scripts import TOKEN
from tests.portals.bitrix24.scripted import Scripted
from tests.portals.bitrix24.scripted import portal as scripted

SECRET = "a-secret-of-sixteen-signs"
REPORT = {
    "action": "sendcall2b24",
    "call_id": "",
    "ExtNum": "79261112233",
    "FullFname": "https://pbx.example.com/records/mp3/2026/11/25/1.mp3",
    "CallIntNum": "101",
    "CallDuration": "12",
    "CallDisposition": "ANSWERED",
}
CLICK = {
    "event": "ONEXTERNALCALLSTART",
    "auth[application_token]": TOKEN,
    "data[CALL_ID]": "externalCall.1",
    "data[USER_ID]": "11",
    "data[PHONE_NUMBER_INTERNATIONAL]": "+79261112233",
    "ts": "1000",
}


async def answer(
    fields: dict[str, str], source: str = "127.0.0.1", door: str = "CallMeOut.php", **access: Any
) -> tuple[Welcome | TurnedAway, Scripted]:
    script = Scripted()
    portal = scripted(script, application_token=TOKEN, callme_out=access)
    try:
        assert isinstance(portal, OldDoors)
        assert portal.doors == ("CallMeOut.php", "makecall")
        return await portal.answer(Knock(door, fields, source), 1000.0), script
    finally:
        await portal.close()


@pytest.mark.parametrize(
    ("source", "access", "fields"),
    [
        ("127.0.0.1", {"allow": ["127.0.0.1"]}, {}),
        ("::1", {"allow": ["::1"]}, {}),
        ("10.1.2.3", {"allow": ["10.0.0.0/8"]}, {}),
        ("::ffff:10.1.2.3", {"allow": ["10.1.2.3"]}, {}),
        ("198.51.100.1", {"secret": SECRET}, {"secret": SECRET}),
        ("", {"secret": SECRET, "allow": ["127.0.0.1"]}, {"secret": SECRET}),
    ],
)
async def test_a_report_from_whom_it_may_come_is_taken_as_the_scripts_did(
    source: str, access: dict[str, Any], fields: dict[str, str]
) -> None:
    said, script = await answer(REPORT | fields, source, **access)
    assert isinstance(said, Welcome)
    assert (said.text, said.hearing) == ("", None)
    assert script.asked == [], "CallMe tells of the call by itself"


@pytest.mark.parametrize(
    ("source", "access", "fields"),
    [
        ("127.0.0.1", {}, {}),
        ("127.0.0.2", {"allow": ["127.0.0.1"]}, {}),
        ("", {"allow": ["127.0.0.1", "0.0.0.0/0", "::/0"]}, {}),
        ("nonsense", {"allow": ["0.0.0.0/0"]}, {}),
        ("127.0.0.1", {"secret": SECRET}, {}),
        ("127.0.0.1", {"secret": SECRET}, {"secret": SECRET[:-1]}),
        ("127.0.0.1", {"secret": ""}, {"secret": ""}),
        ("127.0.0.1", {"secret": SECRET}, {"secret": "не ascii"}),
    ],
)
@pytest.mark.parametrize("report", [REPORT, {}, {"action": "anything"}])
async def test_from_anybody_else_it_is_not_and_the_cure_is_named(
    source: str, access: dict[str, Any], fields: dict[str, str], report: dict[str, str]
) -> None:
    if not report and fields:
        return
    said, _ = await answer(report | fields if report else {}, source, **access)
    assert isinstance(said, TurnedAway)
    for language in ("en", "ru"):
        cure = said.cure.say(language)  # type: ignore[arg-type]
        assert "callme_out" in cure
        assert SECRET not in cure


@pytest.mark.parametrize("missing", ["call_id", "FullFname", "CallIntNum", "CallDuration", "CallDisposition"])
async def test_a_report_that_lacks_a_field_is_answered_as_ever(missing: str) -> None:
    fields = {name: value for name, value in REPORT.items() if name != missing}
    said, _ = await answer(fields, allow=["127.0.0.1"])
    assert isinstance(said, Welcome)
    assert said.text == "error in params"


async def test_an_empty_request_and_an_unknown_action_are_answered_as_ever() -> None:
    empty, _ = await answer({}, allow=["127.0.0.1"])
    other, _ = await answer({"action": "sendoutcall2b24"}, allow=["127.0.0.1"])
    assert isinstance(empty, Welcome)
    assert isinstance(other, Welcome)
    assert (empty.text, other.text) == ("error in params", "")


async def test_a_click_is_believed_by_its_token_alone() -> None:
    said, _ = await answer(CLICK, "203.0.113.9")
    assert isinstance(said, Welcome)
    assert isinstance(said.hearing, Heard)
    assert said.hearing.click is not None
    assert (said.hearing.click.extension, said.hearing.click.number) == ("101", "+79261112233")


async def test_a_sender_may_name_the_extension_as_callmeplus_let_him() -> None:
    said, _ = await answer(CLICK | {"data[extension]": "105"})
    assert isinstance(said, Welcome)
    assert isinstance(said.hearing, Heard)
    assert said.hearing.click is not None
    assert said.hearing.click.extension == "105"


async def test_an_event_with_another_token_is_turned_away() -> None:
    said, _ = await answer(CLICK | {"auth[application_token]": "x"}, allow=["127.0.0.1"])
    assert isinstance(said, TurnedAway)
    assert "application_token" in said.cure.say("en")


async def test_a_click_without_a_number_is_not_understood() -> None:
    fields = {name: value for name, value in CLICK.items() if "PHONE" not in name}
    said, _ = await answer(fields)
    assert isinstance(said, Welcome)
    assert isinstance(said.hearing, Unclear)


CALL = {"event": "OutgoingCall", "from": "101", "to": "+7 (926) 111-22-33", "context": "from-internal"}


async def test_a_call_may_be_asked_for_past_the_portal() -> None:
    said, _ = await answer(CALL | {"secret": SECRET}, "", door="makecall", secret=SECRET)
    again, _ = await answer(CALL | {"secret": SECRET}, "", door="makecall", secret=SECRET)
    assert isinstance(said, Welcome)
    assert said == again, "a request sent twice is one"
    assert isinstance(said.hearing, Heard)
    click = said.hearing.click
    assert click is not None
    assert (said.text, click.extension, click.number, click.opened) == ("Success", "101", CALL["to"], False)


@pytest.mark.parametrize("fields", [{"from": ""}, {"to": " "}, {"from": "101&PJSIP/102"}])
async def test_a_call_that_cannot_be_made_is_an_error(fields: dict[str, str]) -> None:
    said, _ = await answer(CALL | {"secret": SECRET} | fields, door="makecall", secret=SECRET)
    assert said == Welcome("Error")


@pytest.mark.parametrize("access", [{"secret": SECRET}, {"allow": ["127.0.0.1"]}, {}])
async def test_without_the_secret_there_is_no_call_wherever_it_is_asked_for(access: dict[str, Any]) -> None:
    """An address is not enough: a web page could have a browser there ask."""
    said, _ = await answer(CALL | {"secret": "x"}, door="makecall", **access)
    assert isinstance(said, TurnedAway)
    assert "callme_out.secret" in said.cure.say("ru")
