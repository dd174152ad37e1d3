"""How the process runs, whoever started it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx2
import pytest

from callme.config import Config, Pbx, load
from callme.config import Service as Settings
from callme.service import running


def test_what_it_writes_is_not_for_everybody_on_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(_: running.Service) -> int:
        (tmp_path / "copies").mkdir()
        (tmp_path / "copies" / "in-101.mp3").write_bytes(b"")
        return 0

    monkeypatch.setattr(running.Service, "serve", serve)
    monkeypatch.setattr(running, "log_to", lambda _: None)
    before = os.umask(0o022)
    try:
        pbx = Pbx.model_validate({"id": "office", "secret": "x"})
        assert running.run(Config(service=Settings(data_dir=tmp_path / "var"), pbx=(pbx,))) == 0
    finally:
        os.umask(before)
    assert (tmp_path / "copies").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "copies" / "in-101.mp3").stat().st_mode & 0o777 == 0o640


async def test_whoever_manages_sees_how_its_own_configuration_stands(tmp_path: Path) -> None:
    file = tmp_path / "callme.toml"
    file.write_text(
        '[service]\nlisten = "127.0.0.1:0"\nlanguage = "en"\n[[pbx]]\nid = "hq"\nport = 1\nsecret = "hush"\n',
        "utf-8",
    )
    file.chmod(0o600)
    before = file.read_bytes()
    service = running.Service(load(file, {}))
    serving = asyncio.create_task(service.serve(signals=False))
    await asyncio.wait_for(service.ready.wait(), 20)
    async with httpx2.AsyncClient() as client:
        answer = await client.get("http://{}:{}/setup?lang=en".format(*service.address))
    service.stop()
    assert await serving == 0
    assert answer.status_code == 200
    assert f"sudo callme setup --web --config {file}" in answer.text
    assert "hush" not in answer.text
    assert file.read_bytes() == before
