"""Is a telephone free, asked of the PBX; and a channel sent elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from callme.calls.presence import Presence
from callme.errors import PbxError
from callme.pbx.ami.session import AmiSettings
from callme.pbx.ami.source import AmiSource
from callme.pbx.ami.wire import Message
from tests.pbx.ami.pretender import Pretender, answer, packet, pretend, refuse


@asynccontextmanager
async def linked(server: Pretender) -> AsyncIterator[AmiSource]:
    async with pretend(server):
        settings = AmiSettings("127.0.0.1", server.port, server.username, server.secret)
        source = AmiSource("office", settings, lambda: 0.0, lambda: 0.5)
        moments = source.moments()
        await anext(moments)
        reading = asyncio.ensure_future(_drain(moments))
        try:
            yield source
        finally:
            await source.close()
            await reading


async def _drain(moments: object) -> None:
    async for _ in moments:  # type: ignore[attr-defined]
        pass


def database(rows: dict[str, str]) -> Callable[[Message], bytes]:
    """DBGet over these rows, as Asterisk answers it."""

    def reply(action: Message) -> bytes:
        key = f"{action.get('Family')}/{action.get('Key')}"
        if key not in rows:
            return refuse(action, "Database entry not found")
        event = packet("Event: DBGetResponse", f"ActionID: {action.get('ActionID')}", f"Val: {rows[key]}")
        return answer(action, "Message: Result will follow") + event

    return reply


def hint(status: str) -> Callable[[Message], bytes]:
    return lambda action: answer(action, "Message: Extension Status", f"Status: {status}")


@pytest.mark.parametrize(
    ("status", "rows", "expected"),
    [
        ("0", {}, Presence.FREE),
        ("1", {}, Presence.BUSY),
        ("4", {}, Presence.UNREGISTERED),
        ("-1", {}, Presence.UNKNOWN),
        ("0", {"DND/105": "YES"}, Presence.DND),
        ("4", {"CF/105": "79160000000"}, Presence.FREE),
        ("4", {"AMPUSER/105/followme/ddial": "DIRECT"}, Presence.FREE),
        ("4", {"AMPUSER/105/followme/ddial": "EXTENSION"}, Presence.UNREGISTERED),
    ],
)
async def test_a_telephone_of_freepbx(status: str, rows: dict[str, str], expected: Presence) -> None:
    server = Pretender(replies={"ExtensionState": hint(status), "DBGet": database(rows)})
    async with linked(server) as source:
        assert await source.presence("105") is expected
    asked = await server.seen("ExtensionState")
    assert (asked.get("Exten"), asked.get("Context")) == ("105", "ext-local")


async def test_a_pbx_that_may_not_be_asked_leaves_it_unknown() -> None:
    server = Pretender(
        replies=dict.fromkeys(("ExtensionState", "DBGet"), lambda one: refuse(one, "Permission denied"))
    )
    async with linked(server) as source:
        assert await source.presence("105") is Presence.UNKNOWN


async def test_a_channel_is_redirected_by_its_uniqueid() -> None:
    server = Pretender(replies={"Redirect": lambda action: answer(action, "Message: Redirect successful")})
    async with linked(server) as source:
        await source.redirect("1700000000.1", "callme-ring", "105")
    sent = await server.seen("Redirect")
    assert [sent.get(name) for name in ("Channel", "Context", "Exten", "Priority")] == [
        "1700000000.1", "callme-ring", "105", "1",
    ]  # fmt: skip


async def test_a_channel_that_is_gone_is_an_error_and_a_context_that_is_not_there_is_none() -> None:
    server = Pretender(
        replies={
            "Redirect": lambda action: refuse(action, "Channel does not exist: 1.1"),
            "ShowDialPlan": lambda action: refuse(action, "Did not find context callme-ring"),
        }
    )
    async with linked(server) as source:
        assert not await source.has_context("callme-ring")
        with pytest.raises(PbxError, match="does not exist"):
            await source.redirect("1.1", "callme-ring", "105")
