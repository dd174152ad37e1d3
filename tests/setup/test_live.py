"""The set-up and the doctor on a real Asterisk, by script and by hand in a terminal, and back to the last
byte.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio

from callme.lab.asterisk import Release, as_root, tree
from callme.lab.lab import Lab
from callme.lab.pbx import Pbx
from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.scenarios.clicks import click
from tests.live.process import CALLME, environ
from tests.setup.terminal import typed

pytestmark = pytest.mark.live

WAIT_S = 60.0
MINE = b"; mine\n[panel]\nsecret = panelsecret\n[general](+)\nchannelvars = PANEL_X"
OUTSIDE = "79000000471"


@dataclass
class House:
    """A lab PBX dressed as a real one, a portal, and where our files go."""

    lab: Lab
    portal: SandboxPortal
    folder: Path
    before: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def pbx(self) -> Pbx:
        return self.lab.pbx

    @property
    def etc(self) -> Path:
        return self.pbx.folder / "etc"

    @property
    def config(self) -> Path:
        return self.folder / "conf" / "callme.toml"

    @property
    def console(self) -> str:
        """How Asterisk's program is started for this PBX."""
        inside = f"/srv/callme/{self.pbx.name}/etc/asterisk.conf"
        return " ".join(
            [*as_root(), "chroot", str(tree(self.pbx.release)), "/usr/sbin/asterisk", "-C", inside]
        )

    def dress(self) -> None:
        """manager.conf without our user and with the include that FreePBX has; what is there is noted."""
        main = self.etc / "manager.conf"
        text = re.sub(r"\[callme\]\n(?:.+\n)*", "", main.read_text("utf-8"))
        text = re.sub(r"channelvars=.*\n", "", text)
        main.write_text(f"{text}\n#include manager_custom.conf\n", "utf-8")
        (self.etc / "manager_custom.conf").write_bytes(MINE)
        self.before = self.seen()

    def seen(self) -> dict[str, tuple[int, bytes]]:
        """Every file that the set-up could touch."""
        roots = (self.etc, self.folder / "conf")
        files = [file for root in roots if root.exists() for file in root.rglob("*") if file.is_file()]
        return {str(file): (file.stat().st_mode, file.read_bytes()) for file in files}

    def arguments(self, *more: str) -> list[str]:
        """Of `callme setup` here."""
        where = ["--etc", str(self.etc), "--asterisk", self.console, "--config", str(self.config)]
        return ["setup", *where, "--set", "setup.unit=false", *more]

    async def run(self, *arguments: str) -> tuple[int, str]:
        """One command: its exit code and all that it said."""
        process = await asyncio.create_subprocess_exec(
            CALLME, *arguments, cwd=self.folder, env=environ(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(WAIT_S):
            said, _ = await process.communicate()
        return process.returncode or 0, said.decode()


@pytest_asyncio.fixture(params=["22", pytest.param("16", marks=pytest.mark.long)])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    release: Release = request.param
    async with Lab(release) as lab, SandboxPortal(Knobs(webhook_telephony="allow")) as portal:
        made = House(lab, portal, tmp_path)
        made.dress()
        reload = [*made.console.split(), "-rx", "manager reload"]
        assert (await asyncio.to_thread(subprocess.run, reload, check=False)).returncode == 0
        yield made


def sets(house: House) -> list[str]:
    """What a person would say, beforehand."""
    said = {
        "portal.webhook": house.portal.webhook_url,
        "pbx.recordings": str(house.pbx.recordings),
        "pbx.recordings_on_pbx": house.pbx.recordings_on_pbx,
    }
    return [word for key, value in said.items() for word in ("--set", f"{key}={value}")]


async def test_by_script_the_doctor_is_content_and_undo_leaves_nothing(house: House) -> None:
    code, said = await house.run(*house.arguments("--yes", *sets(house)))
    assert code == 0, said
    assert "All is well" in said
    assert "sandboxsecret" not in said
    custom = (house.etc / "manager_custom.conf").read_text("utf-8")
    assert "channelvars = PANEL_X,FROM_DID,MIXMONITOR_FILENAME,VM_MESSAGEFILE,CALLME_VOTE" in custom
    secret = re.search(r"\[callme\]\nsecret = (\w+)", custom)
    assert secret is not None
    assert secret[1] not in said

    doctor = ("doctor", "--config", str(house.config), "--etc", str(house.etc), "--fix", "--json")
    code, told = await house.run(*doctor)
    findings = json.loads(told)["findings"]
    assert (code, [one for one in findings if one["level"] == "ill"]) == (0, [])
    well = " ".join(one["found"] for one in findings if one["level"] == "well")
    assert "FROM_DID, MIXMONITOR_FILENAME, VM_MESSAGEFILE, CALLME_VOTE come with each event" in well
    assert "system, call, agent, user, cdr (manager_custom.conf" in well

    code, again = await house.run(*house.arguments("--yes"))
    assert (code, "Nothing to change." in again) == (0, True), again
    code, back = await house.run(*house.arguments("--yes", "--undo"))
    assert code == 0, back
    (house.folder / "conf/var").rmdir()  # the doctor made it; data is never taken away
    assert house.seen() == house.before


@pytest.mark.long
async def test_what_is_wrong_with_the_user_is_seen_on_the_wire(house: House) -> None:
    assert (await house.run(*house.arguments("--yes", *sets(house))))[0] == 0
    custom = house.etc / "manager_custom.conf"
    text = custom.read_text("utf-8")
    for good, bad in (
        (
            "read = system,call,agent,user,cdr\n",
            "read = system,call,user,cdr\neventfilter = !Event: Hangup\n",
        ),
        ("write = call,originate,reporting", "write = system,call,originate,reporting"),
        ("channelvars = PANEL_X,FROM_DID,MIXMONITOR_FILENAME", "channelvars = PANEL_X,FROM_DID"),
    ):
        assert good in text
        text = text.replace(good, bad)
    custom.write_text(text, "utf-8")
    reload = [*house.console.split(), "-rx", "manager reload"]
    assert (await asyncio.to_thread(subprocess.run, reload, check=False)).returncode == 0
    code, told = await house.run("doctor", "--config", str(house.config), "--etc", str(house.etc), "--json")
    assert code == 1
    found = {one["topic"].partition(": ")[2]: one for one in json.loads(told)["findings"]}
    assert "Hangup" in found["events of calls"]["found"]
    assert "eventfilter" in found["events of calls"]["cure"]
    assert "MIXMONITOR_FILENAME" in found["variables in events"]["found"]
    assert "missing: agent" in found["classes that our user may read"]["found"]
    assert found["more rights than needed"]["level"] == "hint"
    # What the doctor names, the set-up cures.
    assert (await house.run(*house.arguments("--yes")))[0] == 0
    code, told = await house.run("doctor", "--config", str(house.config), "--etc", str(house.etc), "--json")
    assert (code, json.loads(told)["well"]) == (0, True)


@pytest.mark.long
async def test_a_call_of_the_doctor_is_followed_to_its_end(house: House) -> None:
    code, said = await house.run(*house.arguments("--yes", *sets(house)))
    assert code == 0, said
    ordered = click(OUTSIDE)
    play = asyncio.create_task(house.lab.play(replace(ordered, steps=ordered.steps[1:])))  # we dial ourselves
    order = ("doctor", "--config", str(house.config), "--call", "101", OUTSIDE)
    code, said = await house.run(*order)
    played = await play
    assert (code, played.problems) == (0, ()), said
    assert "101 rings now" in said
    assert f"101 talked with {OUTSIDE}" in said or "answered" in said
    assert "What “main” would have been told" in said
    assert house.portal.office.statistics == {}  # nothing was told: only a running service does that


@pytest.mark.long
async def test_by_hand_in_a_terminal_in_russian(house: House) -> None:
    dialogue = (
        ("Подключить CallMe к ней? [Д/н]", ""),
        ("[1]:", "1"),
        ("Записать? [Д/н]", "да"),
        ("Папка, где эта машина видит записи", str(house.pbx.recordings)),
        ("Подключить CRM сейчас? [Д/н]", "д"),
        ("[1]:", "webhook"),
        ("Адрес вебхука", "http://127.0.0.1:9/rest/1/wrongsecret/"),
        ("Номер сотрудника", ""),
        ("Попробовать ещё раз? [Д/н]", ""),
        ("[1]:", ""),
        ("Адрес вебхука", house.portal.webhook_url),
        ("Номер сотрудника", "1"),
        ("Записать? [Д/н]", ""),
    )
    code, screen = await typed(house.folder, [*house.arguments(), "--lang", "ru"], dialogue)
    assert code == 0, screen
    assert "Всё в порядке" in screen
    assert "sandboxsecret" not in screen
    assert "wrongsecret" not in screen
    assert "✔ Портал «main»" in screen
    undo = [*house.arguments(), "--undo", "--lang", "ru"]
    code, screen = await typed(house.folder, undo, [("Вернуть как было? [Д/н]", "")])
    assert code == 0, screen
    assert house.seen() == house.before
