"""Values to rows and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callme.store.rows import phrase_in, phrase_out, tail
from callme.wording import Phrase

texts = st.text(st.characters(blacklist_characters="{}", blacklist_categories=["Cs"]), max_size=20)
plain_values = st.one_of(texts, st.integers(-(10**9), 10**9), st.booleans(), st.none())
phrases = st.recursive(
    st.builds(Phrase, texts, texts),
    lambda inner: st.builds(
        Phrase, texts, texts, st.dictionaries(texts, st.one_of(plain_values, inner), max_size=3)
    ),
    max_leaves=4,
)


@given(phrases)
def test_a_phrase_survives_json(phrase: Phrase) -> None:
    assert phrase_out(json.loads(json.dumps(phrase_in(phrase)))) == phrase


def test_no_phrase_is_nothing() -> None:
    assert phrase_in(None) is None
    assert phrase_out(None) is None


def test_a_value_that_json_does_not_know_is_kept_as_text() -> None:
    said = phrase_out(phrase_in(Phrase("after {what}", "после {what}", {"what": ValueError("x")})))
    assert said is not None
    assert said.say("ru") == "после x"


@pytest.mark.parametrize(
    ("number", "expected"), [("+7 (495) 123-45-67", "76543215947"), ("anonymous", ""), ("", "")]
)
def test_tail_is_the_digits_backwards(number: str, expected: str) -> None:
    assert tail(number) == expected
