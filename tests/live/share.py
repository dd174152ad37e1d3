"""Which live scenarios are played when: all by `make test-long`, a share of them by `make test`."""

from __future__ import annotations

import pytest

from callme.lab import scenarios
from callme.lab.asterisk import Release

RELEASES: tuple[Release, ...] = ("16", "22")
SAMPLE_ON: Release = "22"

BASE = frozenset(scenario.name for scenario in scenarios.FIRST)
"""Always, on both releases: what everything rests on."""

SAMPLE = frozenset(
    {
        "in_ringall_busy_and_declined",
        "in_hunt_answered_by_3rd",
        "in_queue_second_agent",
        "in_ivr_then_ext",
        "in_voicemail",
        "in_followme_mobile_answers",
        "in_blind_transfer",
        "in_attended_transfer",
        "in_pickup",
        "in_park_retrieve",
        "out_trunk_failover",
    }
)
"""Always, on one release: one of each other kind of call."""


def cases() -> list[object]:
    """Release × scenario with their marks."""
    return [
        pytest.param(
            release, name, id=f"{release}-{name}", marks=[] if _always(release, name) else pytest.mark.long
        )
        for name in scenarios.ALL
        for release in RELEASES
    ]


def _always(release: Release, name: str) -> bool:
    return name in BASE or (name in SAMPLE and release == SAMPLE_ON)
