"""The demo as a person runs it: a process, its words, its exit code, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from callme.cli import entry

CALLME = Path(sys.executable).with_name("callme")
LIMIT_S = 240

STORY = r"""
Call 1 of 3
phones  \+7 926 123-45-67 calls \+7 495 000-00-03
phones  ringing: 101, 102 and 103
CallMe  sees a call from \+7 926 123-45-67 ring at 101, 102 and 103
CRM     card opens for 101 Anna Petrova, 102 Boris Sidorov and 103 Clara Ivanova
phones  102 picks up
CRM     card closes for 101 and 103
phones  \+7 926 123-45-67 hangs up
CallMe  the call is over: answered, [23]\.\d s of talk
CRM     card closes for 102
CRM     call saved: answered \(200\), 102 Boris Sidorov, [234] s
CRM     recording attached: [34] s of sound
its recording plays: [234]\.\d s
Call 2 of 3
CRM     card opens for 101 Anna Petrova, 102 Boris Sidorov and 103 Clara Ivanova
CRM     card closes for 101, 102 and 103
CRM     call saved: missed \(304\), 101 Anna Petrova, 0 s
Call 3 of 3
CRM     card opens for 103 Clara Ivanova
phones  the customer picks up
CRM     card closes for 103
CRM     call saved: answered \(200\), 103 Clara Ivanova, [234] s
CRM     recording attached
What the CRM holds now
Incoming .* Ivan Petrov .* 102 Boris Sidorov .* Answered \(200\)
Incoming .* Missed \(304\)
Outgoing .* 103 Clara Ivanova .* Answered \(200\)
All 27 expectations were met
"""

RUSSIAN_STORY = r"""
Звонок 1 из 3
телефоны  звонит: 101, 102 и 103
CRM       карточка открылась: 101 Анна Петрова, 102 Борис Сидоров и 103 Клара Иванова
телефоны  102 снимает трубку
CRM       карточка закрылась: 101 и 103
"""


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a demo whose temporary files, and whose processes, can be told from others'."""
    return {**os.environ, "TMPDIR": str(folder), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def told_in_order(story: str, output: str) -> None:
    """Each line of the story stands in the output behind the one before it."""
    at = 0
    for wanted in story.strip().splitlines():
        found = re.compile(wanted).search(output, at)
        assert found, f"not told at its place: {wanted}\n{output[at:]}"
        at = found.end()


def left_running(folder: Path) -> list[str]:
    """Processes that the demo started and that are still there."""
    mark = f"TMPDIR={folder}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes() + b"\0":
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it has just ended
    return found


@pytest.mark.live
def test_tells_the_story_and_ends_with_0(tmp_path: Path) -> None:
    done = subprocess.run(
        [CALLME, "--lang", "en", "demo", "--once"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        env=surroundings(tmp_path),
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    told_in_order(STORY, done.stdout)
    assert "\x1b" not in done.stdout, "colours outside a terminal"
    assert list(tmp_path.iterdir()) == []
    assert left_running(tmp_path) == []


@pytest.mark.live
def test_interrupted_in_a_call_it_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [CALLME, "--lang", "ru", "demo"], stdout=subprocess.PIPE, text=True, env=surroundings(tmp_path)
    ) as demo:
        assert demo.stdout is not None
        said = ""
        for line in demo.stdout:
            said += line
            if "карточка закрылась: 101 и 103" in line:
                demo.send_signal(signal.SIGINT)
        assert demo.wait(LIMIT_S) == 128 + signal.SIGINT
    told_in_order(RUSSIAN_STORY + "Всё убрано", said)
    assert list(tmp_path.iterdir()) == []
    assert left_running(tmp_path) == []


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "ffmpeg is missing"), ("ru", "Не хватает ffmpeg")],
)
def test_without_ffmpeg_it_says_the_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: str, told: str
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemExit) as ended:
        entry.main(["--lang", language, "demo", "--once"])
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.out == ""
    problem, cure = said.err.strip().splitlines()
    assert told in problem
    assert "make demo" in cure
    assert "apt-get install ffmpeg" in cure


def test_without_root_it_says_the_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemExit) as ended:
        entry.main(["--lang", "en", "demo"])
    assert ended.value.code == 1
    problem, cure = capsys.readouterr().err.strip().splitlines()
    assert "needs root" in problem
    assert "sudo without a password" in cure
