"""Who hears recordings, what is noted of it, and who may keep back and forget."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from callme.config import Person, Role, Service
from callme.crm.transcript import Line, Side
from callme.web.app import create_app
from callme.web.archive import KeptBack, Listener, NoSound, Sound
from callme.wording import Phrase
from tests.web.boards import full

SERVICE = Service(web_user="admin", web_password=SecretStr("admin-secret"))
PEOPLE = (
    Person(id="eva", password=SecretStr("eva-secret"), role=Role.LOOK),
    Person(id="leo", password=SecretStr("leo-secret"), role=Role.LISTEN),
)
BYTES = bytes(range(200))
NOT_YET = Phrase("being converted", "преобразуется")
RECORDED = "office-7"


class Kept:
    """One call with a recording, one whose recording is being made, one without."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "sound.mp3"
        self.file.write_bytes(BYTES)
        self.heard: list[Listener] = []
        self.back: dict[str, KeptBack] = {}
        self.forgotten: list[str] = []
        self.lines: tuple[Line, ...] = ()

    async def said(self, call: str) -> tuple[Line, ...]:
        return self.lines if call == RECORDED else ()

    async def sound(self, call: str) -> Sound | NoSound | None:
        match call:
            case "office-7":
                return Sound(self.file, "in-101.mp3", "audio/mpeg")
            case "coming":
                return NoSound(NOT_YET, 3.2)
            case "silent":
                return NoSound(Phrase("it is empty", "она пуста"))
        return None

    async def listened(self, call: str, who: str, address: str) -> None:
        self.heard.append(Listener(1.0, who, address))

    async def listeners(self, call: str) -> tuple[Listener, ...]:
        return tuple(self.heard)

    async def keep_back(self, call: str, who: str) -> bool:
        self.back[call] = KeptBack(1.0, who)
        return call == RECORDED

    async def kept_back(self, call: str) -> KeptBack | None:
        return self.back.get(call)

    async def forget(self, number: str) -> int:
        self.forgotten.append(number)
        return 3


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


@pytest.fixture
async def client(kept: Kept) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(full(), SERVICE, kept=kept, people=PEOPLE)
    transport = httpx2.ASGITransport(app=app, client=("192.0.2.7", 1234))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client


def as_(name: str, **more: str) -> dict[str, str]:
    pair = base64.b64encode(f"{name}:{name}-secret".encode()).decode()
    return {"Authorization": f"Basic {pair}", **more}


