"""Where the two ends of a call are on the PBX at this moment: for orders that concern this call alone.

`service.tabs` asks before it moves or ends a call. Pure.
"""

from __future__ import annotations

from callme.calls.case import Case
from callme.calls.derive import call_id
from callme.calls.grouping import Switchboard
from callme.calls.model import Call
from callme.calls.observed import Channel
from callme.calls.parties import parties


def customers_channel(board: Switchboard, call: Call) -> Channel | None:
    """The living channel of the call's own customer; `None` when he has gone, or was never reached. Other
    calls of the same cluster have customers of their own, who are never taken for him."""
    first = board.channels.get(str(call.id).removeprefix(f"{call.pbx}-"))
    if first is None:
        return None
    cluster = board.cluster_of(first)
    found = parties(board, cluster)
    for party in found:
        if call_id(call.pbx, party.key) == call.id and party.direction is call.direction:
            customer = Case(call.pbx, board, cluster, party, len(found) == 1).customer
            return customer if customer is not None and customer.alive else None
    return None


def first_channel(board: Switchboard, call: Call) -> Channel | None:
    """The living channel that began the call: of an outgoing one the employee's own, whose end takes all that
    is dialled for it along. `None` when it has gone."""
    first = board.channels.get(str(call.id).removeprefix(f"{call.pbx}-"))
    return first if first is not None and first.alive else None
