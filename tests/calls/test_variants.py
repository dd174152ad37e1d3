"""Every recorded call is told right as other versions, drivers, rights, dialplans and providers tell it."""

from __future__ import annotations

import pytest

from tests.calls.played import Case, cases, expected, matching, play, told
from tests.calls.variants import VARIANTS, Variant

SHARE = 56
"""Of so many cases of each variant one is played always, another one for each variant; all by `make
test-long`."""
SMALL = {case.name for case in cases(9_000)}
WITH_CASES = [
    pytest.param(
        variant,
        case,
        id=f"{variant.name}-{case.name}",
        marks=[] if case.name in SMALL and (nth + mth) % SHARE == 0 else pytest.mark.long,
    )
    for nth, variant in enumerate(VARIANTS)
    for mth, case in enumerate(cases())
    if variant.of(case.name)
]


@pytest.mark.parametrize(("variant", "case"), WITH_CASES)
def test_told_right(variant: Variant, case: Case) -> None:
    truths = [variant.expected(truth) for truth in case.truth]
    for call, truth in matching(play(variant.moments(case.chunks)), truths):
        assert told(call) == expected(truth)
        assert call.ended_at is not None
        if not call.lost:
            assert call.talk_s == pytest.approx(truth["talk_s"], abs=1)
        if truth["crm"]["user"] is not None and call.talks:
            assert call.owner == truth["crm"]["user"]
