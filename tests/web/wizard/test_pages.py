"""The wizard in a browser: the same things are asked, tried, shown and written as in a terminal."""

from __future__ import annotations

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.portals.bitrix24.callme.scripts import dialplan
from tests.setup.playing import BAD, World
from tests.setup.trees import FREEPBX, contents, grow
from tests.web.wizard.browsing import Browser, browsing, plain

WEBHOOK = "https://example.invalid/rest/1/hushhush/"
HERE = {"where": "here", "ami": "new", "recordings": ""}
CRM = {"crm": "bitrix24", "way": "webhook", "key-webhook": WEBHOOK, "key-default_user": "1"}
DIALPLAN = {"extensions_custom.conf": b"; mine\n"}


def configured(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "etc/callme/callme.toml").read_text("utf-8"))


async def answered(browser: Browser, **extras: str) -> str:
    """All forms, as a newcomer fills them in on the PBX itself; the review."""
    await browser.enter()
    assert (await browser.post("/pbx", **HERE)).headers["location"] == "/crm"
    assert (await browser.post("/crm", **CRM)).headers["location"] == "/more"
    return await browser.follow(await browser.post("/more", **extras))


async def test_from_the_address_to_everything_written_and_back_to_the_last_byte(tmp_path: Path) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        assert "Found here: FreePBX" in plain((await browser.enter()).text)
        assert "On this machine: FreePBX" in await browser.text("/pbx")
        review = await answered(browser)
        assert "+[callme]" in review
        assert "+secret = ***" in review
        assert "+webhook = ***" in review
        assert "manager_custom.conf" in review
        assert "CallMe logs in as soon as its user is written." in review
        assert contents(tmp_path) == before  # all of it was seen, none of it written
        assert not browser.world.logins
        done = await browser.follow(await browser.post("/write", mark=await browser.plan()))
        assert "All is well" in done
        assert "trial: works" in done
        (login,) = browser.world.logins
        pbx = configured(tmp_path)["pbx"][0]
        assert (login.username, login.secret) == ("callme", pbx["secret"])
        assert login.secret in (tmp_path / "etc/asterisk/manager_custom.conf").read_text("utf-8")
        assert configured(tmp_path)["portal"][0]["webhook"] == WEBHOOK
        assert stat.S_IMODE((tmp_path / "etc/callme/callme.toml").stat().st_mode) == 0o600
        back = await browser.text("/undo")
        assert "-[callme]" in back
        assert "dry run" not in back
        back = await browser.follow(await browser.post("/undo"))
        assert "manager_custom.conf: as it was before" in back
        assert contents(tmp_path) == before
        for secret in (login.secret, "hushhush"):
            assert not [page for page in browser.seen if secret in page]


