"""Keeps what one attempt asked and was answered. The carrier makes one per attempt; it is
`crm.port.Trace`."""

from __future__ import annotations

from callme.crm.port import Exchange

EXCHANGES_MAX = 20
"""More would be an adapter that goes in circles; its first requests tell as much."""


class Recorder:
    """The exchanges of one attempt, in order."""

    def __init__(self) -> None:
        self._kept: list[Exchange] = []

    def note(self, request: str, answer: str) -> None:
        """One exchange, as the adapter tells it."""
        if len(self._kept) < EXCHANGES_MAX:
            self._kept.append(Exchange(request, answer))

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What was noted so far; what work that goes on asks after the attempt is not its own."""
        return tuple(self._kept)
