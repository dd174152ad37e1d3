"""The word opens once and not for long; the cookie it is exchanged for goes with its browser's idleness."""

from __future__ import annotations

from callme.web.wizard.key import ENTER_S, IDLE_S, LASTS_S, Key
from tests.web.wizard.browsing import Clock


def test_the_word_opens_once() -> None:
    key = Key(Clock())
    assert key.enter("") is None
    assert key.enter(key.word + "x") is None
    cookie = key.enter(key.word)
    assert cookie
    assert cookie != key.word
    assert key.enter(key.word) is None
    assert key.knows(cookie)
    assert not key.knows(key.word)
    assert not key.knows("")


def test_before_anybody_came_no_cookie_is_known() -> None:
    assert not Key(Clock()).knows("")


def test_the_word_gets_too_old() -> None:
    clock = Clock()
    key = Key(clock)
    clock.now += ENTER_S - 1
    assert key.left == 1
    clock.now += 1
    assert key.enter(key.word) is None


def test_a_browser_that_comes_back_stays_in_and_one_that_was_away_does_not() -> None:
    clock = Clock()
    key = Key(clock)
    cookie = key.enter(key.word) or ""
    clock.now += IDLE_S - 1
    assert key.knows(cookie)
    clock.now += IDLE_S - 1
    assert key.knows(cookie)
    clock.now += IDLE_S
    assert not key.knows(cookie)
    assert key.left <= 0


def test_nobody_stays_in_for_ever() -> None:
    clock = Clock()
    key = Key(clock)
    cookie = key.enter(key.word) or ""
    for _ in range(int(LASTS_S // 600) - 1):
        clock.now += 600
        assert key.knows(cookie)
    clock.now += 600
    assert not key.knows(cookie)


def test_words_are_long_and_never_the_same_and_in_no_repr() -> None:
    keys = [Key(Clock()) for _ in range(20)]
    assert len({key.word for key in keys} | {key.form for key in keys}) == 40
    assert all(len(key.word) >= 43 for key in keys)
    assert keys[0].word not in repr(keys[0])
    assert keys[0].form not in repr(keys[0])


def test_what_is_no_text_of_ours_fits_nothing() -> None:
    key = Key(Clock())
    assert not key.fits("")
    assert not key.fits("\ud800")
    assert key.fits(key.form)
