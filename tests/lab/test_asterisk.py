"""Installing the lab's Asterisk: quick when there, clear when impossible, from the machine's own mirror."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from callme.lab import asterisk
from callme.lab.asterisk import LabError
from callme.wording import Phrase

Command = list[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALLME_LAB_DIR", str(tmp_path))
    monkeypatch.setattr("callme.lab.asterisk.shutil.which", lambda program: f"/usr/bin/{program}")
    return tmp_path


def answering(monkeypatch: pytest.MonkeyPatch, **answers: str) -> list[Command]:
    """Let no command run; those that hold a word of `answers` say that, the others fail."""
    ran: list[Command] = []

    def run(command: Command) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        for word, said in answers.items():
            if any(word in part for part in command):
                return subprocess.CompletedProcess(command, 0, said)
        return subprocess.CompletedProcess(command, 1, "no route to host")

    monkeypatch.setattr(asterisk, "_run", run)
    return ran


def unheard(phrase: Phrase) -> None:
    raise AssertionError(phrase)


def test_what_is_there_is_not_installed_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = answering(monkeypatch)
    folder = home / "asterisk-16"
    folder.mkdir()
    (folder / asterisk.STAMP).write_text(asterisk.RECIPE)
    assert asterisk.install("16", unheard) == folder
    assert ran == []


def test_another_recipe_is_not_complete(home: Path) -> None:
    (home / "asterisk-22").mkdir()
    (home / "asterisk-22" / asterisk.STAMP).write_text("0")
    assert not asterisk.installed("22")


def test_without_root_or_sudo_one_cure_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch)
    monkeypatch.setattr("callme.lab.asterisk.os.geteuid", lambda: 1000)
    with pytest.raises(LabError) as caught:
        asterisk.install("16", unheard)
    assert "as root" in caught.value.say("en")
    assert "от root" in caught.value.say("ru")


def test_without_a_way_to_the_packages_the_cure_is_told_and_nothing_half_made_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch)
    monkeypatch.setattr(asterisk, "_debootstrap", lambda *_: (True, "E: no route to host"))
    said: list[Phrase] = []
    with pytest.raises(LabError) as caught:
        asterisk.install("16", said.append)
    assert "no route to host" in str(caught.value)
    assert "apt-get update" in str(caught.value)
    assert [path.name for path in home.iterdir()] == ["asterisk-16.lock"]
    assert said


def test_missing_programs_are_installed_by_apt(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = answering(monkeypatch, install="")
    monkeypatch.setattr(
        "callme.lab.asterisk.shutil.which", lambda program: None if program == "sipp" else "/usr/bin/x"
    )
    (home / "asterisk-16").mkdir()
    (home / "asterisk-16" / asterisk.STAMP).write_text(asterisk.RECIPE)
    asterisk.install("16", lambda _: None)
    assert ran[-1][-1] == "sip-tester"


def test_apts_own_mirror_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(
        monkeypatch,
        indextargets="Google|https://x/apt\nDebian|http://m/debian-security\nDebian|http://m/debian\n",
    )
    assert asterisk._mirror() == "http://m/debian"


def test_without_apt_debootstraps_mirror_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answering(monkeypatch, indextargets="Ubuntu|http://m/ubuntu\n")
    program = tmp_path / "debootstrap"
    program.write_text('#!/bin/sh\nDEF_MIRROR="http://own/debian"\n')
    monkeypatch.setattr(asterisk, "DEBOOTSTRAP", program)
    assert asterisk._mirror() == ""
    assert asterisk._default_mirror() == "http://own/debian"
    monkeypatch.setattr(asterisk, "DEBOOTSTRAP", tmp_path / "absent")
    assert asterisk._default_mirror() == ""


def test_apts_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("http_proxy", raising=False)
    answering(monkeypatch, **{"apt-config": "Acquire::http::Proxy=http://proxy:3128\n"})
    assert asterisk._proxy() == ["http_proxy=http://proxy:3128"]
