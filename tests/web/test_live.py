"""Pages that change by themselves: what goes over the wire, and what a browser makes of it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from callme.web.board import CallRow
from callme.web.live import encode
from tests.web.boards import SCRIPT, SampleBoard, call, full
from tests.web.serving import serving

WAIT_S = 20.0


class Events:
    """The events of one open stream, one by one."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._lines = answer.aiter_lines()
        self.last_id = ""

    async def next(self) -> tuple[str, str]:
        """Name and text of the next event that has a name."""
        name, data = "", []
        async with asyncio.timeout(WAIT_S):
            async for line in self._lines:
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif field == "id":
                    self.last_id = value
                elif not line and name:
                    return name, "\n".join(data)
        raise AssertionError("the stream ended")

    async def until_id(self) -> None:
        """Reads on to the mark that ends a batch."""
        before = self.last_id
        async with asyncio.timeout(WAIT_S):
            async for line in self._lines:
                if line.startswith("id: "):
                    self.last_id = line[4:]
                if self.last_id != before:
                    return


@asynccontextmanager
async def _stream(client: httpx2.AsyncClient, address: str, **headers: str) -> AsyncIterator[Events]:
    async with client.stream("GET", f"{address}/live?lang=en", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Events(answer)


def _change(board: SampleBoard, name: str = "Новый клиент") -> None:
    board.rows.insert(0, CallRow(call(f"9{len(board.rows)}", 3, name=name)))
    board.signal.set()


async def test_a_reader_gets_the_page_as_it_is_and_then_what_changes() -> None:
    board = full()
    async with serving(board) as address, httpx2.AsyncClient() as client, _stream(client, address) as events:
        first = dict([await events.next(), await events.next(), await events.next()])
        assert set(first) == {"state", "now", "recent"}
        assert SCRIPT not in first["recent"]
        _change(board)
        name, text = await events.next()
        assert name == "now", "only the section that changed is sent"
        assert "Новый клиент" in text


async def test_a_reader_that_comes_back_is_not_told_again_what_it_knows() -> None:
    board = full()
    async with serving(board) as address, httpx2.AsyncClient() as client:
        async with _stream(client, address) as events:
            await events.until_id()
            known = events.last_id
        async with _stream(client, address, **{"Last-Event-ID": known}) as events:
            _change(board)
            name, text = await events.next()
            assert (name, "Новый клиент" in text) == ("now", True)


async def test_the_board_is_watched_only_while_somebody_reads() -> None:
    board = full()
    async with serving(board) as address, httpx2.AsyncClient() as client:
        assert board.watched == 0
        async with _stream(client, address) as one, _stream(client, address) as two:
            await one.until_id()
            await two.until_id()
            _change(board)
            assert (await one.next())[0] == (await two.next())[0] == "now"
            assert board.watched == 1, "one watch serves all readers"
        async with asyncio.timeout(WAIT_S):
            await board.unwatched.wait()
        assert board.watched == 0


async def test_streams_end_with_a_broken_board_so_that_browsers_come_back() -> None:
    board = full(broken=True)
    async with serving(board) as address, httpx2.AsyncClient() as client, _stream(client, address) as events:
        await events.until_id()
        board.signal.set()
        with pytest.raises(AssertionError, match="the stream ended"):
            await events.next()


def test_no_text_can_break_out_of_its_event() -> None:
    frame = encode("now", "a\nevent: evil\r\n\r\ndata: b")
    assert frame.decode().count("\n\n") == 1
    assert all(line.startswith(("event: now", "data: ")) for line in frame.decode().strip().splitlines())


# ------------------------------------------------------------------------------------- in a real browser
@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A headless chromium of Debian."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
    for flag in (*flags, f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Driver(shutil.which("chromedriver")))
    yield chrome
    chrome.quit()


@pytest.mark.browser
async def test_a_browser_shows_a_new_call_without_a_reload(browser: webdriver.Chrome) -> None:
    board = full(language="en")

    def see(text: str) -> None:
        WebDriverWait(browser, WAIT_S).until(
            lambda driver: text in driver.find_element(By.TAG_NAME, "body").text
        )

    async with serving(board) as address:
        await asyncio.to_thread(browser.get, f"{address}/?lang=en")
        await asyncio.to_thread(see, "On the line now")
        await asyncio.to_thread(see, "live")
        _change(board, SCRIPT)
        await asyncio.to_thread(
            WebDriverWait(browser, WAIT_S).until,
            lambda driver: SCRIPT in driver.find_element(By.ID, "now").text,
        )
        clock = await asyncio.to_thread(lambda: browser.find_element(By.CLASS_NAME, "ticks").text)
        assert clock >= "0:03", "the clocks go on from what the server said"
        log = await asyncio.to_thread(browser.get_log, "browser")
        assert log == [], "no error, and nothing that the content policy had to stop"
        await asyncio.to_thread(browser.set_window_size, 390, 800)
        widths = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        scroll, client = await asyncio.to_thread(browser.execute_script, widths)
        assert scroll <= client, "a phone need not scroll sideways"
        await asyncio.to_thread(browser.get, "about:blank")
