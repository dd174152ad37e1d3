"""The portals' door: open to everybody, and every answer says what became of the message."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from pydantic import SecretStr

from callme.config import Service
from callme.web.app import create_app
from callme.web.webhooks import LARGEST, Answer
from tests.web.boards import full

GUARDED = Service(listen="0.0.0.0:8080", web_user="admin", web_password=SecretStr("пароль:1"))


class Heard:
    """Ears that answer as told."""

    def __init__(self) -> None:
        self.answer = Answer.TAKEN
        self.messages: list[tuple[str, bytes]] = []

    async def hear(self, portal: str, body: bytes) -> Answer:
        self.messages.append((portal, body))
        return self.answer


@pytest.fixture
def ears() -> Heard:
    return Heard()


@pytest.fixture
async def client(ears: Heard) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(full(), GUARDED, ears=ears))
    async with httpx2.AsyncClient(transport=transport, base_url="http://pbx.example.com") as client:
        yield client


async def test_a_message_comes_in_without_the_password(client: httpx2.AsyncClient, ears: Heard) -> None:
    answer = await client.post("/hooks/main", content=b"event=X&auth[application_token]=t")
    assert answer.status_code == 200
    assert ears.messages == [("main", b"event=X&auth[application_token]=t")]


@pytest.mark.parametrize(
    ("said", "status"),
    [(Answer.FOREIGN, 403), (Answer.UNCLEAR, 400), (Answer.NOWHERE, 404), (Answer.TROUBLE, 503)],
)
async def test_each_answer_has_its_status(
    client: httpx2.AsyncClient, ears: Heard, said: Answer, status: int
) -> None:
    ears.answer = said
    assert (await client.post("/hooks/main", content=b"x")).status_code == status


async def test_what_is_too_large_is_not_read_to_its_end(client: httpx2.AsyncClient, ears: Heard) -> None:
    assert (await client.post("/hooks/main", content=b"x" * (LARGEST + 1))).status_code == 413
    assert ears.messages == []


async def test_the_door_shows_nothing(client: httpx2.AsyncClient, ears: Heard) -> None:
    assert (await client.get("/hooks/main")).status_code == 405
    assert (await client.get("/api/v1/calls")).status_code in (401, 421)
    assert ears.messages == []
