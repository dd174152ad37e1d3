"""A recording on its way when something breaks: the service is killed while it converts or uploads, the file
comes late. In the end the portal has it once, as long as the talk.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from callme.lab.numbering import OWN_NUMBER
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind, Moment
from callme.lab.scenarios.groups import ringall_answered
from callme.lab.scenarios.parts import human, inbound, incoming, went
from callme.lab.script import Answer, Hang, KillPbx, Scenario, Step
from callme.lab.truth import Truth
from tests.faults.calling import Calling
from tests.live import sound
from tests.live.company import Company
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


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

    async def told() -> bool:
        (one,) = await company.service.calls(number=call.truth.external or "")
        return any("converted" in str(delivery.get("why")) for delivery in one["deliveries"])

    await until(told, within=30, what="the delivery says that it is being converted")
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
    await call.saw("102", "gotbye")
    folder = company.lab.recordings
    mine = [path for path in folder.rglob("*.wav") if "79000009603" in path.name]
    for path in mine:
        shutil.move(path, tmp_path / path.name)  # Asterisk writes on into the same file
    await call.over()

    async def waited() -> bool:
        (one,) = await company.service.calls(number=call.truth.external or "")
        return any("no recording" in str(delivery.get("why")) for delivery in one["deliveries"])

    await until(waited, within=30, what="the delivery says that there is no file")
    for path in mine:
        shutil.move(tmp_path / path.name, path)
    await call.told_right()


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

    def attached() -> bool:
        records = company.records(call.phone, call.since)
        return bool(records) and records[-1].record_file is not None

    await until(attached, within=90, what="the recording in the portal")
    kept = company.recording(company.records(call.phone, call.since)[-1])
    assert kept is not None
    samples = await sound.decoded(kept.content)
    assert sound.heard(samples) == {"101", "outside"}
    assert abs(sound.seconds(samples) - file.seconds) <= 0.5
    assert 5 <= sound.seconds(samples) <= 11
    assert file.path.read_bytes() == broken
