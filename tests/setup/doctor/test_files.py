"""Files and folders that must be there and closed to others."""

from __future__ import annotations

from pathlib import Path

from callme.config import load
from callme.setup.doctor import files
from callme.setup.doctor.signs import Level, Sign

TEXT = '[service]\ndata_dir = "var"\n[[pbx]]\nid = "office"\nsecret_file = "ami-secret"\n'


def examined(folder: Path) -> dict[str, Sign]:
    config = load(folder / "callme.toml", {})
    return {sign.topic.say("en").rpartition("/")[2]: sign for sign in files.examine(config)}


def made(folder: Path) -> None:
    for name, text in (("callme.toml", TEXT), ("ami-secret", "hush")):
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o600)
    (folder / "var/portals").mkdir(parents=True)
    (folder / "var/portals/key").touch(0o600)


def test_all_in_order(tmp_path: Path) -> None:
    made(tmp_path)
    signs = examined(tmp_path)
    assert {sign.level for sign in signs.values()} == {Level.WELL}
    assert set(signs) == {"callme.toml", "ami-secret", "key", "var"}


def test_open_secrets_are_named_and_can_be_closed(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "ami-secret").chmod(0o644)
    (tmp_path / "callme.toml").chmod(0o620)
    (tmp_path / "var/portals/key").chmod(0o666)
    signs = examined(tmp_path)
    assert signs["ami-secret"].cure is not None
    assert signs["ami-secret"].cure.say("ru") == f"chmod 640 {tmp_path}/ami-secret"
    for name in ("ami-secret", "callme.toml", "key"):
        assert signs[name].level is Level.ILL
        fix = signs[name].fix
        assert fix is not None
        fix.act()
    assert {sign.level for sign in examined(tmp_path).values()} == {Level.WELL}


def test_a_missing_data_folder_is_a_hint_and_can_be_made(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "var/portals/key").unlink()
    (tmp_path / "var/portals").rmdir()
    (tmp_path / "var").rmdir()
    sign = examined(tmp_path)["var"]
    assert sign.level is Level.HINT
    assert sign.fix is not None
    sign.fix.act()
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o750
