"""As whom the service reads files: `callme check` and the doctor are mostly started by root, who may read
everything, while the service's own account may not.

Used by `checking`. It changes nothing.
"""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BESIDE = "asterisk"
"""The group that the unit gives the service beside its account's own, where it exists (`setup.unit`)."""


@dataclass(frozen=True, slots=True)
class Account:
    """The service's account."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def account_of(data: Path) -> Account | None:
    """Whose the service's data folder is, asked by root; `None` where we are that user ourselves, or nobody
    has that number any more."""
    with suppress(OSError, KeyError):
        owner = data.stat().st_uid
        if os.geteuid() == 0 and owner != 0:
            found = pwd.getpwuid(owner)
            groups = set(os.getgrouplist(found.pw_name, found.pw_gid))
            groups |= {one.gr_gid for one in grp.getgrall() if one.gr_name == BESIDE}
            return Account(found.pw_name, found.pw_uid, found.pw_gid, tuple(sorted(groups)))
    return None


def may_read(path: Path, account: Account | None) -> bool:
    """Whether that account may read a file, or list a folder and go into it; `None`: we ourselves. Blocking:
    the kernel is asked as that user, so that access lists count too."""
    ways = ("r", "x") if path.is_dir() else ("r",)
    if account is None:
        return all(os.access(path, os.R_OK if way == "r" else os.X_OK) for way in ways)
    words = " && ".join(f'test -{way} "$0"' for way in ways)
    asked = subprocess.run(
        ["/bin/sh", "-c", words, str(path)],
        user=account.uid, group=account.gid, extra_groups=account.groups, cwd="/", check=False,
        stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    return asked.returncode == 0


def group_of(path: Path) -> str:
    """The group that a file belongs to, by name where it has one."""
    number = path.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
