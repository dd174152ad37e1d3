"""Lists in a terminal."""

from __future__ import annotations

from callme.cli.listing import columns


def test_cells_are_padded_and_steer_no_terminal() -> None:
    assert columns([["a", "bb", "c"], ["\x1b[2Jx", "b", "d\r\n"]]) == ["a      bb  c", " [2Jx  b   d"]
    assert columns([]) == []
