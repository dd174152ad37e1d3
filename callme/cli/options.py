"""Options that many commands have, and their help in the language of whoever asks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from callme.cli.tongue import say
from callme.wording import Phrase


def told(en: str, ru: str) -> str:
    """The help of a command or option."""
    return say(Phrase(en, ru))


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help=told("configuration file [callme.toml]", "файл конфигурации [callme.toml]")
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help=told("print JSON for a program", "вывести JSON для программы"))
]
