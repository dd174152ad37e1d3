"""Whom a number belongs to and what is created for a stranger (§1.2, §1.5, §5.2)."""

from __future__ import annotations

from typing import Any

import pytest

from callme.lab.sandboxes.bitrix24.customers import indexed
from tests.lab.sandboxes.bitrix24.client import Client

REGISTER = "telephony.externalCall.register"
STRANGER: dict[str, Any] = {"USER_ID": 2, "PHONE_NUMBER": "+74957654321", "TYPE": 2, "CRM_CREATE": 1}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("+7 (926) 123-45-67", "79261234567"),
        ("89261234567", "79261234567"),
        ("79261234567", "79261234567"),
        ("+89261234567", "89261234567"),
        ("81012345678", "81012345678"),
        ("0079261234567", "79261234567"),
        ("01179261234567", "79261234567"),
        ("09261234567", "9261234567"),
        ("9261234567", "9261234567"),
        ("84951234567;12", "74951234567"),
        ("112", "112"),
    ],
)
def test_the_duplicate_index(given: str, kept: str) -> None:
    assert indexed(given) == kept


async def test_a_lead_in_classic_mode(client: Client) -> None:
    result = await client.result(REGISTER, {**STRANGER, "CRM_SOURCE": "WEB"})
    assert result["CRM_CREATED_LEAD"] == 1
    assert result["CRM_CREATED_ENTITIES"] == [{"ENTITY_TYPE": "LEAD", "ENTITY_ID": 1}]
    assert (result["CRM_ENTITY_TYPE"], result["CRM_ENTITY_ID"]) == ("LEAD", 1)
    lead = client.office.customers["LEAD", 1]
    assert (lead.title, lead.assigned_by, lead.source) == ("+74957654321 - Входящий звонок", 2, "WEB")


async def test_contact_and_deal_in_simple_mode() -> None:
    async with Client(crm_mode="simple") as client:
        result = await client.result(REGISTER, STRANGER)
        assert result["CRM_CREATED_LEAD"] is None
        assert result["CRM_CREATED_ENTITIES"] == [
            {"ENTITY_TYPE": "CONTACT", "ENTITY_ID": 2},
            {"ENTITY_TYPE": "DEAL", "ENTITY_ID": 1},
        ]
        assert await client.result("crm.settings.mode.get") == 2


@pytest.mark.parametrize(
    ("flag", "leads"),
    [({"CRM_CREATE": 0}, 0), ({"CRM_CREATE": "0"}, 0), ({"CRM_CREATE": "N"}, 1), ({"CRM": 1}, 1), ({}, 0)],
)
async def test_the_creation_flag(client: Client, flag: dict[str, Any], leads: int) -> None:
    asked = {key: value for key, value in STRANGER.items() if key != "CRM_CREATE"}
    assert len((await client.result(REGISTER, {**asked, **flag}))["CRM_CREATED_ENTITIES"]) == leads


@pytest.mark.parametrize("kind", [1, 2])
async def test_nothing_is_created_for_a_known_client(client: Client, kind: int) -> None:
    result = await client.result(REGISTER, {**STRANGER, "PHONE_NUMBER": "89261234567", "TYPE": kind})
    assert (result["CRM_CREATED_ENTITIES"], result["CRM_ENTITY_TYPE"]) == ([], "CONTACT")


async def test_nothing_is_created_for_a_colleagues_mobile(client: Client) -> None:
    client.office.users[3].personal_mobile = "8 495 765-43-21"
    result = await client.result(REGISTER, STRANGER)
    assert result["CRM_CREATED_ENTITIES"] == []
    assert result["LEAD_CREATION_ERROR"] == "Lead creation is disabled for local users"


async def test_a_named_object_is_taken_without_search(client: Client) -> None:
    result = await client.result(REGISTER, {**STRANGER, "CRM_ENTITY_TYPE": "DEAL", "CRM_ENTITY_ID": "7"})
    assert (result["CRM_ENTITY_TYPE"], result["CRM_ENTITY_ID"]) == ("DEAL", 7)
    assert result["CRM_CREATED_ENTITIES"] == []


async def test_the_lines_country_helps_a_national_number(client: Client) -> None:
    asked = {"USER_ID": 2, "PHONE_NUMBER": "9261234567", "TYPE": 2}
    assert (await client.result(REGISTER, asked))["CRM_ENTITY_TYPE"] == ""
    asked |= {"LINE_NUMBER": "74951234567"}
    assert (await client.result(REGISTER, asked))["CRM_ENTITY_TYPE"] == "CONTACT"


