"""The tab's page: framed by its portal alone, without scripts, every word escaped, nothing without a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import httpx2
import pytest

from callme.calls.model import RecordingFile, Ring, Step, Talk
from callme.config import Service
from callme.crm.tabs import Order
from callme.web.app import create_app
from callme.web.tab import Shown, View
from callme.wording import Phrase
from tests.web.boards import NOW, SCRIPT, answered, call, full

PORTAL = "https://acme.example"
FORM = {"content-type": "application/x-www-form-urlencoded"}
TALKS = call(
    "9.1",
    70,
    name=SCRIPT,
    rang=(Ring("101", NOW - 69, NOW - 60), Ring("102", NOW - 69, NOW - 60)),
    talks=(Talk("102", "102", NOW - 60),),
    answered_at=NOW - 60,
    recordings=(RecordingFile("/x.wav", "PJSIP/102-1", "1.2", NOW - 60),),
    path=(Step("did", "74950000001", NOW - 70), Step("queue", "<i>600</i>", NOW - 69)),
)
VIEW = View(
    TALKS,
    (answered("9.0", 90_000), answered("8.0", 190_000, name="Иван")),
    orders=frozenset(Order),
    colleagues=(("101", "Анна Смирнова"), ("103", '"><img src=x>')),
)


class Door:
    """Remembers what came; answers what it was told to."""

    def __init__(self, answer: Shown | None) -> None:
        self.answer = answer
        self.came: list[object] = []

    async def open(self, portal: str, fields: Mapping[str, str]) -> Shown | None:
        self.came.append((portal, dict(fields)))
        return self.answer

    async def press(self, portal: str, ticket: str, order: str, to: str) -> Shown | None:
        self.came.append((portal, ticket, order, to))
        return self.answer


def opening(door: Door) -> httpx2.AsyncClient:
    app = create_app(full(), Service(public_url="https://pbx.example.com"), cards=door)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://pbx.example.com")


async def page(shown: Shown, language: str = "en") -> httpx2.Response:
    async with opening(Door(shown)) as client:
        return await client.post(f"/hooks/main/card?LANG={language}", content="AUTH_ID=x", headers=FORM)


async def test_what_the_crm_posts_and_what_a_button_posts_arrive() -> None:
    door = Door(Shown(PORTAL, view=VIEW, ticket="tick.et="))
    async with opening(door) as client:
        opened = await client.post("/hooks/main/card?LANG=ru&DOMAIN=acme", content="AUTH_ID=a", headers=FORM)
        (address,) = re.findall(r'<form method="post" action="([^"]+)"', opened.text)
        assert address == "/hooks/main/card/order?LANG=ru"
        (ticket,) = re.findall(r'name="ticket" value="([^"]+)"', opened.text)
        await client.post(address, content=f"ticket={ticket}&order=transfer&to=103", headers=FORM)
        assert (await client.get("/hooks/main/card")).status_code == 405, "an address alone shows nothing"
        assert (await client.get(address)).status_code == 405
    assert door.came == [
        ("main", {"LANG": "ru", "DOMAIN": "acme", "AUTH_ID": "a"}),
        ("main", "tick.et=", "transfer", "103"),
    ]


async def test_that_portal_alone_may_frame_it_and_no_script_runs() -> None:
    answer = await page(Shown(PORTAL, view=VIEW, ticket="t"))
    policy = answer.headers["content-security-policy"]
    assert f"frame-ancestors {PORTAL}" in policy
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert "script-src" not in policy
    assert "form-action 'self'" in policy
    assert "<script" not in answer.text
    assert not re.search(r"\son\w+=", answer.text)
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    async with opening(Door(None)) as client:
        for path in ("/healthz", "/", "/hooks/main/card"):
            other = await client.request("POST" if "card" in path else "GET", path)
            assert "frame-ancestors 'none'" in other.headers["content-security-policy"]
            assert other.headers["x-frame-options"] == "DENY"


async def test_names_from_outside_stay_words() -> None:
    text = (await page(Shown(PORTAL, view=VIEW, ticket='"><b>', said=Phrase("<b>x</b>", "<b>x</b>")))).text
    for raw in (SCRIPT, "<i>600", "<img", "<b>x", '"><b>'):
        assert raw not in text
    assert "&lt;script&gt;" in text


async def test_what_the_pbx_knows_is_there_in_both_languages() -> None:
    english = (await page(Shown(PORTAL, view=VIEW, ticket="t"))).text
    for words in (
        "+7 916 123-45-67",
        "talks with 102",
        "being recorded",
        "queue",
        "Earlier calls",
        "rang at 101",
    ):
        assert words in english
    russian = (await page(Shown(PORTAL, view=VIEW, ticket="t"), "ru")).text
    for words in (
        "говорит с 102",
        "идёт запись",
        "Прежние звонки",
        "Завершить",
        "Перевести на",
        "101 · Анна",
    ):
        assert words in russian
    assert '<html lang="ru">' in russian


@pytest.mark.parametrize(
    ("orders", "hang_up", "transfer"),
    [(frozenset(Order), True, True), (frozenset({Order.TRANSFER}), False, True), (frozenset(), False, False)],
)
async def test_only_what_he_may_do_has_a_button(
    orders: frozenset[Order], hang_up: bool, transfer: bool
) -> None:
    text = (await page(Shown(PORTAL, view=replace(VIEW, orders=orders), ticket="t"))).text
    assert ('value="hang-up"' in text) == hang_up
    assert ('value="transfer"' in text) == transfer
    assert 'value=""' in text, "looking again is always possible"


async def test_a_refusal_is_a_sentence_inside_the_portal() -> None:
    answer = await page(Shown(PORTAL, 403, said=Phrase("Not yours.", "Не ваш.")), "ru")  # type: ignore[arg-type]
    assert answer.status_code == 403
    assert "Не ваш." in answer.text
    assert "<form" not in answer.text


async def test_what_is_too_long_or_no_form_is_refused() -> None:
    async with opening(Door(None)) as client:
        long = await client.post("/hooks/main/card", content="a=" + "x" * 70_000, headers=FORM)
        assert long.status_code == 413
        assert (await client.post("/hooks/main/card/order", content=b"\xff", headers=FORM)).status_code == 400
        assert (await client.post("/hooks/main/card", content="a=b", headers=FORM)).status_code == 404
