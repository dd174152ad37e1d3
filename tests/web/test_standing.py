"""The page of what the set-up wrote: who may see it, what differs, and that nothing is done."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx2
from pydantic import SecretStr

from callme.config import Person, Role, Service
from callme.setup.house import look
from callme.setup.standing import Standing, standing
from callme.web.app import create_app
from tests.setup.playing import Person as Somebody
from tests.setup.playing import World, played, wish
from tests.setup.trees import FREEPBX, contents, grow
from tests.web.boards import full
from tests.web.wizard.browsing import plain

GUARDED = Service(web_user="admin", web_password=SecretStr("secret"))
LISTENER = Person(id="anna", password=SecretStr("password"), role=Role.LISTEN)
WEBHOOK = "portal.webhook=https://example.invalid/rest/1/hushhush/"


def _basic(pair: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


async def seen(root: Path, who: str = "admin:secret", path: str = "/setup?lang=en") -> httpx2.Response:
    """The page for the tree under `root`."""
    wanted = wish(root)

    def stand() -> Standing:
        return standing(wanted, lambda: look(wanted.root, wanted.etc, ("no-such-programme",)), "en")

    app = create_app(full(), GUARDED, people=[LISTENER], stand=stand)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        return await client.get(path, headers=_basic(who))


async def test_what_stands_and_what_was_changed_since(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    assert played(wish(tmp_path, WEBHOOK, hands_off=True), Somebody(), World())
    answer = await seen(tmp_path)
    assert answer.status_code == 200
    page = plain(answer.text)
    assert "All of it stands as it should." in page
    assert page.count("as it should be") == 2
    assert "sudo callme setup --web --config /etc/callme/callme.toml" in page
    custom = tmp_path / "etc/asterisk/manager_custom.conf"
    custom.write_text(custom.read_text("utf-8").replace("read = system,", "read = "), "utf-8")
    before = contents(tmp_path)
    page = plain((await seen(tmp_path)).text)
    assert "differs" in page
    assert "-read = call,agent,user,cdr +read = system,call,agent,user,cdr" in page
    assert "asterisk -rx 'manager reload'" in page
    assert "hushhush" not in page
    assert contents(tmp_path) == before


async def test_a_configuration_without_a_portal_lacks_nothing(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    assert played(wish(tmp_path, "setup.portal=false", hands_off=True), Somebody(), World())
    assert "All of it stands as it should." in plain((await seen(tmp_path)).text)


async def test_what_cannot_be_seen_is_told_with_its_cure(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    page = plain((await seen(tmp_path, path="/setup?lang=ru")).text)
    assert "Отсюда этого не видно" in page
    assert "нет файла конфигурации" in page


async def test_only_who_manages_sees_it_and_the_way_to_it(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    assert (await seen(tmp_path, "anna:password")).status_code == 403
    assert (await seen(tmp_path, "admin:wrong")).status_code == 401
    assert 'href="/setup' in (await seen(tmp_path, path="/")).text
    assert 'href="/setup' not in (await seen(tmp_path, "anna:password", path="/")).text
