"""`callme routing`: how to set a PBX up, what the rules say, what they would have done; never the key."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from callme.calls.model import Disposition
from callme.store import open_store
from tests.cli.test_entry import callme
from tests.store.making import call, step

KEY = "0123456789abcdef0123456789abcdef"
CONFIG = f"""
[service]
listen = "127.0.0.1:8099"
[[pbx]]
id = "office"
secret = "hunter2"
[routing]
key = "{KEY}"
agi = "127.0.0.1:4573"
[[steer]]
line = "74950000001"
hours = "mon-sun 00:00-24:00"
to = ["last", "105"]
ring_s = 12
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = tmp_path / "callme.toml"
    file.write_text(CONFIG, encoding="utf-8")
    file.chmod(0o600)
    now = time.time()

    async def fill() -> None:
        store = open_store(tmp_path / "var" / "callme.db")
        talk = {"disposition": Disposition.ANSWERED, "answered_by": "102", "last_talker": "102"}
        calls = (
            call("office-1.1", now - 7200, ended_at=now - 7100, **talk),
            call("office-1.2", now - 3600, ended_at=now - 3500),
            call("office-1.3", now - 30 * 86400, ended_at=now - 30 * 86400 + 5),
        )
        await store.commit(step(calls=calls))
        await store.close()

    asyncio.run(fill())
    return tmp_path


def test_what_to_type_into_freepbx_and_what_the_rules_say(folder: Path) -> None:
    ran = callme(folder, "routing", "--hooks", "--lang", "en")
    assert ran.returncode == 0, ran.stderr
    assert "Port 8099" in ran.stdout
    assert "lookup/office" in ran.stdout
    assert "1. 74950000001 · mon-sun 00:00-24:00 → last, 105, 12 s, then route" in ran.stdout
    for text in (
        "[callme-ring]",
        "AGI(agi://127.0.0.1:4573/office,KEY,",
        "http://127.0.0.1:8099/lookup/office/extension",
    ):
        assert text in ran.stdout
    assert KEY not in ran.stdout + ran.stderr


def test_last_weeks_calls_under_the_rules(folder: Path) -> None:
    ran = callme(folder, "routing", "--preview", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert [(one["call"], one["to"], one["rule"]) for one in told["calls"]] == [
        ("office-1.2", "102", 1),
        ("office-1.1", "105", 1),
    ]
    assert told["summary"]["sent"] == 2
    assert told["summary"]["missed"] == 1


def test_the_same_for_a_person(folder: Path) -> None:
    ran = callme(folder, "routing", "--preview", "--lang", "ru")
    assert ran.returncode == 0, ran.stderr
    assert "Входящих: 2, из них 2 позвонили бы одному сотруднику" in ran.stdout
    assert "последним говорил с этим номером" in ran.stdout
