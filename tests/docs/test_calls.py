"""docs/calls.md names every scenario that the lab can play, and nothing that neither it can nor a recording
holds."""

from __future__ import annotations

import re
from pathlib import Path

from callme.lab import scenarios

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "calls.md").read_text("utf-8")
NAMED = set(re.findall(r"`((?:in|out|two|click|internal|no_call|burst|pbx)_[a-z0-9_]+)`", PAGE))


def test_every_scenario_is_on_the_page() -> None:
    missing = {name for name in scenarios.ALL if name not in NAMED}
    assert not missing


def test_every_scenario_on_the_page_can_be_played_or_was() -> None:
    known = {*scenarios.ALL, *(scenario.name for scenario in scenarios.ALONE)}
    known |= {path.name.split(".")[0] for path in (ROOT / "tests" / "transcripts").glob("*/*.truth.json")}
    assert known >= NAMED


def test_every_test_on_the_page_exists() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests" / "calls").glob("test_*.py"))
    for name in re.findall(r"`(test_[a-z0-9_]+|Test[A-Za-z]+)`", PAGE):
        assert f"def {name}(" in tests or f"class {name}" in tests, name
    for path in re.findall(r"`(tests/[a-z_/]+(?:\.py)?)`", PAGE):
        assert (ROOT / path).exists(), path
