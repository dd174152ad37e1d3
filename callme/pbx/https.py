"""Recordings that the PBX's web server shows: HEAD tells what is there, GET brings it, in pieces where it
broke off.

A place of `pbx.recordings`. Certificates are always verified; user and password, or a token, go to that
server alone (no redirect is followed) and into no text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from callme.http import Answer, HttpClient
from callme.pbx.places import GONE, Entry, Progress, Strange, Trouble
from callme.wording import Phrase

LIKELY = (".wav", ".WAV", ".mp3", ".ogg")
"""Other endings that are asked for; each costs a request."""

PLAIN_BYTES = {"Accept": "*/*", "Accept-Encoding": "identity"}

CLOSED = Phrase(
    "{place} does not let us in (HTTP {status}): check recordings_user and recordings_password, or "
    "recordings_token",
    "{place} не впускает (HTTP {status}): проверьте recordings_user и recordings_password или "
    "recordings_token",
)
ODD = Phrase("{place} answered with HTTP {status}", "{place} ответил HTTP {status}")
FAILED = Phrase("{place}: {why}", "{place}: {why}")
BROKE_OFF = Phrase("the transfer of {file} broke off", "передача {file} оборвалась")


class Https:
    """A folder of a web server."""

    def __init__(self, base: str, client: HttpClient, headers: dict[str, str]) -> None:
        self.base = base.rstrip("/")
        self._client = client
        self._headers = {**PLAIN_BYTES, **headers}

    def shown(self, name: PurePosixPath) -> str:
        """Its address."""
        return f"{self.base}/{quote(str(name))}"

    async def look(
        self, names: Sequence[PurePosixPath], beside: Sequence[PurePosixPath] = ()
    ) -> list[Entry] | Trouble | Strange:
        """Asks for the name itself and the likeliest others; of a found one's directions for the first way of
        naming them alone."""
        for at, name in enumerate(names):
            if at and name.suffix not in LIKELY:
                continue
            found = await self._head(name)
            if isinstance(found, Trouble):
                return found
            if found is not None:
                return [found, *await self._sides(beside[:2])]
        return []

    async def _sides(self, names: Sequence[PurePosixPath]) -> list[Entry]:
        found: list[Entry] = []
        for name in names:
            one = await self._head(name)
            if not isinstance(one, Entry):
                return []
            found.append(one)
        return found

    def here(self, entry: Entry) -> Path | None:
        """It is elsewhere."""
        return None

    async def bring(self, entry: Entry, into: Path, progress: Progress) -> Trouble | None:
        """Asks for what is not here yet; a server that knows no ranges sends all of it again."""
        have = await asyncio.to_thread(_size, into)
        if have >= entry.size:
            await asyncio.to_thread(into.unlink, missing_ok=True)
            have = 0
        reply = await self._client.download(self.shown(entry.name), into, have, self._headers, progress)
        if not isinstance(reply, Answer):
            return Trouble(FAILED.given(place=self.base, why=reply.why))
        if reply.status in (404, 410):
            return Trouble(GONE.given(file=self.shown(entry.name)))
        if reply.status not in (200, 206):
            return self._trouble(reply.status)
        if await asyncio.to_thread(_size, into) != entry.size:
            return Trouble(BROKE_OFF.given(file=self.shown(entry.name)))
        return None

    async def _head(self, name: PurePosixPath) -> Entry | Trouble | None:
        reply = await self._client.head(self.shown(name), self._headers)
        if not isinstance(reply, Answer):
            return Trouble(FAILED.given(place=self.base, why=reply.why))
        if reply.status in (404, 410):
            return None
        size = reply.headers.get("content-length", "")
        if reply.status != 200 or not size.isdigit():
            return self._trouble(reply.status)
        return Entry(name, int(size), _changed(reply.headers.get("last-modified", "")))

    def _trouble(self, status: int) -> Trouble:
        what = CLOSED if status in (401, 403) else ODD
        return Trouble(what.given(place=self.base, status=status))


def _changed(told: str) -> float | None:
    try:
        return parsedate_to_datetime(told).timestamp()
    except (ValueError, TypeError):
        return None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
