"""The extension behind a number that was clicked: dialled by keys once the customer has answered.

`service.commands` calls it with what the river saw of the call. It needs no dialplan: the PBX is asked to
play each key to the customer's channel. Keys are pressed once at most; a restart presses none.
"""

from __future__ import annotations

import asyncio

import structlog

from callme.calls.grouping import Switchboard
from callme.calls.numbering import Kind
from callme.errors import PbxError
from callme.pbx import port

log = structlog.get_logger("callme.commands")

WAIT, WAIT_S = "w", 0.5
KEY_S = 0.35
"""From one key to the next: Asterisk holds each for 0.1 s, and menus want a pause to tell two of a kind."""


def customers_channel(board: Switchboard, uniqueid: str) -> str | None:
    """The name of the channel on which the call's customer answered; the youngest, where several trunks were
    tried."""
    first = board.channels.get(uniqueid)
    if first is None:
        return None
    legs = [
        channel
        for channel in board.cluster_of(first).ordered()
        if channel.alive and channel.up_at is not None and board.kind(channel) is Kind.TRUNK
    ]
    return legs[-1].name if legs else None


async def press(source: port.Pbx, channel: str, keys: str, after_s: float) -> None:
    """Presses the keys on that channel, after that time."""
    await asyncio.sleep(after_s)
    try:
        for key in keys:
            if key == WAIT:
                await asyncio.sleep(WAIT_S)
                continue
            await source.press(channel, key)
            await asyncio.sleep(KEY_S)
    except PbxError as error:
        log.warning("extension not dialled", pbx=source.id, channel=channel, why=str(error.problem))
    else:
        log.info("extension dialled", pbx=source.id, channel=channel, keys=len(keys))
