"""Finds the sandbox of a CRM by its name, so that no CRM's word stands outside its folder.

The demo opens one and shows its story; whatever it knows of the CRM stands in `Sandbox`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self, cast

from callme.lab import sandboxes
from callme.lab.telling import Line
from callme.lab.verdict import Record
from callme.wording import Language


class Sandbox(Protocol):
    """A stand-in for a CRM on a loopback port, and what it shows, in words and in neutral values."""

    known_client: str
    """The number of a customer whose name the CRM knows, digits alone."""

    codes: Mapping[tuple[str, str], str]
    """Direction (`in`, `out`) and true disposition → the status code that the CRM must show."""

    @property
    def port(self) -> int:
        """Where it listens."""
        ...

    @property
    def url(self) -> str:
        """The address of its page."""
        ...

    def table(self) -> dict[str, object]:
        """The `[[portal]]` table with which CallMe reaches it."""
        ...

    def watch(self, on_line: Callable[[Line | None], None]) -> None:
        """Be told of each happening as it happens; `None` for what a person need not hear."""
        ...

    def records(self) -> list[Record]:
        """The calls that the CRM keeps, oldest first."""
        ...

    def unfinished(self, number: str) -> int:
        """How many calls with that outside number the CRM believes to go on."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Folder(Protocol):
    """What a CRM's sandbox package offers."""

    def open_sandbox(self, language: Language, port: int) -> Sandbox: ...


def known() -> list[str]:
    """The CRMs that there are sandboxes for."""
    return sorted(module.name for module in pkgutil.iter_modules(sandboxes.__path__) if module.ispkg)


def open_sandbox(crm: str, language: Language, port: int) -> Sandbox:
    """A sandbox of that CRM, one of `known`, to be entered; its people named in that language. `port` 0
    takes a free one."""
    folder = cast(Folder, importlib.import_module(f"{sandboxes.__name__}.{crm}"))
    return folder.open_sandbox(language, port)
