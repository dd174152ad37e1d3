"""How the process runs, whoever started it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from callme.config import Config, Pbx
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
