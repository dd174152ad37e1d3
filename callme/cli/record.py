"""`callme record`: writes down what a PBX says, as a file that `callme replay` reads and that may be sent
with a bug report.

It logs in beside a running service, as a session of its own, and only listens. Unless told otherwise numbers,
names and addresses are replaced before anything reaches the disk.
"""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from callme.cli.configured import chosen, configured
from callme.cli.tongue import say
from callme.config import Pbx
from callme.errors import ConfigError, PbxError, StoreError
from callme.pbx.ami import translate
from callme.pbx.ami.client import AmiClient
from callme.pbx.ami.reach import ami_settings
from callme.pbx.ami.read import Read, ReadKind
from callme.pbx.scrub import Scrubber
from callme.pbx.segments import SegmentFile, stamp
from callme.wording import Phrase, plain

BAD_NAME = Phrase("“{name}” cannot be the name of a file", "«{name}» не годится как имя файла")
BAD_NAME_CURE = Phrase(
    "use Latin letters, digits, “-”, “_” and “.”", "используйте латинские буквы, цифры, «-», «_» и «.»"
)
EXISTS = Phrase("{file} exists already", "{file} уже существует")
EXISTS_CURE = Phrase("choose another name with --name", "выберите другое имя через --name")
UNWRITABLE = Phrase("{file} cannot be written: {why}", "Файл {file} не записывается: {why}")
UNWRITABLE_CURE = Phrase(
    "choose another folder with --out, or make room there",
    "выберите другую папку через --out или освободите место",
)
LISTENING = Phrase(
    "Recording PBX “{pbx}”. Make the calls now; Ctrl-C ends the recording.",
    "Идёт запись АТС «{pbx}». Сделайте нужные звонки; Ctrl-C закончит запись.",
)
LISTENING_FOR = Phrase(
    "Recording PBX “{pbx}” for {seconds} s. Make the calls now; Ctrl-C ends it earlier.",
    "Идёт запись АТС «{pbx}», {seconds} с. Сделайте нужные звонки; Ctrl-C закончит раньше.",
)
LOST = Phrase("The link is down: {why}. Waiting for it.", "Связь пропала: {why}. Ждём её.")
BACK = Phrase("The link is up again.", "Связь восстановлена.")
WROTE = Phrase(
    "Wrote {events} events, {size} bytes:\n  {file}\n  {file}.idx",
    "Записано событий: {events}, байт: {size}:\n  {file}\n  {file}.idx",
)
SCRUBBED = Phrase(
    "Numbers of seven digits and more, names, addresses and secrets are replaced. Extensions and names of "
    "trunks and queues are not: look into the file before you give it away.",
    "Номера от семи цифр, имена, адреса и секреты заменены. Внутренние номера, имена транков и очередей "
    "остались: загляните в файл, прежде чем его отдавать.",
)
RAW = Phrase(
    "Nothing is replaced in it: it holds real numbers and names. Do not give it to strangers.",
    "В нём ничего не заменено: там настоящие номера и имена. Не отдавайте его посторонним.",
)
NEXT = Phrase(
    "See what CallMe makes of it: callme replay {file}\nSend both files with a bug report.",
    "Посмотреть, что понял CallMe: callme replay {file}\nК сообщению об ошибке приложите оба файла.",
)
NOTHING = Phrase("The PBX said nothing in that time.", "За это время АТС ничего не сообщила.")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be recorded. `seconds` 0 means until Ctrl-C; `keep` are numbers that may be seen."""

    pbx: str | None = None
    out: Path = field(default_factory=Path)
    name: str | None = None
    seconds: float = 0.0
    everything: bool = False
    scrub: bool = True
    keep: tuple[str, ...] = ()


def record(path: Path | None, wish: Wish) -> int:
    """Records and says what it wrote; 0. Raises `ConfigError`, `PbxError` when the PBX does not let us in,
    `StoreError` when the disk does not take it."""
    config = configured(path)
    pbx = chosen(config, wish.pbx)
    began = time.time()
    file = _file(wish, pbx, began)
    scrubber = None
    if wish.scrub:
        scrubber = Scrubber(secrets.token_bytes(16), country=config.service.country, keep=wish.keep)
    recorder = Recorder(pbx, file, began, wish, scrubber)
    asyncio.run(recorder.run())
    _tell(recorder, file, wish)
    return 0


def _file(wish: Wish, pbx: Pbx, now: float) -> Path:
    name = (wish.name or f"{pbx.id}-{stamp(now)}").removesuffix(".ami")
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", name):
        raise ConfigError(BAD_NAME.given(name=name), BAD_NAME_CURE)
    return wish.out / f"{name}.ami"


class Recorder:
    """One recording, from the login to its end."""

    def __init__(self, pbx: Pbx, file: Path, began: float, wish: Wish, scrubber: Scrubber | None) -> None:
        self.events = 0
        self.size = 0
        self._pbx = pbx
        self._file = file
        self._began = began
        self._wish = wish
        self._scrubber = scrubber
        self._fresh = False
        self._was_up = False

    async def run(self) -> None:
        """Until Ctrl-C, SIGTERM or the wanted time."""
        client = AmiClient(
            ami_settings(self._pbx),
            keep=_all if self._wish.everything else translate.keep,
            clock=time.time,
            jitter=random.random,
        )
        with self._opened() as written:
            loop = asyncio.get_running_loop()
            stopping = asyncio.Event()
            for one in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(one, stopping.set)
            if self._wish.seconds:
                loop.call_later(self._wish.seconds, stopping.set)
            closing = asyncio.ensure_future(_close(client, stopping))
            try:
                async for read in client.reads():
                    if not stopping.is_set():
                        self._take(read, written)
            except OSError as error:
                raise _unwritable(self._file, error) from None
            finally:
                stopping.set()
                await closing
                for one in (signal.SIGINT, signal.SIGTERM):
                    loop.remove_signal_handler(one)

    def _opened(self) -> _Written:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return _Written(SegmentFile(self._file, self._began), self._file)
        except FileExistsError:
            raise ConfigError(EXISTS.given(file=self._file), EXISTS_CURE) from None
        except OSError as error:
            raise _unwritable(self._file, error) from None

    def _take(self, read: Read, written: _Written) -> None:
        if read.kind is ReadKind.UP:
            self._say_up()
        elif read.kind is ReadKind.DOWN:
            self._say_down(read.problem or plain(""))
        if not read.raw:
            return
        raw = read.raw if self._scrubber is None else self._scrubber.stream(read.raw)
        asked = read.asked_at if read.kind is ReadKind.SNAPSHOT else None
        written.file.write(read.at, raw, fresh=self._fresh, asked=asked)
        written.file.flush()
        self._fresh = False
        self.events += len(read.messages)
        self.size = written.file.size

    def _say_up(self) -> None:
        if self._fresh:
            print(say(BACK), file=sys.stderr)
        elif not self._was_up:
            seconds = self._wish.seconds
            text = LISTENING_FOR.given(seconds=f"{seconds:g}") if seconds else LISTENING
            print(say(text, pbx=self._pbx.id), file=sys.stderr, flush=True)
        self._was_up = True

    def _say_down(self, why: Phrase) -> None:
        if not self._was_up:  # never in: wrong address, user or secret, and waiting will not cure it
            raise PbxError(why)
        if not self._fresh:
            print(say(LOST, why=why), file=sys.stderr)
        self._fresh = True


class _Written:
    """The file of a recording; one that stayed empty leaves nothing behind."""

    def __init__(self, file: SegmentFile, path: Path) -> None:
        self.file = file
        self._path = path

    def __enter__(self) -> _Written:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.file.close()
        except OSError as error:
            raise _unwritable(self._path, error) from None
        if not self.file.size:
            self._path.unlink(missing_ok=True)
            self._path.with_name(self._path.name + ".idx").unlink(missing_ok=True)


async def _close(client: AmiClient, stopping: asyncio.Event) -> None:
    await stopping.wait()
    await client.close()


def _all(raw: bytes) -> bool:
    return True


def _unwritable(file: Path, error: OSError) -> StoreError:
    return StoreError(UNWRITABLE.given(file=file, why=error.strerror or error), UNWRITABLE_CURE)


def _tell(recorder: Recorder, file: Path, wish: Wish) -> None:
    if not recorder.size:
        print(say(NOTHING))
        return
    print(say(WROTE, events=recorder.events, size=recorder.size, file=file))
    print(say(SCRUBBED if wish.scrub else RAW))
    print(say(NEXT, file=file))
