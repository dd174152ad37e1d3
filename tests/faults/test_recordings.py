"""A recording on its way when something breaks: the service is killed while it converts or uploads, the file
comes late, grows slowly, cannot be read or lost its end, the disk is full. In the end the portal has it once,
and until then the call's page says what it waits for.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callme.lab.asterisk import as_root
from callme.lab.numbering import OWN_NUMBER
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.sandboxes.bitrix24.state import Recording
from callme.lab.scenarios.groups import ringall_answered
from callme.lab.scenarios.parts import human, inbound, incoming, went
from callme.lab.script import Answer, Hang, KillPbx, Scenario, Step
from callme.lab.truth import Truth
from tests.faults.calling import Calling
from tests.live import sound
from tests.live.company import Company
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def says(call: Calling, word: str) -> Any:
    """Wait until the call's page says that of one of its deliveries: that delivery."""

    async def said() -> Any:
        (one,) = await call.company.service.calls(number=call.truth.external or "")
        return next((told for told in one["deliveries"] if word in str(told.get("why"))), None)

    return await until(said, within=60, what=f"a delivery that says “{word}”")


async def put_aside(call: Calling, folder: Path) -> Path:
    """Take the call's file out of the PBX's folder, before anybody can have fetched it, and wait until the
    call is over: where it was. Asterisk writes on into the same file."""
    await call.saw("102", "gotbye")
    number = str(call.truth.external)
    (path,) = (path for path in call.company.lab.recordings.rglob("*.wav") if number in path.name)
    shutil.move(path, folder / path.name)
    await call.over()
    return path


async def rooted(*command: str) -> None:
    """Run that as root."""
    await asyncio.to_thread(subprocess.run, [*as_root(), *command], check=True)


async def attached(call: Calling) -> Recording:
    """Wait for the call's recording in the portal."""
    company = call.company

    def there() -> bool:
        records = company.records(call.phone, call.since)
        return bool(records) and records[-1].record_file is not None

    await until(there, within=90, what="the recording in the portal")
    kept = company.recording(company.records(call.phone, call.since)[-1])
    assert kept is not None
    return kept


async def test_killed_while_it_converts(company: Company, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    slow = tmp_path / "bin" / "ffmpeg"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\necho out_time_us=1000000\ntouch {begun}\nexec sleep 30\n")
    slow.chmod(0o755)
    await company.service.kill()
    await company.service.start(PATH=f"{slow.parent}:{os.environ['PATH']}")
    call = Calling(company, ringall_answered("79000009601"))
    await until(begun.exists, within=60, what="a conversion")

    await says(call, "converted")
    await company.service.kill()
    await company.service.start()
    await call.told_right()


async def test_killed_while_it_uploads(company: Company) -> None:
    """The portal has the file, and we died before it said so."""
    company.portal.faults.add(Fault("upload", FaultKind.HANG, Moment.AFTER, seconds=20))
    call = Calling(company, ringall_answered("79000009602"))
    await call.recorded()
    office = company.portal.office

    def there() -> bool:
        records = company.records(call.phone, call.since)
        return bool(records) and records[-1].record_file in office.recordings

    await until(there, within=60, what="the recording in the portal")
    await company.service.kill()
    await company.service.start()
    await call.told_right()


async def test_a_file_that_comes_late(company: Company, tmp_path: Path) -> None:
    call = Calling(company, ringall_answered("79000009603"))
    path = await put_aside(call, tmp_path)
    await says(call, "no recording")
    shutil.move(tmp_path / path.name, path)
    await call.told_right()


async def test_a_file_that_grows_slowly(company: Company, tmp_path: Path) -> None:
    """As on a network share: what is there so far is a whole file by its header, and not the talk."""
    call = Calling(company, ringall_answered("79000009605"))
    path = await put_aside(call, tmp_path)
    whole = (tmp_path / path.name).read_bytes()
    piece = len(whole) // 6
    sizes: Iterator[int] = iter([*range(piece, len(whole), piece), len(whole)])

    async def grown() -> bool:
        size = next(sizes)
        path.write_bytes(whole[:size])
        return size == len(whole)

    await until(grown, within=30, what="the whole file", pause=0.7)
    await call.told_right()


@pytest.mark.long
async def test_something_else_in_its_place(company: Company, tmp_path: Path) -> None:
    """What will not mend itself is given up in plain words, until a person has mended it and says so."""
    call = Calling(company, ringall_answered("79000009606"))
    path = await put_aside(call, tmp_path)
    path.mkdir()
    refused = await says(call, f"{path.name} is not a file")
    path.rmdir()
    shutil.move(tmp_path / path.name, path)
    assert await company.service.post(f"api/v1/deliveries/{refused['id']}/retry") == 200
    await call.told_right()


@pytest.mark.long
async def test_a_file_that_lost_its_end(company: Company, tmp_path: Path) -> None:
    """The header promises more than there is: what is there is attached, and the PBX's file left alone."""
    call = Calling(company, ringall_answered("79000009607"))
    path = await put_aside(call, tmp_path)
    half = (tmp_path / path.name).read_bytes()
    half = half[: len(half) // 4 * 2]
    path.write_bytes(half)
    kept = await attached(call)
    samples = await sound.decoded(kept.content)
    assert sound.heard(samples) == {"102", "outside"}
    assert sound.seconds(samples) == pytest.approx(len(half) / 16000, abs=0.2)
    assert path.read_bytes() == half


@pytest.mark.long
async def test_a_full_disk(company: Company) -> None:
    """Where our copies lie there is no room for one more; when somebody has made room, it goes on."""
    folder = company.folder / "var" / "recordings"
    folder.mkdir(exist_ok=True)
    await rooted("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder))
    try:
        call = Calling(company, ringall_answered("79000009608"))
        await call.over()
        await says(call, os.strerror(errno.ENOSPC))
        await rooted("mount", "-o", "remount,size=10m", str(folder))
        await call.told_right()
    finally:
        await company.service.kill()
        await rooted("umount", str(folder))
        await company.service.start()


async def test_the_pbx_dies_in_a_long_talk(company: Company) -> None:
    """What Asterisk had written until then is attached with a header that tells the truth; its own file
    stays as it was."""
    caller, leg = "79000009604", "c1-79000009604"
    fields = human((("101",),), "101", ring_s=1, talk_s=10, hangup_by=None)
    steps = (
        inbound(caller, OWN_NUMBER),
        Step(KillPbx(), (leg, "answered"), 10),
        Step(Hang(leg), (leg, "answered"), 11),
        Step(Hang("101"), (leg, "answered"), 11),
    )
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer")
    truth = Truth((incoming(caller, OWN_NUMBER, fields),), saw)
    call = Calling(company, Scenario("pbx_dies_late", steps, truth, {"101": Answer(1)}))
    played = await call.over()
    (file,) = played.recordings
    broken = file.path.read_bytes()

    kept = await attached(call)
    samples = await sound.decoded(kept.content)
    assert sound.heard(samples) == {"101", "outside"}
    assert abs(sound.seconds(samples) - file.seconds) <= 0.5
    assert 5 <= sound.seconds(samples) <= 11
    assert file.path.read_bytes() == broken
