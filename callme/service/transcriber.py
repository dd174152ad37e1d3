"""Asks whoever writes calls down, a program of this machine or a service, and answers with what it said.

`service.speech` calls it and reads the answer. None comes with CallMe. A program runs at a low priority,
knows none of our settings, and does not outlive its time nor us; a service's certificate is verified.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit

from callme.config import Transcription
from callme.crm.port import Audio, Refused
from callme.crm.transcript import Voices
from callme.http import Answer, HttpClient, NoAnswer, NotSent, Upload, server_words
from callme.wording import Phrase, plain

ANSWER_MAX = 16 << 20
"""Bytes of an answer: a day of speech is a tenth of that."""

WORDS_MAX = 300
"""Letters of a program's complaint that are shown, the last ones."""

NICE = "15"
DRAIN_S = 5.0

FAILED = Phrase("{program} ended with code {code}: {words}", "{program} завершился с кодом {code}: {words}")
ENDLESS = Phrase("{program} was not done after {seconds} s", "{program} не закончил за {seconds} с")
HUGE = Phrase("the answer is longer than {most} MB", "ответ длиннее {most} МБ")
MISSING = Phrase("{program} cannot be started: {why}", "не удаётся запустить {program}: {why}")
ANSWERED = Phrase(
    "the transcription service answered with {status}: {words}",
    "служба расшифровки ответила кодом {status}: {words}",
)
UNREACHABLE = Phrase("the transcription service: {why}", "служба расшифровки: {why}")


@dataclass(frozen=True, slots=True)
class Away:
    """Nobody is there to listen, whatever the recording: it is tried until somebody is."""

    why: Phrase


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not work out this time."""

    why: Phrase


Heard = bytes | Away | Failed | Refused


class Transcriber(Protocol):
    """Writes recordings down."""

    async def hear(self, audio: Audio, voices: Voices) -> Heard:
        """The answer as it came. `OSError` when the recording cannot be read."""

    async def close(self) -> None:
        """Gives everything back."""


def transcriber(settings: Transcription) -> Transcriber | None:
    """The configured one. Raises `ConfigError` for a file of authorities that cannot be used."""
    if settings.command:
        return Program(settings)
    return Remote(settings) if settings.url else None


def _channels(voices: Voices) -> str:
    return "2" if voices is Voices.APART else "1"


class Program:
    """A program of this machine. In its words `{audio}` is the file, `{language}` the language, and
    `{channels}` 2 where the customer is on the left and the employee on the right, else 1."""

    def __init__(self, settings: Transcription) -> None:
        self._words = settings.command
        self._language = settings.language
        self._limit_s = settings.limit_s

    async def hear(self, audio: Audio, voices: Voices) -> Heard:
        """What it prints; its complaints are shown when it fails."""
        with audio.file.open("rb"):
            file = str(audio.file.absolute())
        given = {"{audio}": file, "{language}": self._language, "{channels}": _channels(voices)}
        words = [_filled(word, given) for word in self._words]
        return await _run(words, self._limit_s)

    async def close(self) -> None:
        """Nothing is held."""


def _filled(word: str, given: Mapping[str, str]) -> str:
    for mark, value in given.items():
        word = word.replace(mark, value)
    return word


async def _run(words: list[str], limit_s: float) -> Heard:
    program = plain(words[0])
    own = {name: value for name, value in os.environ.items() if not name.upper().startswith("CALLME_")}
    try:
        process = await asyncio.create_subprocess_exec(
            "nice",
            "-n",
            NICE,
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=own,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Away(MISSING.given(program=program, why=plain(getattr(error, "strerror", None) or error)))
    ended = False
    try:
        async with asyncio.timeout(limit_s):
            said, complaint, code = await asyncio.gather(
                _read(process), _tail(process.stderr), process.wait()
            )
        ended = True
    except TimeoutError:
        return Failed(ENDLESS.given(program=program, seconds=f"{limit_s:g}"))
    finally:
        if not ended:
            await _end(process)
        await asyncio.sleep(0)  # the pipes close in the loop's next round
    if said is None:
        return Failed(HUGE.given(most=ANSWER_MAX >> 20))
    if code == 0:
        return said
    why = FAILED.given(program=program, code=code, words=plain(complaint or "—"))
    return Away(why) if code in (126, 127) else Failed(why)  # as nice tells of a program that is not there


async def _read(process: asyncio.subprocess.Process) -> bytes | None:
    """What it prints; one that prints too much is ended."""
    assert process.stdout is not None  # noqa: S101  PIPE was asked for
    said = bytearray()
    while piece := await process.stdout.read(1 << 16):
        if len(said) <= ANSWER_MAX:
            said += piece
            if len(said) > ANSWER_MAX:
                _kill(process)
    return bytes(said) if len(said) <= ANSWER_MAX else None


async def _tail(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None  # noqa: S101  PIPE was asked for
    said = b""
    while piece := await stream.read(1 << 16):
        said = (said + piece)[-4 * WORDS_MAX :]
    return " ".join(said.decode("utf-8", "replace").split())[-WORDS_MAX:]


def _kill(process: asyncio.subprocess.Process) -> None:
    """It and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Killed; what it still had to say is let go."""
    _kill(process)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            for stream in (process.stdout, process.stderr):
                while stream is not None and await stream.read(1 << 16):
                    pass
            await process.wait()


class Remote:
    """A service reached by HTTP: the recording comes as `file` of a form, `language` and `channels` (as for a
    program) in the address, a token as a bearer's."""

    def __init__(self, settings: Transcription) -> None:
        self._url = settings.url
        self._language = settings.language
        self._limit_s = settings.limit_s
        token = settings.token.get_secret_value()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = HttpClient(answer_s=settings.limit_s, ca_file=settings.ca, answer_cap=ANSWER_MAX)

    async def hear(self, audio: Audio, voices: Voices) -> Heard:
        """What it answers. One that does not know us, is busy or broken may do better later; of other
        refusals the recording is the cause."""
        upload = Upload("file", audio.name, audio.media_type, audio.file)
        match await self._http.post_file(self._address(voices), upload, headers=self._headers):
            case NotSent(why):
                return Away(UNREACHABLE.given(why=why))
            case NoAnswer(why):
                return Failed(UNREACHABLE.given(why=why))
            case Answer(status=status, body=body) if 200 <= status < 300:
                return body
            case Answer(status=status, body=body):
                words = server_words(body[: 4 * WORDS_MAX].decode("utf-8", "replace") or "—")
                why = ANSWERED.given(status=status, words=words)
                if status in (400, 413, 415, 422):
                    return Refused(why)
                return Failed(why) if status == 500 else Away(why)

    async def close(self) -> None:
        """Gives the connections back."""
        await self._http.close()

    def _address(self, voices: Voices) -> str:
        parts = urlsplit(self._url)
        asked = {"channels": _channels(voices)}
        if self._language:
            asked["language"] = self._language
        return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(asked))))))
