"""The set-up: locked by hash, tied to no registry, and plain about what it cannot do."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")


def _made(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    around = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environ}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=around, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    packages = re.findall(r"^[a-z0-9-]+==\S+(?: ;[^\\]*)? \\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 3


def test_help_names_the_two_commands() -> None:
    ran = _made()
    assert ran.returncode == 0
    assert "make demo" in ran.stdout
    assert "make test " in ran.stdout


def test_an_old_python_is_named_with_the_one_thing_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\n[ "$1" = --version ]\n', encoding="utf-8"
    )
    old.chmod(0o755)
    ran = _made("setup", PYTHON=str(old))
    assert ran.returncode != 0
    assert "✘ Python 3.9.2 is too old: name Python 3.11 or newer with PYTHON=…" in ran.stderr
    russian = _made("setup", PYTHON=str(old), LANG="ru_RU.UTF-8")
    assert "слишком старый" in russian.stderr


def test_without_apt_the_package_to_install_is_named(tmp_path: Path) -> None:
    for tool in ("sh", "dirname", "env"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    ran = subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "debian.sh"), "no-such-program:no-such-package"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert "install no-such-package by hand" in ran.stderr
