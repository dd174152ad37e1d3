"""Taking `--lang` out of the arguments."""

from __future__ import annotations

import pytest

from callme.cli import tongue
from callme.config import Config, Service


@pytest.mark.parametrize(
    ("given", "rest", "spoken"),
    [
        (["check"], ["check"], "en"),
        (["check", "--lang", "ru", "--json"], ["check", "--json"], "ru"),
        (["--lang=ru", "check"], ["check"], "ru"),
        (["check", "--", "--lang", "ru"], ["check", "--", "--lang", "ru"], "en"),
        (["check", "--lang", "xx", "--json"], ["--lang=xx", "check", "--json"], "en"),
    ],
)
def test_the_flag_may_stand_anywhere(given: list[str], rest: list[str], spoken: str) -> None:
    assert tongue.listen(given, {}) == rest
    assert tongue.language() == spoken


def test_flag_before_configuration_before_environment() -> None:
    russian = Config(service=Service(language="ru"))
    tongue.listen([], {"LANG": "en_US.UTF-8"})
    tongue.adopt(Config())
    assert tongue.language() == "en", "a configuration that names no language does not choose one"
    tongue.adopt(russian)
    assert tongue.language() == "ru"
    tongue.listen(["--lang", "en"], {"LANG": "ru_RU.UTF-8"})
    tongue.adopt(russian)
    assert tongue.language() == "en"
