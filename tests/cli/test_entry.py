"""The command line from outside: exit codes, languages, no tracebacks. Each case starts the script."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from callme.cli import main

CALLME = Path(sys.executable).with_name("callme")
BROKEN = '[service]\nlisen = "x"\n[[pbx]]\nid = "office"\nsecret = "hunter2"\n'
SOUND = '[[pbx]]\nid = "office"\nsecret = "hunter2"\n[[portal]]\nid = "main"\ncrm = "some"\n'
SEVERAL = (
    SOUND + '[[portal]]\nid = "other"\ncrm = "some"\n[[route]]\nline = "74950000001"\nportal = "other"\n'
)


def callme(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """One run of the script in that folder with nothing but these variables."""
    around = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environ}
    return subprocess.run(
        [CALLME, *arguments], cwd=folder, env=around, capture_output=True, text=True, timeout=60
    )


def _config(folder: Path, text: str) -> None:
    file = folder / "callme.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)


def test_version_is_told(tmp_path: Path) -> None:
    ran = callme(tmp_path, "version")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "callme 0.1.0\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("check", "--nope"),
        ("replay",),
        ("calls", "--limit", "many"),
        ("--lang", "de", "version"),
        ("version", "--lang", "de"),
        ("version", "--lang"),
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = callme(tmp_path, *arguments)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert "Usage: callme" in ran.stdout + ran.stderr


@pytest.mark.parametrize("command", ["run", "check", "calls", "deliveries"])
def test_a_broken_configuration_ends_with_2_and_its_cure(tmp_path: Path, command: str) -> None:
    _config(tmp_path, BROKEN)
    ran = callme(tmp_path, command)
    assert ran.returncode == 2
    assert "service.lisen" in ran.stderr
    assert "→ did you mean `listen`?" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "hunter2" not in ran.stderr + ran.stdout


@pytest.mark.parametrize("command", ["run", "check", "calls"])
def test_no_configuration_at_all_ends_with_2(tmp_path: Path, command: str) -> None:
    ran = callme(tmp_path, command)
    assert ran.returncode == 2
    assert "callme.toml" in ran.stderr
    assert "--config" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (("--lang", "ru", "check"), {}),
        (("check", "--lang=ru"), {"LANG": "en_US.UTF-8"}),
        (("check",), {"LANG": "ru_RU.UTF-8"}),
        (("check",), {"LC_ALL": "ru_RU.UTF-8", "LANG": "en_US.UTF-8"}),
    ],
)
def test_messages_are_in_the_wanted_language(
    tmp_path: Path, arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    ran = callme(tmp_path, *arguments, **environ)
    assert "нет файла конфигурации" in ran.stderr


def test_help_is_in_the_wanted_language_too(tmp_path: Path) -> None:
    assert "Показать звонки" in callme(tmp_path, "--help", "--lang", "ru").stdout
    assert "List the calls" in callme(tmp_path, "--help").stdout


def test_the_configuration_is_found_by_option_variable_and_environment(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(SOUND, encoding="utf-8")
    other.chmod(0o600)
    for arguments, environ in (
        (("--config", "other.toml"), {}),
        ((), {"CALLME_CONFIG": "other.toml"}),
        ((), {"CALLME_PBX__office__SECRET": "s", "CALLME_PORTAL__main__CRM": "some"}),
    ):
        ran = callme(tmp_path, "check", "--why", "1", *arguments, **environ)
        assert (ran.returncode, "main" in ran.stdout) == (0, True), ran.stderr


def test_why_explains_the_rule_that_decides(tmp_path: Path) -> None:
    _config(tmp_path, SEVERAL)
    hit = callme(tmp_path, "check", "--why", "74950000001")
    assert hit.returncode == 0
    assert "goes to other by route 1" in hit.stdout
    missed = callme(tmp_path, "check", "--why", "7000", "--lang", "ru")
    assert missed.returncode == 1
    assert "не идёт ни в один портал" in missed.stdout
    assert "добавьте [[route]]" in missed.stdout


def test_the_configuration_chooses_the_language_of_what_follows(tmp_path: Path) -> None:
    _config(tmp_path, '[service]\nlanguage = "ru"\n' + SOUND)
    assert "идёт в main" in callme(tmp_path, "check", "--why", "1").stdout
    assert "goes to main" in callme(tmp_path, "check", "--why", "1", "--lang", "en").stdout


def test_an_open_file_with_secrets_is_warned_about_on_stderr(tmp_path: Path) -> None:
    _config(tmp_path, SOUND)
    (tmp_path / "callme.toml").chmod(0o644)
    ran = callme(tmp_path, "check", "--why", "1")
    assert ran.returncode == 0
    assert "chmod 600 callme.toml" in ran.stderr


def test_ctrl_c_ends_quietly_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("callme.cli.check.configured", interrupted)
    with pytest.raises(SystemExit) as left:
        main(["check"])
    assert left.value.code == 130
    assert capsys.readouterr() == ("", "")
