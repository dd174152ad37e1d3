"""A PBX that keeps both directions of a talk: the portal gets the customer on the left, the employee on the
right.
"""

from __future__ import annotations

import array
import subprocess
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from callme.lab.asterisk import Release
from callme.lab.scenarios.direct import direct_answered
from callme.lab.scenarios.outgoing import out_answered
from callme.lab.script import Scenario
from tests.live import sound
from tests.live.company import Company
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SIDES = {"MIXMON_SIDES": "yes"}
BOTH_IN_ONE = {"MIXMON_MORE": "D", "MIXMON_FORMAT": "raw"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def companies() -> AsyncIterator[dict[Release, Company]]:
    opened: dict[Release, Company] = {}
    yield opened
    for company in opened.values():
        await company.__aexit__()


@pytest.mark.parametrize(
    ("release", "how", "scenario"),
    [
        pytest.param("16", SIDES, direct_answered(caller="79000009701"), id="16-in"),
        pytest.param("16", SIDES, out_answered(number="79000009702"), id="16-out", marks=pytest.mark.long),
        pytest.param("22", SIDES, direct_answered(caller="79000009703"), id="22-in", marks=pytest.mark.long),
        pytest.param("22", BOTH_IN_ONE, direct_answered(caller="79000009704"), id="22-in-one"),
        pytest.param(
            "22", BOTH_IN_ONE, out_answered(number="79000009705"), id="22-out-one", marks=pytest.mark.long
        ),
    ],
)
async def test_the_customer_is_on_the_left(
    companies: dict[Release, Company], release: Release, how: Mapping[str, str], scenario: Scenario
) -> None:
    if release not in companies:
        companies[release] = await Company(release).__aenter__()
    company = companies[release]
    console = company.lab.pbx.console
    usual = {"MIXMON_SIDES": "", "MIXMON_MORE": "", "MIXMON_FORMAT": "wav"}
    for name, value in {**usual, **how}.items():
        await console.act("Setvar", Variable=name, Value=value)
    played = await company.lab.play(scenario)
    assert not played.problems
    phone = f"+{scenario.truth.calls[0].external}"

    def attached() -> bool:
        records = company.records(phone, played.started)
        return bool(records) and records[-1].record_file is not None

    await until(attached, within=60, what="the recording in the portal")
    kept = company.recording(company.records(phone, played.started)[-1])
    assert kept is not None
    left, right = channels(kept.content)
    assert abs(sound.seconds(left) - scenario.truth.calls[0].talk_s) <= 1
    assert (sound.heard(left), sound.heard(right)) == ({"outside"}, {"101"})


def channels(content: bytes) -> tuple[array.array[int], array.array[int]]:
    """Both channels of a recording, as ffmpeg decodes them."""
    read = ["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "s16le", "-ar", str(sound.RATE), "pipe:1"]
    samples = array.array("h", subprocess.run(read, input=content, capture_output=True, check=True).stdout)
    return samples[::2], samples[1::2]
