"""Answers given beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from callme.errors import ConfigError
from callme.setup.wish import answers


def test_a_file_and_single_answers_over_it(tmp_path: Path) -> None:
    file = tmp_path / "answers.toml"
    file.write_text('[pbx]\nhost = "10.0.0.5"\n[portal]\ncrm = "some"\n', "utf-8")
    found = answers(
        file, ["pbx.host=10.0.0.6", "pbx.port=5039", "setup.unit=false", "service.listen=[::1]:80"]
    )
    assert found["pbx"] == {"host": "10.0.0.6", "port": 5039}
    assert found["portal"] == {"crm": "some"}
    assert found["setup"] == {"unit": False}
    assert found["service"] == {"listen": "[::1]:80"}


@pytest.mark.parametrize(
    ("text", "sets", "named"),
    [
        ("", ["host=1"], "--set host"),
        ("", ["pbx.host"], "--set pbx.host"),
        ("", ["nonsense.host=1"], "--set nonsense.host"),
        ("", ["setup.unti=true"], "`unit`"),
        ("", ["setup.unit=maybe"], "setup.unit"),
        ("", ["setup.ami=none"], "new, existing"),
        ("[[pbx]]\n", [], "[pbx]"),
        ("[pxb]\n", [], "`pbx`"),
        ("[pbx\n", [], "answers.toml"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, sets: list[str], named: str) -> None:
    file = tmp_path / "answers.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as told:
        answers(file, sets)
    assert named in str(told.value)


def test_no_value_of_an_answer_is_repeated() -> None:
    with pytest.raises(ConfigError) as told:
        answers(None, ["portal-webhook=https://x.invalid/rest/1/hush/"])
    assert "hush" not in str(told.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        answers(tmp_path / "gone.toml", [])
