"""`callme setup` as it is called: exit codes, what stands on the screen, and nobody at the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from callme.cli.setup import setup
from callme.errors import ConfigError
from tests.setup.trees import FREEPBX, contents, grow

CONFIG = Path("/etc/callme/callme.toml")
SETS = ("pbx.port=1", "setup.portal=false")


def test_what_does_not_work_yet_ends_with_1_and_is_written_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    assert setup(CONFIG, root=tmp_path, sets=SETS, hands_off=True) == 1
    said = capsys.readouterr().out
    assert "+[callme]" in said
    assert "nothing listens there" in said
    assert "Not all is well yet" in said
    assert "\033" not in said  # no colours where no terminal is
    assert (tmp_path / "etc/callme/callme.toml").exists()
    assert setup(CONFIG, root=tmp_path, hands_off=True, undo=True) == 0
    assert contents(tmp_path) == before


def test_a_given_program_of_asterisk_is_asked_to_reload(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    told = tmp_path / "told"
    program = tmp_path / "asterisk"
    program.write_text(f'#!/bin/sh\necho "$@" >> {told}\necho Asterisk 22.1.0\n', "utf-8")
    program.chmod(0o755)
    setup(CONFIG, root=tmp_path, sets=SETS, hands_off=True, asterisk=f"{program} -C 'a b'")
    assert told.read_text("utf-8").splitlines() == ["-C a b -V", "-C a b -rx manager reload"]
    assert "FreePBX, Asterisk 22.1.0" in capsys.readouterr().out


def test_a_program_that_is_not_there_is_told_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    assert setup(CONFIG, root=tmp_path, sets=SETS, hands_off=True, asterisk="no-such-asterisk") == 1
    assert "No such file or directory" in capsys.readouterr().out
    assert (tmp_path / "etc/callme/callme.toml").exists()


def test_without_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    before = grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    with pytest.raises(ConfigError, match="--yes"):
        setup(CONFIG, root=tmp_path)
    assert contents(tmp_path) == before


def test_a_program_with_an_open_quote_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--asterisk"):
        setup(CONFIG, root=tmp_path, asterisk="docker 'exec")
