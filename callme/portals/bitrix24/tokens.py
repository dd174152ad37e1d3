"""The application's tokens and the file in which they survive: encrypted, replaced as a whole or not at all.

`application` alone uses it. One file a portal, `portals/<id>.tokens`; the key is `token_key` of the
configuration, else `portals/key`, made with the first tokens. A new file is written beside the old one,
brought to the disk and then renamed, so a kill at any moment leaves the old tokens or the new ones. The lock
is a file too: `callme check` and the service may both want to refresh, and only one may.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import hashlib
import json
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from callme.errors import StoreError
from callme.wording import Phrase, plain

_UNUSABLE = Phrase(
    "The file {file} cannot be used: {why}.",
    "Файл {file} использовать нельзя: {why}.",
)
_RIGHTS = Phrase(
    "Let CallMe's user read and write the folder {folder}.",
    "Дайте пользователю CallMe право читать и писать в папку {folder}.",
)
_SEALED = Phrase(
    "The tokens in {file} cannot be opened with this key.",
    "Токены в {file} этим ключом не открываются.",
)
_RESEAL = Phrase(
    "Put the former token_key (or the file portals/key) back, or install the application in Bitrix24 again.",
    "Верните прежний token_key (или файл portals/key) либо установите приложение в Битрикс24 заново.",
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the portal gave at installation, or the authorisation server since. `member` is the portal's
    lasting id, `host` the name by which it was last called (sheet §3.2)."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    member: str = ""
    host: str = ""
    application: str = field(default="", repr=False)  # APPLICATION_TOKEN: proves the sender of events


class Safe:
    """The tokens of one portal on the disk. Reading and writing block; all raise `StoreError`."""

    def __init__(self, folder: Path, portal: str, key: str = "") -> None:
        self._folder = folder / "portals"
        self._file = self._folder / f"{portal}.tokens"
        self._key_file = self._folder / "key"
        self._key = key

    def read(self) -> Tokens | None:
        """What is kept; `None` when nothing is."""
        sealed = _content(self._file)
        if sealed is None:
            return None
        try:
            return Tokens(**json.loads(self._cipher(make=False).decrypt(sealed)))
        except (InvalidToken, ValueError, TypeError):
            raise StoreError(_SEALED.given(file=self._file), _RESEAL) from None

    def write(self, tokens: Tokens) -> None:
        """Keeps these instead; when it returns they are on the disk."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            sealed = self._cipher(make=True).encrypt(json.dumps(asdict(tokens)).encode())
            beside = self._beside(self._file, sealed)
            os.replace(beside, self._file)
            self._settle()
        except OSError as error:
            raise self._trouble(self._file, error) from None

    def remove(self) -> None:
        """Keeps none any more."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise self._trouble(self._file, error) from None

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None, None]:
        """Nobody else on this machine refreshes these tokens meanwhile."""
        handle = await asyncio.to_thread(self._take)
        try:
            yield
        finally:
            os.close(handle)

    def _take(self) -> int:
        file = self._file.with_suffix(".lock")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._trouble(file, error) from None
        fcntl.flock(handle, fcntl.LOCK_EX)
        return handle

    def _cipher(self, *, make: bool) -> Fernet:
        if self._key:
            return Fernet(base64.urlsafe_b64encode(hashlib.sha256(self._key.encode()).digest()))
        key = _content(self._key_file)
        if key is None and make:
            key = self._made()
        return Fernet(key or b"")  # ValueError without a key: what is kept cannot be opened

    def _made(self) -> bytes:
        """A new key; or the one that another process has just made."""
        beside = self._beside(self._key_file, Fernet.generate_key())
        try:
            with suppress(FileExistsError):  # then theirs counts
                os.link(beside, self._key_file)
        finally:
            os.unlink(beside)
        self._settle()
        return self._key_file.read_bytes()

    def _beside(self, file: Path, content: bytes) -> Path:
        beside = file.with_name(f"{file.name}.{os.getpid()}.new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            if os.geteuid() == 0:  # `callme check` of an administrator must not lock the service out
                owner = self._folder.stat()
                os.fchown(handle, owner.st_uid, owner.st_gid)
            os.write(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        return beside

    def _settle(self) -> None:
        """Brings the folder's own entries to the disk."""
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _trouble(self, file: Path, error: OSError) -> StoreError:
        why = plain(error.strerror or type(error).__name__)
        return StoreError(_UNUSABLE.given(file=file, why=why), _RIGHTS.given(folder=self._folder))


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        why = plain(error.strerror or type(error).__name__)
        raise StoreError(_UNUSABLE.given(file=file, why=why), _RIGHTS.given(folder=file.parent)) from None
