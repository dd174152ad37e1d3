"""`[transcription]`: who writes down what was said in a call. Nothing set: nobody, and nothing is asked.

Read by `config.shape`; carried out by `service.speech`.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from callme.config.forms import Table, is_loopback
from callme.config.problems import Unfit
from callme.wording import Phrase

AUDIO = "{audio}"


def _words(value: Any) -> Any:
    """A command may be one text, as the environment has it."""
    if not isinstance(value, str):
        return value
    try:
        return shlex.split(value)
    except ValueError:
        raise Unfit(
            Phrase("it is not a command", "это не команда"),
            Phrase(
                "close its quotes, or write a list of words", "закройте кавычки или запишите списком слов"
            ),
        ) from None


def _command(value: tuple[str, ...]) -> tuple[str, ...]:
    if value and not any(AUDIO in word for word in value[1:]):
        raise Unfit(
            Phrase("it does not say where the recording goes", "не сказано, куда подставить запись"),
            Phrase(
                "put {audio} where the command takes the file: {example}",
                "поставьте {audio} там, где команда берёт файл: {example}",
                {"audio": AUDIO, "example": f'["transcribe", "{AUDIO}"]'},
            ),
        )
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = bool(parts.hostname) and parts.port != 0 and parts.username is None and not parts.fragment
        sound = sound and parts.scheme in ("http", "https")
    except ValueError:
        sound, parts = False, urlsplit("")
    if value and not sound:
        raise Unfit(
            Phrase("it is not the address of a service", "это не адрес службы"),
            Phrase(
                "write it like https://speech.example.com/transcribe; a token goes into token",
                "напишите так: https://speech.example.com/transcribe; токен указывается в token",
            ),
        )
    if value and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Unfit(
            Phrase(
                "calls would travel unencrypted to another machine",
                "разговоры передавались бы на другую машину без шифрования",
            ),
            Phrase("use https://…; ca names an authority of your own", "нужен https://…; свой центр — в ca"),
        )
    return value


class Transcription(Table):
    """`[transcription]`: a program of this machine, or a service. Calls of fewer than `min_talk_s` seconds of
    talk are left out."""

    command: Annotated[tuple[str, ...], BeforeValidator(_words), AfterValidator(_command)] = ()
    url: Annotated[str, AfterValidator(_url)] = ""
    token: SecretStr = SecretStr("")
    ca: Path | None = None
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3}(-[A-Za-z]{2,4})?)?$")] = ""  # empty: to be heard
    min_talk_s: Annotated[float, Field(ge=0)] = 5.0
    redact: bool = True  # card numbers
    parallel: Annotated[int, Field(ge=1, le=16)] = 1
    limit_s: Annotated[float, Field(ge=1, le=86_400)] = 3600.0  # one recording may take so long

    @property
    def on(self) -> bool:
        """Whether anybody writes calls down."""
        return bool(self.command or self.url)

    @model_validator(mode="after")
    def _one_way(self) -> Transcription:
        if self.command and self.url:
            raise Unfit(
                Phrase(
                    "command and url are two ways of the same",
                    "command и url — два способа сделать одно и то же",
                ),
                Phrase("leave one of them", "оставьте один из них"),
                key="url",
            )
        return self
