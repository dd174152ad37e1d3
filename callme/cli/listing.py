"""Lines of a list in a terminal: columns as wide as their longest cell, local times. Used by `calls` and
`deliveries`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines; the last column is not padded. What a caller's telephone says steers no terminal."""
    if not rows:
        return []
    rows = [["".join(sign if sign.isprintable() else " " for sign in cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def moment(epoch: float) -> str:
    """Local date and time to the second."""
    return datetime.fromtimestamp(epoch, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
