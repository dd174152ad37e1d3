"""`callme shadow` in words and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from callme.cli import shadow as command
from callme.config import Config
from callme.crm.intents import Direction
from callme.crm.port import Refused
from callme.crm.shadow import Entry, compare
from callme.service.shadow import Compared
from callme.wording import Phrase
from tests.cli.test_entry import callme

OURS = Entry("office-1.1", Direction.IN, "+79261112233", 1000.0, "Анна (2)", "200", 30, "7495", True, 1050.0)
THEIRS = replace(OURS, ref="externalCall.1")
LATER = replace(OURS, ref="office-2.2", started_at=5000.0, ended_at=5050.0)
STRANGE = replace(THEIRS, ref="externalCall.9", number="+79990000000")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    return Told(monkeypatch, capsys)


class Told:
    """Runs the command over what was compared."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._said = monkeypatch, capsys

    def __call__(self, *found: Compared, as_json: bool = False) -> tuple[int, str]:
        async def compared(config: Config, since: float, until: float) -> tuple[Compared, ...]:
            return found

        self._patch.setattr(command, "configured", lambda path: Config())
        self._patch.setattr(command, "_compared", compared)
        code = command.shadow(None, days=7, as_json=as_json)
        return code, self._said.readouterr().out


def test_all_alike_ends_with_0(told: Told) -> None:
    code, said = told(Compared("main", True, 900.0, compare([OURS], [THEIRS])))
    assert code == 0
    assert "main" in said
    assert "+79261112233" not in said


def test_a_difference_is_named_with_both_sides_and_ends_with_0(told: Told) -> None:
    code, said = told(Compared("main", True, 900.0, compare([OURS], [replace(THEIRS, duration_s=45)])))
    assert code == 0
    assert "30 s → 45 s" in said
    assert "+79261112233" in said


def test_calls_of_one_side_alone_end_with_1(told: Told) -> None:
    found = Compared("main", False, 900.0, compare([OURS, LATER], [THEIRS, STRANGE]))
    code, said = told(found)
    assert code == 1
    assert "office-2.2" in said
    assert "externalCall.9" in said
    code, as_json = told(found, as_json=True)
    (portal,) = json.loads(as_json)["portals"]
    assert (code, portal["shadow"]) == (1, False)
    assert portal["same"] == [{"ours": "office-1.1", "theirs": "externalCall.1"}]
    assert [one["ref"] for one in portal["only_ours"]] == ["office-2.2"]
    assert [one["ref"] for one in portal["only_theirs"]] == ["externalCall.9"]


def test_a_crm_that_does_not_let_us_look_says_why_and_ends_with_1(told: Told) -> None:
    refused = Compared("main", True, 900.0, Refused(Phrase("no right", "нет права")))
    code, said = told(refused)
    assert code == 1
    assert "no right" in said or "нет права" in said
    assert json.loads(told(refused, as_json=True)[1])["portals"][0]["why"] in ("no right", "нет права")


def test_without_shadow_mode_the_key_is_named(tmp_path: Path, told: Told) -> None:
    assert told()[0] == 0
    file = tmp_path / "callme.toml"
    file.write_text('[[pbx]]\nid = "office"\nsecret = "hunter2"\n', encoding="utf-8")
    file.chmod(0o600)
    ran = callme(tmp_path, "shadow", "--lang", "en")
    assert ran.returncode == 1, "no service has ever run here"
    assert "callme run" in ran.stderr
    assert callme(tmp_path, "shadow", "--days", "x").returncode == 2
