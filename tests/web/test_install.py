"""The page that a CRM opens when our application is installed in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from callme.config import Service
from callme.crm.installation import Installed, Verdict
from callme.lab.sandboxes.bitrix24.authority import Installed as Stage
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.web.app import create_app
from callme.wording import Phrase
from tests.portals.bitrix24.installed import CLOUD, standing
from tests.web.boards import full

SAID = Phrase("<b>connected</b>", "<b>подключено</b>")
FRAMED = Installed(
    Verdict.KEPT,
    SAID,
    frame="https://acme.example",
    script="https://api.vendor.example/v1/",
    call="done(1 < 2);",
)
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Door:
    """Remembers what came; answers what it was told to."""

    def __init__(self, answer: Installed | None) -> None:
        self.answer = answer
        self.came: list[tuple[str, dict[str, str]]] = []

    async def __call__(self, portal: str, fields: Mapping[str, str]) -> Installed | None:
        self.came.append((portal, dict(fields)))
        return self.answer


def opening(door: Door) -> httpx2.AsyncClient:
    app = create_app(full(), Service(public_url="https://pbx.example.com"), door)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://pbx.example.com")


async def test_fields_of_address_and_body_come_together_from_anywhere() -> None:
    door = Door(Installed(Verdict.KEPT, SAID))
    async with opening(door) as client:
        answer = await client.post(
            "/hooks/main/install?DOMAIN=acme.example&LANG=ru", content="AUTH_ID=a%3D1&x=", headers=FORM
        )
        assert answer.status_code == 200
        assert (await client.get("/hooks/main/install")).status_code == 200
        assert (await client.get("/")).status_code == 403, "the pages stay closed"
    assert door.came[0] == ("main", {"DOMAIN": "acme.example", "LANG": "ru", "AUTH_ID": "a=1", "x": ""})
    assert "подключено" in answer.text
    assert "<b>" not in answer.text


async def test_a_page_in_a_frame_may_load_the_named_script_and_nothing_else() -> None:
    async with opening(Door(FRAMED)) as client:
        answer = await client.post("/hooks/main/install?LANG=en", content="a=1", headers=FORM)
        again = await client.post("/hooks/main/install?LANG=en", content="a=1", headers=FORM)
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([\w-]+)'", policy)
    assert nonce
    assert policy == (
        f"default-src 'none'; script-src https://api.vendor.example 'nonce-{nonce[1]}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors https://acme.example"
    )
    assert f'<script src="https://api.vendor.example/v1/" nonce="{nonce[1]}">' in answer.text
    assert "done(1 < 2);" in answer.text
    assert nonce[1] not in again.text


async def test_without_a_script_there_is_none() -> None:
    async with opening(Door(Installed(Verdict.FOREIGN, SAID, SAID))) as client:
        answer = await client.post("/hooks/main/install", content="a=1", headers=FORM)
    assert answer.status_code == 403
    policy = answer.headers["content-security-policy"]
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    ("verdict", "status"), [(Verdict.UNCLEAR, 400), (Verdict.LATER, 503), (Verdict.KNOWN, 200)]
)
async def test_what_became_of_it_is_the_status(verdict: Verdict, status: int) -> None:
    async with opening(Door(Installed(verdict, SAID))) as client:
        assert (await client.post("/hooks/main/install")).status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [("a" * 70_000, 413), ("no form at all", 400), (b"\xff=1", 400), ("a=1&" * 300, 400)],
)
async def test_what_is_no_form_reaches_nobody(body: str | bytes, status: int) -> None:
    door = Door(Installed(Verdict.KEPT, SAID))
    async with opening(door) as client:
        assert (await client.post("/hooks/main/install", content=body, headers=FORM)).status_code == status
    assert door.came == []


async def test_an_unknown_portal_is_not_there() -> None:
    async with opening(Door(None)) as client:
        assert (await client.post("/hooks/nobody/install")).status_code == 404


@pytest.mark.parametrize("form", ["api", "page"])
async def test_a_portal_installs_itself_through_the_page(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox sends what a portal sends; its administrator's browser runs what our page says."""
    stand = standing(tmp_path, SandboxPortal(CLOUD))

    async def install(_portal: str, fields: Mapping[str, str]) -> Installed:
        return await stand.bitrix.install(fields)

    app = create_app(full(), Service(public_url="https://pbx.example.com"), install)
    plain = httpx2.AsyncClient
    monkeypatch.setattr(
        "callme.lab.sandboxes.bitrix24.installation.httpx2.AsyncClient",
        lambda **_: plain(transport=httpx2.ASGITransport(app=app)),
    )
    status, page = await stand.sandbox.install("https://pbx.example.com/hooks/main/install", form=form)
    assert status == 200
    assert ("installFinish" in page) == (form == "page")
    assert stand.sandbox.authority.installed is Stage.WHOLE
    assert [one for one in await stand.portal.check() if not one.well] == []
    await stand.portal.close()
