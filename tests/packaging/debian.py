"""A bare Debian 12 in a folder, with our package beside it, for the tests of the package."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
SUITE = "bookworm"
OF_THE_SYSTEM = re.compile(
    r"/(proc|sys|dev|run|tmp|var/(lib/(dpkg|systemd)|log|cache))/|/etc/(passwd|group|shadow|gshadow)-?$"
    r"|/__pycache__"
)


def ran(*command: str, text: str | None = None) -> str:
    """What a command says; the test fails with that where the command fails."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{' '.join(command[:4])}: {done.stdout}{done.stderr}"
    return done.stdout


class Debian:
    """A bare Debian 12 in a folder. Programs run there one by one; `Booted` runs it as a machine."""

    def __init__(self, root: Path, *packages: str) -> None:
        self.root = root
        wanted = ",".join(("python3", "adduser", *packages))
        ran("debootstrap", "--variant=minbase", f"--include={wanted}", SUITE, str(root))

    def take(self, package: Path) -> None:
        """Lays the package beside, as /callme.deb."""
        (self.root / "callme.deb").write_bytes(package.read_bytes())

    def run(self, *command: str, user: str = "root", text: str | None = None) -> str:
        """Runs there."""
        inside = ("unshare", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root / 'proc'}")
        around = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/tmp")
        return ran(*inside, *around, "chroot", f"--userspec={user}", str(self.root), *command, text=text)

    def files(self) -> set[str]:
        """Every file that is not the package system's own bookkeeping."""
        found = (str(Path("/") / one.relative_to(self.root)) for one in self.root.rglob("*"))
        return {name for name in found if not OF_THE_SYSTEM.search(name)}


def package() -> Path:
    """Our package, built anew."""
    ran(str(PACKAGING / "deb" / "build.sh"))
    return max((ROOT / "dist").glob("callme_*.deb"), key=lambda one: one.stat().st_mtime)
