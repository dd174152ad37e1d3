"""Who called whom: finds the calls that a cluster of channels holds, and the part of each trunk channel in
them.

A *customer leg* is a trunk channel behind which an outside party calls or is called on its own. A
*forwarded leg* is a trunk channel that was dialled on behalf of a colleague, a group or a transfer: it
belongs to the call that was forwarded and is never a call of its own (the sheet asterisk-ami-observed §2,
§3, §7).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from callme.calls.facts import ChannelState, DialStatus
from callme.calls.grouping import Cluster, Switchboard, birth_order
from callme.calls.model import Direction
from callme.calls.numbering import Kind, hidden, parse_name
from callme.calls.observed import Channel

OUTSIDE_DIGITS = 7
"""From seven digits on a number that is nobody's extension is an outside number (service and short numbers
are not)."""


@dataclass(slots=True)
class Party:
    """One call in a cluster: its direction, the channel that gives it its id, and the customer's channels
    (several when a second trunk was tried)."""

    direction: Direction
    key: Channel
    customers: list[Channel] = field(default_factory=list)
    origin: Channel | None = (
        None  # the colleague's channel, or the Local half of an Originate, that dialled out
    )
    originated: bool = False


@dataclass(frozen=True, slots=True)
class Dialler:
    """Who dialled a channel, seen through Local channels: `channel` is `None` for an Originate, `through`
    are the Local halves on the way, nearest first."""

    channel: Channel | None
    through: tuple[Channel, ...]
    known: bool = True


def dialler(board: Switchboard, channel: Channel) -> Dialler:
    """Climbs from a dialled channel through Local halves to the channel that rang it."""
    through: list[Channel] = []
    current = channel
    for _ in range(32):  # Local channels may be nested; a loop of them is a dialplan error, not ours
        if not current.dials:
            if current.is_local and current.uniqueid == current.first_linkedid:
                return Dialler(None, tuple(through))  # an Originate whose DialBegin was missed
            return Dialler(None, tuple(through), known=False)
        caller = board.channels.get(current.dials[0].caller or "")
        if current.dials[0].caller is None:
            return Dialler(None, tuple(through))
        if caller is None:
            return Dialler(None, tuple(through), known=False)
        if not caller.is_local:
            return Dialler(caller, tuple(through))
        through.append(caller)
        if caller.half == "2":
            partner = board.partner(caller)
            if partner is None:
                return Dialler(None, tuple(through), known=False)
            through.append(partner)
            current = partner
        else:
            current = caller
    return Dialler(None, tuple(through), known=False)


def is_outside_number(board: Switchboard, number: str) -> bool:
    """A number that only the outside world can have."""
    plain = number.lstrip("+")
    return plain.isdigit() and len(plain) >= OUTSIDE_DIGITS and not board.numbering.is_extension(number)


# ------------------------------------------------------------------------------- trunk channels
def is_caller(channel: Channel) -> bool:
    """The far end of this channel called us: it was born in state Ring, or in one that only analog lines
    know (Pre-ring) and began a call. Where its birth was missed: it began a call."""
    if channel.born and channel.first_state is not ChannelState.OTHER:
        return channel.first_state is ChannelState.RING
    return channel.uniqueid == channel.first_linkedid


def is_inbound(channel: Channel) -> bool:
    """An outside party calls on this trunk channel: nobody dialled it, and it began the call."""
    return not channel.dials and is_caller(channel)


def is_forwarded(board: Switchboard, channel: Channel, by: Dialler) -> bool:
    """This trunk channel was dialled on behalf of somebody whose call it belongs to."""
    if by.channel is not None:
        if board.kind(by.channel) is Kind.TRUNK:
            return True
        return bool(by.through) and board.numbering.is_extension(by.channel.first_exten)
    if not by.known or not by.through:
        return False
    top = by.through[-1]
    if top is by.through[0] and top.half != "2":
        return False  # the Originate's own half dials the customer: click-to-call
    return board.numbering.is_extension(parse_name(top.name).local_exten)


def parties(board: Switchboard, cluster: Cluster) -> list[Party]:
    """The calls of a cluster. Where there is a customer's call, the internal one that led to it is part of
    it."""
    channels = cluster.ordered()
    trunks = [channel for channel in channels if board.kind(channel) is Kind.TRUNK]
    found = [Party(Direction.IN, channel, [channel]) for channel in trunks if is_inbound(channel)]
    found += _outbound(board, [c for c in trunks if not is_inbound(c)], channels, bool(found))
    if not found:
        found = _without_customer(board, channels)
    return found


def _outbound(
    board: Switchboard, legs: list[Channel], channels: list[Channel], answers_somebody: bool
) -> list[Party]:
    """Calls to the outside, one per dialling channel; a further leg of it is the next trunk, unless the one
    before was answered: then it is the next call."""
    found: dict[str, Party] = {}
    for leg in sorted(legs, key=lambda channel: channel.dials[0].since if channel.dials else channel.born_at):
        by = dialler(board, leg)
        if not by.known and (answers_somebody or not leg.dials):
            # Its DialBegin comes in a moment, or was missed: then it is known by its talk.
            missed = leg.up_at is not None or bool(leg.stays)
            origin = _root_phone(board, channels) if missed and not answers_somebody else None
            if origin is None:
                continue
        elif is_forwarded(board, leg, by):
            continue
        elif not by.known and (phone := _root_phone(board, channels)) is not None:
            # Who dialled the Local channel on the way is told in a moment: it can only be who began it all.
            if by.through and board.numbering.is_extension(phone.first_exten):
                continue
            origin = phone
        elif not by.known and by.through and _asked_for(board, channels[0]):
            continue  # on the way to who clicked; the customer is dialled by the click's own half
        else:
            origin = by.channel or (by.through[-1] if by.through else leg)
        party = found.get(origin.uniqueid)
        if party is not None and any(was_answered(known) for known in party.customers):
            party = None
        if party is None:
            key = leg if origin.uniqueid in found else origin
            party = Party(Direction.OUT, key, [], origin, originated=by.known and by.channel is None)
            found[origin.uniqueid if key is origin else leg.uniqueid] = party
        party.customers.append(leg)
    return list(found.values())


def was_answered(leg: Channel) -> bool:
    """The far end of a dialled leg picked up."""
    return any(dial.status is DialStatus.ANSWER for dial in leg.dials) or leg.up_at is not None


def _asked_for(board: Switchboard, root: Channel) -> bool:
    """This half of a Local channel is an Originate's own."""
    return root.is_local and dialler(board, root) == Dialler(None, ())


