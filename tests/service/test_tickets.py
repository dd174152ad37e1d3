"""A ticket is believed while it lives, for its portal, and only as it was written."""

from __future__ import annotations

import base64
import json

import pytest

from callme.service.tickets import LIFE_S, Ticket, Tickets


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_it_is_read_until_it_runs_out() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    text = tickets.issue("main", "call.1", "7")
    assert tickets.read("main", text) == Ticket("main", "call.1", "7", 1000.0 + LIFE_S)
    assert tickets.read("other", text) is None
    clock.now += LIFE_S
    assert tickets.read("main", text) is None


def test_what_was_forged_is_not_read() -> None:
    tickets = Tickets(Clock())
    words, _, sign = tickets.issue("main", "call.1", "7").partition(".")
    changed = ("B" if sign[0] == "A" else "A") + sign[1:]
    other = base64.urlsafe_b64encode(json.dumps(["main", "call.2", "7", 9e9]).encode()).decode()
    assert tickets.read("main", f"{other}.{sign}") is None
    assert tickets.read("main", f"{words}.{changed}") is None
    assert Tickets(Clock()).read("main", f"{words}.{sign}") is None, "another process has another key"


@pytest.mark.parametrize("text", ["", ".", "x", "ю.ю", "e30=.e30=", "=.=", "a" * 5000])
def test_nonsense_is_no_ticket(text: str) -> None:
    assert Tickets(Clock()).read("main", text) is None
