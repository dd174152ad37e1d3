"""A call that a click opened in the portal: nothing is registered, everything else goes to that call."""

from __future__ import annotations

from dataclasses import replace

from callme.crm.intents import CallFacts, Direction, Finish, Register, Result
from callme.crm.port import Attempt, Delivered
from callme.lab.sandboxes.bitrix24.clicking import press
from tests.portals.bitrix24.test_conformance import sandbox_stand

ABOUT = CallFacts("office-1.2", Direction.OUT, "+79261112233", "", "", 1_767_225_600.0)


async def test_the_portals_own_call_is_finished_and_no_other_made() -> None:
    stand = sandbox_stand()
    opened = press(stand.sandbox.office, 2, "+79261112233", "", stand.now, 1800)
    attempt = Attempt(1, False, {}, stand.now, stand.now)
    registered = await stand.portal.register(
        Register(ABOUT, "101", given=opened.id), frozenset({"101", "102"}), attempt
    )
    assert isinstance(registered, Delivered)
    assert registered.shown == frozenset({"101"}), "the portal itself showed the card to who clicked"
    assert [method for method in stand.wire.methods if "externalCall" in method] == []
    finish = Finish(ABOUT, "101", Result.ANSWERED, 7, stand.now + 20)
    done = await stand.portal.finish(finish, replace(attempt, memory=registered.memory))
    assert isinstance(done, Delivered)
    (record,) = stand.sandbox.office.statistics.values()
    assert (record.call, record.user, record.duration) == (opened.id, 2, 7)
    assert stand.unfinished() == 0
    await stand.portal.close()
