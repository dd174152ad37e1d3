"""What a kill, a wrong key or a foreign reader finds in the tokens' file."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from callme.errors import StoreError
from callme.portals.bitrix24.tokens import Safe, Tokens

FIRST = Tokens("access-access-access", "refresh-refresh-refresh", "member", "acme.example", "apptoken")


def numbered(number: int) -> Tokens:
    return Tokens(f"access-{number:010d}-x", f"refresh-{number:010d}-x")


def test_what_was_kept_comes_back_after_a_restart(tmp_path: Path) -> None:
    assert Safe(tmp_path, "main").read() is None
    Safe(tmp_path, "main").write(FIRST)
    assert Safe(tmp_path, "main").read() == FIRST
    assert Safe(tmp_path, "other").read() is None


def test_nothing_in_the_folder_tells_a_token_or_is_open_to_others(tmp_path: Path) -> None:
    Safe(tmp_path, "main").write(FIRST)
    folder = tmp_path / "portals"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(file.name for file in folder.iterdir()) == ["key", "main.tokens"]
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"access-access" not in file.read_bytes()
    assert "access-access" not in repr(FIRST)
    assert "refresh-refresh" not in repr(FIRST)
    assert "apptoken" not in repr(FIRST)


def test_a_configured_key_needs_no_file_and_opens_only_its_own(tmp_path: Path) -> None:
    Safe(tmp_path, "main", "a long secret of mine").write(FIRST)
    assert not (tmp_path / "portals" / "key").exists()
    assert Safe(tmp_path, "main", "a long secret of mine").read() == FIRST
    for key in ("another long secret", ""):
        with pytest.raises(StoreError) as caught:
            Safe(tmp_path, "main", key).read()
        assert "token_key" in caught.value.say("en")
        assert "token_key" in caught.value.say("ru")


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\xff" * 100])
def test_a_damaged_file_is_told_and_can_be_replaced(tmp_path: Path, content: bytes) -> None:
    safe = Safe(tmp_path, "main")
    safe.write(FIRST)
    (tmp_path / "portals" / "main.tokens").write_bytes(content)
    with pytest.raises(StoreError, match="cannot be opened"):
        safe.read()
    safe.write(FIRST)
    assert safe.read() == FIRST


def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "portals").write_text("a file stands in the way")
    with pytest.raises(StoreError) as caught:
        Safe(tmp_path, "main").write(FIRST)
    assert "main.tokens" in caught.value.say("en")
    assert caught.value.cure is not None


def _writing(folder: Path) -> None:
    safe, number = Safe(folder, "main"), 0
    while True:
        number += 1
        safe.write(numbered(number))


def test_a_kill_at_any_moment_leaves_one_whole_pair(tmp_path: Path) -> None:
    Safe(tmp_path, "main").write(numbered(0))
    killed = multiprocessing.get_context("fork")
    for turn in range(12):
        writer = killed.Process(target=_writing, args=(tmp_path,))
        writer.start()
        writer.join(0.01 + turn * 0.004)
        writer.kill()
        writer.join()
        writer.close()
        kept = Safe(tmp_path, "main").read()
        assert kept is not None
        assert kept.access.split("-")[1] == kept.refresh.split("-")[1]


async def test_whoever_holds_the_tokens_is_alone(tmp_path: Path) -> None:
    safe, other = Safe(tmp_path, "main"), Safe(tmp_path, "main")
    async with safe.held():
        handle = os.open(tmp_path / "portals" / "main.lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
    async with other.held():
        pass


def test_what_root_writes_stays_the_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Safe(tmp_path, "main").write(FIRST)
    given: list[tuple[int, int]] = []
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.fchown", lambda _handle, user, group: given.append((user, group)))
    Safe(tmp_path, "main").write(FIRST)
    owner = (tmp_path / "portals").stat()
    assert given == [(owner.st_uid, owner.st_gid)]
