"""Every sentence that a person reads, in both first-class languages at the place where it is said.

A `Phrase` holds the English and the Russian text side by side, so that neither can be forgotten and no key
file drifts away from the code. Placeholders are those of `str.format`. Rooms below the shell hand phrases
on; only the shell (cli, web, service) decides the language.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["en", "ru"]
LANGUAGES: tuple[Language, ...] = ("en", "ru")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One sentence in English and Russian, with the values that fill its placeholders."""

    en: str
    ru: str
    values: dict[str, object] = field(default_factory=dict)

    def given(self, **values: object) -> Phrase:
        """The same sentence with these placeholders filled."""
        return Phrase(self.en, self.ru, {**self.values, **values})

    def say(self, language: Language = "en") -> str:
        """The sentence in that language. A value that is itself a phrase is said in the same language."""
        text = self.ru if language == "ru" else self.en
        if not self.values:
            return text
        spoken = {
            name: value.say(language) if isinstance(value, Phrase) else value
            for name, value in self.values.items()
        }
        return text.format(**spoken)

    def placeholders(self) -> set[str]:
        """Names of the placeholders; both languages must use the same ones (checked by a test)."""
        return {name for _, name, _, _ in string.Formatter().parse(self.en) if name}

    def __str__(self) -> str:
        return self.say("en")


def plain(text: object) -> Phrase:
    """Text that is the same in every language: a name, a path, a server's own words."""
    return Phrase("{text}", "{text}", {"text": str(text)})
