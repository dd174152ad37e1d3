"""Portals are found by their folder's name."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

import pytest

import callme
from callme.errors import ConfigError
from callme.portals import registry
from tests.portals.conformance import OpenGate

TABLE = {"webhook": "https://acme.example/rest/1/hushhush/", "default_user": 1}


def test_each_folder_is_a_crm() -> None:
    assert registry.known() == ["bitrix24"]


def test_a_plan_tells_the_pace_and_no_secret() -> None:
    plan = registry.plan("bitrix24", "main", {**TABLE, "requests_per_second": 5})
    assert (plan.requests_per_second, plan.burst) == (5, 40)
    assert "hushhush" not in repr(plan)


async def test_a_plan_opens_as_a_portal() -> None:
    portal = registry.plan("bitrix24", "main", TABLE).open(OpenGate(), UTC)
    assert portal.id == "main"
    assert portal.capabilities.cards
    await portal.close()


@pytest.mark.parametrize("crm", ["bitrx24", "registry", "..", "no.such"])
def test_an_unknown_crm_is_named_with_those_that_are_known(crm: str) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.plan(crm, "main", TABLE)
    told = caught.value.say("en")
    assert "portal.main.crm" in told
    assert "bitrix24" in told


def test_a_broken_authorities_file_is_told_on_opening(tmp_path: Path) -> None:
    plan = registry.plan("bitrix24", "main", {**TABLE, "ca_file": "none.pem"}, base=tmp_path)
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path / "none.pem"))):
        plan.open(OpenGate(), UTC)


def test_no_crm_is_named_outside_its_folder() -> None:
    root = Path(callme.__file__).parent
    rooms = [root / "portals" / "registry.py", root / "http.py", *(root / "crm").glob("*.py")]
    for module in rooms:
        assert "bitrix" not in module.read_text().lower(), module
