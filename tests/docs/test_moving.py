"""The page about moving over names every old key, in both languages, and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_group

from callme.cli.app import app
from callme.portals.bitrix24.callme.door import FIELDS
from callme.portals.bitrix24.callme.keys import KNOWN
from callme.wording import LANGUAGES, Language

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    "en": (DOCS / "moving-over.md").read_text(encoding="utf-8"),
    "ru": (DOCS / "moving-over.ru.md").read_text(encoding="utf-8"),
}
UNUSUAL = {"asterisk", "enable_full_log", "ami_healthcheck_log", "roi_source_iblock_id"}
"""Of forks that few have: the command itself explains them."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_old_key_is_explained(language: Language) -> None:
    named = set(re.findall(r"`([\w.]+)`", PAGES[language]))
    assert {key.removeprefix("asterisk.") for key in KNOWN if key not in UNUSUAL} <= {
        name.removeprefix("asterisk.") for name in named
    }
    assert set(FIELDS) <= named


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_named_exists(language: Language) -> None:
    known = set(get_group(app).commands)
    named = set(re.findall(r"\bcallme ((?:import-)?[a-z]+) ", PAGES[language]))
    assert {"import-callme", "shadow", "check", "run"} <= named <= known


def test_both_pages_show_the_same_commands_and_settings() -> None:
    code = {
        language: [
            re.sub(r"#.*|\"[^\"]*\"", "", line).strip()
            for block in re.findall(r"```(?:sh|toml)\n(.*?)```", page, re.DOTALL)
            for line in block.splitlines()
        ]
        for language, page in PAGES.items()
    }
    assert code["en"] == code["ru"]
