"""Lines and owners before the strict sandbox: what the CRM holds in the end, whatever went wrong."""

from __future__ import annotations

from typing import Any

import pytest

from callme.crm.intents import Finish, Register, Result
from callme.crm.port import Customer, Delivered, Knows
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.seed import CLIENT_PHONE
from tests.portals.bitrix24.test_conformance import SandboxStand, sandbox_stand
from tests.portals.conformance import LINE, PortalConformance, Seen, Trouble

RESPONSIBLE = "101"


class TestOwners(PortalConformance):
    """The whole conformance with every setting about lines and owners in use, and what they add to it."""

    @pytest.fixture
    def table(self) -> dict[str, Any]:
        own = {"name": "Отдел продаж", "source": "WEB", "create": True}
        return {"lines": {LINE: own}, "missed_owner": ["responsible", "rung", "line", "default"]}

    @pytest.fixture
    async def stand(self, table: dict[str, Any]) -> Any:
        stand = sandbox_stand(**table)
        yield stand
        await stand.portal.close()

    async def miss(self, stand: SandboxStand, owner: str | None, **facts: Any) -> None:
        about = self.facts(stand, **{"number": CLIENT_PHONE, "line": LINE, **facts})
        await self.insist(stand, lambda a: stand.portal.register(Register(about, owner), frozenset(), a))
        finish = Finish(about, owner, Result.NO_ANSWER, 0, stand.now, rung=(owner,) if owner else ())
        await self.insist(stand, lambda a: stand.portal.finish(finish, a))

    async def test_a_known_clients_missed_call_goes_to_his_responsible(self, stand: SandboxStand) -> None:
        await self.miss(stand, "102")
        assert stand.finished() == [Seen(CLIENT_PHONE, RESPONSIBLE, True, False, 0, line=LINE)]

    @pytest.mark.parametrize("nth", range(1, 8))
    @pytest.mark.parametrize("kind", list(Trouble))
    async def test_trouble_at_any_request_of_a_missed_call_leaves_one_right_record(
        self, stand: SandboxStand, kind: Trouble, nth: int
    ) -> None:
        """The look-up of the responsible may fail without harm; then the next in order owns the call."""
        stand.trouble(kind, nth)
        await self.miss(stand, "102")
        (seen,) = stand.finished()
        assert seen in [Seen(CLIENT_PHONE, who, True, False, 0, line=LINE) for who in (RESPONSIBLE, "102")]
        searched = stand.wire.methods.index("telephony.externalCall.searchCrmEntities") + 1
        assert seen.owner == RESPONSIBLE or nth == searched
        assert stand.unfinished() == 0

    async def test_a_stranger_becomes_a_client_of_the_lines_source(self, stand: SandboxStand) -> None:
        await self.miss(stand, "102", number="+79160000000")
        made = [one for one in stand.sandbox.office.customers.values() if one.source]
        assert [one.source for one in made] == ["WEB"]
        assert [seen.owner for seen in stand.finished()] == ["102"]


async def test_a_configured_line_is_made_ahead_of_calls_and_follows_its_name() -> None:
    stand = sandbox_stand(lines={LINE: {"name": "Продажи", "create": True}})
    await stand.portal.refresh()
    held = stand.sandbox.office.lines[LINE]
    assert (held.name, held.auto_create) == ("Продажи", True)
    held.name = "Старое"
    await stand.portal.refresh()
    assert stand.sandbox.office.lines[LINE].name == "Продажи"
    before = stand.requests()
    await stand.portal.refresh()
    assert stand.requests() - before == 2, "users and lines are read; nothing is to be changed"
    await stand.portal.close()


async def test_a_restart_adds_no_line_twice_and_no_line_without_a_name() -> None:
    first = sandbox_stand()
    again = sandbox_stand(sandbox=first.sandbox)
    lane = PortalConformance()
    lane.memory = {}
    for stand in (first, again):
        order = Register(lane.facts(stand, line=LINE), "101")
        done = await stand.portal.register(order, frozenset(), lane.attempt(stand))
        assert isinstance(done, Delivered)
        assert done.notice is None
        await stand.portal.close()
    assert [(line.number, line.name) for line in first.sandbox.office.lines.values()] == [(LINE, LINE)]
    assert first.wire.methods.count("telephony.externalLine.add") == 1
    assert again.wire.methods.count("telephony.externalLine.add") == 0
    assert first.unfinished() == 1


async def who(stand: SandboxStand, number: str = CLIENT_PHONE) -> Customer | None:
    """What the adapter tells of a caller, over the wire."""
    assert isinstance(stand.portal, Knows)
    await stand.portal.refresh()
    try:
        return await stand.portal.who(number, 5)
    finally:
        await stand.portal.close()


def client(stand: SandboxStand, kind: str = "CONTACT") -> Any:
    """Somebody's client, whom no other record of the sandbox has; Anna (101) is responsible."""
    user = stand.sandbox.office.by_extension(RESPONSIBLE)
    assert user is not None
    return stand.sandbox.office.add_customer(kind, "Ольга Белова", user.id, (STRANGER,))


STRANGER = "+79160000077"
VIP = {"vip": {"field": "UF_CRM_VIP", "values": ["1"]}}


@pytest.mark.parametrize(
    ("workday", "on_duty"),
    [("OPENED", True), ("CLOSED", False), ("PAUSED", False), ("EXPIRED", None), ("UNAVAILABLE", None)],
)
async def test_the_responsibles_workday_is_what_the_portal_says(workday: str, on_duty: bool | None) -> None:
    stand = sandbox_stand()
    user = stand.sandbox.office.by_extension(RESPONSIBLE)
    assert user is not None
    user.workday = workday
    client(stand)
    assert await who(stand, STRANGER) == Customer(True, "Ольга Белова", RESPONSIBLE, on_duty=on_duty)


@pytest.mark.parametrize("kind", ["CONTACT", "LEAD", "COMPANY"])
@pytest.mark.parametrize(
    ("field", "value", "marked"),
    [
        ("UF_CRM_VIP", "1", True),
        ("UF_CRM_VIP", ["44", "1"], True),
        ("UF_CRM_VIP", "0", False),
        ("UF_CRM_VIP", "", False),
        ("UF_CRM_OTHER", "1", False),
    ],
)
async def test_a_client_is_important_by_a_field_of_his_record(
    kind: str, field: str, value: Any, marked: bool
) -> None:
    stand = sandbox_stand(**VIP)
    client(stand, kind).own[field] = value
    found = await who(stand, STRANGER)
    assert found is not None
    assert found.vip is marked
    assert stand.wire.methods[-1] == "crm.item.get"


async def test_a_field_of_the_portals_own_is_found_too() -> None:
    """Whose name the portal writes in small letters: SOURCE_ID is sourceId."""
    stand = sandbox_stand(vip={"field": "SOURCE_ID", "values": ["VIP_EVENT"]})
    client(stand).source = "VIP_EVENT"
    found = await who(stand, STRANGER)
    assert found is not None
    assert found.vip


async def test_a_record_that_may_not_be_seen_makes_nobody_important() -> None:
    stand = sandbox_stand(Knobs(webhook_telephony="allow", rate_limit_x=0, crm_reads=False), **VIP)
    client(stand).own["UF_CRM_VIP"] = "1"
    assert await who(stand, STRANGER) == Customer(True, "Ольга Белова", RESPONSIBLE)
