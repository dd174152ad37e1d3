"""Whose calls stand in the portal."""

from __future__ import annotations

from typing import Any

import pytest

from callme.portals.bitrix24.neighbours import judged

OURS = {"EXTERNAL_CALL_ID": "office-1700000000.12", "REST_APP_ID": "7", "REST_APP_NAME": "CallMe"}
THEIRS = {"EXTERNAL_CALL_ID": "", "REST_APP_ID": "9", "REST_APP_NAME": "Old scripts"}


@pytest.mark.parametrize(
    ("rows", "alone"),
    [
        ([], True),
        ([OURS, OURS], True),
        ([OURS, {**OURS, "EXTERNAL_CALL_ID": ""}], True),  # a call that began by a click of ours
        ([{"EXTERNAL_CALL_ID": None, "REST_APP_ID": None}], True),  # nobody can tell
        ([OURS, THEIRS], False),
        ([THEIRS], False),
        ([{"EXTERNAL_CALL_ID": "8d2f-77", "REST_APP_ID": None}], False),
    ],
)
def test_others_are_told_and_only_they(rows: list[dict[str, Any]], alone: bool) -> None:
    finding = judged(rows)
    assert finding.well
    assert (finding.cure is None) is alone


def test_they_are_counted_and_named() -> None:
    found = judged([OURS, THEIRS, THEIRS]).found
    assert "2 of the last 3" in found.say("en")
    assert "Old scripts" in found.say("ru")
