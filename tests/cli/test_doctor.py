"""`callme doctor` against a pretended PBX and the sandbox portal: what it prints, returns, and repairs."""

from __future__ import annotations

import asyncio
import json
import re
import tarfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from callme.cli import trial
from callme.cli.doctor import doctor
from callme.config import load
from callme.errors import ConfigError, PbxError
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.setup.ami_user import CHANNELVARS
from tests.pbx.ami.pretender import Pretender, answer, packet, pretend

WANTED = ("CoreShowChannels", "Getvar", "Originate", "Redirect", "Hangup", "DBGet")
EVENTS = ("Newchannel", "Newchannel", "Hangup", "Hangup", "OriginateResponse")
CARRIED = tuple(f"ChanVariable: {name}=x" for name in CHANNELVARS)


def able(pbx: Pretender, *variables: str) -> Pretender:
    """A PBX that gives all that is needed; its events carry these variables."""
    told = b"".join(packet(f"Event: {name}", "Channel: Local/x;1", *variables) for name in EVENTS)
    pbx.replies["ListCommands"] = lambda action: answer(action, *(f"{name}: does it" for name in WANTED))
    pbx.replies["Ping"] = lambda action: answer(action, "Ping: Pong", f"Timestamp: {time.time():.6f}")
    pbx.replies["CoreSettings"] = lambda action: answer(action, "AsteriskVersion: 22.1.0")
    pbx.replies["Originate"] = lambda action: answer(action, "Message: queued") + told
    return pbx


@pytest_asyncio.fixture
async def portal() -> AsyncIterator[SandboxPortal]:
    async with SandboxPortal(Knobs(webhook_telephony="allow")) as portal:
        yield portal


def configured(folder: Path, pbx: Pretender, portal: SandboxPortal) -> Path:
    file = folder / "callme.toml"
    file.write_text(
        f'[service]\nlisten = "127.0.0.1:1"\nlanguage = "en"\n[[pbx]]\nid = "office"\nport = {pbx.port}\n'
        f'secret = "{pbx.secret}"\n[[portal]]\nid = "main"\ncrm = "bitrix24"\n'
        f'webhook = "{portal.webhook_url}"\ndefault_user = 1\n',
        "utf-8",
    )
    file.chmod(0o600)
    return file


async def ran(folder: Path, pbx: Pretender, portal: SandboxPortal, **options: Any) -> int:
    async with pretend(pbx):
        file = configured(folder, pbx, portal)
        options["mode"] = options.get("mode", 0o600)
        file.chmod(options.pop("mode"))
        return await asyncio.to_thread(doctor, file, etc=folder / "none", **options)


async def test_all_in_order_ends_with_0(
    tmp_path: Path, portal: SandboxPortal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await ran(tmp_path, able(Pretender(), *CARRIED), portal) == 0
    said = capsys.readouterr().out
    for words in ("Files\n", "✔ PBX “office”: events of calls", "✔ Portal “main”: webhook's rights", "hints"):
        assert words in said
    assert "✘" not in said
    assert "s3cret" not in said
    assert "sandboxsecret" not in said


async def test_what_is_ill_ends_with_1_and_is_told_to_a_program(
    tmp_path: Path, portal: SandboxPortal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await ran(tmp_path, able(Pretender()), portal, as_json=True, mode=0o644) == 1
    told = json.loads(capsys.readouterr().out)
    ill = {one["topic"]: one for one in told["findings"] if one["level"] == "ill"}
    assert not told["well"]
    assert set(ill) == {
        f"who may read {tmp_path}/callme.toml",
        "PBX “office”: variables in events",
    }
    assert ill["PBX “office”: variables in events"]["cure"] == "callme setup"


async def test_fix_puts_right_what_is_safe(
    tmp_path: Path, portal: SandboxPortal, capsys: pytest.CaptureFixture[str]
) -> None:
    pbx = able(Pretender(), *CARRIED)
    assert await ran(tmp_path, pbx, portal, fix=True, mode=0o644) == 0
    assert (tmp_path / "callme.toml").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "var").is_dir()
    assert "put right: chmod 640" in capsys.readouterr().out


async def test_the_bundle_is_packed_beside_the_findings(
    tmp_path: Path, portal: SandboxPortal, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "support.tar.gz"
    await ran(tmp_path, able(Pretender(), *CARRIED), portal, bundle=out)
    assert str(out) in capsys.readouterr().out
    with tarfile.open(out) as archive:
        names = {one.name.partition("/")[2] for one in archive}
    assert {"findings.json", "versions.json", "counts.json", "callme.toml"} <= names


async def test_a_pbx_that_is_down_is_told_once(
    tmp_path: Path, portal: SandboxPortal, capsys: pytest.CaptureFixture[str]
) -> None:
    file = configured(tmp_path, Pretender(port=1), portal)
    assert await asyncio.to_thread(doctor, file, etc=tmp_path) == 1
    assert capsys.readouterr().out.count("✘ PBX") == 1


@pytest.mark.parametrize("numbers", [("1o1", "102"), ("101", "*43"), ("101", "")])
def test_a_test_call_takes_numbers_alone(tmp_path: Path, numbers: tuple[str, str]) -> None:
    file = tmp_path / "callme.toml"
    file.write_text('[[pbx]]\nid = "office"\nsecret = "x"\n', "utf-8")
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="cannot be dialled"):
        trial.trial(load(file, {}), *numbers, as_json=False)


@pytest.mark.parametrize(
    ("named", "words"),
    [("", "several PBXes.* office, shop.*--pbx"), ("shpo", "no PBX “shpo”.* office, shop")],
)
def test_with_several_pbxs_a_test_call_says_which(tmp_path: Path, named: str, words: str) -> None:
    file = tmp_path / "callme.toml"
    file.write_text('[[pbx]]\nid = "office"\nsecret = "x"\n[[pbx]]\nid = "shop"\nsecret = "x"\n', "utf-8")
    file.chmod(0o600)
    with pytest.raises(ConfigError) as told:
        doctor(file, call=("101", "102"), pbx=named)
    cure = told.value.cure
    assert cure is not None
    assert re.search(words, f"{told.value.problem.say('en')} {cure.say('en')}")


async def test_the_test_call_is_made_on_the_pbx_that_is_named(tmp_path: Path) -> None:
    shop = Pretender()
    async with pretend(shop):
        file = tmp_path / "callme.toml"
        file.write_text(
            '[[pbx]]\nid = "office"\nport = 1\nsecret = "x"\n'
            f'[[pbx]]\nid = "shop"\nport = {shop.port}\nsecret = "{shop.secret}"\n',
            "utf-8",
        )
        file.chmod(0o600)
        call = asyncio.create_task(
            asyncio.to_thread(doctor, file, call=("101", "102"), pbx="shop", as_json=True)
        )
        order = await shop.seen("Originate")
        assert order.get("Channel").startswith("Local/101@")
        assert order.get("Exten") == "102"
        shop.cut()
        with pytest.raises(PbxError):
            await call
