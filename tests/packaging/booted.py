"""That Debian as a machine of its own: systemd as its first process, in namespaces of this one.

It needs root, and a kernel that lets us have a control group of our own. What refused is told. Network,
processes, mounts and host name are its own; when this process dies, all of it does.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Self

BOOT_S = 60.0
START = """\
set -e
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
for folder in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$1/$folder"; done
chmod 1777 "$1/tmp"
mount -t sysfs sysfs "$1/sys"
mount -t tmpfs -o mode=755 tmpfs "$1/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
for name in null zero full random urandom tty; do
    touch "$1/dev/$name"
    mount --bind "/dev/$name" "$1/dev/$name"
done
mkdir -p "$1/dev/pts" "$1/dev/shm" "$1/oldroot"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
ln -s pts/ptmx "$1/dev/ptmx"
cd "$1"
pivot_root . oldroot
umount -l /oldroot
rmdir /oldroot
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
"""
PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"


class CannotBootError(Exception):
    """This machine does not let us; says what refused."""


class Booted:
    """`with Booted(root) as machine: machine.run("systemctl", "status")`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._group = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._first = 0

    def __enter__(self) -> Self:
        self._group = _control_group()
        own = ["--mount", "--pid", "--fork", "--kill-child", "--cgroup", "--net", "--uts", "--ipc"]
        # The group must be entered before the namespace is made: it becomes that one's root.
        enter = 'echo $$ >"$0/cgroup.procs" && exec setpriv --pdeathsig KILL unshare "$@"'
        command = ["sh", "-c", enter, str(self._group), *own, "sh", "-c", START, "sh", str(self._root)]
        said = self._root.parent / "boot.log"
        with said.open("wb") as file:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )
        try:
            self._wait(said)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        deadline = time.monotonic() + BOOT_S
        while _processes(self._group) and time.monotonic() < deadline:
            time.sleep(0.05)
        for folder in sorted(self._group.rglob("*"), reverse=True):
            if folder.is_dir():
                folder.rmdir()
        self._group.rmdir()

    def run(self, *command: str, text: str | None = None, check: bool = True) -> str:
        """What a command there says; the test fails with that where the command fails."""
        inside = ["nsenter", "--target", str(self._first), "--all", "env", "-i", PATH, "LANG=C.UTF-8"]
        done = subprocess.run(
            [*inside, *command], input=text, capture_output=True, text=True, timeout=300, check=False
        )
        told = done.stdout + done.stderr
        assert not check or done.returncode == 0, f"{' '.join(command[:4])}: {told}\n{self.journal()}"
        return told

    def shown(self, unit: str, *properties: str) -> dict[str, str]:
        """What systemd says of a unit."""
        told = self.run("systemctl", "show", unit, *(f"--property={one}" for one in properties))
        return dict(line.split("=", 1) for line in told.splitlines() if "=" in line)

    def journal(self, unit: str = "callme") -> str:
        """The last lines of a unit's log."""
        return self.run("journalctl", "--unit", unit, "--no-pager", "--lines=20", check=False)

    def _wait(self, said: Path) -> None:
        deadline = time.monotonic() + BOOT_S
        state = ""
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise CannotBootError(said.read_text("utf-8", "replace").strip() or "systemd ended at once")
            self._first = _child(self._process.pid)
            if self._first:
                state = self.run("systemctl", "is-system-running", check=False).strip()
            if state in ("running", "degraded"):
                return
            time.sleep(0.1)
        raise CannotBootError(f"not up within {BOOT_S:g} s: {state} {said.read_text('utf-8', 'replace')}")


def _control_group() -> Path:
    """A group of our own in the unified hierarchy, wherever that is mounted. Raises `CannotBootError`."""
    if os.geteuid() != 0:
        raise CannotBootError("root is needed")
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text("utf-8").splitlines()]
    unified = next((Path(one[1]) for one in mounts if one[2] == "cgroup2"), None)
    if unified is None:
        raise CannotBootError("no cgroup2 is mounted")
    group = unified / f"callme-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise CannotBootError(f"{group}: {error.strerror}") from error
    return group


def _processes(group: Path) -> bool:
    return any(one.read_text("utf-8").strip() for one in group.rglob("cgroup.procs"))


def _child(parent: int) -> int:
    """The first process of that machine; 0 while there is none, or while it is not systemd yet."""
    told = Path(f"/proc/{parent}/task/{parent}/children").read_text("utf-8").split()
    for one in told:
        if Path(f"/proc/{one}/comm").read_text("utf-8").strip() == "systemd":
            return int(one)
    return 0
