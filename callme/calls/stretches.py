"""Stretches of time, and what two sets of them have in common. Pure.

Used where it is told which part of a talk is in which recording.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Stretch = tuple[float, float]
"""From when until when, in epoch seconds."""


def total(stretches: Iterable[Stretch]) -> float:
    """Seconds in all of them."""
    return sum(until - since for since, until in stretches)


def merged(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The same time, in order and without overlaps."""
    found: list[Stretch] = []
    for since, until in sorted(stretches):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return tuple(found)


def common(some: Sequence[Stretch], others: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The time that is in both."""
    found = [
        (max(since, other_since), min(until, other_until))
        for since, until in some
        for other_since, other_until in others
    ]
    return merged((since, until) for since, until in found if until > since)


def without(some: Sequence[Stretch], others: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The time that is in `some` alone."""
    left = list(some)
    for since, until in others:
        cut = []
        for start, end in left:
            cut += [(start, min(end, since)), (max(start, until), end)]
        left = [(start, end) for start, end in cut if end > start]
    return merged(left)
