"""The running service takes the keys of a CRM that installs our application, and has them after a restart."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from callme.config import load
from callme.lab.sandboxes.bitrix24.authority import Installed
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.service.checking import check_all
from callme.service.running import Service
from tests.live.until import until
from tests.portals.bitrix24.installed import CLOUD


def written(folder: Path, portal: SandboxPortal) -> Path:
    table = {"id": "main", "crm": "bitrix24", **portal.application, "default_user": 1}
    file = folder / "callme.toml"
    file.write_text(
        '[service]\nlisten = "127.0.0.1:0"\npublic_url = "https://pbx.example.com"\nlanguage = "en"\n'
        '[[pbx]]\nid = "office"\nhost = "127.0.0.1"\nport = 1\nusername = "callme"\nsecret = "x"\n'
        "[[portal]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    )
    file.chmod(0o600)
    return file


@asynccontextmanager
async def running(file: Path) -> AsyncIterator[str]:
    """A service and its address; it ends well."""
    service = Service(load(file, {}))
    task = asyncio.create_task(service.serve(signals=False))
    await asyncio.wait(
        {task, asyncio.ensure_future(service.ready.wait())}, return_when=asyncio.FIRST_COMPLETED
    )
    try:
        yield "http://{}:{}".format(*service.address)
    finally:
        service.stop()
        assert await task == 0


async def said(file: Path) -> str:
    """What `callme check` tells of the portal that is not well."""
    ill = [one for one in await check_all(load(file, {})) if not one.well and "main" in one.topic.say()]
    return "\n".join(f"{one.found} {one.cure}" for one in ill)


async def test_an_installation_reaches_the_portal_and_lasts(tmp_path: Path) -> None:
    async with SandboxPortal(CLOUD) as portal:
        file = written(tmp_path, portal)
        assert "https://pbx.example.com/hooks/main/install" in await said(file)
        async with running(file) as address, httpx2.AsyncClient(trust_env=False) as browser:
            status, page = await portal.install(f"{address}/hooks/main/install", form="page")
            assert (status, portal.authority.installed) == (200, Installed.WHOLE), page
            assert (await browser.post(f"{address}/hooks/other/install")).status_code == 404
            assert await said(file) == ""
        portal.authority.expire()
        async with running(file):
            assert await said(file) == ""
        assert portal.authority.refreshes == 1


async def test_the_tab_of_a_call_card_opens_for_the_portals_people_alone(tmp_path: Path) -> None:
    async with (
        SandboxPortal(CLOUD) as portal,
        running(written(tmp_path, portal)) as address,
        httpx2.AsyncClient(trust_env=False) as browser,
    ):
        await portal.install(f"{address}/hooks/main/install", form="api")
        sent = portal.card("externalCall.1", 2)
        opened = await browser.post(f"{address}/hooks/main/card?LANG=en", data=sent)
        assert (opened.status_code, "does not know this call yet" in opened.text) == (200, True)
        origin = portal.url.rstrip("/")
        assert f"frame-ancestors {origin}" in opened.headers["content-security-policy"]
        (ticket,) = re.findall(r'name="ticket" value="([^"]+)"', opened.text)
        order = f"{address}/hooks/main/card/order?LANG=en"
        again = await browser.post(order, data={"ticket": ticket, "order": "hang-up"})
        assert "cannot be done" in again.text
        assert (await browser.post(order, data={"ticket": "x" + ticket})).status_code == 403
        forged = await browser.post(f"{address}/hooks/main/card", data={**sent, "member_id": "0" * 32})
        assert (forged.status_code, "<form" in forged.text) == (403, False)


async def test_an_installation_subscribes_and_binds_the_tab_at_once(tmp_path: Path) -> None:
    knobs = CLOUD.with_changes({"scopes": [*CLOUD.scopes, "placement"]})
    async with SandboxPortal(knobs) as portal, running(written(tmp_path, portal)) as address:
        await portal.install(f"{address}/hooks/main/install", form="api")
        office = portal.office
        await until(lambda: office.handlers and office.placements, within=10, what="both are bound")
        (row,) = office.placements
        assert row["handler"] == "https://pbx.example.com/hooks/main/card"
