"""What a person reads on the dashboard and on a call's page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from callme.web.board import AttemptView, CallRow, DeliveryView, LinkState
from callme.web.phrases import PHRASES
from callme.wording import Phrase
from tests.web.boards import NOW, SCRIPT, SampleBoard, answered, call, full
from tests.web.serving import asking


async def _page(board: SampleBoard, path: str = "/", **headers: str) -> str:
    async with asking(board) as client:
        answer = await client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


async def test_the_dashboard_shows_calls_that_go_on_and_the_last_ones() -> None:
    page = await _page(full(language="en"))
    now, recent = page.split('id="recent-title"')
    assert 'rings at <b class="ext">101</b><b class="ext">102</b><b class="ext">103</b>' in now
    assert 'talks with <b class="ext">105</b>' in now
    assert 'called by <b class="ext">106</b>' in now
    assert "Hidden number" in now
    assert "0:09" in now
    assert "+7 916 123-45-67" in recent
    assert "1 min 05 s" in recent
    assert "caller gave up" in recent
    assert "the end was not seen" in recent
    assert "PHONE_NUMBER is longer than 20 characters" in recent


async def test_trouble_is_said_with_its_cure() -> None:
    page = await _page(full())
    assert "АТС warehouse не приняла имя или пароль" in page
    assert "→ сверьте их с manager.conf" in page
    assert "Портал не принял вебхук" in page
    assert "ждут отправки: 48" in page


async def test_an_empty_board_says_so() -> None:
    page = await _page(SampleBoard(language="en", portal_states=()))
    assert "Nobody is calling right now." in page
    assert "No calls yet." in page
    assert "No CRM is configured" in page


@pytest.mark.parametrize("path", ["/", "/calls/office-6"])
async def test_names_from_outside_are_never_markup(path: str) -> None:
    page = await _page(full(), path)
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(" in page


async def test_text_from_the_pbx_and_the_portal_is_never_markup() -> None:
    evil = '"><img src=x onerror=alert(1)>'
    why = Phrase("{said}", "{said}", {"said": evil})
    odd = answered("1", 100, evil, line=evil, trunk=evil, number=evil, via=evil, name=evil)
    board = SampleBoard(
        rows=[CallRow(odd), CallRow(call("2", 5, name=evil, line=evil))],
        link_states=(LinkState(evil, False, NOW, why, why),),
    )
    for path in ("/", "/calls/office-1"):
        assert "<img src=x" not in await _page(board, path)


async def test_no_page_has_inline_script_or_style() -> None:
    for path in ("/", "/calls/office-7", "/calls/office-6"):
        page = await _page(full(), path)
        assert "<style" not in page
        assert " style=" not in page
        assert not re.search(r"<script(?![^>]* src=)", page)
        assert not re.search(r"\son[a-z]+=", page)
        assert not re.search(r'(src|href)="(https?:)?//', page), "nothing comes from elsewhere"


@pytest.mark.parametrize(
    ("path", "wish", "configured", "spoken"),
    [
        ("/", "", "ru", "ru"),
        ("/", "", "en", "en"),
        ("/", "de-DE,ru;q=0.8,en;q=0.5", "en", "ru"),
        ("/", "en-GB", "ru", "en"),
        ("/", "fr", "ru", "ru"),
        ("/", "ru;q=0,en;q=x", "en", "en"),
        ("/?lang=en", "ru", "ru", "en"),
        ("/?lang=xx", "en", "ru", "en"),
    ],
)
async def test_the_language_is_asked_for_wished_or_configured(
    path: str, wish: str, configured: str, spoken: str
) -> None:
    page = await _page(full(language=configured), path, **{"accept-language": wish})
    assert f'<html lang="{spoken}">' in page
    assert PHRASES["last_calls"].say("ru" if spoken == "ru" else "en") in page


async def test_a_call_page_tells_the_whole_story() -> None:
    page = await _page(full(language="en"), "/calls/office-7")
    for said in (
        "Мария Ветрова",
        "rang at 101",
        "102 talked with the customer",
        "102 put the call on hold",
        "102 handed the call to 104 after asking",
        "the call ended: hung up by the caller",
        "voice menu <b>Главное меню</b>",
        "2026/11/24/in-600-x.wav",
        "No answer within 10 s",
        "Too many requests",
        "<dt>answered</dt>",
        "<dt>Caller&#39;s rating</dt><dd>4</dd>",
        "telephony.register {&#34;NAME&#34;:&#34;&lt;b&gt;Мария&lt;/b&gt;&#34;}",
        "&lt;script&gt;1&lt;/script&gt;",
        "A bridge was left before it was entered",
        "recording attached",
        "1764000000.7",
        'href="/api/v1/calls/office-7/transcript" download',
    ):
        assert said in page, said
    assert page.index("rang at 101") < page.index("put the call on hold") < page.index("the call ended")


async def test_a_call_that_does_not_exist() -> None:
    async with asking(full(language="en")) as client:
        answer = await client.get("/calls/<b>none")
    assert answer.status_code == 404
    assert "There is no such call" in answer.text


async def test_earlier_calls_are_turned_to_by_a_link() -> None:
    board = SampleBoard(rows=[CallRow(answered(str(at), 100 + at)) for at in range(60)])
    first = await _page(board)
    assert first.count('class="when"') == 50
    assert "after=50" in first
    second = await _page(board, "/?after=50")
    assert second.count('class="when"') == 10
    assert "callme.js" not in second, "a page of earlier calls does not move"
    async with asking(board) as client:
        assert (await client.get("/?after=nonsense")).status_code == 400


def test_both_languages_use_the_same_placeholders() -> None:
    for name, phrase in PHRASES.items():
        swapped = replace(phrase, en=phrase.ru, ru=phrase.en)
        assert phrase.placeholders() == swapped.placeholders(), name


async def test_what_a_delivery_that_is_done_left_out_stands_beside_it() -> None:
    """A mono recording's text that a portal cannot take is no trouble, and no secret either."""
    board = full()
    why = Phrase("Not attached, only shown here", "Не приложено, видно только здесь")
    told = DeliveryView("main", "transcribe", "done", 1, settled_at=NOW)
    story = next(one for one in board.stories.values())
    board.stories[story.call.id] = replace(
        story,
        deliveries=(told,),
        attempts=(AttemptView("main", "transcribe", 1, NOW, 9, "delivered", why),),
    )
    for language, words in (("en", why.en), ("ru", why.ru)):
        page = await _page(board, f"/calls/{story.call.id}?lang={language}")
        assert f'<p class="quiet">{words}</p>' in page
        assert "<details open>" not in page
