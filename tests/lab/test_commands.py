"""`callme lab …` as a person uses it, as far as no Asterisk is needed."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from callme.lab import scenarios
from callme.lab.asterisk import LabError
from callme.lab.commands import app
from callme.lab.desk import Answer, Desk, ask
from callme.lab.lab import Lab
from callme.lab.phones import Seen
from callme.lab.play import Played
from callme.lab.script import Scenario


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALLME_LAB_DIR", str(tmp_path))
    (tmp_path / "seats").mkdir()
    return tmp_path


def run(*words: str, language: str = "en") -> str:
    result = CliRunner().invoke(app, list(words), obj=language)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_every_scenario_is_listed_with_the_telephones_it_needs() -> None:
    output = run("scenarios")
    assert all(name in output for name in scenarios.ALL)
    assert "101 102 103" in output


def test_an_unknown_scenario_is_named_with_the_way_to_the_list() -> None:
    with pytest.raises(LabError) as caught:
        run("play", "in_nowhere")
    assert "in_nowhere" in str(caught.value)
    assert "callme lab scenarios" in str(caught.value)


def test_an_unknown_extension_is_named_with_those_there_are() -> None:
    with pytest.raises(LabError) as caught:
        run("call", "inbound", "--answer", "999")
    assert "999" in str(caught.value)
    assert "101, 102, 103" in str(caught.value)


def test_status_says_what_is_there_in_the_wanted_language() -> None:
    assert json.loads(run("status", "--json")) == {"installed": [], "running": []}
    assert run("status", language="ru").startswith("Установлено")


def test_logs_without_a_lab_tell_how_to_start_one() -> None:
    with pytest.raises(LabError) as caught:
        run("logs")
    assert "callme lab up" in str(caught.value)


def test_what_a_killed_lab_left_is_no_running_lab(home: Path) -> None:
    path = home / "seats" / "11.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert json.loads(run("status", "--json"))["running"] == []
    assert not path.exists()


class Standing:
    """A lab without a PBX: each play is one line and over."""

    def __init__(self, folder: Path) -> None:
        self.pbx = SimpleNamespace(
            seat=SimpleNamespace(number=11), release="16", host="127.11.0.1", folder=folder
        )
        self.played: list[str] = []
        self._on_seen: Any = None

    def listen(self, on_seen: Any) -> None:
        self._on_seen = on_seen

    async def play(self, scenario: Scenario) -> Played:
        self.played.append(scenario.name)
        seen = Seen(1.0, "c1-79000000110", "call", "x@y", "74950000003 79000000110")
        self._on_seen(seen)
        return Played(scenario, 1.0, 2.0, (seen,), (), ())


async def asked(path: Path, request: Answer) -> list[Answer]:
    return [answer async for answer in ask(path, request)]


async def test_a_running_lab_plays_for_others_and_tells_them_as_it_happens(home: Path) -> None:
    lab = Standing(home)
    desk = Desk(cast(Lab, lab))
    await desk.open()
    path = home / "seats" / "11.sock"
    try:
        first, last = await asked(path, {"do": "play", "name": "in_ringall_answered_by_2nd"})
        assert first["seen"]["leg"] == "c1-79000000110"
        assert last["done"]["sip_agrees"] is True
        assert lab.played == ["in_ringall_answered_by_2nd"]
        assert "error" in (await asked(path, {"do": "dance"}))[0]
        assert "error" in (await asked(path, {"do": "play", "name": "in_nowhere"}))[0]
        assert not desk.stopped.is_set()
        await asked(path, {"do": "stop"})
        async with asyncio.timeout(1):
            await desk.stopped.wait()
    finally:
        await desk.close()
    assert not path.exists()
