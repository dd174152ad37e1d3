"""`callme calls` and `callme deliveries` over a real database, with and without a service that owns it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from callme.calls.model import Direction
from callme.crm import intents
from callme.crm.intents import CallFacts, Register
from callme.delivery.lane import State
from callme.store import StepWrite, Store, open_reading, open_store
from tests.cli.test_entry import callme
from tests.web.boards import NOW, answered, call, missed


def _register(key: str) -> Register:
    return Register(CallFacts(key, intents.Direction.IN, "+79161234567", "", "74950000001", NOW), "101")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration and a database of three calls, one delivery of which waits."""
    config = tmp_path / "callme.toml"
    config.write_text('[[pbx]]\nid = "office"\nsecret = "hunter2"\n', encoding="utf-8")
    config.chmod(0o600)

    async def fill() -> None:
        store = open_store(tmp_path / "var" / "callme.db")
        try:
            calls = (
                answered("1", 500, name="Мария Ветрова"),
                missed("2", 300, direction=Direction.OUT, caller="106"),
                call("3", 20, number=""),
            )
            await store.commit(
                StepWrite("office", NOW, calls=calls, intents=(("main", _register("office-1")),))
            )
        finally:
            await store.close()

    asyncio.run(fill())
    return tmp_path


def test_calls_are_listed_newest_first_in_words(folder: Path) -> None:
    ran = callme(folder, "calls", "--lang", "ru")
    assert ran.returncode == 0, ran.stderr
    head, newest, middle, oldest = ran.stdout.splitlines()
    assert head.split()[:2] == ["Время", "Клиент"]
    assert "Скрытый номер" in newest
    assert "идёт" in newest
    assert "↗" in middle
    assert "не отвечен" in middle
    assert "Мария Ветрова +7 916 123-45-67" in oldest
    assert "1 мин 05 с" in oldest


def test_calls_as_json_and_narrowed(folder: Path) -> None:
    every = json.loads(callme(folder, "calls", "--json").stdout)["calls"]
    assert [one["id"] for one in every] == ["office-3", "office-2", "office-1"]
    assert (every[2]["talk_s"], every[2]["ring_s"], every[2]["open"]) == (65.0, 6.0, False)
    still = json.loads(callme(folder, "calls", "--json", "--open").stdout)["calls"]
    assert [one["id"] for one in still] == ["office-3"]
    assert len(json.loads(callme(folder, "calls", "--json", "--limit", "2").stdout)["calls"]) == 2


def test_without_a_database_the_command_says_how_it_comes_to_be(tmp_path: Path) -> None:
    (tmp_path / "callme.toml").write_text("[[pbx]]\nid = 'office'\nsecret_env = 'X'\n", encoding="utf-8")
    for command in ("calls", "deliveries"):
        ran = callme(tmp_path, command, X="s")
        assert ran.returncode == 1
        assert "callme run" in ran.stderr
        assert "Traceback" not in ran.stderr


def test_deliveries_are_listed(folder: Path) -> None:
    ran = callme(folder, "deliveries")
    assert ran.returncode == 0
    assert "main  office-1  call opened  waits" in ran.stdout
    rows = json.loads(callme(folder, "deliveries", "--json").stdout)["deliveries"]
    assert [(row["portal"], row["kind"], row["state"]) for row in rows] == [("main", "register", "waiting")]


def test_a_retry_without_a_service_is_written_directly(folder: Path) -> None:
    delivery = _waiting(folder)
    ran = callme(folder, "deliveries", "--retry", str(delivery))
    assert (ran.returncode, ran.stdout) == (0, f"Delivery {delivery} will be tried again.\n")
    refused = callme(folder, "deliveries", "--retry", "999")
    assert refused.returncode == 1
    assert "There is no delivery 999" in refused.stderr
    assert "→" in refused.stderr


class _Service(BaseHTTPRequestHandler):
    """Stands for the running service: knows delivery 8 and notes what it was asked."""

    asked: list[tuple[str, str | None]]

    def do_POST(self) -> None:
        type(self).asked.append((self.path, self.headers.get("X-CallMe")))
        known = {"/api/v1/deliveries/8/retry": b'{"id": 8}', "/api/v1/forget": b'{"forgotten": 2}'}
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200 if self.path in known else 404)
        self.end_headers()
        self.wfile.write(known.get(self.path, b"{}"))

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def service(folder: Path) -> Iterator[int]:
    """A service that owns the database and answers on the configured address."""
    _Service.asked = []
    store = asyncio.run(_opened(folder))
    server = HTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()
    asyncio.run(store.close())


async def _opened(folder: Path) -> Store:
    return open_store(folder / "var" / "callme.db")


def test_a_retry_goes_to_the_service_that_runs(folder: Path, service: int) -> None:
    listen = {"CALLME_SERVICE__LISTEN": f"127.0.0.1:{service}"}
    assert callme(folder, "deliveries", "--retry", "8", **listen).returncode == 0
    assert callme(folder, "deliveries", "--retry", "9", **listen).returncode == 1
    assert _Service.asked == [("/api/v1/deliveries/8/retry", "1"), ("/api/v1/deliveries/9/retry", "1")]


def test_forgetting_goes_to_the_service_that_runs(folder: Path, service: int) -> None:
    listen = {"CALLME_SERVICE__LISTEN": f"127.0.0.1:{service}"}
    ran = callme(folder, "forget", "+79261112233", "--yes", "--json", **listen)
    assert json.loads(ran.stdout) == {"forgotten": 2}
    assert _Service.asked == [("/api/v1/forget", "1")]


def test_forgetting_wants_a_number_and_a_yes(folder: Path) -> None:
    assert "holds no digits" in callme(folder, "forget", "Ivan", "--yes").stderr
    declined = callme(folder, "forget", "+79261112233")
    assert declined.returncode == 1
    assert "[y/N]" in declined.stdout


def test_a_service_that_does_not_answer_is_named(folder: Path, service: int) -> None:
    ran = callme(folder, "deliveries", "--retry", "8", CALLME_SERVICE__LISTEN="127.0.0.1:1")
    assert ran.returncode == 1
    assert "http://127.0.0.1:1 did not take the order" in ran.stderr


def _waiting(folder: Path) -> int:
    async def ask() -> int:
        reading = open_reading(folder / "var" / "callme.db")
        try:
            (row,) = await reading.deliveries(State.WAITING)
            return row.id
        finally:
            await reading.close()

    return asyncio.run(ask())