async def test_a_second_run_finds_nothing_to_change(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        await answered(browser)
        await browser.post("/write", mark=await browser.plan())
    once = contents(tmp_path)
    async with browsing(tmp_path) as browser:
        await browser.enter()
        assert "There is a configuration" in await browser.text("/")
        await browser.post("/pbx", **HERE)
        assert len(browser.world.logins) == 1  # the user is there already: he is tried at once
        assert "There is one already; empty keeps it." in await browser.text("/crm")
        await browser.post("/crm", **{**CRM, "key-webhook": ""})
        review = await browser.follow(await browser.post("/more"))
        assert "All of it stands as it should. Nothing to write." in review
        assert "Nothing to change." in await browser.follow(
            await browser.post("/write", mark=await browser.plan())
        )
    assert contents(tmp_path) == once


async def test_a_wrong_password_is_told_and_the_next_one_tried(tmp_path: Path) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    existing = {**HERE, "ami": "existing", "username": "gui-user"}
    async with browsing(tmp_path, world=World(pbx=[BAD])) as browser:
        await browser.enter()
        page = await browser.follow(await browser.post("/pbx", **existing, secret="wr0ng"))
        assert "trial: fails" in page
        assert "→ cure" in page
        assert "Go on all the same" in page
        assert 'value="gui-user"' in browser.seen[-1]
        assert "There is one already; empty keeps it." in page
        answer = await browser.post("/pbx", **existing, secret="guisecret")
        assert answer.headers["location"] == "/crm"
        assert [one.secret for one in browser.world.logins] == ["wr0ng", "guisecret"]
        assert not [text for text in browser.seen if "wr0ng" in text or "guisecret" in text]
    assert contents(tmp_path) == before


async def test_a_pbx_elsewhere_is_told_what_to_paste_and_then_tried(tmp_path: Path) -> None:
    async with browsing(tmp_path, world=World(pbx=[BAD])) as browser:
        await browser.enter()
        assert "There is no Asterisk on this machine" in await browser.text("/")
        sent = {"ami": "new", "host": "192.0.2.5", "permit": "192.0.2.9", "recordings": ""}
        page = await browser.follow(await browser.post("/pbx", **sent))
        assert "[callme] secret = " in page
        assert "permit = 192.0.2.9/255.255.255.255" in page
        assert "asterisk -rx 'manager reload'" in page
        assert not browser.world.logins
        secret = re.search(r"secret = (\w{32})", page)
        assert secret
        assert "trial: fails" in await browser.follow(await browser.post("/paste"))
        assert (await browser.post("/paste")).headers["location"] == "/crm"
        assert {(one.host, one.secret) for one in browser.world.logins} == {("192.0.2.5", secret[1])}
        await browser.post("/crm", **CRM)
        review = await browser.follow(await browser.post("/more"))
        assert secret[1] not in review
        done = await browser.follow(await browser.post("/write", mark=await browser.plan()))
        assert "Put this at the end of /etc/asterisk/manager_custom.conf on 192.0.2.5" in done
        assert configured(tmp_path)["pbx"][0]["secret"] == secret[1]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"ami": "new", "host": ""}, "Please fill in: Address of the PBX"),
        ({"ami": "existing", "host": "192.0.2.5"}, "Please fill in: Name of the AMI user"),
        ({"ami": "existing", "host": "192.0.2.5", "username": "x"}, "Please fill in: His secret"),
        ({"ami": "new", "host": "192.0.2.5", "permit": "office"}, "“office” is no address"),
    ],
)
async def test_what_lacks_or_cannot_be_used_is_named(tmp_path: Path, form: dict[str, str], told: str) -> None:
    async with browsing(tmp_path) as browser:
        await browser.enter()
        answer = await browser.post("/pbx", **form)
        assert answer.status_code == 422
        assert told in plain(answer.text)
        assert (await browser.get("/crm")).headers["location"] == "/pbx"  # nothing was answered


async def test_a_portal_is_tried_until_it_works(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path, world=World(portal=[BAD])) as browser:
        await browser.enter()
        await browser.post("/pbx", **HERE)
        answer = await browser.post("/crm", **{**CRM, "key-webhook": ""})
        assert "Please fill in: Address of the webhook" in plain(answer.text)
        answer = await browser.post("/crm", **{**CRM, "key-webhook": "nowhere"})
        assert answer.status_code == 422
        assert "it is not a web address" in answer.text
        assert "trial: fails" in await browser.follow(await browser.post("/crm", **CRM))
        assert (await browser.post("/crm", **CRM)).headers["location"] == "/more"
        assert len(browser.world.configs) == 2


async def test_an_application_is_another_way_with_its_own_keys(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path, f"portal.webhook={WEBHOOK}") as browser:
        await browser.enter()
        await browser.post("/pbx", **HERE)
        assert "Application key (client_secret)" in await browser.text("/crm?crm=bitrix24&way=application")
        sent = {"key-domain": "example.bitrix24.ru", "key-client_id": "local.1", "key-client_secret": "hush"}
        url = "https://pbx.example.com"
        answer = await browser.post(
            "/crm", crm="bitrix24", way="application", public_url=url, **{"key-default_user": "1"}, **sent
        )
        assert answer.headers["location"] == "/more"
        assert "https://pbx.example.com/hooks/main/install" in await browser.text("/crm")
        await browser.post("/more")
        done = await browser.follow(await browser.post("/write", mark=await browser.plan()))
        assert "open the application in Bitrix24 once" in done
        (portal,) = configured(tmp_path)["portal"]
        assert portal["client_secret"] == "hush"
        assert "webhook" not in portal


