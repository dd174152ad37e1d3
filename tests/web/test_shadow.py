"""Shadow mode on the pages: nobody takes what was only worked out for something the CRM has."""

from __future__ import annotations

from dataclasses import replace

from tests.web.boards import full
from tests.web.serving import asking


async def test_a_portal_in_the_shadow_says_so() -> None:
    board = full()
    board.portal_states = tuple(replace(one, up=True, shadow=True) for one in board.portal_states)
    async with asking(board) as client:
        page = (await client.get("/")).text
    assert "теневой режим: ничего не передаётся" in page
    assert "принимает записи" not in page


async def test_a_record_that_was_not_sent_is_not_shown_as_delivered() -> None:
    board = full()
    call, story = next((key, one) for key, one in board.stories.items() if one.deliveries)
    held = tuple(replace(one, state="done", shadow=True) for one in story.deliveries)
    board.stories[call] = replace(story, deliveries=held)
    async with asking(board) as client:
        page = (await client.get(f"/calls/{call}")).text
    assert page.count("не отправлено: теневой режим") == len(held)
