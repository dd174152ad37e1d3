"""`callme demo`: a real Asterisk, telephones, a sandbox CRM and the service on this machine, three calls, and
the story of each as it happens.

Called by the command line with the language to speak. Everything lies in a temporary folder and ends with
this process, however it ends; only a log stays, and only when an expectation was not met.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from callme import config
from callme.config.writing import toml
from callme.errors import ConfigError, TroubleError
from callme.lab import scenarios, voices
from callme.lab.acts import acts
from callme.lab.asterisk import LabError, Release, as_root
from callme.lab.desk import Desk
from callme.lab.lab import Lab
from callme.lab.phones import Seen
from callme.lab.report import table, tally
from callme.lab.sandboxes import registry
from callme.lab.sandboxes.registry import Sandbox
from callme.lab.telling import Ink, Line, Teller
from callme.lab.verdict import Act, Check, verdict
from callme.service import Service
from callme.service.running import log_to
from callme.web.board import CallQuery
from callme.wording import Language, Phrase, plain

RELEASE: Release = "16"
HOST = "127.0.0.1"
PAGES_PORT, CRM_PORT = 8080, 8081
"""Where the two pages are when nobody else is there; else any free port."""

FAILED = 1
INTERRUPTED = 128 + signal.SIGINT
READY_S = 20.0
SETTLE_S = 20.0
"""How long the CRM may take to have everything of a call that is over."""

LATEST = 20
"""How many calls are looked at when something changed."""

NO_FFMPEG = Phrase(
    "ffmpeg is missing: without it recordings cannot be made into mp3.",
    "Не хватает ffmpeg: без него записи разговоров не превратить в mp3.",
)
NO_FFMPEG_CURE = Phrase(
    "Run `make demo`, which installs it, or: apt-get install ffmpeg",
    "Запустите `make demo` — он установит его сам — или: apt-get install ffmpeg",
)
NO_ROOT = Phrase(
    "The demo’s Asterisk needs root: it is installed and runs in a folder of its own.",
    "Для Asterisk демонстрации нужны права root: он ставится и работает в отдельной папке.",
)
NO_ROOT_CURE = Phrase(
    "Run the same command as root, or give this user sudo without a password.",
    "Запустите ту же команду от root или разрешите этому пользователю sudo без пароля.",
)
GIVEN_UP = Phrase("The installation was given up.", "Установка прервана.")
NOT_UP = Phrase(
    "CallMe did not reach the lab’s PBX within {s} s. Its log: {log}",
    "CallMe не соединился с АТС лаборатории за {s} с. Журнал: {log}",
)


def main(once: bool, language: Language) -> int:
    """Shows the demo. 0: every expectation was met, 1: one was not, 130: Ctrl-C before all was shown.
    Raises `TroubleError` with the cure when it cannot be shown here."""
    if shutil.which("ffmpeg") is None:
        raise TroubleError(NO_FFMPEG, NO_FFMPEG_CURE)
    if not _may_be_root():
        raise TroubleError(NO_ROOT, NO_ROOT_CURE)
    folder = Path(tempfile.mkdtemp(prefix="callme-demo-"))
    keep = False
    try:
        code = asyncio.run(_Demo(folder, language, registry.known()[0]).run(once))
        keep = code == FAILED
        return code
    except TroubleError:
        keep = (folder / "callme.log").exists() and (folder / "callme.log").stat().st_size > 0
        raise
    finally:
        _clear(folder, keep_log=keep)


def _may_be_root() -> bool:
    try:
        return subprocess.run([*as_root(), "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False  # there is no sudo


def _clear(folder: Path, *, keep_log: bool) -> None:
    """Secrets and the database go in any case."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif not (keep_log and path.name == "callme.log"):
            path.unlink()
    if not keep_log:
        folder.rmdir()


class _SharedLab(Lab):
    """A lab whose telephones the demo goes on hearing while a `callme lab call` listens too."""

    always: Callable[[Seen], None]

    def listen(self, on_seen: Callable[[Seen], None] | None) -> None:
        def both(seen: Seen) -> None:
            self.always(seen)
            if on_seen is not None:
                on_seen(seen)

        super().listen(both)


