"""The page: in both languages, escaped, without inline script; in a browser cards come and go alone."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator

import httpx2
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from callme.lab.sandboxes.bitrix24 import page, wordlist
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.wording import Phrase
from tests.lab.sandboxes.bitrix24.client import Client
from tests.lab.sandboxes.bitrix24.sound import wav


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        (None, "de, en;q=0.7", "en"),
        ("en", "ru", "en"),
        ("ru", "en", "ru"),
        ("xx", "ru", "ru"),
    ],
)
def test_language(asked: str | None, accepted: str, language: str) -> None:
    assert page.spoken(asked, accepted) == language


@pytest.mark.parametrize(("seconds", "face"), [(0, "0:00"), (64, "1:04"), (3661, "1:01:01")])
def test_clock_face(seconds: int, face: str) -> None:
    assert page.clock_face(seconds) == face


def test_both_languages_have_every_word() -> None:
    phrases: list[Phrase] = [
        *wordlist.PAGE.values(),
        *wordlist.DIRECTIONS.values(),
        *wordlist.STATUSES.values(),
        wordlist.UNDEFINED,
    ]
    assert all(phrase.en and phrase.ru and phrase.en != phrase.ru for phrase in phrases)


async def test_the_page_tells_the_calls_in_words(client: Client) -> None:
    call = await client.finished(LINE_NUMBER="74951234567")
    content = base64.b64encode(wav()).decode()
    asked = {"CALL_ID": call, "FILENAME": "a.wav", "FILE_CONTENT": content}
    await client.result("telephony.externalCall.attachRecord", asked)
    await client.finish(await client.register(USER_PHONE_INNER="102"), STATUS_CODE="304")
    russian = (await client.http.get("/?lang=ru")).text
    english = (await client.http.get("/?lang=en")).text
    for words, body in (
        (("Входящий", "Успешный звонок", "Пропущенный", "Иван Петров", "доб. 101", "Карточек нет"), russian),
        (("Incoming", "Answered", "Missed", "Иван Петров", "ext. 101", "No cards"), english),
    ):
        assert [word for word in words if word not in body] == []
    assert 'src="/sandbox/recordings/1"' in russian


async def test_what_clients_send_is_escaped_and_nothing_is_inline(client: Client) -> None:
    client.office.customers["CONTACT", 1].title = "<script>alert(1)</script>"
    await client.register(LINE_NUMBER='"><img src=x>')
    await client.finish(await client.register(TYPE=1), STATUS_CODE="<b>")
    answer = await client.http.get("/")
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    assert "&lt;b&gt;" in answer.text
    assert re.findall(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|<style", answer.text) == []
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy


async def test_a_card_of_someone_unknown_is_shown_too(client: Client) -> None:
    call = await client.register(SHOW=0)
    await client.result("telephony.externalCall.show", {"CALL_ID": call, "USER_ID": 999})
    assert "#999" in (await client.http.get("/")).text


@pytest.mark.parametrize(
    ("name", "status"), [("page.css", 200), ("page.js", 200), ("page.html", 404), ("..%2Fknobs.py", 404)]
)
async def test_static_files(client: Client, name: str, status: int) -> None:
    assert (await client.http.get(f"/sandbox/static/{name}")).status_code == status


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    for option in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.mark.browser
async def test_cards_come_and_go_and_calls_appear_by_themselves(browser: webdriver.Chrome) -> None:
    async with SandboxPortal(Knobs(webhook_telephony="allow")) as portal, httpx2.AsyncClient() as http:

        async def ask(method: str, **params: object) -> None:
            answer = await http.post(f"{portal.webhook_url}telephony.externalCall.{method}", json=params)
            assert answer.status_code == 200, answer.text

        def cards() -> list[str]:
            return [card.text for card in browser.find_elements(By.CSS_SELECTOR, ".card .client")]

        async def seen(count: int) -> None:
            await asyncio.to_thread(WebDriverWait(browser, 10).until, lambda _: len(cards()) == count)

        await asyncio.to_thread(browser.get, portal.url + "?lang=ru")
        await ask("register", USER_ID=2, PHONE_NUMBER="+79261234567", TYPE=2)
        call = next(iter(portal.office.calls))
        await seen(1)
        await ask("show", CALL_ID=call, USER_ID=[3, 4])
        await seen(3)
        await ask("hide", CALL_ID=call, USER_ID=[2, 4])
        await seen(1)
        await ask("finish", CALL_ID=call, USER_ID=3, DURATION=64)
        await seen(0)
        row = await asyncio.to_thread(browser.find_element, By.CSS_SELECTOR, "#rows tr")
        assert "Успешный звонок 200" in row.text.replace("\n", " ")
        assert "1:04" in row.text
        assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
