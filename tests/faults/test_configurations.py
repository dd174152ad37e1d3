"""A broken configuration, seen through the real command line: what is wrong, the cure, exit code 2; in both
languages, without a traceback or a secret.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.live.process import CALLME, environ

SOUND = """
[service]
listen = "127.0.0.1:0"
[[pbx]]
id = "office"
secret = "hunter2"
[[portal]]
id = "main"
crm = "bitrix24"
webhook = "https://example.invalid/rest/1/hunter3/"
default_user = 1
"""
BROKEN: dict[str, tuple[str, tuple[str, ...]]] = {
    "unknown-key": (SOUND.replace("listen", "lisen"), ("service.lisen", "`listen`")),
    "unknown-portal-key": (SOUND.replace("default_user", "default_usr"), ("default_usr", "default_user")),
    "bad-toml": (SOUND.replace('id = "office"', "id = office"), ("callme.toml", "5")),
    "no-webhook": (SOUND.replace("webhook", "#webhook"), ("webhook",)),
    "unknown-crm": (SOUND.replace("bitrix24", "bitrix42"), ("bitrix42", "bitrix24")),
}
"""What is wrong with the file, and what the message names."""


@pytest.mark.parametrize(("command", "language"), [("check", "en"), ("check", "ru"), ("run", "en")])
@pytest.mark.parametrize("broken", BROKEN)
async def test_a_broken_configuration_ends_with_2(
    tmp_path: Path, broken: str, command: str, language: str
) -> None:
    text, words = BROKEN[broken]
    file = tmp_path / "callme.toml"
    file.touch(mode=0o600)
    file.write_text(text, "utf-8")
    process = await asyncio.create_subprocess_exec(
        CALLME, command, "--lang", language, "--config", str(file), env=environ(), cwd=tmp_path,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(30):
        out, err = (one.decode() for one in await process.communicate())
    assert process.returncode == 2, out + err
    for word in words:
        assert word in err
    assert "→" in err
    assert "Traceback" not in out + err
    assert any("а" <= letter <= "я" for letter in err) is (language == "ru")
    assert not [secret for secret in ("hunter2", "hunter3") if secret in out + err]


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_secrets_that_all_may_read_are_warned_about(tmp_path: Path, language: str) -> None:
    file = tmp_path / "callme.toml"
    file.write_text(SOUND, "utf-8")
    file.chmod(0o644)
    process = await asyncio.create_subprocess_exec(
        CALLME, "check", "--why", "1", "--lang", language, "--config", str(file), env=environ(),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = (one.decode() for one in await process.communicate())
    assert process.returncode == 0, out + err
    assert "chmod 600" in err
    assert "hunter" not in out + err
