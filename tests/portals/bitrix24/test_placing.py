"""The tab in call cards: bound once where it may be, moved with our address, taken away when unwanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from callme.crm.installation import Home
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.portals.bitrix24.settings import Settings
from callme.portals.registry import open_portal
from tests.portals.bitrix24.installed import CLOUD, PUBLIC, ApplicationStand, installed, standing
from tests.portals.bitrix24.scripted import MOSCOW, OpenGate
from tests.portals.bitrix24.test_conformance import Wire

HERE = f"{PUBLIC}/hooks/main/card"
ALL = CLOUD.with_changes({"scopes": ["crm", "im", "placement", "telephony", "user"]})


async def ready(folder: Path, **settings: Any) -> ApplicationStand:
    stand = await installed(folder, **settings)
    stand.sandbox.knobs = ALL
    return stand


def placed(sandbox: SandboxPortal) -> list[tuple[str, str]]:
    return [(row["placement"], row["handler"]) for row in sandbox.office.placements]


async def tab(stand: ApplicationStand) -> tuple[str, str]:
    """What `callme check` tells of the tab."""
    (one,) = [one for one in await stand.portal.check() if "tab" in one.topic.say("en")]
    assert one.well, "without the tab every call is told all the same"
    return one.found.say("en"), one.cure.say("en") if one.cure else ""


async def test_the_tab_is_bound_once_and_shown_by_check(tmp_path: Path) -> None:
    stand = await ready(tmp_path)
    await stand.portal.refresh()
    await stand.portal.refresh()
    assert placed(stand.sandbox) == [("CALL_CARD", HERE)]
    assert stand.wire.methods.count("placement.get") == 1
    assert stand.sandbox.office.placements[0]["langAll"]["ru"]["TITLE"] == "Телефония"
    assert HERE in (await tab(stand))[0]
    await stand.portal.close()


async def test_an_installation_binds_anew_what_was_lost(tmp_path: Path) -> None:
    stand = await ready(tmp_path)
    await stand.portal.refresh()
    stand.sandbox.office.placements.clear()
    await stand.install()
    await stand.portal.refresh()
    assert placed(stand.sandbox) == [("CALL_CARD", HERE)]
    await stand.portal.close()


async def test_without_the_right_nothing_is_bound_and_check_names_it(tmp_path: Path) -> None:
    stand = await installed(tmp_path)
    assert await stand.portal.refresh() is None
    assert not any(method.startswith("placement") for method in stand.wire.methods)
    found, cure = await tab(stand)
    assert "the right is missing" in found
    assert "(placement)" in cure
    await stand.portal.close()


@pytest.mark.parametrize("address", ["", "http://pbx.example.com"])
async def test_without_an_https_address_there_is_none(tmp_path: Path, address: str) -> None:
    sandbox = (await ready(tmp_path)).sandbox
    stand = standing(tmp_path, sandbox, address)
    await stand.portal.refresh()
    assert placed(sandbox) == []
    assert stand.bitrix.tab.frame == ""
    assert "public_url" in (await tab(stand))[1]
    await stand.portal.close()


async def test_a_new_address_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    first = await ready(tmp_path)
    await first.portal.refresh()
    second = standing(tmp_path, first.sandbox, "https://new.example.com")
    await second.portal.refresh()
    assert placed(first.sandbox) == [("CALL_CARD", "https://new.example.com/hooks/main/card")]
    third = standing(tmp_path, first.sandbox, call_tab={"shown": False})
    await third.portal.refresh()
    assert placed(first.sandbox) == []
    assert [one for one in await third.portal.check() if "tab" in one.topic.say("en")] == []
    for stand in (first, second, third):
        await stand.portal.close()


async def test_trouble_is_tried_again(tmp_path: Path) -> None:
    stand = await ready(tmp_path)
    stand.sandbox.faults.add(Fault("placement.bind", FaultKind.HTML, status=502))
    await stand.portal.refresh()
    assert placed(stand.sandbox) == []
    await stand.portal.refresh()
    assert placed(stand.sandbox) == [("CALL_CARD", HERE)]
    await stand.portal.close()


async def test_shadow_mode_binds_nothing_and_opens_nothing(tmp_path: Path) -> None:
    first = await ready(tmp_path)
    table = {**first.sandbox.application, "default_user": 1}
    quiet = open_portal(
        "bitrix24",
        "main",
        table,
        gate=OpenGate(),
        zone=MOSCOW,
        transport=Wire(first.sandbox),
        home=Home(tmp_path, PUBLIC, quiet=True),
    )
    await quiet.refresh()
    assert placed(first.sandbox) == []
    assert quiet.tab.frame == ""  # type: ignore[attr-defined]
    await quiet.close()
    await first.portal.close()


def test_the_settings_name_supervisors() -> None:
    table = {
        "webhook": "https://a.example/rest/1/secret/",
        "default_user": 1,
        "call_tab": {"supervisors": [7]},
    }
    assert Settings.model_validate(table).call_tab.supervisors == (7,)
