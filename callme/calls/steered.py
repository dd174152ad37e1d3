"""How it goes with a call that was sent to one employee: does it still ring, did somebody take it, must it go
on elsewhere.

Asked by `service.steering` after each moment of the PBX, of the memory that the tracker keeps. Pure.
"""

from __future__ import annotations

from enum import StrEnum

from callme.calls.facts import DialStatus
from callme.calls.grouping import Switchboard


class Progress(StrEnum):
    """Where the caller's channel has got to since it was sent."""

    UNDERWAY = "underway"
    TAKEN = "taken"  # somebody answered
    FAILED = "failed"  # all that rang has ended, or a voicemail or announcement answered instead
    GONE = "gone"  # the caller hung up


def progress(board: Switchboard, uniqueid: str, since: float, *, was_up: bool) -> Progress:
    """How it goes with the channel of that uniqueid that was sent at `since`; `was_up`: it had been answered
    before that, by the PBX itself. A channel of which nothing is known yet is underway."""
    channel = board.channels.get(uniqueid)
    if channel is None:
        return Progress.UNDERWAY
    if not channel.alive:
        return Progress.GONE
    if any(stay.since >= since and not stay.holding for stay in channel.stays):
        return Progress.TAKEN
    dials = [
        dial
        for other in board.cluster_of(channel).members.values()
        for dial in other.dials
        if dial.caller == uniqueid and dial.since >= since
    ]
    if any(dial.status is DialStatus.ANSWER for dial in dials):
        return Progress.TAKEN
    if any(dial.until is None for dial in dials):
        return Progress.UNDERWAY
    answered_by_nobody = channel.up_at is not None and not was_up
    return Progress.FAILED if dials or answered_by_nobody else Progress.UNDERWAY
