"""The service's own door for a PBX: opened by the configuration alone; an address that is taken is named."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from callme.config import Config, Pbx, Routing
from callme.config.shape import Service as ServiceTable
from callme.errors import ConfigError
from callme.service.running import Service

KEY = "0123456789abcdef"


def config(folder: Path, **routing: Any) -> Config:
    return Config(
        service=ServiceTable(listen="127.0.0.1:0", data_dir=folder, language="en"),
        pbx=(Pbx.model_validate({"id": "office", "secret": "x", "port": 1}),),
        routing=Routing.model_validate(routing),
    )


async def test_an_agi_address_that_is_taken_is_named_with_its_cure(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ConfigError) as caught:
            await Service(config(tmp_path, key=KEY, agi=address)).serve(signals=False)
    assert address in str(caught.value)
    assert "routing.agi" in str(caught.value)


@pytest.mark.parametrize("key", [KEY, ""])
async def test_without_a_key_nothing_is_listened_for(tmp_path: Path, key: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = Service(config(tmp_path, key=key, agi=f"127.0.0.1:{port}"))
    running = asyncio.create_task(service.serve(signals=False))
    await asyncio.wait_for(service.ready.wait(), 20)
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        opened = True
    except ConnectionRefusedError:
        opened = False
    service.stop()
    assert await running == 0
    assert opened is bool(key)
