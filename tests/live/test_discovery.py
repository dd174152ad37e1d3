"""A stock account finds out all of the PBX's numbers, on both releases, and nothing that it may not ask."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import aclosing

import pytest

from callme.lab import numbering
from callme.lab.asterisk import Release
from callme.lab.pbx import Pbx
from callme.pbx.ami.session import AmiSettings
from callme.pbx.ami.source import AmiSource
from callme.pbx.port import Directory
from tests.live.share import RELEASES

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("release", RELEASES)
async def test_everything_is_found_with_the_least_rights(release: Release) -> None:
    async with Pbx(release) as pbx:
        settings = AmiSettings(pbx.host, 5038, "callme", pbx.secret, False)
        source = AmiSource("office", settings, time.time, random.random)
        async with asyncio.timeout(20), aclosing(source.moments()) as moments:
            while not source.state.up:
                await anext(moments)
            found = await source.directory()
            await source.close()
    assert found == Directory(
        names=numbering.EXTENSIONS,
        devices={extension: extension for extension in numbering.EXTENSIONS},
        queues={queue: members for queue, (_, members) in numbering.QUEUES.items()},
        groups=tuple(sorted(numbering.GROUPS)),
        trunks=tuple(f"PJSIP/{trunk}" for trunk in sorted(numbering.TRUNKS)),
    )
