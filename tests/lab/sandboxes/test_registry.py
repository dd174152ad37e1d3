"""Every CRM's sandbox is found by its name, and stands up with a page and a table to reach it by."""

from __future__ import annotations

import httpx2
import pytest

from callme.lab.acts import acts
from callme.lab.sandboxes import registry
from callme.portals import registry as portals


def test_every_crm_has_a_sandbox() -> None:
    assert registry.known() == portals.known()


@pytest.mark.parametrize("crm", registry.known())
async def test_a_sandbox_is_reached_as_its_table_says(crm: str) -> None:
    async with registry.open_sandbox(crm, "en", 0) as sandbox:
        async with httpx2.AsyncClient() as browser:
            assert (await browser.get(sandbox.url)).status_code == 200
        table = sandbox.table()
        assert table["crm"] == crm
        settings = {key: value for key, value in table.items() if key not in ("id", "crm")}
        assert portals.plan(crm, "main", settings).crm == crm
        assert (sandbox.records(), sandbox.unfinished(sandbox.known_client)) == ([], 0)
        assert [act.code for act in acts(sandbox.known_client, sandbox.codes)] == [
            sandbox.codes["in", "answered"],
            sandbox.codes["in", "no-answer"],
            sandbox.codes["out", "answered"],
        ]
