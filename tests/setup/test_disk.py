"""What is written, what is kept of before, and the way back."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from callme.errors import TroubleError
from callme.setup.changing import Change, diff
from callme.setup.disk import FOLDER, Disk, Paper
from callme.setup.pieces import Piece, lay


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "callme.toml"


def block(file: Path) -> Change:
    before = file.read_bytes() if file.exists() else None
    return Change(file, before, lay(before, Piece(file, "ami", "[callme]\n")))


def whole(file: Path, text: bytes) -> Change:
    before = file.read_bytes() if file.exists() else None
    return Change(file, before, text, whole=True, mode=0o600)


def undone(config: Path) -> list[str]:
    disk = Disk(config)
    changes, left = disk.back()
    disk.undo(changes, keep=bool(left))
    return [str(one) for one in left]


def test_everything_comes_back_with_its_mode(tmp_path: Path, config: Path) -> None:
    theirs = tmp_path / "manager_custom.conf"
    theirs.write_bytes(b"[other]\nsecret=x")
    theirs.chmod(0o664)
    own = tmp_path / "callme.service"
    own.write_bytes(b"[Unit]\n")
    own.chmod(0o640)
    disk = Disk(config)
    disk.write([block(theirs), whole(own, b"[Unit]\n# new\n"), whole(config, b"[service]\n")])
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o664
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    disk.write([whole(config, b"[service]\n# second\n")])  # a second run, over our own
    assert undone(config) == []
    assert (theirs.read_bytes(), stat.S_IMODE(theirs.stat().st_mode)) == (b"[other]\nsecret=x", 0o664)
    assert (own.read_bytes(), stat.S_IMODE(own.stat().st_mode)) == (b"[Unit]\n", 0o640)
    assert not config.parent.exists()


def test_what_a_person_changed_since_is_not_thrown_away(config: Path) -> None:
    disk = Disk(config)
    disk.write([whole(config, b"[service]\n")])
    config.write_bytes(b"[service]\nlanguage = 'ru'\n")
    (left,) = undone(config)
    assert str(config) in left
    assert config.read_bytes() == b"[service]\nlanguage = 'ru'\n"


def test_what_a_person_wrote_around_a_block_stays(tmp_path: Path, config: Path) -> None:
    theirs = tmp_path / "manager_custom.conf"
    disk = Disk(config)
    disk.write([block(theirs)])
    theirs.write_bytes(b"; mine\n" + theirs.read_bytes())
    assert undone(config) == []
    assert theirs.read_bytes() == b"; mine\n"


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path, config: Path) -> None:
    theirs = tmp_path / "manager_custom.conf"
    change = block(theirs)
    theirs.write_bytes(b"[raced]\n")
    with pytest.raises(TroubleError, match="nothing was written"):
        Disk(config).write([change])
    assert theirs.read_bytes() == b"[raced]\n"


def test_a_link_is_followed(tmp_path: Path, config: Path) -> None:
    real = tmp_path / "real.conf"
    real.write_bytes(b"[a]\n")
    link = tmp_path / "link.conf"
    link.symlink_to(real)
    Disk(config).write([block(link)])
    assert link.is_symlink()
    assert b"[callme]" in real.read_bytes()


def test_copies_are_for_the_owner_alone(tmp_path: Path, config: Path) -> None:
    theirs = tmp_path / "manager_custom.conf"
    theirs.write_bytes(b"secret\n")
    theirs.chmod(0o644)
    Disk(config).write([block(theirs)])
    folder = config.parent / FOLDER
    assert {stat.S_IMODE(one.stat().st_mode) for one in (folder, *folder.iterdir())} == {0o700, 0o600}


def test_a_disk_that_refuses_is_told_with_the_file(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_bytes(b"a file, not a folder")
    with pytest.raises(TroubleError, match="blocked"):
        Disk(blocked / "callme.toml").write([whole(blocked / "callme.toml", b"")])


def test_a_broken_list_is_told(config: Path) -> None:
    Disk(config).write([whole(config, b"x")])
    (config.parent / FOLDER / "done.json").write_text("{", "utf-8")
    with pytest.raises(TroubleError, match=r"done\.json"):
        Disk(config)


def test_a_diff_shows_no_secret_of_anybody(tmp_path: Path) -> None:
    before = b"[other]\nsecret = theirs\n"
    after = before + b'[callme]\nsecret = ours\nwebhook = "https://x/rest/1/hush/"\n"token_key" => hush\n'
    after += b"door = { allow = [\"10.0.0.1\"], secret = 'ours' }\n"
    after += b'x = { a_token = "q\\" theirs" , b = 1 }\n'
    shown = "\n".join(diff(Change(tmp_path / "a.conf", before, after)))
    assert "+secret = ***" in shown
    assert '+door = { allow = ["10.0.0.1"], secret = "***" }' in shown
    assert '+x = { a_token = "***" , b = 1 }' in shown
    assert not {"theirs", "ours", "hush"} & set(shown.replace("/", " ").replace('"', " ").split())


def test_a_file_with_a_block_that_was_then_changed_elsewhere_comes_back_whole(
    tmp_path: Path, config: Path
) -> None:
    theirs = tmp_path / "extensions_custom.conf"
    theirs.write_bytes(b"[old]\n[mine]\n")
    disk = Disk(config)
    disk.write([block(theirs)])
    disk.write([whole(theirs, theirs.read_bytes().replace(b"[old]\n", b""))])
    assert undone(config) == []
    assert theirs.read_bytes() == b"[old]\n[mine]\n"


def test_on_paper_nothing_is_written_and_later_steps_find_what_earlier_ones_would_have(config: Path) -> None:
    config.parent.mkdir()
    file = config.parent / "manager_custom.conf"
    file.write_bytes(b"; mine\n")
    paper = Paper(config)
    change = block(file)
    paper.write([change])
    paper.note(user="callme", unit="own")
    assert paper.content(file) == change.after
    assert paper.content(config) is None
    assert file.read_bytes() == b"; mine\n"
    assert [one.name for one in config.parent.iterdir()] == [file.name]
