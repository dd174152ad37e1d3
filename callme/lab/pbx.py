"""One running lab PBX: an Asterisk in its own folder, on its own loopback address, gone when we are gone.

The Asterisk runs inside the tree that `asterisk.install` unpacked, in a process and mount namespace of its
own where the machine allows that: when this process dies, even by SIGKILL, the kernel ends everything in it
and unmounts.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
from pathlib import Path
from typing import IO

from callme.lab import dialplan
from callme.lab.asterisk import LabError, Release, as_root, home, installed, tree
from callme.lab.console import Console
from callme.lab.dialplan import Layout, Options
from callme.lab.numbering import SEATS, Seat
from callme.wording import Phrase

BOOT_S = 60.0
"""How long a boot may take on a busy machine; about 2 s on an idle one."""


class Pbx:
    """A lab PBX. `start`, use, `stop`; or `async with Pbx(...)`."""

    def __init__(self, release: Release = "16", options: Options | None = None) -> None:
        self.release: Release = release
        self.options = options or Options()
        self.secret = secrets.token_hex(12)
        self._admin_secret = secrets.token_hex(12)
        self.seat, self._claim = _take_seat()
        self.name = f"lab{self.seat.number}"
        self.folder = tree(release) / "srv" / "callme" / self.name
        self.recordings = self.folder / "spool" / "monitor"
        """Recordings as this machine sees them."""
        self.recordings_on_pbx = f"/srv/callme/{self.name}/spool/monitor"
        """The same folder as Asterisk names it."""
        self._written = False
        self._draining: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._console: Console | None = None

    @property
    def host(self) -> str:
        """Where SIP (5060) and AMI (5038) listen."""
        return self.seat.pbx

    @property
    def console(self) -> Console:
        """The lab's AMI connection, while running."""
        if self._console is None:
            raise LabError(Phrase("The lab's PBX is not running.", "АТС лаборатории не запущена."))
        return self._console

    async def start(self) -> None:
        """Start Asterisk and wait until it is fully booted. A second start after `kill` keeps folder and
        recordings."""
        if not installed(self.release):
            raise LabError(
                Phrase("Asterisk {release} of the lab is not installed.",
                       "Asterisk {release} для лаборатории не установлен.").given(release=self.release),
                Phrase("Run: callme lab install --asterisk {release}",
                       "Выполните: callme lab install --asterisk {release}").given(release=self.release),
            )  # fmt: skip
        if not self._written:
            await asyncio.to_thread(self._write)
            self._written = True
        await self._spawn()
        try:
            async with asyncio.timeout(BOOT_S):
                self._console = await self._connect()
                await self._console.booted()
        except TimeoutError as error:
            tail = self.log_tail()
            await self.stop()
            raise LabError(
                Phrase(
                    "The lab's Asterisk {release} did not come up within {s} s. Its last words: {tail}",
                    "Asterisk {release} лаборатории не поднялся за {s} с. Его последние слова: {tail}",
                ).given(release=self.release, s=int(BOOT_S), tail=tail)
            ) from error

    async def stop(self) -> None:
        """End Asterisk, remove its folder, give the addresses back."""
        await self.kill()
        if self.folder.exists():
            await asyncio.to_thread(_remove, self.folder)
        self._claim.close()

    async def kill(self) -> None:
        """End Asterisk at once, as a power cut would; folder and recordings stay."""
        if self._console:
            await self._console.close()
            self._console = None
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()  # the watchdog beside Asterisk reads this end
        await process.wait()
        if self._draining:
            await self._draining  # to the end of its output: then the last process that held it is gone

    async def __aenter__(self) -> Pbx:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def config(self, ident: str = "office") -> dict[str, object]:
        """The `[[pbx]]` table with which CallMe reaches this PBX."""
        return {
            "id": ident,
            "host": self.host,
            "port": 5038,
            "tls": False,
            "username": "callme",
            "secret": self.secret,
            "recordings": str(self.recordings),
            "recordings_on_pbx": self.recordings_on_pbx,
            "voicemail": str(self.folder / "spool" / "voicemail"),
            "voicemail_on_pbx": f"/srv/callme/{self.name}/spool/voicemail",
            "click_to_call": {"context": "from-internal"},
        }

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of Asterisk's own log."""
        for log in (self.folder / "log" / "full", self.folder / "log" / "stdout"):
            with contextlib.suppress(OSError):
                if text := log.read_text("utf-8", "replace").strip():
                    return "\n".join(text.splitlines()[-lines:])
        return ""

    def _write(self) -> None:
        if self.folder.exists():  # of an owner that was killed; the seat's lock proves that nobody uses it
            _remove(self.folder)
        for part in ("etc", "lib", "spool/monitor", "run", "log"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        layout = Layout(f"/srv/callme/{self.name}", self.secret, self._admin_secret)
        macros = self.release == "16"  # app_macro left Asterisk in 21, FreePBX's plans are of Macro up to 16
        for name, text in dialplan.render(self.seat, self.options, layout, macros=macros).items():
            path = self.folder / "etc" / name
            path.touch(mode=0o600)
            path.write_text(text, "utf-8")
        with contextlib.closing(sqlite3.connect(self.folder / "lib" / "astdb.sqlite3")) as database, database:
            database.execute("CREATE TABLE astdb (key VARCHAR(256), value VARCHAR(256), PRIMARY KEY (key))")
            rows = dialplan.astdb(self.options.ring_s).items()
            database.executemany(
                "INSERT INTO astdb VALUES (?, ?)", [(f"/{key}", value) for key, value in rows]
            )

    async def _spawn(self) -> None:
        root = tree(self.release)
        inside = [
            "chroot",
            str(root),
            "/usr/sbin/asterisk",
            "-C",
            f"/srv/callme/{self.name}/etc/asterisk.conf",
            "-f",
        ]
        if _namespaces(root):
            own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={root}/proc"]
            inside = [*own, *inside]
        # The shell outlives us by a moment only: end of its stdin means that we are gone, however it came.
        guard = (
            'exec 3<&0; setpriv --pdeathsig KILL "$@" </dev/null 3<&- & child=$!;'
            ' ( read -r _ <&3; kill -KILL "$child" ) & wait "$child"; kill $! 2>/dev/null; wait'
        )
        self._process = await asyncio.create_subprocess_exec(
            *[*as_root(), "sh", "-c", guard, "sh", *inside],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._draining = asyncio.create_task(self._drain(self._process))

    async def _drain(self, process: asyncio.subprocess.Process) -> None:
        """Asterisk's own words before it has a log, and the sign that it is gone."""
        assert process.stdout is not None  # noqa: S101  PIPE was asked for
        with (self.folder / "log" / "stdout").open("ab") as file:
            while chunk := await process.stdout.read(1 << 12):
                file.write(chunk)
                file.flush()

    async def _connect(self) -> Console:
        """Log in as soon as Asterisk listens; it says so in no other way."""
        while True:
            if self._process is None or self._process.returncode is not None:
                raise TimeoutError
            try:
                return await Console.open(self.host, "lab", self._admin_secret)
            except OSError:
                await asyncio.sleep(0.05)


def _take_seat() -> tuple[Seat, IO[str]]:
    """The first free seat, claimed by a lock that the kernel drops when this process ends."""
    claims = home() / "seats"
    claims.mkdir(parents=True, exist_ok=True)
    for number in SEATS:
        claim = (claims / str(number)).open("w")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((Seat(number).pbx, 5060))
        except OSError:
            claim.close()
            continue
        return Seat(number), claim
    raise LabError(
        Phrase("All {n} places for lab PBXes are taken.", "Заняты все {n} мест для АТС лаборатории.").given(
            n=len(SEATS)
        ),
        Phrase("Stop a running lab first.", "Остановите одну из запущенных лабораторий."),
    )


def _namespaces(root: Path) -> bool:
    """Whether this machine lets us have a mount and process namespace (a container may not)."""
    command = [
        *as_root(),
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        f"--mount-proc={root}/proc",
        "true",
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _remove(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.rmtree(folder)
    else:
        subprocess.run([*as_root(), "rm", "-rf", "--one-file-system", str(folder)], check=True)
