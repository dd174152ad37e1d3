"""The portal on a port: it starts, serves several at once, and leaves nothing running."""

from __future__ import annotations

import asyncio
import socket

import httpx2
import pytest

from callme.lab.sandboxes.bitrix24.server import SandboxPortal


async def test_it_listens_where_it_says() -> None:
    async with SandboxPortal() as portal, httpx2.AsyncClient() as http:
        assert portal.webhook_url == f"http://127.0.0.1:{portal.port}/rest/1/sandboxsecret/"
        body = (await http.get(portal.webhook_url + "profile")).json()
        assert body["result"]["ID"] == "1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", portal.port), 1).close()


async def test_two_side_by_side_share_nothing() -> None:
    async with SandboxPortal() as one, SandboxPortal(secret="other") as other:
        assert one.port != other.port
        assert one.office is not other.office
        async with httpx2.AsyncClient() as http:
            assert (await http.get(f"{one.url}rest/1/other/profile")).status_code == 401
            assert (await http.get(other.webhook_url + "profile")).status_code == 200


async def test_a_taken_port_is_an_error_of_the_system() -> None:
    async with SandboxPortal() as portal:
        with pytest.raises(OSError, match="in use"):
            await SandboxPortal(port=portal.port).start()


async def test_it_stops_while_a_request_hangs_and_a_stream_is_open() -> None:
    portal = SandboxPortal()
    await portal.start()
    async with httpx2.AsyncClient() as http, http.stream("GET", portal.url + "sandbox/events") as stream:
        chunks = stream.aiter_lines()
        assert await anext(chunks) == ": open"
        portal.knobs = portal.knobs.with_changes({"latency": 60})
        asked = asyncio.create_task(http.get(portal.webhook_url + "profile"))
        await asyncio.wait_for(portal.stop(), 10)
        await asyncio.gather(asked, return_exceptions=True)
    assert portal.office.watchers == []


async def test_nothing_is_left_when_it_was_never_started() -> None:
    portal = SandboxPortal()
    await portal.stop()
    assert portal.requests == []