async def test_a_crm_can_wait(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        await browser.enter()
        await browser.post("/pbx", **HERE)
        assert (await browser.post("/crm", **CRM, without="on")).headers["location"] == "/more"
        await browser.post("/more")
        await browser.post("/write", mark=await browser.plan())
        assert "portal" not in configured(tmp_path)


async def test_a_hook_is_offered_where_there_is_a_dialplan_and_its_key_is_the_one_that_was_shown(
    tmp_path: Path,
) -> None:
    before = grow(tmp_path, {**FREEPBX, **DIALPLAN}, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        review = await answered(browser, hook="agi")
        assert "+[callme-in]" in review
        assert contents(tmp_path) == before
        await browser.post("/write", mark=await browser.plan())
        key = configured(tmp_path)["routing"]["key"]
        assert f",{key}," in (tmp_path / "etc/asterisk/extensions_custom.conf").read_text("utf-8")
        assert not [page for page in browser.seen if key in page]
        await browser.post("/undo")
    assert contents(tmp_path) == before


async def test_an_older_connectors_lines_go_where_a_hook_comes_and_both_were_seen(tmp_path: Path) -> None:
    old = {**FREEPBX, "extensions_custom.conf": b"; mine\n" + dialplan().encode()}
    before = grow(tmp_path, old, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        await browser.enter()
        await browser.post("/pbx", **HERE)
        await browser.post("/crm", **CRM)
        assert "An older connector's lines" in await browser.text("/more")
        kept = await browser.follow(await browser.post("/more", hook="agi"))
        assert "the old connector's lines go" not in kept  # not unless that was ticked
        review = await browser.follow(await browser.post("/more", hook="lookup", remove_old="on"))
        assert "the old connector's lines go" in review
        assert "+[callme-ring]" in review
        assert contents(tmp_path) == before
        assert "All is well" in await browser.follow(await browser.post("/write", mark=await browser.plan()))
        custom = (tmp_path / "etc/asterisk/extensions_custom.conf").read_text("utf-8")
        assert custom.startswith("; mine\n")
        assert "CallMeCALL_ID" not in custom
        await browser.post("/undo")
    assert contents(tmp_path) == before


async def test_what_was_not_seen_is_not_written(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        await answered(browser)
        mark = await browser.plan()
        custom = tmp_path / "etc/asterisk/manager_custom.conf"
        custom.write_bytes(b"; somebody else\n")
        now = contents(tmp_path)
        answer = await browser.post("/write", mark=mark)
        assert answer.status_code == 409
        assert "Something has changed since you saw this" in plain(answer.text)
        assert (await browser.post("/write")).status_code == 409
        assert contents(tmp_path) == now
        assert "All is well" in await browser.follow(await browser.post("/write", mark=await browser.plan()))


async def test_nothing_is_written_before_every_form_was_answered(tmp_path: Path) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        await browser.enter()
        for path in ("/crm", "/paste", "/more", "/review", "/done"):
            assert (await browser.get(path)).headers["location"] == "/pbx"
        assert (await browser.post("/write", mark="")).headers["location"] == "/pbx"
    assert contents(tmp_path) == before


async def test_what_the_disk_refuses_is_told_and_can_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        await answered(browser)
        mark = await browser.plan()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device", "/etc/asterisk/manager_custom.conf")

        with monkeypatch.context() as disk:
            disk.setattr("os.replace", full)
            done = await browser.follow(await browser.post("/write", mark=mark))
        assert "It went no further" in done
        assert "No space left on device" in done
        assert "run the same command as root" in done
        await browser.post("/undo")
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before


async def test_russian_in_full_and_nothing_from_outside_is_markup(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        await browser.enter()
        page = await browser.text("/pbx?lang=ru")
        assert "Где находится АТС?" in page
        answer = await browser.post("/pbx", ami="new", host="<script>alert(1)</script>", recordings='"><b>')
        assert "<script>alert" not in answer.text
        assert '"><b>' not in answer.text
        for path in ("/", "/crm", "/more", "/review", "/undo"):
            await browser.post("/pbx", **HERE)
            await browser.post("/crm", **CRM)
            await browser.post("/more")
            page = (await browser.get(path)).text
            words = plain(re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL))
            assert re.search(r"[а-я]{4}", words)
            assert not re.search(r"\b(the|what|and|written)\b", words.lower()), words


async def test_finishing_ends_it(tmp_path: Path) -> None:
    async with browsing(tmp_path) as browser:
        await browser.enter()
        assert not browser.app.state.over.is_set()
        assert "The set-up is closed" in plain((await browser.post("/finish")).text)
        assert browser.app.state.over.is_set()
