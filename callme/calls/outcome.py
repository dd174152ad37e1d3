"""When and how a call ended, and who ended it; the verdicts on single legs are `ending`'s.

Called by `derive.derive_call`; each function gives one field (law 1: whatever order the facts came in).
"""

from __future__ import annotations

from callme.calls import ending, path
from callme.calls.case import Case
from callme.calls.model import (
    Direction,
    Disposition,
    Ring,
    Side,
    Talk,
)
from callme.calls.observed import Channel
from callme.calls.parties import (
    was_answered,
)
from callme.calls.talking import derive_last_talker, derive_talks


def derive_ended_at(case: Case) -> float | None:
    """When the customer's part was over. An outgoing call that nobody answered is over when the caller gave
    up too: until then another trunk may be tried; its end is the end of the last attempt
    (asterisk-ami-observed §4)."""
    customer, origin = case.customer, case.party.origin
    if case.party.direction is Direction.IN:
        return customer.gone_at if customer is not None else None
    if case.party.direction is Direction.INTERNAL:
        return _end_of_all(case)
    if customer is not None and (was_answered(customer) or not customer.alive):
        if was_answered(customer) or origin is None or not origin.alive or origin is customer:
            return _end_of_leg(customer)
        return None
    return origin.gone_at if origin is not None else None


def _end_of_leg(leg: Channel) -> float | None:
    """Its hangup; for one that was never answered, the end of its ringing."""
    if was_answered(leg):
        return leg.gone_at
    ends = [dial.until for dial in leg.dials if dial.until is not None]
    return min(ends[-1], leg.gone_at) if ends and leg.gone_at is not None else leg.gone_at


def _end_of_all(case: Case) -> float | None:
    ends = [channel.gone_at for channel in case.channels]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def derive_lost(case: Case) -> bool:
    """The end was not seen."""
    return (case.customer or case.party.key).vanished


def derive_disposition(
    case: Case, talks: tuple[Talk, ...], rang: tuple[Ring, ...], lost: bool
) -> Disposition:
    """How it ended, or would end now."""
    if talks:
        return Disposition.ANSWERED
    if case.party.direction is Direction.OUT:
        return _outbound_disposition(case)
    origin = case.anchor
    if origin is None:
        return Disposition.UNKNOWN
    if lost and origin.vanished:
        return Disposition.UNKNOWN
    if path.turned_away(origin):
        return Disposition.BLOCKED
    legs = [channel for channel in case.channels if channel.dials and not channel.is_local]
    way = path.steps(origin)
    return ending.inbound(
        origin,
        legs,
        voicemail=path.left_for_voicemail(origin),
        offered=bool(rang) or any(step.kind in ("extension", "group", "queue", "followme") for step in way),
        menu=any(step.kind in ("ivr", "queue") for step in way),
        refused=any(name == "Busy" for name, _ in origin.applications),
        announced=origin.up_at is not None or any(step.kind == "hours" for step in way),
    )


def _outbound_disposition(case: Case) -> Disposition:
    if case.party.customers:
        return ending.outbound(case.party.customers)
    phones = [channel for channel in case.channels if channel.dials and case.board.extension(channel)]
    agents = phones or list(case.forwarded_legs())
    for agent in reversed(agents):
        for dial in reversed(agent.dials):
            end = ending.leg_end(agent, dial)
            if end is not None and end is not Disposition.ANSWERED:
                return end
    return Disposition.CANCELLED if agents else Disposition.UNKNOWN


def derive_hung_up_by(case: Case) -> Side | None:
    """Who ended it; unknown while it is open or when the end was not seen."""
    if derive_lost(case):
        return None
    last = derive_last_talker(derive_talks(case))
    ours = [item.channel for item in case.together if last is not None and item.until == last.until]
    if not ours and case.agent is not None:
        ours = [case.agent]
    customers = [case.anchor] if case.anchor is not None else []
    outgoing = case.party.direction is Direction.OUT
    return ending.hung_up_by(customers, ours, outgoing=outgoing, answered=last is not None)
