"""`callme run` as a real process, and what it says while it runs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from tests.live.until import until

CALLME = Path(sys.executable).with_name("callme")
STOP_S = 20.0


def environ(**more: str) -> dict[str, str]:
    """What a program started here finds around it: nothing of this machine's own settings."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": os.environ.get("HOME", "/"), **more}


def toml(table: Mapping[str, object]) -> str:
    """Keys and values of one table; nested tables inline."""
    return "\n".join(f"{key} = {_value(value)}" for key, value in table.items())


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def written(folder: Path, pbx: Mapping[str, object], portal: Mapping[str, object], **service: object) -> Path:
    """A configuration file with one PBX and one portal, readable by its owner alone."""
    file = folder / "callme.toml"
    about = {"listen": "127.0.0.1:0", "data_dir": str(folder / "var"), "language": "en", **service}
    file.touch(mode=0o600)
    file.write_text(f"[service]\n{toml(about)}\n[[pbx]]\n{toml(pbx)}\n[[portal]]\n{toml(portal)}\n", "utf-8")
    return file


class Running:
    """One process of the service. `start`, use, `kill` or `stop`; what it wrote stays in `said`."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.said: list[str] = []
        self.url = ""
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._client: httpx2.AsyncClient | None = None

    @property
    def output(self) -> str:
        """Everything that it wrote to stdout and stderr."""
        return "\n".join(self.said)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.returncode is None

    async def start(self, *, ready: bool = True, **more: str) -> None:
        """Start it and wait for its pages; with `ready` also for PBX and portal to be up."""
        self.url = ""
        self._process = await asyncio.create_subprocess_exec(
            CALLME, "run", "--config", str(self.config), cwd=self.config.parent, env=environ(**more),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read(self._process))
        await until(lambda: self.url or not self.running, within=30, what="the address of its pages")
        assert self.url, f"the service did not come up: {self.output}"
        self._client = httpx2.AsyncClient(base_url=self.url, timeout=10)
        if ready:
            await self.ready()

    async def ready(self, *, within: float = 30) -> None:
        """Wait until PBX and portal are up."""
        await until(self._is_ready, within=within, what="ready")

    async def _is_ready(self) -> bool:
        assert self.running, f"the service ended by itself: {self.output}"
        try:
            return bool((await self.readiness())["ready"])
        except httpx2.ConnectError:  # it has told its address and does not listen yet
            return False

    async def readiness(self) -> dict[str, Any]:
        """What /readyz tells."""
        return dict(await self.get("readyz"))

    async def get(self, path: str, **query: str | int) -> Any:
        """One JSON answer of the service."""
        assert self._client is not None, "the service does not run"
        return (await self._client.get(path, params=query)).json()

    async def post(self, path: str) -> int:
        """A person's order by a page of ours: the answer's status."""
        assert self._client is not None, "the service does not run"
        return (await self._client.post(path, headers={"X-CallMe": "1"}, json={})).status_code

    async def calls(self, **query: str | int) -> list[dict[str, Any]]:
        """Calls as `/api/v1/calls` lists them, eldest first."""
        return list(reversed((await self.get("api/v1/calls", limit=500, **query))["calls"]))

    async def kill(self) -> None:
        """`kill -9`: no last words, no last writes."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        await self._ended()

    async def stop(self) -> int:
        """An ordinary stop; its exit code."""
        assert self._process is not None, "the service does not run"
        process = self._process
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            raise AssertionError(f"the service did not stop within {STOP_S:g} s") from None
        finally:
            await self._ended()
        return process.returncode or 0

    async def _ended(self) -> None:
        if self._process is not None:
            await self._process.wait()
            self._process = None
        if self._reading is not None:
            await self._reading
            self._reading = None
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode("utf-8", "replace").rstrip()
            self.said.append(text)
            if '"pages"' in text:
                self.url = json.loads(text)["pages"]
