"""The portal of the demo: the sandbox with the default office, and the witness that tells what it shows."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from callme.lab.sandboxes.bitrix24 import witness
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.sandboxes.bitrix24.witness import CODES, KNOWN_CLIENT, Witness
from callme.lab.telling import Line
from callme.lab.verdict import Record
from callme.wording import Language


class Stand:
    """See `callme.lab.sandboxes.registry.Sandbox`."""

    known_client = KNOWN_CLIENT
    codes = CODES

    def __init__(self, language: Language, port: int) -> None:
        office = witness.office(language)
        self._portal = SandboxPortal(Knobs(webhook_telephony="allow"), office=office, port=port)
        self._witness = Witness(office)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._portal.port

    @property
    def url(self) -> str:
        """The address of its page."""
        return self._portal.url

    def table(self) -> dict[str, object]:
        """The `[[portal]]` table with which CallMe reaches it."""
        return witness.table(self._portal)

    def watch(self, on_line: Callable[[Line | None], None]) -> None:
        """Be told of each happening in words."""
        self._witness.watch(lambda happening: on_line(self._witness.said(happening)))

    def records(self) -> list[Record]:
        """The calls that the portal keeps, oldest first."""
        return self._witness.records()

    def unfinished(self, number: str) -> int:
        """How many calls with that outside number the portal believes to go on."""
        return self._witness.unfinished(number)

    async def __aenter__(self) -> Self:
        await self._portal.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._portal.stop()
