"""The PBX's door: the key alone opens it, and what comes out is never anything but a name or an extension."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
import structlog
from pydantic import SecretStr

from callme.config import Service
from callme.web.app import create_app
from callme.web.lookups import Asked, Told
from tests.web.boards import full

GUARDED = Service(listen="0.0.0.0:8080", web_user="admin", web_password=SecretStr("пароль:1"))
KEY = "0123456789abcdef"


class Answers:
    """Knows one key."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.fault: Exception | None = None

    async def look_up(self, asked: Asked) -> Told | None:
        self.asked.append(asked)
        if self.fault is not None:
            raise self.fault
        return Told("Иван Петров", "101") if asked.key == KEY else None


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
async def client(answers: Answers) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(full(), GUARDED, asking=answers))
    async with httpx2.AsyncClient(transport=transport, base_url="http://callme.lan:8080") as client:
        yield client


async def test_the_name_is_one_line_of_plain_text(client: httpx2.AsyncClient, answers: Answers) -> None:
    answer = await client.get(
        "/lookup/office?number=%2B79261234567&uniqueid=1.1&did=74950000001", auth=("callme", KEY)
    )
    assert (answer.status_code, answer.text) == (200, "Иван Петров")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    (asked,) = answers.asked
    assert (asked.pbx, asked.number, asked.uniqueid) == ("office", "+79261234567", "1.1")
    assert (asked.did, asked.by_dialplan) == ("74950000001", False)
    assert KEY not in repr(asked)


async def test_the_extension_for_a_dialplan(client: httpx2.AsyncClient, answers: Answers) -> None:
    answer = await client.get(f"/lookup/office/extension?key={KEY}&number=+7926&uniqueid=1.1")
    assert (answer.status_code, answer.text) == (200, "101")
    assert answers.asked[0].by_dialplan
    assert answers.asked[0].number == "+7926", "a plus that nobody escaped"


@pytest.mark.parametrize("path", ["/lookup/office", "/lookup/office/extension", "/lookup/nowhere"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Basic !"}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}],
)
async def test_a_stranger_gets_an_empty_answer(
    client: httpx2.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await client.get(path, params={"number": "1", "uniqueid": "1.1"}, headers=headers)
    assert (answer.status_code, answer.text) == (403, "")


async def test_the_pages_password_opens_no_door_of_the_pbx(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/lookup/office?number=1&uniqueid=1.1", auth=("admin", "пароль:1"))
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/lookup/office", "/lookup/office/extension"])
async def test_a_fault_of_ours_is_no_name(client: httpx2.AsyncClient, answers: Answers, path: str) -> None:
    answers.fault = RuntimeError("no such thing")
    with structlog.testing.capture_logs() as logs:
        answer = await client.get(path, params={"number": "1", "uniqueid": "1.1"}, auth=("callme", KEY))
    assert (answer.status_code, answer.text) == (500, "")
    assert [one["event"] for one in logs] == ["a look-up failed"]
    assert KEY not in str(logs)


async def test_only_asking_is_possible(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/lookup/office", auth=("callme", KEY))).status_code == 405
