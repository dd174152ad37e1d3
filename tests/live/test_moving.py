"""Moving over from the old scripts on a real PBX: their own configuration and dialplan go through the import,
CallMe watches in shadow mode while the old connector tells the CRM, and after the switch it tells the CRM by
itself, the old dialplan untouched.

The old connector is played by the test: it sends what the scripts sent. `lame` and `curl`, which the lab's
tree does not have, are two small scripts in the PBX's own folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from callme.config import load
from callme.crm.shadow import Comparison, Field
from callme.lab import scenarios
from callme.lab.lab import Lab
from callme.lab.play import Played
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.seed import default_office
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.sandboxes.bitrix24.state import Statistic
from callme.lab.scenarios.parts import ends, inbound, outgoing
from callme.lab.script import Answer, Hang, Scenario, Step
from callme.lab.truth import Truth
from callme.service.shadow import compared
from callme.store import open_reading
from tests.live.process import CALLME, Running, environ
from tests.live.until import until
from tests.portals.bitrix24.callme.scripts import config_php, dialplan

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.asyncio(loop_scope="session")]

ANNA = 2  # who has extension 101
TOKEN = "f17a1jyndsrsdw06iefxmqwq35o3wa5a"
UNKNOWN_DID = "74959999999"
"""The hook of incoming calls runs only for a number without a route of its own."""

ROUTE_GOES_ON = """
[outrt-1-custom]
; the lab's route is one step; FreePBX's goes on where the hook's six priorities end
exten => _XXXXXXX.,7,Gosub(macro-dialout-trunk,s,1(1,${EXTEN},,on))
 same => n,Gosub(macro-outisbusy,s,1())
"""
LAME = """#!/bin/bash
while [[ $1 == -* ]]; do [[ $1 == -b ]] && shift; shift; done
mv "$1" "${2%.mp3}.wav"
"""
"""The raw file goes, the finished one lies where `FullFname` says: nothing but that variable leads to it."""
CURL = r"""#!/bin/bash
# curl -s URL --data k=v --data-urlencode k=v …, as far as the old dialplan needs it
body=; url=
encoded() { local text=$1 sign; for ((at = 0; at < ${#text}; at++)); do sign=${text:at:1}
  case $sign in [a-zA-Z0-9._-]) printf %s "$sign";; *) printf '%%%02X' "'$sign";; esac; done; }
while (($#)); do case $1 in
  -s) ;;
  --data) body+="&$2"; shift;;
  --data-urlencode) body+="&${2%%=*}=$(encoded "${2#*=}")"; shift;;
  *) url=$1;;
