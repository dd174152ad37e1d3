"""Clicks that wait in a portal that cannot reach us: fetched once, kept before they are forgotten there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from callme.crm.commands import Click, Heard, Hearing
from callme.lab.sandboxes.bitrix24 import clicking, offline
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.portals.bitrix24 import fetching, news
from callme.portals.bitrix24.bindings import WISHES
from tests.portals.bitrix24.installed import CLOUD, ApplicationStand, installed, standing
from tests.portals.conformance import Stand

NUMBER = "+79165550001"
BOUND = sorted((*WISHES, *news.EVENTS))


class Desk:
    """Who keeps messages; a full disk keeps none."""

    def __init__(self) -> None:
        self.clicks: list[Click] = []
        self.full = False

    async def keep(self, heard: Hearing) -> bool:
        assert isinstance(heard, Heard)
        if self.full:
            return False
        if heard.click is not None:
            self.clicks.append(heard.click)
        return True

    @property
    def refs(self) -> list[str]:
        return [click.ref for click in self.clicks]


async def unreachable(folder: Path, sandbox: SandboxPortal | None = None, **knobs: Any) -> ApplicationStand:
    """An installed application that has no address, subscribed."""
    sandbox = sandbox or SandboxPortal(CLOUD.with_changes(knobs), clock=lambda: Stand.now)
    stand = standing(folder, sandbox, address="")
    await stand.install()
    await stand.portal.refresh()
    return stand


def click(stand: ApplicationStand, user: int = 2, ago_s: float = 0.0) -> str:
    office = stand.sandbox.office
    call = clicking.press(office, user, NUMBER, "", stand.now, 1800)
    offline.queue(office, clicking.CLICK, clicking.asked(call, NUMBER), stand.now - ago_s)
    return call.id


async def fetch(stand: ApplicationStand, desk: Desk) -> float:
    return await stand.bitrix.fetch(lambda: stand.now, desk.keep)


@pytest.mark.parametrize("extended", [True, False])
async def test_each_click_comes_once_with_its_time(tmp_path: Path, extended: bool) -> None:
    stand, desk = await unreachable(tmp_path, offline_extended=extended), Desk()
    assert sorted(stand.sandbox.office.offline_bound) == BOUND
    assert stand.sandbox.office.handlers == []
    calls = [click(stand, user, ago_s) for user, ago_s in ((2, 40.0), (3, 1.0))]
    for _ in range(3):
        assert await fetch(stand, desk) == fetching.PACE_S
    assert desk.refs == calls
    assert [round(stand.now - one.at) for one in desk.clicks] == [40, 1]
    assert [one.extension for one in desk.clicks] == ["101", "102"]
    assert stand.sandbox.office.offline == []
    await stand.portal.close()


async def test_a_quiet_portal_costs_one_request_a_look(tmp_path: Path) -> None:
    stand, desk = await unreachable(tmp_path, offline_extended=True), Desk()
    await fetch(stand, desk)
    before = stand.wire.sent
    waits = [await fetch(stand, desk) for _ in range(10)]
    assert stand.wire.sent - before == 10
    assert sum(waits) == 25.0, "0.4 requests a second, of the 2 that a plan allows"
    stand.now += fetching.IDLE_AFTER_S + 1
    assert await fetch(stand, desk) == fetching.IDLE_PACE_S
    click(stand)
    assert await fetch(stand, desk) == fetching.PACE_S
    await stand.portal.close()


async def test_what_a_full_disk_or_a_killed_process_left_comes_again(tmp_path: Path) -> None:
    stand, desk = await unreachable(tmp_path, offline_extended=True), Desk()
    call = click(stand)
    desk.full = True
    await fetch(stand, desk)
    assert (desk.refs, len(stand.sandbox.office.offline)) == ([], 1)
    desk.full = False
    await fetch(stand, desk)
    assert (desk.refs, stand.sandbox.office.offline) == ([call], [])

    desk.full, later = True, click(stand, user=3)
    await fetch(stand, desk)
    await stand.portal.close()  # killed before it was kept
    desk.full = False
    again = standing(tmp_path, stand.sandbox, address="")
    await again.portal.refresh()
    await fetch(again, desk)
    assert (desk.refs, stand.sandbox.office.offline) == ([call, later], [])
    await again.portal.close()


@pytest.mark.parametrize(
    ("method", "moment"),
    [
        ("event.offline.get", Moment.BEFORE),
        ("event.offline.get", Moment.AFTER),
        ("event.offline.clear", Moment.BEFORE),
        ("event.offline.clear", Moment.AFTER),
        ("event.offline.list", Moment.BEFORE),
        ("feature.get", Moment.BEFORE),
    ],
)
async def test_no_lost_answer_loses_a_click(tmp_path: Path, method: str, moment: Moment) -> None:
    stand, desk = await unreachable(tmp_path, offline_extended=True), Desk()
    call = click(stand)
    stand.sandbox.faults.add(Fault(method, FaultKind.DROP, moment))
    for _ in range(3):
        await fetch(stand, desk)
    assert set(desk.refs) == {call}
    assert len(desk.refs) <= 2, "the store knows the second one to be the first"
    assert stand.sandbox.office.offline == []
    await stand.portal.close()


async def test_a_limit_is_kept(tmp_path: Path) -> None:
    stand, desk = await unreachable(tmp_path, offline_extended=True), Desk()
    await fetch(stand, desk)
    busy = Fault("event.offline.get", FaultKind.ERROR, status=503, code="QUERY_LIMIT_EXCEEDED", text="-")
    stand.sandbox.faults.add(busy)
    assert await fetch(stand, desk) >= fetching.PACE_S
    await stand.portal.close()


async def test_where_the_portal_reaches_us_nothing_is_fetched(tmp_path: Path) -> None:
    stand = await unreachable(tmp_path)
    await stand.portal.close()
    reachable = standing(tmp_path, stand.sandbox)
    await reachable.portal.refresh()
    assert stand.sandbox.office.offline_bound == set(), "it would come both ways"
    assert await fetch(reachable, Desk()) == fetching.NEVER_S
    assert reachable.wire.methods.count("event.offline.get") == 0
    await reachable.portal.close()


async def test_an_address_that_the_portal_cannot_reach_is_not_told_to_it(tmp_path: Path) -> None:
    stand = await installed(tmp_path, events="fetched")
    await stand.portal.refresh()
    assert (stand.sandbox.office.handlers, sorted(stand.sandbox.office.offline_bound)) == ([], BOUND)
    assert await fetch(stand, Desk()) == fetching.PACE_S
    await stand.portal.close()


async def test_before_the_installation_and_over_a_webhook_nothing_is_fetched(tmp_path: Path) -> None:
    stand = standing(tmp_path, address="")
    await stand.portal.refresh()
    assert await fetch(stand, Desk()) == fetching.NOT_YET_S
    assert stand.wire.sent == 0
    await stand.portal.close()
    told = await installed(tmp_path / "told", application_token="of-the-outgoing-webhook")
    assert await fetch(told, Desk()) == fetching.NEVER_S
    await told.portal.close()