async def test_who_may_listen_hears_all_of_it_and_is_noted(client: httpx2.AsyncClient, kept: Kept) -> None:
    answer = await client.get(f"/recordings/{RECORDED}", headers=as_("leo"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.content == BYTES
    assert kept.heard == [Listener(1.0, "leo", "192.0.2.7")]


async def test_a_player_seeks_and_no_part_is_heard_unnoted(client: httpx2.AsyncClient, kept: Kept) -> None:
    part = await client.get(f"/recordings/{RECORDED}", headers=as_("leo", Range="bytes=100-109"))
    assert part.status_code == 206
    assert part.headers["content-range"] == "bytes 100-109/200"
    assert part.content == BYTES[100:110]
    assert kept.heard == [Listener(1.0, "leo", "192.0.2.7")]


async def test_who_may_only_look_hears_nothing(client: httpx2.AsyncClient, kept: Kept) -> None:
    answer = await client.get(f"/recordings/{RECORDED}", headers=as_("eva"))
    assert answer.status_code == 403
    assert "listen" in answer.json()["detail"]
    assert kept.heard == []
    assert (await client.get(f"/calls/{RECORDED}", headers=as_("eva"))).status_code == 200


@pytest.mark.parametrize("headers", [{}, as_("nobody"), as_("leo") | {"Authorization": "Basic bGVvOndyb25n"}])
async def test_a_stranger_stays_outside(client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.get(f"/recordings/{RECORDED}", headers=headers)).status_code == 401


async def test_why_there_is_no_sound_is_said(client: httpx2.AsyncClient, kept: Kept) -> None:
    coming = await client.get("/recordings/coming", headers=as_("leo"))
    assert (coming.status_code, coming.headers["retry-after"]) == (503, "3")
    assert (await client.get("/recordings/silent", headers=as_("leo"))).status_code == 404
    assert (await client.get("/recordings/none", headers=as_("leo"))).status_code == 404
    assert kept.heard == []


async def test_only_who_manages_sees_who_listened(client: httpx2.AsyncClient, kept: Kept) -> None:
    await client.get(f"/recordings/{RECORDED}", headers=as_("leo"))
    path = f"/api/v1/calls/{RECORDED}/listeners"
    assert (await client.get(path, headers=as_("leo"))).status_code == 403
    told = await client.get(path, headers=as_("admin"))
    assert told.json() == {"listeners": [{"at": 1.0, "who": "leo", "address": "192.0.2.7"}]}


@pytest.mark.parametrize(
    "path", [f"/api/v1/calls/{RECORDED}/keep-back", "/api/v1/forget", "/api/v1/deliveries/1/retry"]
)
async def test_orders_need_the_header_and_the_role(client: httpx2.AsyncClient, kept: Kept, path: str) -> None:
    body = {"number": "+79261112233"}
    assert (await client.post(path, json=body, headers=as_("admin"))).status_code == 403
    assert (await client.post(path, json=body, headers=as_("leo", **{"X-CallMe": "1"}))).status_code == 403
    assert (kept.back, kept.forgotten) == ({}, [])


async def test_a_recording_is_kept_back_and_the_page_says_by_whom(
    client: httpx2.AsyncClient, kept: Kept
) -> None:
    path = f"/api/v1/calls/{RECORDED}/keep-back"
    page = (await client.get(f"/calls/{RECORDED}?lang=en", headers=as_("admin"))).text
    assert "Never upload this recording" in page
    assert f'src="/recordings/{RECORDED}"' in page
    assert (await client.post(path, headers=as_("admin", **{"X-CallMe": "1"}))).json() == {"call": RECORDED}
    after = (await client.get(f"/calls/{RECORDED}?lang=en", headers=as_("admin"))).text
    assert "Kept from every portal by admin" in after
    assert "Never upload this recording" not in after


async def test_a_number_is_forgotten(client: httpx2.AsyncClient, kept: Kept) -> None:
    orders = as_("admin", **{"X-CallMe": "1"})
    answer = await client.post("/api/v1/forget", json={"number": "+79261112233"}, headers=orders)
    assert answer.json() == {"forgotten": 3}
    assert kept.forgotten == ["+79261112233"]
    assert (await client.post("/api/v1/forget", json={"number": "abc"}, headers=orders)).status_code == 422


async def test_the_player_is_offered_to_who_may_listen(client: httpx2.AsyncClient) -> None:
    page = f"/calls/{RECORDED}"
    assert "<audio" in (await client.get(page, headers=as_("leo"))).text
    assert "<audio" not in (await client.get(page, headers=as_("eva"))).text
    policy = (await client.get(page, headers=as_("leo"))).headers["content-security-policy"]
    assert "media-src 'self'" in policy


SAID = (
    Line(Side.CUSTOMER, 0.04, 1.5, "Алло <script>alert(1)</script>"),
    Line(Side.EMPLOYEE, 61.26, 63.0, "Слушаю вас"),
    Line(Side.UNKNOWN, 3700.0, 3701.0, "…"),
)


@pytest.mark.parametrize(
    ("language", "heading", "unknown"),
    [("en", "What was said", "Not known who"), ("ru", "Что было сказано", "Неизвестно кто")],
)
async def test_what_was_said_stands_on_the_page_line_by_line(
    client: httpx2.AsyncClient, kept: Kept, language: str, heading: str, unknown: str
) -> None:
    kept.lines = SAID
    page = (await client.get(f"/calls/{RECORDED}?lang={language}", headers=as_("leo"))).text
    assert heading in page
    assert unknown in page
    assert "Алло &lt;script&gt;" in page
    assert "<script>alert" not in page
    for at, clock in (("0.0", "0:00"), ("61.3", "1:01"), ("3700.0", "1:01:40")):
        assert f'<a href="/recordings/{RECORDED}#t={at}" data-at="{at}">{clock}</a>' in page
    assert "/static/said.js" in page
    assert (await client.get("/static/said.js")).status_code in (200, 401)
    assert kept.heard == [Listener(1.0, "leo", "192.0.2.7")], "who reads it is noted as who hears it"


async def test_who_may_only_look_reads_nothing_of_what_was_said(
    client: httpx2.AsyncClient, kept: Kept
) -> None:
    kept.lines = SAID
    page = (await client.get(f"/calls/{RECORDED}?lang=en", headers=as_("eva"))).text
    assert "Слушаю вас" not in page
    assert "What was said" not in page
    assert kept.heard == []
