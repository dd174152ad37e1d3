"""Who gets into the wizard: the one browser that opened the address, with forms of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from callme.web.wizard.key import ENTER_S, IDLE_S
from tests.setup.trees import FREEPBX, contents, grow
from tests.web.wizard.browsing import browsing, plain

SHOWN = ("/", "/pbx", "/paste", "/crm", "/more", "/review", "/done", "/undo")
TAKEN = ("/pbx", "/paste", "/crm", "/more", "/write", "/undo", "/finish")


async def test_a_browser_that_was_not_let_in_sees_and_does_nothing(tmp_path: Path) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        answers = [await browser.get(path) for path in SHOWN]
        answers += [await browser.post(path) for path in TAKEN]
        answers += [await browser.get("/enter"), await browser.enter("x" * 43)]
        assert {answer.status_code for answer in answers} == {403}
        assert not [answer for answer in answers if "FreePBX" in answer.text or answer.cookies]
        assert not browser.app.state.over.is_set()
    assert contents(tmp_path) == before


async def test_the_address_is_exchanged_at_once_and_opens_nobody_else(tmp_path: Path) -> None:
    async with browsing(tmp_path) as browser:
        answer = await browser.enter()
        cookie = answer.headers["set-cookie"]
        assert all(mark in cookie for mark in ("HttpOnly", "SameSite=strict", "Path=/"))
        assert browser.key.word not in cookie + answer.text
        assert (await browser.get("/pbx")).status_code == 200
        assert (await browser.enter()).headers["location"] == "/"  # his own browser, loaded again
        browser.client.cookies.clear()
        assert (await browser.enter()).status_code == 403
        assert (await browser.get("/pbx")).status_code == 403


@pytest.mark.parametrize(("away", "status"), [(IDLE_S - 1, 200), (IDLE_S, 403)])
async def test_a_browser_that_was_away_too_long_is_out(tmp_path: Path, away: float, status: int) -> None:
    async with browsing(tmp_path) as browser:
        await browser.enter()
        browser.clock.now += away
        assert (await browser.get("/pbx")).status_code == status


async def test_an_address_that_is_too_old_opens_nothing(tmp_path: Path) -> None:
    async with browsing(tmp_path) as browser:
        browser.clock.now += ENTER_S
        answer = await browser.enter()
        assert answer.status_code == 403
        assert "Run the command again" in answer.text


@pytest.mark.parametrize("path", TAKEN)
@pytest.mark.parametrize("form", [{}, {"form": ""}, {"form": "x" * 43}])
async def test_a_form_that_is_not_ours_does_nothing(tmp_path: Path, path: str, form: dict[str, str]) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        await browser.enter()
        answer = await browser.client.post(path, data={"where": "here", "ami": "new", **form})
        assert answer.status_code == 403
        assert "This form is not one of this set-up" in answer.text
        assert browser.visit.tried == {}
        assert not browser.app.state.over.is_set()
    assert contents(tmp_path) == before


async def test_what_is_too_long_or_no_form_is_refused(tmp_path: Path) -> None:
    async with browsing(tmp_path) as browser:
        await browser.enter()
        assert (await browser.client.post("/pbx", content=b"x" * 70_000)).status_code == 413
        assert (await browser.client.post("/pbx", content=b"\xff")).status_code == 400


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8099", 200), ("[::1]:8099", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421)],
)
async def test_a_foreign_name_in_the_address_is_sent_away(tmp_path: Path, host: str, status: int) -> None:
    async with browsing(tmp_path, host=host) as browser:
        assert (await browser.enter()).status_code == status


async def test_every_answer_is_strict_and_kept_nowhere(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    async with browsing(tmp_path) as browser:
        answers = [await browser.get("/pbx"), await browser.enter()]
        answers += [await browser.get(path) for path in ("/pbx", "/undo", "/nowhere")]
        for answer in answers:
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "<script" not in answer.text
            assert "style=" not in answer.text
        assert answers[-1].status_code == 404
        assert (await browser.client.get("/static/callme.css")).status_code == 200


async def test_it_speaks_as_the_browser_does_until_another_language_is_chosen(tmp_path: Path) -> None:
    async with browsing(tmp_path) as browser:
        answer = await browser.client.get(
            f"/enter?key={browser.key.word}", headers={"Accept-Language": "ru-RU"}
        )
        assert "Настроим CallMe" in plain(answer.text)
        assert "Let us set CallMe up" in await browser.text("/?lang=en")
        assert "Where is the PBX?" in await browser.text("/pbx")
