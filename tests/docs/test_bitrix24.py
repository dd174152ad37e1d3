"""The page about Bitrix24 says the same in both languages, names every setting, and quotes what is really
said."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

import callme.http
from callme.portals import bitrix24
from callme.portals.bitrix24.policies import CardRule, Create, Line, Missed, Reassign
from callme.portals.bitrix24.settings import Settings
from callme.wording import LANGUAGES, Language
from tests.portals.bitrix24.test_fault_table import METHODS, Trouble

DOCS = Path(__file__).parents[2] / "docs" / "portals"
PAGES: dict[Language, str] = {
    "en": (DOCS / "bitrix24.md").read_text(encoding="utf-8"),
    "ru": (DOCS / "bitrix24.ru.md").read_text(encoding="utf-8"),
}


def keys() -> list[str]:
    """Every key as the page writes it."""
    inner: dict[str, type[BaseModel]] = {
        "create": Create,
        "reassign": Reassign,
        "missed": Missed,
        "lines.…": Line,
        "card_rules.…": CardRule,
    }
    nested = [f"{name}.{key}" for name, shape in inner.items() for key in shape.model_fields]
    return [key for key in Settings.model_fields if key not in ("create", "reassign", "missed")] + nested


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    part = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


SETTINGS: dict[Language, str] = {"en": "Settings", "ru": "Настройки"}
TROUBLE: dict[Language, str] = {"en": "When something is wrong", "ru": "Если что-то не так"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_is_explained(language: Language) -> None:
    explained = [row[0].strip("`") for row in rows(PAGES[language], SETTINGS[language])]
    assert set(keys()) <= set(explained)
    assert len(set(explained)) == len(explained)
    assert all(row[2] for row in rows(PAGES[language], SETTINGS[language]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_defaults_are_the_real_ones(language: Language) -> None:
    told = {row[0].strip("`"): row[1] for row in rows(PAGES[language], SETTINGS[language])}
    for key, field in Settings.model_fields.items():
        if isinstance(field.default, bool):
            assert told[key] == f"`{str(field.default).lower()}`"
        elif isinstance(field.default, int | float):
            assert told[key] == f"`{field.default:g}`"
        elif isinstance(field.default, str) and field.default:
            assert told[key] == f"`{field.default}`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_check_is_said_to_say_it_says(language: Language) -> None:
    names = [one.name for one in pkgutil.iter_modules(bitrix24.__path__)]
    modules = [importlib.import_module(f"{bitrix24.__name__}.{name}") for name in names]
    said = "\n".join(source(module) for module in (*modules, callme.http))
    quoted = [row[0].strip("“”«»") for row in rows(PAGES[language], TROUBLE[language])]
    assert len(quoted) == 14
    for words in quoted:
        assert words in said, words


WAY: dict[Language, str] = {
    "en": "What may go wrong on the way",
    "ru": "Что может пойти не так по дороге",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fault_table_is_the_one_that_is_tried(language: Language) -> None:
    part = PAGES[language].split(f"\n## {WAY[language]}\n")[1].split("\n|")[0]
    assert set(re.findall(r"`([\w.]+)`", part)) == set(METHODS)
    told = rows(PAGES[language], WAY[language])
    assert len(told) == len(Trouble)
    if language == "en":
        assert [row[0] for row in told] == [str(trouble) for trouble in Trouble]


def source(module: ModuleType) -> str:
    """A module's text with its split sentences joined."""
    assert module.__file__ is not None
    return re.sub(r'"\s*\n\s*"', "", Path(module.__file__).read_text(encoding="utf-8"))


def test_both_pages_are_built_alike() -> None:
    english, russian = PAGES["en"], PAGES["ru"]
    for shape in (r"(?m)^(#+) ", r"(?m)^(\||- |\d\. )", r"(?m)^( *```)"):
        assert re.findall(shape, english) == re.findall(shape, russian)
    code = re.compile(r"```toml\n(.*?)```", re.DOTALL)
    assert code.findall(english) == code.findall(russian)
