"""The language of this run of the command line: `--lang`, else the configuration's, else the environment's.

`--lang` is taken out of the arguments before anything else looks at them, so that it may stand anywhere and
help texts are already in the wanted language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from callme.wording import LANGUAGES, Language, Phrase

if TYPE_CHECKING:
    from callme.config import Config  # only a type here: it costs 100 ms, which `callme version` need not pay

_FLAG = "--lang"
_chosen: Language | None = None
_around: Language = "en"


def listen(arguments: list[str], environ: Mapping[str, str]) -> list[str]:
    """Takes `--lang ru` or `--lang=ru` out of the arguments; what is no language is left for the parser to
    refuse."""
    global _chosen, _around
    _chosen, _around = None, _from_environ(environ)
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*rest, word, *words]
        value = next(words, "") if word == _FLAG else word.removeprefix(_FLAG + "=")
        if word != _FLAG and not word.startswith(_FLAG + "="):
            rest.append(word)
        elif known := next((one for one in LANGUAGES if one == value), None):
            _chosen = known
        else:
            # In front of the command, where the option is declared and its choices are told.
            return [f"{_FLAG}={value}", *rest, *words]
    return rest


def _from_environ(environ: Mapping[str, str]) -> Language:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name):
            return "ru" if value.lower().startswith("ru") else "en"
    return "en"


def adopt(config: Config) -> None:
    """Speaks the configuration's language from now on, unless `--lang` said otherwise or it names none."""
    global _around
    if "language" in config.service.model_fields_set:
        _around = config.service.language


def language() -> Language:
    """The language to speak."""
    return _chosen or _around


def say(phrase: Phrase, **values: object) -> str:
    """The phrase in the language to speak."""
    return (phrase.given(**values) if values else phrase).say(language())
