"""Recordings of a PBX that is reached by SSH: OpenSSH's own `sftp` as a program, nothing of ours over there.

A place of `pbx.recordings`. The account on the PBX needs no shell (ForceCommand internal-sftp) and no right
but to read. The host's key must be known beforehand and nothing is ever asked: a question would hang for
ever. A listing tells a file's time to the minute only, so files are judged by their size.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from callme.pbx.places import GONE, NO_FOLDER, Entry, Progress, Strange, Trouble
from callme.wording import Phrase

CONNECT_S = 15
LOOK_S = 60.0
STALL_S = 120.0
"""Seconds without a byte after which a transfer is given up; the next one goes on from there."""

_LISTED = re.compile(r"^-\S{9,}\s+\S+\s+\S+\s+\S+\s+(\d+)\s+\S+\s+\S+\s+\S+\s+(.+)$")

NO_SFTP = Phrase(
    "the program sftp is not installed: apt-get install openssh-client",
    "программа sftp не установлена: apt-get install openssh-client",
)
UNKNOWN_HOST = Phrase(
    "the host key of {host} is not known or has changed: put it into known_hosts "
    "(ssh-keyscan {host}, compared with the PBX's own), or name the file in recordings_known_hosts",
    "ключ узла {host} неизвестен или изменился: внесите его в known_hosts (ssh-keyscan {host}, сверив с "
    "самой АТС) или укажите файл в recordings_known_hosts",
)
NO_ENTRY = Phrase(
    "{host} does not let “{user}” in: put the public half of recordings_ssh_key into its authorized_keys; "
    "the key must have no passphrase",
    "{host} не впускает «{user}»: добавьте открытую половину recordings_ssh_key в его authorized_keys; "
    "у ключа не должно быть парольной фразы",
)
FORBIDDEN = Phrase(
    "“{user}” may not read the recording {file}: add him to the group asterisk on the PBX",
    "у «{user}» нет прав на чтение записи {file}: добавьте его на АТС в группу asterisk",
)
UNREACHABLE = Phrase("{host} cannot be reached by SSH: {why}", "узел {host} недоступен по SSH: {why}")
SLOW = Phrase("no answer within {seconds} s", "нет ответа за {seconds} с")


@dataclass(frozen=True, slots=True)
class Account:
    """Where to log in and with what. Without `key` and `known_hosts` those of our own user count."""

    host: str
    port: int = 22
    user: str = ""
    key: Path | None = None
    known_hosts: Path | None = None


class Sftp:
    """A folder on another machine."""

    base = ""

    def __init__(self, account: Account, root: PurePosixPath) -> None:
        self._account = account
        self._root = root

    def shown(self, name: PurePosixPath) -> str:
        """As an address."""
        return f"sftp://{self._account.host}{self._root / name}"

    async def look(
        self, names: Sequence[PurePosixPath], beside: Sequence[PurePosixPath] = ()
    ) -> list[Entry] | Trouble | Strange:
        """One login, whatever the number of names."""
        orders = [f"cd {_quoted(str(self._root))}"]
        # "./": a name that begins with "-" would be taken for options
        orders += [f"-ls -ln {_quoted(f'./{name}')}" for name in (*names, *beside)]
        said = await self._ask(orders)
        if isinstance(said, Trouble):
            return said
        if said.code:  # the only order whose failure ends it is the first
            return Trouble(NO_FOLDER.given(folder=self.shown(PurePosixPath()), why=_last(said.err)))
        listed = filter(None, map(_LISTED.match, said.out.splitlines()))
        sizes = {found[2].removeprefix("./"): int(found[1]) for found in listed}
        first = next((name for name in names if str(name) in sizes), None)
        if first is None:
            if "ermission denied" in said.err:
                return Trouble(FORBIDDEN.given(user=self._user(), file=self.shown(names[0])))
            return []
        present = [first, *(name for name in beside if str(name) in sizes)]
        return [Entry(name, sizes[str(name)]) for name in present]

    def here(self, entry: Entry) -> Path | None:
        """It is elsewhere."""
        return None

    async def bring(self, entry: Entry, into: Path, progress: Progress) -> Trouble | None:
        """Goes on with what an earlier transfer had brought."""
        if _size(into) > entry.size:
            await asyncio.to_thread(into.unlink)
        orders = [f"get -a {_quoted(str(self._root / entry.name))} {_quoted(str(into))}"]
        said = await self._ask(orders, watched=(into, progress))
        if isinstance(said, Trouble):
            return said
        if said.code == 0 and _size(into) == entry.size:
            return None
        if "not found" in said.err or "No such file" in said.err:
            return Trouble(GONE.given(file=self.shown(entry.name)))
        if "ermission denied" in said.err:
            return Trouble(FORBIDDEN.given(user=self._user(), file=self.shown(entry.name)))
        return Trouble(UNREACHABLE.given(host=self._account.host, why=_last(said.err) or f"{said.code}"))

    # ------------------------------------------------------------------------------------ the program
    def _user(self) -> str:
        return self._account.user or "~"

    def _command(self) -> list[str]:
        account = self._account
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": str(CONNECT_S),
            "ServerAliveInterval": "15",
            "LogLevel": "ERROR",
        }
        if account.known_hosts is not None:
            options |= {"UserKnownHostsFile": f'"{account.known_hosts}"', "GlobalKnownHostsFile": "none"}
        command = ["sftp", "-b", "-", "-P", str(account.port)]
        if account.key is not None:
            options["IdentitiesOnly"] = "yes"
            command += ["-i", str(account.key)]
        for name, value in options.items():
            command += ["-o", f"{name}={value}"]
        host = f"[{account.host}]" if ":" in account.host else account.host
        return [*command, "--", f"{account.user}@{host}" if account.user else host]

    async def _ask(
        self, orders: Sequence[str], watched: tuple[Path, Progress] | None = None
    ) -> _Said | Trouble:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except FileNotFoundError:
            return Trouble(NO_SFTP)
        talk = asyncio.ensure_future(process.communicate(("\n".join(orders) + "\n").encode()))
        try:
            if watched is None:
                async with asyncio.timeout(LOOK_S):
                    out, err = await asyncio.shield(talk)
            else:
                out, err = await _growing(talk, *watched)
        except TimeoutError:
            why = SLOW.given(seconds=round(LOOK_S if watched is None else STALL_S))
            return Trouble(UNREACHABLE.given(host=self._account.host, why=why))
        finally:
            if process.returncode is None:
                process.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await talk
        said = _Said(process.returncode or 0, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
        return self._understood(said)

    def _understood(self, said: _Said) -> _Said | Trouble:
        host = self._account.host
        if said.code == 255:
            if "Host key verification failed" in said.err or "No matching host key" in said.err:
                return Trouble(UNKNOWN_HOST.given(host=host))
            if "Permission denied" in said.err:
                return Trouble(NO_ENTRY.given(host=host, user=self._user()))
            return Trouble(UNREACHABLE.given(host=host, why=_last(said.err) or "255"))
        return said


@dataclass(frozen=True, slots=True)
class _Said:
    """How the program ended."""

    code: int
    out: str
    err: str


async def _growing(
    talk: asyncio.Future[tuple[bytes, bytes]], into: Path, progress: Progress
) -> tuple[bytes, bytes]:
    """The program's words when it has ended; TimeoutError when the file has stopped growing."""
    loop = asyncio.get_running_loop()
    size, grown_at = _size(into), loop.time()
    while not talk.done():
        await asyncio.wait({talk}, timeout=0.5)
        now = _size(into)
        if now != size:
            size, grown_at = now, loop.time()
            progress(size)
        elif loop.time() - grown_at > STALL_S:
            raise TimeoutError
    return talk.result()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _quoted(name: str) -> str:
    """A name as sftp's orders take it; between quotes nothing is a pattern."""
    return '"' + re.sub(r'([\\"])', r"\\\1", name) + '"'


def _last(text: str) -> str:
    """The program's last word that says something."""
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if line and not line.startswith("Connection closed")]
    return told[-1][:200] if told else ""
