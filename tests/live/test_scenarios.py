"""Every scenario of the lab, through a real Asterisk, the real service and the sandbox portal: the CRM is
told exactly what happened, and each person saw the card while his telephone rang or he talked.
"""

from __future__ import annotations

import pytest

from callme.lab.asterisk import Release
from tests.live import judging
from tests.live.company import DEFAULT_USER
from tests.live.share import RELEASES, cases
from tests.live.theatre import Theatre

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(("release", "name"), cases())
async def test_is_told_right(theatre: Theatre, release: Release, name: str) -> None:
    shown = await theatre.shown(release, name)
    users = {
        user.extension: user.id
        for user in theatre.companies[release].portal.office.users.values()
        if user.extension
    }
    found = await judging.faults(shown, users, DEFAULT_USER)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("release", RELEASES)
async def test_the_portal_holds_nothing_else(theatre: Theatre, release: Release) -> None:
    """After all plays: no call beyond those that were played, none left open, no card on any screen."""
    if release not in theatre.companies:
        return  # this run plays nothing on that release
    shown = await theatre.over(release)
    office = theatre.companies[release].portal.office
    assert len(office.statistics) == sum(one.played.scenario.truth.crm_calls for one in shown)
    assert not office.calls
    assert not office.watching()


@pytest.mark.parametrize("release", RELEASES)
async def test_what_calls_cost_is_told(
    theatre: Theatre, release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each call's requests, look-ups and the recording apart; `judging` holds them to their limit."""
    if release not in theatre.companies:
        return  # this run plays nothing on that release
    told = [
        f"{release} {one.played.scenario.name}: {len(seen.asked)} requests ({', '.join(seen.asked)})"
        for one in await theatre.over(release)
        for seen in one.seen[:1]
    ]
    with capsys.disabled():
        print("", *told, sep="\n")
    assert all("finish" in line or "batch" in line for line in told)
