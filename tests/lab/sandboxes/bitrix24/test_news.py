"""What the sandbox tells of changes in the CRM and of who joins, as a real portal does."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest

from callme.lab.sandboxes.bitrix24.authority import Installed
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.sandboxes.bitrix24.state import Office

HANDLER = "http://pbx.example.com/hooks/main"


def opened(*events: str, whole: bool = True) -> SandboxPortal:
    """A portal with the application, which has bound these."""
    portal = SandboxPortal(Knobs(rate_limit_x=0))
    portal.office.handlers += [(event, HANDLER) for event in events]
    portal.authority.installed = Installed.WHOLE if whole else Installed.HALF
    return portal


def work(office: Office) -> tuple[str, int]:
    """A contact is made, changed twice in one hit, and deleted; a deal is made."""
    made = office.add_customer("CONTACT", "Иван", 1, ("+79165550001",))
    key = ("CONTACT", made.id)
    office.tell("customer.created", 10.0, call="", type="CONTACT", id=made.id, title="Иван")
    office.change_customer(key, 11.0, title="Пётр")
    office.change_customer(key, 11.5, assigned_by=2)
    office.delete_customer(key, 12.0)
    return key


CONTACT = ("ONCRMCONTACTADD", "ONCRMCONTACTUPDATE", "ONCRMCONTACTDELETE")


def test_each_change_is_told_by_its_id_alone_and_equal_ones_once() -> None:
    portal = opened(*CONTACT)
    key = work(portal.office)
    told = portal.teller.taken()
    assert [(handler, form["event"]) for handler, form in told] == [(HANDLER, event) for event in CONTACT]
    for _, form in told:
        assert {name: value for name, value in form.items() if name.startswith("data")} == {
            "data[FIELDS][ID]": str(key[1])
        }
        assert form["auth[application_token]"] == portal.authority.application_token
    assert [form["ts"] for _, form in told] == ["10", "11", "12"]
    assert portal.teller.taken() == []


@pytest.mark.parametrize(("events", "whole"), [((), True), (("ONCRMDEALADD",), True), (CONTACT, False)])
def test_nobody_is_told_who_did_not_ask_or_is_not_installed(events: tuple[str, ...], whole: bool) -> None:
    portal = opened(*events, whole=whole)
    work(portal.office)
    assert portal.teller.taken() == []


def test_what_is_bound_offline_waits_as_nested_data() -> None:
    portal = opened()
    portal.office.offline_bound = {*CONTACT, "ONUSERADD"}
    key = work(portal.office)
    portal.office.tell("user.added", 13.0, id=7)
    rows = [(row.event, row.data) for row in portal.office.offline]
    about: dict[str, Any] = {"FIELDS": {"ID": str(key[1])}}
    assert rows == [*((event, about) for event in CONTACT), ("ONUSERADD", {"ID": "7", "ACTIVE": "1"})]


async def test_people_at_work_are_heard_at_the_handler() -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.split("content-length: ")[1].split("\r\n")[0])
        heard.put_nowait(dict(parse_qsl((await reader.readexactly(size)).decode())))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    portal, hooks = opened(), await asyncio.start_server(hook, "127.0.0.1", 0)
    address = "http://{}:{}".format(*hooks.sockets[0].getsockname())
    async with portal, hooks, httpx2.AsyncClient(base_url=portal.url) as http:
        portal.office.handlers += [(event, f"{address}/hooks/main") for event in (*CONTACT, "ONUSERADD")]
        for wish, event in (
            ({"act": "add", "type": "CONTACT", "title": "Новый", "phones": ["+79165550001"]}, CONTACT[0]),
            ({"act": "update", "type": "CONTACT", "id": 2, "assigned_by": 1}, CONTACT[1]),
            ({"act": "delete", "type": "CONTACT", "id": 2}, CONTACT[2]),
        ):
            answer = await http.post("/sandbox/crm", json=wish)
            assert answer.json() == {"type": "CONTACT", "id": 2}
            assert (await asyncio.wait_for(heard.get(), 5))["event"] == event
        assert (
            await http.post("/sandbox/users", json={"id": 20, "name": "Анна", "last_name": "Н"})
        ).is_success
        assert (await asyncio.wait_for(heard.get(), 5))["data[ID]"] == "20"
        wrong: tuple[tuple[str, dict[str, Any]], ...] = (
            ("crm", {"act": "update", "type": "CONTACT", "id": 2}),
            ("crm", {"act": "eat", "type": "CONTACT", "id": 1}),
            ("crm", {"act": "add", "type": "CAT"}),
            ("users", {"name": "nobody"}),
        )
        for door, wish in wrong:
            assert (await http.post(f"/sandbox/{door}", json=wish)).status_code == 400
