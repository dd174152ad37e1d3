"""What the portal tells of clients and employees empties memories and costs no request."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from callme.crm.commands import Foreign, Heard
from callme.crm.port import Customer, Urgency
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.sandboxes.bitrix24.seed import CLIENT_PHONE
from callme.lab.sandboxes.bitrix24.state import User
from callme.portals.bitrix24 import fetching, news
from callme.portals.bitrix24.clients import SEARCH
from callme.portals.bitrix24.rest import Done
from callme.portals.bitrix24.webhook import Message
from tests.portals.bitrix24.installed import CLOUD, PUBLIC, ApplicationStand, installed, standing
from tests.portals.bitrix24.test_fetching import Desk, click, fetch, unreachable

NUMBER = "+79165550001"
BURST = 10_000


async def subscribed(folder: Path) -> ApplicationStand:
    stand = await installed(folder)
    await stand.portal.refresh()
    return stand


async def told(stand: ApplicationStand) -> None:
    """The portal posts what happened in it."""
    posts = stand.sandbox.teller.taken()
    assert {handler for handler, _ in posts} == {f"{PUBLIC}/hooks/main"}
    for _, form in posts:
        assert await stand.bitrix.hear(urlencode(form).encode(), stand.now) == Heard()


async def who(stand: ApplicationStand, number: str = NUMBER) -> Customer:
    known = await stand.bitrix.who(number, 5)
    assert known is not None
    return known


async def test_a_new_a_changed_and_a_deleted_client_are_known_at_once(tmp_path: Path) -> None:
    stand = await subscribed(tmp_path)
    office = stand.sandbox.office
    assert await who(stand) == Customer(known=False)
    made = office.add_customer("LEAD", "Новый", 2, (NUMBER,))
    office.tell("customer.created", stand.now, call="", type="LEAD", id=made.id, title=made.title)
    await told(stand)
    assert await who(stand) == Customer(True, "Новый", "101")
    office.change_customer(("LEAD", made.id), stand.now, assigned_by=3, title="Постоянный")
    await told(stand)
    assert await who(stand) == Customer(True, "Постоянный", "102")
    office.delete_customer(("LEAD", made.id), stand.now)
    await told(stand)
    assert await who(stand) == Customer(known=False)
    assert stand.wire.methods.count(SEARCH) == 4
    await stand.portal.close()


async def test_a_number_that_a_known_client_was_given_is_his_at_once(tmp_path: Path) -> None:
    stand = await subscribed(tmp_path)
    known = await who(stand, CLIENT_PHONE)
    assert not (await who(stand)).known
    (key,) = stand.sandbox.office.customers
    stand.sandbox.office.change_customer(key, stand.now, phones=(CLIENT_PHONE, NUMBER))
    await told(stand)
    assert await who(stand) == known
    await stand.portal.close()


async def test_the_client_that_a_call_made_is_known_to_the_next(tmp_path: Path) -> None:
    stand = await subscribed(tmp_path)
    assert not (await who(stand)).known
    fields = {"title": "Лид", "assignedById": 2, "fm": [{"typeId": "PHONE", "value": NUMBER}]}
    made = {"entityTypeId": 1, "fields": fields}
    assert isinstance(await stand.bitrix._rest.call("crm.item.add", made, Urgency.FINISH), Done)
    await told(stand)
    assert (await who(stand)).name == "Лид"
    await stand.portal.close()


async def test_other_clients_stay_remembered(tmp_path: Path) -> None:
    stand = await subscribed(tmp_path)
    await who(stand, CLIENT_PHONE)
    office = stand.sandbox.office
    other = office.add_customer("CONTACT", "Другой", 2, (NUMBER,))
    office.change_customer(("CONTACT", other.id), stand.now, title="Другой")
    await told(stand)
    await who(stand, CLIENT_PHONE)
    assert stand.wire.methods.count(SEARCH) == 1
    await stand.portal.close()


async def test_a_stranger_makes_nobody_forgotten(tmp_path: Path) -> None:
    stand = await subscribed(tmp_path)
    await who(stand)
    form = {"event": "ONCRMLEADADD", "data[FIELDS][ID]": "1", "auth[application_token]": "x" * 32}
    assert await stand.bitrix.hear(urlencode(form).encode(), stand.now) == Foreign()
    await who(stand)
    assert stand.wire.methods.count(SEARCH) == 1
    await stand.portal.close()


async def test_an_import_costs_no_request(tmp_path: Path) -> None:
    stand = await subscribed(tmp_path)
    await who(stand)
    await who(stand, CLIENT_PHONE)
    before = stand.wire.sent
    for number in range(1, BURST + 1):
        message = Message("ONCRMCONTACTADD", {news.ID: str(number + 1000)}, stand.now)
        assert await stand.bitrix._listener.understand(message, stand.now) == Heard()
    assert stand.wire.sent == before
    await who(stand, CLIENT_PHONE)
    assert stand.wire.sent == before, "whom nobody changed is remembered"
    await stand.portal.close()


async def test_an_event_that_names_nobody_may_mean_anybody(tmp_path: Path) -> None:
    stand = await subscribed(tmp_path)
    await who(stand, CLIENT_PHONE)
    await stand.bitrix._listener.understand(Message("ONCRMCONTACTUPDATE", {}, None), stand.now)
    await who(stand, CLIENT_PHONE)
    assert stand.wire.methods.count(SEARCH) == 2
    await stand.portal.close()


# ----------------------------------------------------------------------------------------------- employees
async def test_who_joins_has_his_telephone_at_once_and_many_cost_one_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "USERS_PACE_S", 0.01)
    stand = await subscribed(tmp_path)
    office, before = stand.sandbox.office, stand.wire.methods.count("user.get")
    for number in range(50):
        office.add_user(User(50 + number, "Новая", str(number), extension=str(900 + number)))
        office.tell("user.added", stand.now, id=50 + number)
    await told(stand)
    async with asyncio.timeout(5):
        while not {"900", "949"} <= set(await stand.bitrix.extensions()):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    pages = stand.wire.methods.count("user.get") - before
    assert pages <= 4, "two pages, read once, and once more for who joined meanwhile"
    await stand.portal.close()


async def test_a_close_ends_the_wait_for_more_who_join(tmp_path: Path) -> None:
    stand = await subscribed(tmp_path)
    stand.sandbox.office.tell("user.added", stand.now, id=2)
    await told(stand)
    async with asyncio.timeout(2):
        await stand.portal.close()


# ------------------------------------------------------------------------------------- without an address
async def looked(stand: ApplicationStand) -> None:
    """A look for clicks, and the look for news beside it."""
    await fetch(stand, Desk())
    looking = stand.bitrix._fetching._looking
    if looking is not None:
        await looking


@pytest.mark.parametrize("extended", [True, False])
async def test_news_are_fetched_beside_the_clicks(tmp_path: Path, extended: bool) -> None:
    stand = await unreachable(tmp_path, offline_extended=extended)
    await looked(stand)
    office = stand.sandbox.office
    assert not (await who(stand)).known
    made = office.add_customer("CONTACT", "Новый", 2, (NUMBER,))
    office.tell("customer.created", stand.now, call="", type="CONTACT", id=made.id, title=made.title)
    assert [row.event for row in office.offline] == ["ONCRMCONTACTADD"]
    await looked(stand)
    assert office.offline, "not yet: twice a minute is enough"
    stand.now += fetching.NEWS_PACE_S
    await looked(stand)
    assert office.offline == []
    assert (await who(stand)).name == "Новый"
    await stand.portal.close()


async def test_an_import_keeps_no_click_waiting(tmp_path: Path) -> None:
    stand, desk = await unreachable(tmp_path), Desk()
    office = stand.sandbox.office
    await looked(stand)
    for number in range(1, 1201):
        office.tell("customer.created", stand.now - 60, call="", type="LEAD", id=1000 + number, title="")
    call = click(stand)
    before = stand.wire.sent
    await fetch(stand, desk)
    assert desk.refs == [call]
    assert stand.wire.sent == before + 1
    for _ in range(4):
        stand.now += fetching.NEWS_PACE_S
        await looked(stand)
    assert office.offline == []
    assert stand.wire.sent - before <= 1 + 4 * 2, "five hundred in one request"
    await stand.portal.close()


async def test_news_whose_answer_was_lost_may_have_been_about_anybody(tmp_path: Path) -> None:
    stand = await unreachable(tmp_path)
    await who(stand, CLIENT_PHONE)
    stand.sandbox.faults.add(Fault("event.offline.get", FaultKind.DROP, Moment.AFTER, times=2))
    await looked(stand)
    await who(stand, CLIENT_PHONE)
    assert stand.wire.methods.count(SEARCH) == 2
    await stand.portal.close()


async def test_a_portal_that_is_away_leaves_what_is_known(tmp_path: Path) -> None:
    stand = await unreachable(tmp_path)
    known = await who(stand, CLIENT_PHONE)
    stand.wire.dead = set(range(stand.wire.sent, stand.wire.sent + 100))
    await looked(stand)
    assert await who(stand, CLIENT_PHONE) == known
    await stand.portal.close()


# --------------------------------------------------------------------------------------------- what is said
@pytest.mark.parametrize(
    ("address", "scopes", "said"),
    [
        (PUBLIC, None, f"at once at {PUBLIC}/hooks/main"),
        ("", None, "every 30 s"),
        (PUBLIC, ["telephony", "user_basic"], "after a minute"),
    ],
)
async def test_check_says_how_changes_come(
    tmp_path: Path, address: str, scopes: list[str] | None, said: str
) -> None:
    stand = standing(tmp_path, address=address)
    await stand.install()
    if scopes:
        stand.sandbox.knobs = CLOUD.with_changes({"scopes": scopes})
    await stand.portal.refresh()
    assert bool(stand.bitrix._bindings.news) is (scopes is None)
    (one,) = [one for one in await stand.portal.check() if "clients and employees" in one.topic.say("en")]
    assert (one.well, said in one.found.say("en")) == (True, True), json.dumps(one.found.say("en"))
    await stand.portal.close()
