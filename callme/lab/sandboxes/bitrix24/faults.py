"""Trouble to order: what goes wrong at which call of which method, so that a client can be tried against it.

A small scripted list, armed in Python (`portal.faults.add(Fault(…))`) or by POST to `/sandbox/faults`. The
REST layer asks `next` once for each request and for each command inside a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """What goes wrong."""

    ERROR = "error"  # an error answer: `status`, `code`, `text`
    HTML = "html"  # `status` with a page of HTML instead of JSON
    EXPIRED = "expired"  # 401 expired_token
    DROP = "drop"  # the connection is closed without an answer
    HANG = "hang"  # the answer comes `seconds` late
    DETACHED = "detached"  # done `seconds` later, whatever becomes of the connection, and never answered
    TRUNCATED = "truncated"  # JSON that breaks off in the middle (always after the action)


class Moment(StrEnum):
    """Before the method did anything, or after it did all of it."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Fault:
    """Go wrong at calls `nth` … `nth + times - 1` of `method`, counted from the moment the fault was added.

    `method` in any case; `*` is every method, `upload` the upload step. Inside a batch only `error` and
    `expired` can happen to a single command; the others happen to a method that is called by itself, or to
    `batch` as a whole.
    """

    method: str
    kind: FaultKind
    moment: Moment = Moment.BEFORE
    nth: int = 1
    times: int = 1
    status: int = 500
    code: str = "INTERNAL_SERVER_ERROR"
    text: str = "Internal server error"
    seconds: float = 0

    @property
    def inside_batch(self) -> bool:
        """Can it happen to one command of a batch?"""
        return self.kind in (FaultKind.ERROR, FaultKind.EXPIRED)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Fault:
        """From JSON. `ValueError` names the key that is wrong."""
        known = {key.name for key in fields(cls)}
        for key in given:
            if key not in known:
                raise ValueError(f"unknown key {key!r}; known: {', '.join(sorted(known))}")
        if "method" not in given or "kind" not in given:
            raise ValueError("a fault needs 'method' and 'kind'")
        kind, moment = FaultKind(given["kind"]), Moment(given.get("moment", "before"))
        return cls(**{**given, "kind": kind, "moment": moment})


class Faults:
    """The faults that are still to come, with how often their methods were called meanwhile."""

    def __init__(self) -> None:
        self._armed: list[tuple[Fault, int]] = []

    def add(self, *faults: Fault) -> None:
        """Arm them."""
        self._armed += [(fault, 0) for fault in faults]

    def clear(self) -> None:
        """Disarm all."""
        self._armed.clear()

    def next(self, method: str, *, in_batch: bool = False) -> Fault | None:
        """Count this call; the fault that strikes it, if any. The one added first wins."""
        struck: Fault | None = None
        left: list[tuple[Fault, int]] = []
        for fault, seen in self._armed:
            if fault.method.lower() in ("*", method.lower()) and (fault.inside_batch or not in_batch):
                seen += 1
                if struck is None and seen >= fault.nth:
                    struck = fault
            if seen < fault.nth + fault.times - 1:
                left.append((fault, seen))
        self._armed = left
        return struck

    def as_json(self) -> list[dict[str, Any]]:
        """What is still armed."""
        return [{**asdict(fault), "seen": seen} for fault, seen in self._armed]
