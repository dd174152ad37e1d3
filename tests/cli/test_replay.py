"""`callme replay`: the story and the verdict in both languages, JSON for a program, and files that are no
recordings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callme.cli import entry
from tests.calls.played import Case, cases

FOLDER = Path(__file__).parents[1] / "transcripts" / "plain16"
RINGALL = FOLDER / "in_ringall_answered_by_2nd.ami.gz"
Run = Callable[..., tuple[int, str, str]]

CONFIG = """
[service]
data_dir = "{folder}"
country = "RU"

[[pbx]]
id = "office"
host = "127.0.0.1"
username = "callme"
secret = "hush-hush"
extensions = "10X"

[[portal]]
id = "first"
crm = "bitrix24"
webhook = "http://127.0.0.1:9/rest/1/key/"

[[portal]]
id = "second"
crm = "bitrix24"
webhook = "http://127.0.0.1:9/rest/1/key/"

[[route]]
pbx = "office"
line = "74950000003"
portal = "second"
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            entry.main([str(one) for one in arguments])
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return call


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_json_has_the_words_of_the_truth(run: Run, case: Case) -> None:
    code, out, err = run("replay", case.file, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)["calls"]
    assert len(told) == len(case.truth)
    for call, truth in zip(told, case.truth, strict=True):
        for name in ("direction", "external", "line", "rang", "answered_by"):
            assert call[name] == truth[name], name
        if truth["direction"] == "out" and truth.get("transfers"):
            # The customer stays, the colleague changes: we name him too, and him as the last one.
            assert call["talkers"] == [truth["external"], truth["crm"]["user"]]
            assert call["final_talker"] == truth["crm"]["user"]
        else:
            assert (call["talkers"], call["final_talker"]) == (truth["talkers"], truth["final_talker"])
        assert call["disposition"] == truth["disposition"]
        assert call["crm"]["calls"] == truth["crm"]["calls"]
        assert call["crm"]["missed"] is truth["crm"]["missed"]
        assert [(move["kind"], move["by"], move["to"]) for move in call["transfers"]] == [
            (move["kind"], move["by"], move["to"]) for move in truth.get("transfers", ())
        ]
        assert bool(call["portals"]) is bool(truth["crm"]["calls"])


def test_json_tells_what_each_portal_would_hear(run: Run) -> None:
    _, out, _ = run("replay", RINGALL, "--json")
    (call,) = json.loads(out)["calls"]
    ((portal, said),) = call["portals"].items()
    assert portal == "portal"
    kinds = [intent["tell"] for intent in said]
    assert kinds[0] == "register"
    assert kinds[-2:] == ["finish", "attach"] or kinds[-1] == "finish"
    shown: list[Any] = [intent["shown_to"] for intent in said if intent["tell"] == "cards"]
    assert shown[-1] == []
    assert ["101", "102", "103"] in shown


def test_story_in_english(run: Run) -> None:
    code, out, _ = run("replay", RINGALL, "--lang", "en")
    assert code == 0
    for words in (
        "Whose channels",
        "PJSIP/101: extension 101 (inferred",
        "incoming call:",
        "answered by 102",
    ):
        assert words in out
    assert "disposition: somebody talked with the customer" in out


def test_story_in_russian(run: Run) -> None:
    code, out, _ = run("replay", RINGALL, "--lang", "ru")
    assert code == 0
    for words in (
        "Чьи это каналы",
        "внутренний 101",
        "входящий звонок:",
        "ответил 102",
        "с клиентом говорили",
    ):
        assert words in out
    assert "answered" not in out.replace("answered_by", "")


def test_configuration_decides_whose_and_where(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "callme.toml"
    config.write_text(CONFIG.format(folder=tmp_path), "utf-8")
    config.chmod(0o600)
    code, out, err = run("replay", RINGALL, "--config", config, "--json")
    assert (code, err) == (0, "")
    (call,) = json.loads(out)["calls"]
    assert (list(call["portals"]), call["id"][:7]) == (["second"], "office-")
    _, spoken, _ = run("replay", RINGALL, "--config", config, "--lang", "en")
    assert "by the configuration" in spoken
    assert "hush-hush" not in out + spoken
    other = FOLDER / "in_direct_answered.ami.gz"
    _, out, _ = run("replay", other, "--config", config, "--json")
    assert json.loads(out)["calls"][0]["portals"] == {}
    _, spoken, _ = run("replay", other, "--config", config, "--lang", "en")
    assert "no route leads to a portal" in spoken


def test_recording_that_ends_in_a_call(run: Run, tmp_path: Path) -> None:
    whole = FOLDER / "in_after_hours.ami"
    data = whole.read_bytes()
    cut = tmp_path / "cut.ami"
    cut.write_bytes(data[: data.index(b"Event: Hangup")])
    code, out, _ = run("replay", cut, "--lang", "en")
    assert code == 0
    assert "the recording ends while 1 call(s) go on" in out
    _, out, _ = run("replay", cut, "--json")
    (call,) = json.loads(out)["calls"]
    assert (call["lost"], call["hangup_by"], call["crm"]["missed"]) == (True, None, True)
    assert call["ended"] is not None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a recording", "Привет".encode()])
def test_files_that_are_no_recordings(run: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.ami"
    file.write_bytes(content)
    code, out, err = run("replay", file, "--lang", "en")
    assert (code, out) == (2, "")
    assert f"{file} holds no AMI events" in err.replace("\n", "")
    assert "Traceback" not in err


def test_no_such_file_and_broken_index(run: Run, tmp_path: Path) -> None:
    code, _, err = run("replay", tmp_path / "none.ami", "--lang", "ru")
    assert code == 2
    assert "не читается" in err
    file = tmp_path / "a.ami"
    shutil.copy(FOLDER / "in_after_hours.ami", file)
    (tmp_path / "a.ami.idx").write_text("nonsense here\n", "utf-8")
    code, _, err = run("replay", file, "--lang", "en")
    assert code == 2
    assert "a.ami.idx, line 1" in err


def test_wrong_use(run: Run) -> None:
    code, _, err = run("replay")
    assert code == 2
    assert "FILE.ami" in err