def _root_phone(board: Switchboard, channels: list[Channel]) -> Channel | None:
    """The phone that began a cluster whose DialBegin we did not see."""
    for channel in channels:
        if not channel.dials and board.kind(channel) is Kind.EXTENSION:
            return channel
    return None


def _without_customer(board: Switchboard, channels: list[Channel]) -> list[Party]:
    """A call among colleagues, or a click-to-call whose customer has not been dialled (yet)."""
    dialled = [channel for channel in channels if channel.dials]
    if not dialled:
        return []
    root = channels[0]
    if root.is_local and not _asked_for(board, root):
        return []  # one half of a way whose beginning is elsewhere, or has not been told yet
    if root.is_local or (root.dials and root.dials[0].caller is None):
        # Asked for by an Originate: its caller id is the number to be called (asterisk-ami-observed §7).
        wanted = next((n for n in (root.first_number, root.number) if not hidden(n)), "")
        if is_outside_number(board, wanted):
            return [Party(Direction.OUT, root, [], root, originated=True)]
        if not root.is_local:
            return []  # a wake-up call, a test of a phone: nobody is called
        return [Party(Direction.INTERNAL, root, [], root, originated=True)]
    phones = [c for c in channels if not c.dials and board.kind(c) is Kind.EXTENSION]
    callers = [
        c
        for c in phones
        if not c.first_exten.startswith("*") and any(dialler(board, d).channel is c for d in dialled)
    ]  # paging, intercom and the like are feature codes, no calls
    return [Party(Direction.INTERNAL, c, [], c) for c in sorted(callers, key=birth_order)[:1]]
