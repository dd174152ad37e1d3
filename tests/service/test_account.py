"""Whose eyes `callme check` looks with."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from callme.service.account import account_of, may_read


def test_we_ourselves_where_the_data_is_ours(tmp_path: Path) -> None:
    assert account_of(tmp_path) is None
    assert account_of(tmp_path / "not-there-yet") is None


def test_root_looks_as_the_owner_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        Path, "stat", lambda path: os.stat_result((0o750, 0, 0, 0, nobody.pw_uid, 0, 0, 0, 0, 0))
    )
    account = account_of(tmp_path)
    assert account is not None
    assert (account.name, account.uid, account.gid) == ("nobody", nobody.pw_uid, nobody.pw_gid)
    assert nobody.pw_gid in account.groups


def test_what_may_be_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert may_read(tmp_path, None)
    assert may_read(file, None)
    assert not may_read(tmp_path / "none", None)
