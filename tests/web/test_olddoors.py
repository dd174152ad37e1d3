"""The addresses of an older connector: open as they were, in any folder, and leading nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx2
import pytest
from pydantic import SecretStr

from callme.config import Service
from callme.web.app import create_app
from callme.web.webhooks import LARGEST, Answer
from tests.web.boards import full

GUARDED = Service(listen="0.0.0.0:8080", web_user="admin", web_password=SecretStr("пароль:1"))
PATHS = ["/Old.php", "/old/Old.php", "/a/b/Old.php"]


class Doors:
    """Answers as told, and remembers who knocked."""

    names = frozenset({"Old.php"})

    def __init__(self) -> None:
        self.answer = (Answer.TAKEN, "as ever")
        self.knocks: list[tuple[str, dict[str, str], str]] = []

    async def knock(self, door: str, fields: Mapping[str, str], source: str) -> tuple[Answer, str]:
        self.knocks.append((door, dict(fields), source))
        return self.answer


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
async def client(doors: Doors) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(full(), GUARDED, old=doors), client=("192.0.2.7", 1234))
    async with httpx2.AsyncClient(transport=transport, base_url="http://pbx.example.com") as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
async def test_post_and_get_reach_it_without_the_pages_password(
    client: httpx2.AsyncClient, doors: Doors, path: str
) -> None:
    posted = await client.post(path, content=b"action=x&empty=&a%5Bb%5D=%D0%AF")
    asked = await client.get(path, params={"action": "x"})
    assert [(one.status_code, one.text) for one in (posted, asked)] == [(200, "as ever")] * 2
    assert doors.knocks == [
        ("Old.php", {"action": "x", "empty": "", "a[b]": "Я"}, "192.0.2.7"),
        ("Old.php", {"action": "x"}, "192.0.2.7"),
    ]


async def test_a_field_of_the_form_outranks_one_of_the_query(
    client: httpx2.AsyncClient, doors: Doors
) -> None:
    await client.post("/Old.php?a=1&b=2", content=b"a=3")
    assert doors.knocks[0][1] == {"a": "3", "b": "2"}


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
async def test_behind_a_proxy_no_source_is_believed(
    client: httpx2.AsyncClient, doors: Doors, header: str
) -> None:
    await client.post("/Old.php", content=b"a=1", headers={header: "127.0.0.1"})
    assert doors.knocks[0][2] == ""


@pytest.mark.parametrize(
    ("said", "status"), [(Answer.FOREIGN, 403), (Answer.UNCLEAR, 400), (Answer.TROUBLE, 503)]
)
async def test_what_was_not_taken_has_its_status(
    client: httpx2.AsyncClient, doors: Doors, said: Answer, status: int
) -> None:
    doors.answer = (said, "")
    assert (await client.post("/Old.php", content=b"a=1")).status_code == status


async def test_what_is_too_much_is_refused(client: httpx2.AsyncClient, doors: Doors) -> None:
    assert (await client.post("/Old.php", content=b"a=" + b"x" * LARGEST)).status_code == 413
    assert (await client.post("/Old.php", content=b"&".join([b"a=1"] * 300))).status_code == 400
    assert doors.knocks == []


async def test_no_other_page_is_open_because_of_it(client: httpx2.AsyncClient, doors: Doors) -> None:
    """A path that ends like a door leads to the door, whatever it begins with."""
    await client.get("/api/v1/calls/Old.php")
    assert doors.knocks[0][0] == "Old.php"
    for path in ("/", "/api/v1/calls", "/Old.php/", "/old.php", "/Old.phpx", "/%0A/Old.php"):
        assert (await client.get(path)).status_code in (401, 404, 421), path
    assert (await client.put("/Old.php")).status_code == 405
    assert len(doors.knocks) == 1


async def test_without_an_older_connector_there_is_no_such_address() -> None:
    transport = httpx2.ASGITransport(app=create_app(full(), GUARDED))
    async with httpx2.AsyncClient(transport=transport, base_url="http://pbx.example.com") as client:
        assert (await client.get("/Old.php")).status_code in (401, 404, 421)