class _Demo:
    """One showing."""

    def __init__(self, folder: Path, language: Language, crm: str) -> None:
        self._folder, self._language, self._crm = folder, language, crm
        self._ink = Ink(sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
        self._teller = Teller(language, self._ink, lambda text: print(text, flush=True))
        self._leaving = False
        self._met: bool | None = None
        """Whether every expectation was met; `None` until all was shown."""
        self._happened = asyncio.Event()
        self._known: voices.Told = set()
        self._since = time.time()

    async def run(self, once: bool) -> int:
        """From the first word to the last; see `main`."""
        self._heed_signals()
        log = self._folder / "callme.log"
        with log.open("a", encoding="utf-8", buffering=1) as file:
            log_to(file)
            logging.basicConfig(stream=file, level=logging.WARNING, force=True)
            try:
                await self._show(once)
            except asyncio.CancelledError:
                if not self._leaving:
                    raise
                self._say("Everything is cleared away.", "Всё убрано.")
            finally:
                logging.basicConfig(handlers=[logging.NullHandler()], force=True)
        if self._met is None:
            return INTERRUPTED
        if not self._met:
            self._say("What CallMe logged: {log}", "Журнал CallMe: {log}", log=log)
        return 0 if self._met else FAILED

    def _heed_signals(self) -> None:
        me, loop = asyncio.current_task(), asyncio.get_running_loop()

        def leave() -> None:
            if not self._leaving and me is not None:
                self._leaving = True
                self._say("\nClearing away, a moment…", "\nУбираем за собой, секунду…")
                me.cancel()

        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, leave)

    def _say(self, en: str, ru: str, colour: str = "", **values: object) -> None:
        self._teller.say(Phrase(en, ru).given(**values), colour)

    # ------------------------------------------------------------------------------- the stage
    async def _show(self, once: bool) -> None:
        self._opening()
        async with contextlib.AsyncExitStack() as stack:
            lab = _SharedLab(RELEASE, scenarios.OPTIONS, self._progress)
            lab.always = self._hear_phone
            await stack.enter_async_context(lab)
            lab.listen(None)
            crm = registry.open_sandbox(self._crm, self._language, _port(CRM_PORT))
            await stack.enter_async_context(crm)
            crm.watch(self._hear_crm)
            service = await stack.enter_async_context(self._service(lab, crm))
            await stack.enter_async_context(_beside(self._teller.run()))
            await stack.enter_async_context(_beside(self._follow(service)))
            self._welcome(crm)
            checks: list[Check] = []
            for act in acts(crm.known_client, crm.codes):
                checks += await self._act(act, lab, crm)
            self._met = all(check.met for check in checks)
            self._report(crm, checks)
            if not once:
                await self._stay(lab, service, crm)

    def _progress(self, phrase: Phrase) -> None:
        """A step of the lab's installation, which runs in a thread and can be stopped nowhere else."""
        if self._leaving:
            raise LabError(GIVEN_UP)
        self._teller.say(phrase, "2")

    @contextlib.asynccontextmanager
    async def _service(self, lab: Lab, crm: Sandbox) -> AsyncIterator[Service]:
        """The service as in production: a real configuration file, a real database, its own pages."""
        service = Service(config.load(self._configured(lab, crm), {}))
        task = asyncio.create_task(service.serve(signals=False), name="service")
        ready = asyncio.create_task(service.ready.wait())
        try:
            await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
            await self._linked(service)
            yield service
        finally:
            ready.cancel()
            service.stop()
            with contextlib.suppress(ConfigError):
                await task

    def _configured(self, lab: Lab, crm: Sandbox) -> Path:
        data = self._folder / "data"
        service: dict[str, object] = {
            "listen": f"{HOST}:{_port(PAGES_PORT)}",
            "data_dir": str(data),
            "language": self._language,
            "country": voices.COUNTRY,
        }
        parts = (("[service]", service), ("[[pbx]]", lab.config()), ("[[portal]]", crm.table()))
        path = self._folder / "callme.toml"
        path.touch(mode=0o600)
        path.write_text("\n".join(toml(table, section) for section, table in parts), "utf-8")
        return path

    async def _linked(self, service: Service) -> None:
        board = service.board
        assert board is not None  # noqa: S101  there when ready
        try:
            async with asyncio.timeout(READY_S):
                while not all(link.up for link in await board.links()):  # noqa: ASYNC110  shown nowhere else
                    await asyncio.sleep(0.02)
        except TimeoutError as error:
            log = self._folder / "callme.log"
            raise TroubleError(NOT_UP.given(s=int(READY_S), log=log)) from error

    # -------------------------------------------------------------------------------- the ears
    def _hear_phone(self, seen: Seen) -> None:
        self._teller.hear(voices.phones(seen))

    def _hear_crm(self, line: Line | None) -> None:
        self._teller.hear(line)
        self._happened.set()

    async def _follow(self, service: Service) -> None:
        """What CallMe does, as its own pages would show it."""
        board = service.board
        assert board is not None  # noqa: S101  there when ready
        async with contextlib.aclosing(board.changes()) as changes:
            async for _ in changes:
                page = await board.list_calls(CallQuery(since=self._since, limit=LATEST))
                for row in page.rows:
                    story = await board.story(str(row.call.id))
                    for line in voices.callme(story, self._known) if story else ():
                        self._teller.hear(line)

    # -------------------------------------------------------------------------------- the play
    async def _act(self, act: Act, lab: Lab, crm: Sandbox) -> list[Check]:
        self._teller.act(act.title, time.time())
        played = await lab.play(act.scenario)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                while not _settled(act, crm):
                    self._happened.clear()
                    await self._happened.wait()
        # The story of the last attempt is written a moment after the CRM has taken it.
        await asyncio.sleep(0.3)
        self._teller.flush()
        records = act.about(crm.records())
        sound = records[0].sound if records else None
        heard_s = await asyncio.to_thread(_heard, sound) if sound else None
        checks = verdict(act, played, records, crm.unfinished(str(act.truth.external)), heard_s)
        self._teller.say(plain(""))
        for check in checks:
            sign = self._ink("32", "✔") if check.met else self._ink("1;31", "✘")
            self._teller.say(Phrase("{sign} {text}", "{sign} {text}").given(sign=sign, text=check.text))
        return checks

    # ------------------------------------------------------------------------------- the words
    def _opening(self) -> None:
        self._say(
            "\nCallMe demo: a real Asterisk with SIP telephones, a sandbox CRM and CallMe, all on this "
            "machine.",
            "\nДемонстрация CallMe: настоящий Asterisk с SIP-телефонами, учебная CRM и CallMe — всё на этой "
            "машине.",
            "1",
        )
        self._say("Starting…", "Запускаем…", "2")

    def _welcome(self, crm: Sandbox) -> None:
        self._say(
            "Asterisk {release} rings real SIP telephones, CallMe listens to it, the CRM is at {crm}",
            "Asterisk {release} звонит на SIP-телефоны, CallMe слушает его, CRM работает на {crm}",
            release=RELEASE, crm=f"{HOST}:{crm.port}",
        )  # fmt: skip

    def _report(self, crm: Sandbox, checks: list[Check]) -> None:
        self._say("\nWhat the CRM holds now", "\nЧто теперь есть в CRM", "1")
        for line in table(crm.records(), self._language):
            self._teller.say(plain(line))
        self._teller.say(plain(""))
        self._teller.say(tally(checks), "1;32" if self._met else "1;31")

    async def _stay(self, lab: Lab, service: Service, crm: Sandbox) -> None:
        self._teller.act(Phrase("It stays up. Look around:", "Всё продолжает работать. Посмотрите:"), None)
        self._say(
            "CallMe’s dashboard          http://{callme}/\n"
            "the CRM as its users see it {crm}?lang=en\n"
            "one more call, in another terminal:\n"
            "  .venv/bin/callme lab call inbound --did 74950000003 --caller {client} --answer 102 --talk 20\n"
            "Ctrl-C ends everything.\n",
            "Страница CallMe             http://{callme}/\n"
            "CRM глазами сотрудников     {crm}?lang=ru\n"
            "ещё один звонок — в другом терминале:\n"
            "  .venv/bin/callme lab call inbound --did 74950000003 --caller {client} --answer 102 --talk 20\n"
            "Завершить всё — Ctrl-C.\n",
            callme="{}:{}".format(*service.address), crm=crm.url, client=crm.known_client,
        )  # fmt: skip
        if os.environ.get("SSH_CONNECTION"):
            self._say(
                "You are here over SSH. To see the pages, on your own computer: "
                "ssh -L {a}:{host}:{a} -L {b}:{host}:{b} …\n",
                "Вы здесь по SSH. Чтобы увидеть страницы, на своём компьютере: "
                "ssh -L {a}:{host}:{a} -L {b}:{host}:{b} …\n",
                host=HOST, a=service.address[1], b=crm.port,
            )  # fmt: skip
        desk = Desk(lab)
        await desk.open()
        try:
            await desk.stopped.wait()
        finally:
            await desk.close()


def _settled(act: Act, crm: Sandbox) -> bool:
    """Whether the CRM has everything that it will get of that call."""
    records = act.about(crm.records())
    return bool(records) and (records[0].sound is not None or not act.truth.recording)


def _heard(sound: bytes) -> float | None:
    """Seconds of the recording when it is really decoded; `None` when it cannot be."""
    command = ["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"]
    done = subprocess.run(command, input=sound, capture_output=True, check=False)
    return len(done.stdout) / 16000 if done.returncode == 0 and done.stdout else None


def _port(wished: int) -> int:
    """That port when it is free, else 0: any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wished))
        except OSError:
            return 0
    return wished


@contextlib.asynccontextmanager
async def _beside(work: object) -> AsyncIterator[None]:
    """Runs something as long as the block lasts."""
    task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