esac; shift; done
body=${body#&}; rest=${url#http://}; at=${rest%%/*}
exec 3<>"/dev/tcp/${at%%:*}/${at##*:}"
printf 'POST /%s HTTP/1.1\r\nHost: %s\r\n' "${rest#*/}" "$at" >&3
printf 'Content-Type: application/x-www-form-urlencoded\r\n' >&3
printf 'Content-Length: %d\r\nConnection: close\r\n\r\n%s' "${#body}" "$body" >&3
read -r _ status _ <&3; echo "$status $body" >> "$(dirname "$0")/curl.log"
"""


class OldOffice:
    """The PBX with the old dialplan, the portal, and what the old connector does; then CallMe."""

    def __init__(self, folder: Path, lab: Lab, portal: SandboxPortal, port: int) -> None:
        self.folder, self.lab, self.portal, self.port = folder, lab, portal, port
        self.service = Running(folder / "callme.toml")

    @property
    def spool(self) -> Path:
        """The PBX's spool as this machine sees it."""
        return self.lab.pbx.folder / "spool"

    def tool(self, name: str, text: str) -> None:
        """A program in the PBX's own folder."""
        file = self.spool / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)

    async def imported(self) -> dict[str, Any]:
        """`callme import-callme` over the old installation; then what a person adds: where this machine sees
        the recordings, and the port that the old dialplan reports to."""
        on_pbx = f"{self.lab.pbx.recordings_on_pbx}/callme"
        settings = self.lab.config()
        old = self.folder / "callmeplus"
        old.mkdir()
        (old / "config.php").write_text(
            config_php(
                webhook=self.portal.webhook_url,
                token=TOKEN,
                host=str(settings["host"]),
                username=str(settings["username"]),
                password=str(settings["secret"]),
                more="'fallback_responsible_user_id' => 1,",
            ),
            encoding="utf-8",
        )
        plan = self.folder / "extensions_custom.conf"
        plan.write_text(dialplan(on_pbx), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            CALLME, "import-callme", str(old), "--dialplan", str(plan), "--write", "callme.toml", "--json",
            cwd=self.folder, env=environ(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()
        file = self.folder / "callme.toml"
        text = file.read_text(encoding="utf-8")
        assert f'recordings = "{on_pbx}"' in text
        text = text.replace(f'recordings = "{on_pbx}"', f'recordings = "{self.spool}/monitor/callme"')
        service = f'[service]\nlisten = "127.0.0.1:{self.port}"\nlanguage = "en"\n'
        file.write_text(f"{service}\n{text}", encoding="utf-8")
        return dict(json.loads(told))

    def switch(self) -> None:
        """Shadow mode ends by taking its line out."""
        file = self.folder / "callme.toml"
        text = file.read_text(encoding="utf-8")
        assert "shadow = true\n" in text
        file.write_text(text.replace("shadow = true\n", ""), encoding="utf-8")

    async def old_connector_tells(self, **register: Any) -> str:
        """The two requests of the old scripts: a registration for an extension, and the end."""
        finish = {name: register.pop(name) for name in ("DURATION", "STATUS_CODE", "RECORD_URL")}
        async with httpx2.AsyncClient(base_url=self.portal.webhook_url, timeout=20) as client:
            begun = {"CRM_CREATE": 1, "SHOW": 0, "USER_PHONE_INNER": "101", **register}
            answer = await client.post("telephony.externalcall.register.json", data=begun)
            call = str(answer.json()["result"]["CALL_ID"])
            ended = {"CALL_ID": call, "USER_PHONE_INNER": "101", **finish}
            done = await client.post("telephony.externalcall.finish.json", data=ended)
            assert done.status_code == 200, done.text
        return call

    def records(self, since: float) -> list[Statistic]:
        """The portal's finished calls."""
        office = self.portal.office
        return [one for one in office.statistics.values() if one.started_at >= int(since)]

    async def over(self, since: float, calls: int) -> None:
        """Until so many calls have ended and everything about them has settled."""

        async def settled() -> bool:
            found = await self.service.calls(since=repr(since))
            return len(found) == calls and all(
                not one["open"]
                and len(one["deliveries"]) >= 2
                and all(told["state"] in ("done", "refused") for told in one["deliveries"])
                for one in found
            )

        await until(settled, within=90, what=f"{calls} calls, all settled")

    def methods(self, since: float) -> set[str]:
        """What was asked of the portal from then on."""
        return {one.method.lower() for one in self.portal.requests if one.at >= since}


@pytest_asyncio.fixture(loop_scope="session")
async def office() -> AsyncIterator[OldOffice]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = dialplan("${ASTSPOOLDIR}/monitor/callme", f"http://127.0.0.1:{port}/callmeplus/")
    text = text.replace("=lame ", "=${ASTSPOOLDIR}/lame ").replace(
        "System(curl ", "System(${ASTSPOOLDIR}/curl "
    )
    options = replace(scenarios.OPTIONS, custom=text + ROUTE_GOES_ON, dialplan_class=True)
    portal = SandboxPortal(Knobs(webhook_telephony="allow", rate_limit_x=0), office=default_office())
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callme-moving-")))
        lab = await stack.enter_async_context(Lab("16", options))
        await stack.enter_async_context(portal)
        office = OldOffice(folder, lab, portal, port)
        office.tool("lame", LAME)
        office.tool("curl", CURL)
        stack.push_async_callback(office.service.kill)
        yield office


def incoming(caller: str) -> Scenario:
    """A customer calls a number without a route of its own; 101 answers and talks for three seconds."""
    steps = (inbound(caller, UNKNOWN_DID), Step(Hang("101"), ("101", "answer"), 3))
    return Scenario("old_in", steps, Truth(()), {"101": Answer(1)})


def outward(number: str) -> Scenario:
    """101 calls a customer, who answers; they talk for three seconds."""
    return Scenario(
        "old_out", (outgoing("101", number), ends("c1-101", 3)), Truth(()), {}, {number: Answer(1)}
    )


async def test_from_the_old_installation_through_the_shadow_to_the_switch(office: OldOffice) -> None:
    # ---- the import
    told = await office.imported()
    fates = {one["key"]: one["fate"] for one in told["keys"]}
    assert (fates["bitrixApiUrl"], fates["asterisk.secret"], fates["MP3"]) == ("kept",) * 3
    assert told["hooks"]

    # ---- in the shadow: CallMe watches, the old connector tells
    began = time.time()
    await office.service.start()
    first = await office.lab.play(incoming("9000000801"))
    second = await office.lab.play(outward("79000000802"))
    await office.over(began, 2)
    before = time.time()
    rung = datetime.fromtimestamp(first.started, UTC).isoformat(timespec="seconds")
    gone = datetime.fromtimestamp(second.ended, UTC).isoformat(timespec="seconds")
    incoming_call = await office.old_connector_tells(
        PHONE_NUMBER="89000000801", TYPE=2, CALL_START_DATE=rung, DURATION=9, STATUS_CODE=200, RECORD_URL=""
    )
    outgoing_call = await office.old_connector_tells(
        PHONE_NUMBER="79000000802", TYPE=1, CALL_START_DATE=gone, DURATION=3, STATUS_CODE=200, RECORD_URL=""
    )
    only_old = await office.old_connector_tells(
        PHONE_NUMBER="79000000809", TYPE=2, CALL_START_DATE=rung, DURATION=0, STATUS_CODE=304, RECORD_URL=""
    )
    assert {one.call for one in office.records(began)} == {incoming_call, outgoing_call, only_old}
    written = {"batch", "register", "finish", "show", "hide", "attachrecord", "add", "update", "bind"}
    asked = {one.method.lower() for one in office.portal.requests if began <= one.at < before}
    assert not {name for name in asked if name.rpartition(".")[2] in written}

    found = await shadow(office)
    assert {pair.theirs.ref for pair in found.pairs} == {incoming_call, outgoing_call}
    assert [one.ref for one in found.only_theirs] == [only_old]
    assert found.only_ours == ()
    differing = {
        pair.theirs.ref: {one.field for one in pair.differences} - {Field.LINE, Field.RECORDING}
        for pair in found.pairs
    }
    assert differing == {incoming_call: {Field.NUMBER, Field.DURATION}, outgoing_call: set()}
    assert all(pair.ours.recording for pair in found.pairs), "the recordings would have been found"

    # ---- the switch: nothing old is sent, the next calls are
    assert await office.service.stop() == 0
    office.switch()
    switched = time.time()
    await office.service.start()
    played = await office.lab.play(incoming("9000000803"))
    await office.lab.play(outward("79000000804"))
    await office.over(switched, 2)
    first_record, second_record = sorted(office.records(switched), key=lambda one: one.started_at)
    assert told_of(first_record) == ("+79000000803", 2, ANNA, "200", True)
    assert told_of(second_record) == ("+79000000804", 1, ANNA, "200", True)
    assert all(abs(one.duration - 3) <= 1 for one in (first_record, second_record))
    assert len(office.records(began)) == 5, "three of the old connector's, two of ours"
    assert played.ended
    assert not list((office.spool / "monitor/callme/wav").rglob("*.wav")), "only FullFname leads to the files"

    # ---- the old dialplan's reports were taken and made no second call
    reports = (office.spool / "curl.log").read_text(encoding="utf-8").splitlines()
    ours = [line for line in reports if "ExtNum=79000000804" in line]
    assert [line.split()[0] for line in ours] == ["200"]
    assert "CallDisposition=ANSWERED" in ours[0]

    # ---- a click that comes to the old address
    number = "79000000805"
    scene = Scenario(
        "click",
        (Step(Hang("101"), ("prov", "answer"), 3),),
        Truth(()),
        {"101": Answer(1)},
        {number: Answer(1)},
    )
    play: asyncio.Task[Played] = asyncio.create_task(office.lab.play(scene))
    handler = f"{office.service.url}/callmeplus/CallMeOut.php".replace("//callmeplus", "/callmeplus")
    async with httpx2.AsyncClient(timeout=20) as client:
        wish = {"user": ANNA, "number": f"+{number}", "token": TOKEN, "handler": handler}
        pressed = (await client.post(f"{office.portal.url}sandbox/click", json=wish)).json()
    assert pressed["statuses"] == [200]
    await play
    record = await until(
        lambda: office.portal.office.statistic_of(pressed["call"]), within=40, what="the click's call"
    )
    assert (record.code, record.user, record.type) == ("200", ANNA, 1)


def told_of(record: Statistic) -> tuple[str, int, int, str, bool]:
    """What the portal's users see of a call."""
    return record.phone, record.type, record.user, record.code, record.record_file is not None


async def shadow(office: OldOffice) -> Comparison:
    """What `callme shadow` compares, up to this moment."""
    config = load(office.folder / "callme.toml", {})
    reading = open_reading(config.service.store)
    try:
        (one,) = await compared(config, reading, time.time() - 600, time.time() + 1)
    finally:
        await reading.close()
    assert one.on
    assert isinstance(one.found, Comparison), one.found
    return one.found
