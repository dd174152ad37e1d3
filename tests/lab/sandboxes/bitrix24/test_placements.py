"""Placements are as strict as on a portal, and a tab that is bound opens in a person's browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from callme.crm.port import Urgency
from callme.lab.sandboxes.bitrix24.installation import prepared
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.portals.bitrix24.rest import Done, Fault, Rest
from tests.portals.bitrix24.installed import CLOUD, ApplicationStand, installed

HERE = "https://pbx.example.com/hooks/main/card"
ALL = ["crm", "im", "placement", "telephony", "user"]


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[ApplicationStand]:
    stand = await installed(tmp_path)
    stand.sandbox.knobs = CLOUD.with_changes({"scopes": ALL})
    yield stand
    await stand.portal.close()


def rest(stand: ApplicationStand) -> Rest:
    return stand.bitrix._rest


async def refused(stand: ApplicationStand, method: str, **params: Any) -> str:
    answer = await rest(stand).call(method, params, Urgency.UPKEEP)
    assert isinstance(answer, Fault), answer
    return answer.code


async def done(stand: ApplicationStand, method: str, **params: Any) -> Any:
    answer = await rest(stand).call(method, params, Urgency.UPKEEP)
    assert isinstance(answer, Done), answer
    return answer.result


async def test_a_tab_is_bound_told_and_unbound(stand: ApplicationStand) -> None:
    assert await done(stand, "placement.bind", PLACEMENT="CALL_CARD", HANDLER=HERE, TITLE="Telephone") is True
    (row,) = await done(stand, "placement.get")
    assert (row["placement"], row["handler"], row["title"]) == ("CALL_CARD", HERE, "Telephone")
    again = await refused(stand, "placement.bind", PLACEMENT="CALL_CARD", HANDLER=HERE)
    assert again == "ERROR_CORE"
    assert await done(stand, "placement.unbind", PLACEMENT="CALL_CARD", HANDLER=HERE) == {"count": 2}
    assert await done(stand, "placement.get") == []


async def test_what_a_portal_refuses(stand: ApplicationStand) -> None:
    assert await refused(stand, "placement.bind", HANDLER=HERE) == "ERROR_ARGUMENT"
    assert await refused(stand, "placement.bind", PLACEMENT="CALL_CARD") == "ERROR_ARGUMENT"
    assert await refused(stand, "placement.bind", PLACEMENT="NO_PLACE", HANDLER=HERE) == (
        "ERROR_PLACEMENT_NOT_FOUND"
    )
    assert await refused(stand, "placement.bind", PLACEMENT="CALL_CARD", HANDLER="https://localhost") == (
        "ERROR_WRONG_HANDLER_URL"
    )
    assert await refused(stand, "placement.bind", PLACEMENT="CALL_CARD", HANDLER=HERE, USER_ID=2) == (
        "ERROR_PLACEMENT_USER_MODE"
    )
    assert await refused(stand, "placement.bind", PLACEMENT="PAGE_BACKGROUND_WORKER", HANDLER=HERE) == (
        "EMPTY_ERROR_HANDLER_URL"
    )
    assert "CALL_CARD" in await done(stand, "placement.list")
    stand.sandbox.knobs = CLOUD.with_changes({"scopes": ["placement", "user"]})
    assert "CALL_CARD" not in await done(stand, "placement.list")
    stand.sandbox.office.users[1].admin = False
    assert await refused(stand, "placement.get") == "ACCESS_DENIED"


async def test_the_opener_posts_the_frame_and_needs_a_tab() -> None:
    async with SandboxPortal(CLOUD) as portal, httpx2.AsyncClient(trust_env=False) as person:
        asked = json.dumps({"call": "externalCall.1", "user": 2})
        none = await person.post(f"{portal.url}sandbox/card", content=asked)
        assert none.status_code == 400
        prepared(portal.authority, portal.knobs, portal.url, 0.0, form="api")
        portal.office.placements.append({"placement": "CALL_CARD", "handler": f"{portal.url}nowhere"})
        opened = await person.post(f"{portal.url}sandbox/card", content=asked)
        assert opened.json()["status"] in (404, 405)


def test_the_frame_names_the_call_and_the_person() -> None:
    portal = SandboxPortal(CLOUD, clock=lambda: 0.0)
    sent = portal.card("externalCall.1", 2)
    assert json.loads(sent["PLACEMENT_OPTIONS"])["CALL_ID"] == "externalCall.1"
    assert (sent["PLACEMENT"], sent["member_id"]) == ("CALL_CARD", portal.authority.member)
