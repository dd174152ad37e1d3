"""Whether an employee's telephone can take a call, from what a PBX says of it.

A PBX source makes a `Presence` of its own words through `of_device`; `crm.steering` decides with it. Pure.
"""

from __future__ import annotations

from enum import StrEnum


class Presence(StrEnum):
    """The state of an extension at this moment."""

    FREE = "free"
    BUSY = "busy"  # it talks, rings or holds
    DND = "dnd"  # its owner wants no calls
    UNREGISTERED = "unregistered"  # no telephone of it is there, and no call goes elsewhere for it
    UNKNOWN = "unknown"  # the PBX does not say


IN_USE, BUSY, UNAVAILABLE, RINGING, HELD = 1, 2, 4, 8, 16
"""Bits of an extension's state as Asterisk counts them (`enum ast_extension_states`, 13–22)."""


def of_device(status: int | None, *, dnd: bool, forwarded: bool) -> Presence:
    """`status` is what the hint says, `None` or negative where there is no hint. `dnd`: do not disturb is
    switched on; `forwarded`: calls go on to another number, so that the telephone itself need not be
    there."""
    if dnd:
        return Presence.DND
    if status is None or status < 0:
        return Presence.FREE if forwarded else Presence.UNKNOWN
    if status & (IN_USE | BUSY | RINGING | HELD):
        return Presence.BUSY
    if status & UNAVAILABLE and not forwarded:
        return Presence.UNREGISTERED
    return Presence.FREE
