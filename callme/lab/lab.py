"""The lab as one thing: a PBX, its telephones, and plays on them. For tests, the demo and `callme lab`.

async with Lab(release="16") as lab:
    played = await lab.play(scenarios.by_name("in_ringall_answered_by_2nd"))
    lab.config()   # the [[pbx]] table for callme.toml
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from callme.lab import asterisk
from callme.lab.asterisk import Progress, Release
from callme.lab.dialplan import Options
from callme.lab.pbx import Pbx
from callme.lab.phones import Seen
from callme.lab.play import Played, Stage
from callme.lab.script import Scenario
from callme.wording import Phrase


def _silent(_: Phrase) -> None:
    """Progress nobody wants to see."""


class Lab:
    """One lab PBX with its telephones. Several may run side by side, in one process or in many."""

    def __init__(
        self, release: Release = "16", options: Options | None = None, progress: Progress = _silent
    ) -> None:
        self._release: Release = release
        self._options = options or Options()
        self._progress = progress
        self._pbx: Pbx | None = None
        self._stage: Stage | None = None

    @property
    def pbx(self) -> Pbx:
        """The PBX; raises AssertionError before `start`."""
        assert self._pbx is not None, "the lab is not started"  # noqa: S101  a wrong use of the API
        return self._pbx

    @property
    def stage(self) -> Stage:
        """Where plays happen; raises AssertionError before `start`."""
        assert self._stage is not None, "the lab is not started"  # noqa: S101  a wrong use of the API
        return self._stage

    async def start(self) -> None:
        """Install what is missing, start the PBX and the telephones. Raises LabError with the cure."""
        await asyncio.to_thread(asterisk.install, self._release, self._progress)
        self._pbx = Pbx(self._release, self._options)
        try:
            await self._pbx.start()
            self._stage = Stage(self._pbx)
            await self._stage.phones.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End everything and remove the PBX's folder, recordings included."""
        stage, self._stage = self._stage, None
        pbx, self._pbx = self._pbx, None
        if stage:
            await stage.phones.stop()
        if pbx:
            await pbx.stop()

    async def play(self, scenario: Scenario) -> Played:
        """Act a scenario out to its end; see `Stage.play`."""
        return await self.stage.play(scenario)

    def listen(self, on_seen: Callable[[Seen], None] | None) -> None:
        """Be told what the telephones see and do, as it happens."""
        self.stage.on_seen = on_seen

    def config(self, ident: str = "office") -> dict[str, object]:
        """The `[[pbx]]` table with which CallMe reaches this lab; as TOML: `config_toml`."""
        return self.pbx.config(ident)

    @property
    def recordings(self) -> Path:
        """The PBX's recordings as this machine sees them."""
        return self.pbx.recordings

    async def __aenter__(self) -> Lab:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
