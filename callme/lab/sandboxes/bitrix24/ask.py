"""What a method is given and what it may give back: the contract between the REST layer and the methods.

A method is a plain function `Ask → result`. It refuses by raising `Refusal`; a page of a list is a `Page`;
when it must first fetch an address, as a portal does for RECORD_URL, it returns a `Fetch` and the shell goes
and gets it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.state import Office, User

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Ask:
    """One call of one method. `start` is the reserved paging parameter; `address` begins an upload link,
    which ends with the token that `sign` signs; `application` is what app.info tells, none for a webhook."""

    office: Office
    knobs: Knobs
    owner: User
    params: dict[str, Any]
    start: int
    now: float
    address: str
    sign: Callable[[str], str]
    methods: Callable[[str], tuple[bool, bool]]  # name → exists, may be called with these scopes
    application: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `following` is the next `start`, `None` on the last page."""

    rows: list[Any]
    total: int
    following: int | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the portal got from an address; `trouble` when it got no answer at all."""

    status: int
    body: bytes = b""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetch this address, then go on with what came."""

    url: str
    then: Callable[[Fetched], Any]


def page(rows: list[Any], start: int) -> Page:
    """50 rows from `start`; a negative start means no counting (§4.3)."""
    if start < 0:
        return Page(rows[:PAGE_SIZE], 0, None)
    end = start + PAGE_SIZE
    return Page(rows[start:end], len(rows), end if end < len(rows) else None)
