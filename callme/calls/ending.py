"""How a call ended and who ended it.

The table of asterisk-ami-observed §4: DialStatus alone is not enough. A refused call (603) and a wrong
number (404) both say NOANSWER and differ only by the Q.850 cause of the leg's Hangup; cause 16 on the
caller does not mean answered; a caller who gives up is seen by his HangupRequest, else by CANCEL.
"""

from __future__ import annotations

from collections.abc import Iterable

from callme.calls.facts import DialStatus
from callme.calls.model import Disposition, Side
from callme.calls.observed import Channel, Dial

BUSY, NOT_THERE, REJECTED = 17, 19, 21
PATIENCE_S = 5.0
"""Who gave up after so long has heard it ring, though nobody said so: a provider may send its tone as sound
alone (183), which Asterisk 13 does not tell."""

TONE_S = 0.3
"""A caller who goes within this time of the last ring's end went because of himself: no tone can be heard
so fast."""
_NO_SUCH = frozenset((1, 2, 3, 22, 28))
"""No such number, no route to it: wrong, whatever tones the far end played before it said so."""
_BROKEN = frozenset((20, 27, 34, 38, 41, 42, 44, 58, 66, 88, 102))
"""Out of order, congestion, absent: the call failed if it never reached a phone that rang."""


def leg_end(channel: Channel, dial: Dial) -> Disposition | None:
    """How one dialled leg ended, `None` while it rings or when it was cancelled or answered elsewhere."""
    if dial.status is DialStatus.ANSWER:
        return Disposition.ANSWERED
    if channel.cause == REJECTED:  # chan_sip says BUSY for a 603
        return Disposition.DECLINED
    if dial.status is DialStatus.BUSY or channel.cause == BUSY:
        return Disposition.BUSY
    if dial.status is DialStatus.CONGESTION and channel.cause == NOT_THERE:  # chan_sip's word for a 480
        return Disposition.NO_ANSWER
    if dial.status in (DialStatus.CONGESTION, DialStatus.UNAVAILABLE):
        return Disposition.FAILED
    if channel.cause in _NO_SUCH or (channel.cause in _BROKEN and channel.ringing_at is None):
        return Disposition.FAILED
    if dial.status is DialStatus.NO_ANSWER:
        return Disposition.NO_ANSWER
    return None


def inbound(
    customer: Channel,
    legs: Iterable[Channel],
    *,
    voicemail: bool,
    offered: bool,
    menu: bool,
    announced: bool,
    refused: bool,
) -> Disposition:
    """An inbound call that nobody answered. `offered`: it reached somebody's or some queue's place; `menu`:
    it was in an IVR or a queue; `announced`: the PBX took the line to say something, or looked at its hours;
    `refused`: it played the busy tone, as for somebody who does not want to be disturbed.
    """
    if voicemail:
        return Disposition.VOICEMAIL
    ends = [(dial, leg_end(leg, dial)) for leg in legs for dial in leg.dials]
    if _gave_up(customer, [dial for dial, _ in ends]):
        return Disposition.CANCELLED
    known = {end for _, end in ends if end is not None}
    for verdict in (Disposition.NO_ANSWER, Disposition.DECLINED, Disposition.BUSY, Disposition.FAILED):
        if verdict in known:
            return verdict
    if ends or menu:
        return Disposition.NO_ANSWER
    if refused:
        return Disposition.BUSY
    return Disposition.AFTER_HOURS if announced and not offered else Disposition.FAILED


def _gave_up(customer: Channel, dials: list[Dial]) -> bool:
    """The caller went while a phone rang or while he waited in a queue or menu. One who listened to a busy
    tone before he hung up did not give up: the phones had already said no."""
    went = customer.asked_at
    if went is None:
        return _cancelled_with_the_caller(customer, dials)
    if not dials or any(
        w.since <= went and (w.until is None or w.until >= went - TONE_S) for w in customer.queues
    ):
        return True
    rang_out = (DialStatus.CANCEL, DialStatus.OTHER)
    return any(d.until is None or (d.status in rang_out and d.until >= went - TONE_S) for d in dials)


def _cancelled_with_the_caller(customer: Channel, dials: list[Dial]) -> bool:
    """The last dials were cancelled in the moment in which the caller went: he gave up, though his request
    was missed."""
    if customer.gone_at is None or not dials or customer.cause not in (127, 0, None):
        return False
    last = max(dial.until or dial.since for dial in dials)
    ended = [dial.status for dial in dials if (dial.until or dial.since) >= last - 0.05]
    return DialStatus.CANCEL in ended and customer.gone_at - last < TONE_S


def outbound(legs: list[Channel]) -> Disposition:
    """An outgoing call that was not answered: the last trunk tried decides. When our side gave up while the
    far end rang, the customer did not answer; when it had not rung yet, the call was cancelled."""
    for leg in reversed(legs):
        for dial in reversed(leg.dials):
            end = leg_end(leg, dial)
            if end is not None and end is not Disposition.ANSWERED:
                return end
        if leg.cause == BUSY:
            return Disposition.BUSY
        if not leg.alive or leg.dials:
            return Disposition.NO_ANSWER if _was_reached(leg) else Disposition.CANCELLED
    return Disposition.UNKNOWN


def _was_reached(leg: Channel) -> bool:
    """The far end rang, sent tones of its own, or took longer than any network needs to find it."""
    if leg.ringing_at is not None or leg.heard_at is not None:
        return True
    return any(dial.until is not None and dial.until - dial.since >= PATIENCE_S for dial in leg.dials)


def hung_up_by(customers: list[Channel], ours: list[Channel], *, outgoing: bool, answered: bool) -> Side:
    """Whose phone asked first to end the call; the PBX when no phone did. A phone that refuses a call asks
    for a hangup too, but that is told by the disposition: of an unanswered call only the calling side hangs
    up."""
    asked = [(channel.asked_at, True) for channel in customers if channel.asked_at is not None]
    asked += [(channel.asked_at, False) for channel in ours if channel.asked_at is not None]
    if not answered:
        asked = [(at, by_customer) for at, by_customer in asked if by_customer is not outgoing]
    if not asked:
        return Side.PBX
    _, by_customer = min(asked, key=lambda item: item[0])
    if not by_customer:
        return Side.AGENT
    return Side.CALLEE if outgoing else Side.CALLER
