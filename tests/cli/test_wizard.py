"""`callme setup --web` as it is called: where it listens, what the terminal shows, when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from callme.cli import wizard
from callme.cli.wizard import Door
from callme.errors import ConfigError
from callme.setup.house import look
from callme.setup.visit import Visit
from tests.setup.playing import World, wish
from tests.setup.trees import FREEPBX, contents, grow

CALLME = Path(sys.executable).with_name("callme")
WAIT_S = 30.0


@dataclass
class Running:
    """The command, and the address that it showed."""

    process: asyncio.subprocess.Process
    address: str
    said: str

    async def end(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(WAIT_S):
            await self.process.communicate()
            return await self.process.wait()


@contextlib.asynccontextmanager
async def running(root: Path, *arguments: str) -> AsyncIterator[Running]:
    """`callme setup --web` over the tree under `root`."""
    process = await asyncio.create_subprocess_exec(
        CALLME, "--lang", "en", "setup", "--web", "--root", str(root), "--config", "/etc/callme/callme.toml",
        *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        async with asyncio.timeout(WAIT_S):
            while not (found := re.search(r"https?://\S+/enter\?key=[\w-]{43}", said)):
                line = await process.stdout.readline()
                assert line, said
                said += line.decode()
        yield Running(process, found[0], said)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def form(page: str) -> str:
    found = re.search(r'name="form" value="([\w-]+)"', page)
    assert found
    return found[1]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody has signed, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


async def test_over_a_socket_with_a_certificate_until_a_signal(tmp_path: Path) -> None:
    cert, key = await asyncio.to_thread(certificate, tmp_path)
    root = tmp_path / "root"
    root.mkdir()
    before = grow(root, FREEPBX, "etc/freepbx.conf")
    trust = ssl.create_default_context(cafile=str(cert))
    tls = ("--listen", "127.0.0.1:0", "--tls-cert", str(cert), "--tls-key", str(key))
    async with running(root, *tls, "--set", "pbx.port=1") as one:
        async with httpx2.AsyncClient(verify=trust) as client:
            answer = await client.get(one.address)
            assert "Secure" in answer.headers["set-cookie"]
            base = one.address.partition("/enter")[0]
            mine = form((await client.get(f"{base}/pbx")).text)
            sent = {"form": mine, "where": "here", "ami": "new"}
            assert (await client.post(f"{base}/pbx", data=sent)).headers["location"] == "/crm"
            await client.post(f"{base}/crm", data={"form": mine, "without": "on"})
            await client.post(f"{base}/more", data={"form": mine})
            review = (await client.get(f"{base}/review")).text
            assert contents(root) == before
            mark = re.search(r'name="mark" value="(\w+)"', review)
            assert mark
            await client.post(f"{base}/write", data={"form": mine, "mark": mark[1]})
            done = (await client.get(f"{base}/done")).text
            assert "nothing listens there" in done  # the real trial, of a port where nobody is
            assert (root / "etc/callme/callme.toml").exists()
            await client.post(f"{base}/undo", data={"form": mine})
            assert contents(root) == before
        assert "It opens once, within 15 minutes" in one.said
        os.kill(one.process.pid, signal.SIGINT)
        assert await one.end() == 0  # what was done last went well


@pytest.mark.parametrize(
    ("door", "told"),
    [
        (Door("0.0.0.0:8099"), "there is no TLS"),
        (Door("192.0.2.1:8099"), "ssh -L"),
        (Door("[::]:8099"), "--without-tls"),
        (Door("127.0.0.1"), "ADDRESS:PORT"),
        (Door("127.0.0.1:8099", cert=Path("cert.pem")), "belong together"),
        (Door("127.0.0.1:8099", key=Path("key.pem")), "belong together"),
    ],
)
def test_a_door_that_would_show_passwords_is_refused(door: Door, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        wizard.checked(door)


@pytest.mark.parametrize("listen", ["127.0.0.1:8099", "localhost:8099", "[::1]:8099"])
def test_this_machine_alone_needs_no_tls(listen: str) -> None:
    wizard.checked(Door(listen))
    told = "\n".join(wizard.lines(Door(listen), "w" * 43, 8099))
    assert f"http://{listen}/enter?key={'w' * 43}" in told
    assert f"ssh -L 8099:{listen}" in told


def test_others_are_let_in_when_that_is_said_and_warned_of() -> None:
    door = Door("192.0.2.1:8099", bare=True)
    wizard.checked(door)
    assert "Without TLS everybody on the way can read" in "\n".join(wizard.lines(door, "w", 8099))


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.write_text("no certificate", "utf-8")
    wanted = wish(tmp_path)
    visit = Visit(wanted, lambda: look(wanted.root, wanted.etc), World().trials, "en")
    with pytest.raises(ConfigError, match="the certificate cannot be used"):
        wizard.serve(visit, Door("127.0.0.1:0", cert=file, key=file))


@pytest.mark.parametrize("option", ["--yes", "--dry-run", "--undo"])
def test_another_way_to_set_up_is_not_mixed_in(option: str) -> None:
    with pytest.raises(ConfigError, match=option):
        wizard.alone({"--yes": False, option: True})
