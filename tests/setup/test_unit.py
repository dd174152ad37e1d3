"""The service's unit, judged by systemd itself where it is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from callme.setup.unit import Unit, text

UNIT = Unit(
    Path("/usr/bin/true"), Path("/etc/callme/callme.toml"), user="daemon", beside=("asterisk.service",)
)
ANALYZE = shutil.which("systemd-analyze")


def test_it_is_fenced_in_watched_and_never_given_up() -> None:
    lines = text(UNIT).splitlines()
    for line in (
        "User=daemon", "Type=notify", "Restart=always", "WatchdogSec=60", "NoNewPrivileges=yes",
        "ProtectSystem=strict", "ProtectHome=yes", "CapabilityBoundingSet=", "StateDirectory=callme",
        "StartLimitIntervalSec=0",
    ):  # fmt: skip
        assert line in lines


def test_a_programme_in_a_home_stays_visible() -> None:
    at_home = Unit(Path("/home/anna/callme/.venv/bin/callme"), Path("/etc/callme/callme.toml"))
    assert "ProtectHome=read-only" in text(at_home)


def test_a_folder_of_ones_own_may_be_written() -> None:
    assert "ReadWritePaths=/srv/calls" in text(Unit(UNIT.programme, UNIT.config, data=Path("/srv/calls")))


def test_signs_of_systemd_in_a_path_are_no_specifiers() -> None:
    assert '"/opt/my %%programme/callme" run' in text(Unit(Path("/opt/my %programme/callme"), UNIT.config))


@pytest.mark.parametrize("data", ["/var/lib/callme", "/srv/calls"])
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path, data: str) -> None:
    file = tmp_path / "callme.service"
    file.write_text(text(Unit(UNIT.programme, UNIT.config, user="daemon", data=Path(data))), "utf-8")
    assert complaints(file) == []


def complaints(file: Path) -> list[str]:
    """What systemd says of the unit; on a machine without it, lines that are no unit's at all."""
    if ANALYZE is None:
        lines = file.read_text("utf-8").splitlines()
        return [line for line in lines if line and not re.match(r"#|\[\w+\]$|\w+=", line)]
    ran = subprocess.run([ANALYZE, "verify", file], capture_output=True, text=True, timeout=30)
    return [line for line in ran.stderr.splitlines() if file.name in line]
