"""kill -9 at any moment: what was committed is told, each thing once. Real processes, never mocked to die."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def start(folder: Path, first: int, mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.victim", str(folder), str(first), mode],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_after(folder: Path, first: int, moment: float) -> list[str]:
    """Lets a service live for `moment` seconds from its first call, kills it, answers what it had said."""
    with start(folder, first, "live") as victim:
        assert victim.stdout is not None
        said = [victim.stdout.readline().strip()]
        time.sleep(moment)  # the moment of death is the test's subject: it waits for nothing
        victim.kill()
        said += victim.stdout.read().split("\n")[:-1]
    return [line.strip() for line in said if line.strip()]


def killed_often(folder: Path, moments: list[float]) -> None:
    kept: list[str] = []
    for number, moment in enumerate(moments):
        said = kill_after(folder, number * 100_000, moment)
        assert said, "the service did not come up after a kill"
        kept += said
    with start(folder, 0, "drain") as last:
        last.communicate(timeout=60)
        assert last.returncode == 0
    told = Counter((folder / "portal.txt").read_text().splitlines())
    assert len(kept) > len(moments)
    for name in kept:
        for thing in ("register", "finish", "attach"):
            assert told[f"{thing} {name}"] == 1, f"{thing} {name}: {told[f'{thing} {name}']} times"
    # A call whose commit was not acknowledged may be there too, but then whole and once.
    assert set(told.values()) == {1}
    assert len(told) % 3 == 0


def test_twelve_moments(tmp_path: Path) -> None:
    chance = random.Random(1)
    killed_often(tmp_path, [chance.uniform(0, 0.15) for _ in range(12)])


@pytest.mark.long
def test_two_hundred_moments(tmp_path: Path) -> None:
    chance = random.Random()
    killed_often(tmp_path, [chance.uniform(0, 0.3) for _ in range(200)])
