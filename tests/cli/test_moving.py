"""`callme import-callme` from outside: what is said, what is written, and that no secret is shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from callme.config import load
from callme.portals import registry
from tests.cli.test_entry import callme
from tests.portals.bitrix24.callme.scripts import PASSWORD, SECRETS, WEBHOOK, config_php, dialplan


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An installation of the scripts, and the dialplan beside it."""
    folder = tmp_path / "callmeplus"
    folder.mkdir()
    (folder / "config.php").write_text(config_php(), encoding="utf-8")
    (tmp_path / "extensions_custom.conf").write_text(dialplan(), encoding="utf-8")
    return folder


def test_each_key_has_its_verdict_and_no_secret_is_shown(old: Path) -> None:
    ran = callme(
        old.parent, "import-callme", "callmeplus", "--dialplan", "extensions_custom.conf", LANG="ru_RU"
    )
    assert ran.returncode == 0, ran.stderr
    for word in (
        "Сохранено:",
        "Больше не нужно:",
        "bitrixApiUrl: сохранён как webhook",
        "URLRECORDS",
        "RECORDING",
    ):
        assert word in ran.stdout
    assert "extensions_custom.conf" in ran.stdout
    assert "--write callme.toml" in ran.stdout
    assert not any(secret in ran.stdout + ran.stderr for secret in SECRETS)
    assert not (old.parent / "callme.toml").exists()


def test_what_is_written_is_a_sound_configuration_in_shadow_mode_for_its_owner_only(old: Path) -> None:
    options = ("--dialplan", "extensions_custom.conf", "--write", "callme.toml", "--json")
    ran = callme(old.parent, "import-callme", "callmeplus", *options)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert {one["fate"] for one in told["keys"]} == {"kept", "needless", "lost"}
    assert told["written"] == "callme.toml"
    assert not any(secret in ran.stdout for secret in SECRETS)
    file = old.parent / "callme.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    config = load(file, {})
    assert (config.pbx[0].username, config.pbx[0].secret.get_secret_value()) == ("callme", PASSWORD)
    assert config.pbx[0].recordings == "/var/www/html/callme/records"
    assert config.portal[0].shadow
    registry.plan(config.portal[0].crm, "main", config.portal[0].settings)
    assert WEBHOOK in file.read_text(encoding="utf-8")


def test_a_file_that_is_there_is_not_overwritten(old: Path) -> None:
    (old.parent / "callme.toml").write_text("mine", encoding="utf-8")
    ran = callme(old.parent, "import-callme", "callmeplus", "--write", "callme.toml")
    assert ran.returncode == 1
    assert "callme.toml" in ran.stderr
    assert (old.parent / "callme.toml").read_text(encoding="utf-8") == "mine"


def test_the_old_hooks_are_shown_as_a_patch(old: Path) -> None:
    ran = callme(
        old.parent, "import-callme", "callmeplus", "--dialplan", "extensions_custom.conf", "--show-old-hooks"
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("--- extensions_custom.conf")
    assert "-exten => s,n,Set(CDR_PROP(disable)=true)" in ran.stdout
    assert not [line for line in ran.stdout.splitlines()[2:] if line.startswith("+")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<?php\nreturn [\n'a' => getenv('X')];", "config.php, line 3: getenv()"),
        ("hello", "config.php, line 1"),
        (None, "no config.php"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_cure(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "config.php").write_text(text, encoding="utf-8")
    ran = callme(tmp_path, "import-callme", ".", "--lang", "en")
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "→" in ran.stderr
    assert "Traceback" not in ran.stderr
