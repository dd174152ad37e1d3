"""Lines and owners before the strict sandbox: what the CRM holds in the end, whatever went wrong."""

from __future__ import annotations

from typing import Any

import pytest

from callme.crm.intents import Finish, Register, Result
from callme.crm.port import Delivered
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