async def test_the_primary_is_contact_then_lead_then_company(client: Client) -> None:
    for kind in ("COMPANY", "LEAD"):
        client.office.add_customer(kind, kind, 2, ("+74957654321",))
        assert (await client.result(REGISTER, {**STRANGER, "USER_ID": 3 if kind == "LEAD" else 2}))[
            "CRM_ENTITY_TYPE"
        ] == kind


async def test_search(client: Client) -> None:
    client.office.users[2].work_phone = "+74950000000"
    found = await client.result("telephony.externalCall.searchCrmEntities", {"PHONE_NUMBER": "89261234567"})
    assert found == [
        {
            "CRM_ENTITY_TYPE": "CONTACT",
            "CRM_ENTITY_ID": 1,
            "ASSIGNED_BY_ID": 2,
            "NAME": "Иван Петров",
            "ASSIGNED_BY": {
                "ID": "2",
                "TIMEMAN_STATUS": "UNAVAILABLE",
                "USER_PHONE_INNER": "101",
                "WORK_PHONE": "+74950000000",
                "PERSONAL_PHONE": None,
                "PERSONAL_MOBILE": None,
            },
        }
    ]
    assert await client.result("telephony.externalCall.searchCrmEntities", {"PHONE_NUMBER": "112"}) == []


async def test_search_without_a_number(client: Client) -> None:
    refused = await client.refused("telephony.externalCall.searchCrmEntities")
    assert refused == (400, "", "PHONE_NUMBER is empty")


@pytest.mark.parametrize(
    ("params", "result"),
    [
        ({"type": "PHONE", "values": ["89261234567"]}, {"CONTACT": [1]}),
        ({"TYPE": "PHONE", "VALUES": ["+79261234567", "79261234567"]}, {"CONTACT": [1]}),
        ({"type": "PHONE", "values": ["89261234567"], "entity_type": "LEAD"}, []),
        ({"type": "PHONE", "values": ["1"] * 20 + ["89261234567"]}, []),
        ({"type": "EMAIL", "values": ["a@example.com"]}, []),
    ],
)
async def test_find_by_communication(client: Client, params: dict[str, Any], result: Any) -> None:
    assert await client.result("crm.duplicate.findbycomm", params) == result


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({}, "Communication type is not defined."),
        ({"type": "FAX"}, "Communication type 'FAX' is not supported in current context."),
        ({"type": "PHONE"}, "Communication values is not defined."),
        (
            {"type": "PHONE", "values": ["1"], "entity_type": "DEAL"},
            "Deal is not supported in current context.",
        ),
    ],
)
async def test_find_by_communication_refuses(client: Client, params: dict[str, Any], text: str) -> None:
    assert await client.refused("crm.duplicate.findbycomm", params) == (400, "", text)
    client.portal.knobs = client.portal.knobs.with_changes({"empty_error_codes": False})
    assert await client.refused("crm.duplicate.findbycomm", params) == (400, text, text)


async def test_a_record_by_its_number(client: Client) -> None:
    contact = client.office.add_customer("CONTACT", "Ольга Белова", 2, ("+79160000077",))
    contact.own["UF_CRM_VIP"] = "1"
    asked = {"entityTypeId": 3, "id": contact.id}
    item = (await client.result("crm.item.get", asked))["item"]
    assert (item["id"], item["assignedById"], item["ufCrmVip"]) == (contact.id, 2, "1")
    assert item["fm"] == [{"id": 1, "typeId": "PHONE", "valueType": "WORK", "value": "+79160000077"}]
    item = (await client.result("crm.item.get", {**asked, "useOriginalUfNames": "Y"}))["item"]
    assert (item["UF_CRM_VIP"], "ufCrmVip" in item) == ("1", False)


@pytest.mark.parametrize(
    ("knobs", "asked", "error"),
    [
        ({}, {"entityTypeId": 3, "id": 999}, "NOT_FOUND"),
        ({}, {"entityTypeId": 77, "id": 1}, "NOT_FOUND"),
        ({"crm_reads": False}, {"entityTypeId": 3, "id": 1}, "ACCESS_DENIED"),
    ],
)
async def test_a_record_that_is_not_given(knobs: dict[str, Any], asked: dict[str, Any], error: str) -> None:
    async with Client(**knobs) as client:
        status, code, _ = await client.refused("crm.item.get", asked)
        assert (status, code) == (400, error)
