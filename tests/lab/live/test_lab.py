"""A real Asterisk and real telephones: the lab keeps what it promises to those who build on it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import pytest_asyncio

from callme.lab import scenarios
from callme.lab.asterisk import Release
from callme.lab.hearing import heard, seconds
from callme.lab.lab import Lab
from callme.lab.scenarios.direct import direct_answered

pytestmark = pytest.mark.live


@pytest_asyncio.fixture(params=["16", "22"])
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    release: Release = request.param
    async with Lab(release, scenarios.OPTIONS) as running:
        yield running


async def test_a_ring_group_call_goes_as_written_and_is_recorded(lab: Lab) -> None:
    played = await lab.play(scenarios.by_name("in_ringall_answered_by_2nd"))
    assert played.problems == ()
    (file,) = played.recordings
    assert file.path_on_pbx.startswith(lab.pbx.recordings_on_pbx + "/20")
    assert file.path.name.startswith("rg-600-79000000110-")
    assert seconds(file.path) == pytest.approx(3, abs=0.3)
    assert heard(file.path, ["101", "102", "103", "outside"]) == {"102", "outside"}


async def test_plays_with_telephones_of_their_own_run_side_by_side(lab: Lab) -> None:
    apart = direct_answered("103", "79000000901"), direct_answered("104", "79000000902")
    one, two = await asyncio.gather(*map(lab.play, apart))
    assert one.problems == two.problems == ()
    assert max(one.started, two.started) < min(one.ended, two.ended)
    assert "103" in one.recordings[0].path.name
    assert "104" in two.recordings[0].path.name


async def test_nothing_is_left_running_or_lying_about(lab: Lab) -> None:
    folder = lab.pbx.folder
    assert _processes(folder)
    await lab.stop()
    assert _processes(folder) == []
    assert not folder.exists()


async def test_when_the_owner_is_killed_everything_goes_with_it() -> None:
    script = (
        "import asyncio\nfrom callme.lab.lab import Lab\n"
        "async def main():\n    lab = Lab()\n    await lab.start()\n"
        "    print(lab.pbx.folder, flush=True)\n    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    folder = Path((await owner.stdout.readline()).decode().strip())
    left = _processes(folder)
    assert left
    owner.kill()
    await owner.wait()
    gone, alive = await asyncio.to_thread(psutil.wait_procs, left, 10)
    assert alive == []
    assert len(gone) == len(left)


def _processes(folder: Path) -> list[psutil.Process]:
    """Processes of that instance: Asterisk, telephones and their guards all name its folder."""
    names = (str(folder), f"/srv/callme/{folder.name}/")
    own = psutil.Process()
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.pid != own.pid
        and any(name in part for part in process.info["cmdline"] or () for name in names)
    ]
