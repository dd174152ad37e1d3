"""`callme record` against an AMI server on this machine: what it writes, what it says, how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callme.pbx.ami.transcript import moments, read_chunks
from callme.pbx.ami.wire import Framer
from tests.calls.played import FOLDER, Case, play, told
from tests.pbx.ami.pretender import Pretender, pretend

CALLME = Path(sys.executable).with_name("callme")
CASE = Case(FOLDER / "plain16" / "in_direct_busy.ami.gz")
STREAM = b"".join(chunk.data for chunk in CASE.chunks)
LAST = b"Event: Hangup\r"
HANGUPS = STREAM.count(LAST)


def config(folder: Path, *ports: int, right: bool = True) -> None:
    secret = "s3cret" if right else "wr0ng"
    tables = [
        f'[[pbx]]\nid = "office{number}"\nport = {port}\nsecret = "{secret}"\n'
        for number, port in enumerate(ports, 1)
    ]
    file = folder / "callme.toml"
    file.write_text('[service]\nlanguage = "en"\n' + "".join(tables))
    file.chmod(0o600)


@asynccontextmanager
async def recording(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, running; killed if the test left it alone."""
    process = await asyncio.create_subprocess_exec(
        CALLME, "record", *arguments,
        cwd=folder, env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    assert "Traceback" not in err.decode()
    return process.returncode, out.decode(), err.decode()


async def told_so_often(folder: Path, what: bytes, times: int) -> None:
    """Returns as soon as the recording holds that so often."""
    async with asyncio.timeout(20):
        while _count(folder, what) < times:  # noqa: ASYNC110 - another process writes the file
            await asyncio.sleep(0.02)


def _count(folder: Path, what: bytes) -> int:
    return sum(file.read_bytes().count(what) for file in folder.glob("**/*.ami"))


async def recorded(folder: Path, *arguments: str) -> tuple[int | None, str, str]:
    """One recording of the whole call, ended by Ctrl-C."""
    pbx = Pretender()
    async with pretend(pbx):
        config(folder, pbx.port)
        async with recording(folder, *arguments) as process:
            await pbx.seen("ParkedCalls")
            pbx.send(STREAM)
            await told_so_often(folder, LAST, HANGUPS)
            process.send_signal(signal.SIGINT)
            return await ended(process)


def written(folder: Path) -> Path:
    (file,) = folder.glob("**/*.ami")
    return file


def names_of(file: Path) -> set[bytes]:
    return {packet.split(b"\r\n")[0] for packet in Framer().feed(file.read_bytes())}


async def test_a_recording_is_scrubbed_private_and_replays_to_the_same_call(tmp_path: Path) -> None:
    code, out, err = await recorded(tmp_path, "--name", "busy", "--out", "there")
    assert code == 0
    file = tmp_path / "there" / "busy.ami"
    assert written(tmp_path) == file
    assert "Recording PBX “office1”" in err
    assert "there/busy.ami.idx" in out
    assert "callme replay there/busy.ami" in out
    assert "are replaced" in out
    assert {stat.S_IMODE(one.stat().st_mode) for one in file.parent.iterdir()} == {0o600}
    (call,) = play(moments(read_chunks(file)))
    (truth,) = play(CASE.moments)
    assert call.external != truth.external
    assert truth.external.encode() not in file.read_bytes()
    unscrubbed = {"external": truth.external, "line": truth.line}
    assert {**told(call), **unscrubbed} == told(truth)
    assert b"Event: DeviceStateChange" not in names_of(file)


async def test_everything_as_it_is(tmp_path: Path) -> None:
    code, out, _ = await recorded(tmp_path, "--all", "--no-scrub")
    assert code == 0
    assert "real numbers" in out
    file = written(tmp_path)
    assert file.name.startswith("office1-20")
    assert b"Event: DeviceStateChange" in names_of(file)
    assert list(map(told, play(moments(read_chunks(file))))) == list(map(told, play(CASE.moments)))


async def test_a_kept_line_stays_in(tmp_path: Path) -> None:
    (truth,) = play(CASE.moments)
    await recorded(tmp_path, "--keep", f"+{truth.line}")
    (call,) = play(moments(read_chunks(written(tmp_path))))
    assert call.line == truth.line
    assert call.external != truth.external


async def test_it_ends_by_itself_after_the_wanted_time_in_russian(tmp_path: Path) -> None:
    pbx = Pretender()
    async with pretend(pbx):
        config(tmp_path, pbx.port)
        async with recording(tmp_path, "--seconds", "0.5", "--lang", "ru") as process:
            code, out, err = await ended(process)
    assert code == 0
    assert "Идёт запись АТС «office1», 0.5 с" in err
    assert "Записано событий" in out


async def test_a_lost_link_is_told_and_marked(tmp_path: Path) -> None:
    pbx = Pretender()
    async with pretend(pbx):
        config(tmp_path, pbx.port)
        async with recording(tmp_path, "--name", "x") as process:
            await pbx.seen("ParkedCalls")
            file = tmp_path / "x.ami"
            await told_so_often(tmp_path, b"CoreShowChannelsComplete", 1)
            pbx.cut()
            await told_so_often(tmp_path, b"CoreShowChannelsComplete", 2)
            process.send_signal(signal.SIGTERM)
            code, _, err = await ended(process)
    assert code == 0
    assert "The link is down: the PBX closed the connection" in err
    assert "The link is up again." in err
    assert [chunk.fresh for chunk in read_chunks(file)].count(True) == 1


async def test_a_refused_login_ends_with_1_and_leaves_no_file(tmp_path: Path) -> None:
    pbx = Pretender()
    async with pretend(pbx):
        config(tmp_path, pbx.port, right=False)
        async with recording(tmp_path) as process:
            code, out, err = await ended(process)
    assert (code, out) == (1, "")
    assert "refused the login" in err
    assert "wr0ng" not in err
    assert os.listdir(tmp_path) == ["callme.toml"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "several PBXes are configured: office1, office2"),
        (("--pbx", "nope"), "there is no PBX “nope”"),
        (("--pbx", "office1", "--name", "../x"), "cannot be the name of a file"),
        (("--pbx", "office1", "--name", "there"), "there.ami exists already"),
        (("--pbx", "office1", "--seconds", "-1"), "--seconds"),
    ],
)
async def test_wrong_use_ends_with_2_and_is_named(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    config(tmp_path, 1, 1)
    (tmp_path / "there.ami").write_text("mine")
    async with recording(tmp_path, *arguments) as process:
        code, _, err = await ended(process)
    assert code == 2
    assert words in err
    assert (tmp_path / "there.ami").read_text() == "mine"


async def test_a_folder_that_cannot_be_written_ends_with_1(tmp_path: Path) -> None:
    config(tmp_path, 1)
    async with recording(tmp_path, "--out", "callme.toml/x") as process:
        code, _, err = await ended(process)
    assert code == 1
    assert "cannot be written" in err
    assert "--out" in err
