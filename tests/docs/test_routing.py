"""The pages about routing name every key and every text that the program has, alike in both languages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from callme.config import Routing, Steer
from callme.setup import hooks
from callme.wording import LANGUAGES, Language

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[Language, str] = {
    "en": (DOCS / "routing.md").read_text(encoding="utf-8"),
    "ru": (DOCS / "routing.ru.md").read_text(encoding="utf-8"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_is_explained_once(language: Language) -> None:
    explained = re.findall(r"^\| `(\w+)` \|", PAGES[language], re.M)
    assert sorted(explained) == sorted([*Routing.model_fields, *Steer.model_fields])


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_to_fill_in_is_what_the_program_prints(language: Language) -> None:
    source = hooks.lookup_source("office", "127.0.0.1", 8080, "KEY")
    for text in (source.path, source.query, source.username, hooks.FILE, hooks.RELOAD, hooks.ring().name):
        assert text in PAGES[language]


def test_examples_are_the_same_and_sound() -> None:
    blocks = {language: re.findall(r"```toml\n(.*?)```", page, re.S) for language, page in PAGES.items()}
    plain = {
        language: [re.sub(r"\s*#.*", "", block) for block in found] for language, found in blocks.items()
    }
    assert plain["en"] == plain["ru"]
    rules = tomllib.loads(plain["en"][1])["steer"]
    assert [Steer.model_validate(rule).to[0] for rule in rules] == ["responsible", "route", "last"]
