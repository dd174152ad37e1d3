"""A call as it is now: every field from the one `derive_…` function that computes it.

The tracker asks for `derive_call(case)` whenever something in a cluster changed. Nothing here remembers
anything, and no function depends on the order in which facts arrived (law 1).
"""

from __future__ import annotations

from callme.calls import path
from callme.calls.case import Case
from callme.calls.model import (
    Call,
    CallId,
    Direction,
    Step,
)
from callme.calls.observed import VOTE, Channel
from callme.calls.outcome import derive_disposition, derive_ended_at, derive_hung_up_by, derive_lost
from callme.calls.recorded import derive_recordings
from callme.calls.ringing import derive_rang, derive_ringing_time
from callme.calls.talking import (
    derive_answered_by,
    derive_holds,
    derive_last_talker,
    derive_owner,
    derive_talks,
    derive_transfers,
    derive_via,
)
from callme.calls.whose import derive_caller, derive_external, derive_line, derive_name, derive_trunk


def derive_path(case: Case) -> tuple[Step, ...]:
    """The stations of the customer on the inside."""
    if case.party.direction is not Direction.IN or case.customer is None:
        return ()
    return path.steps(case.customer)


def derive_aliases(case: Case) -> tuple[str, ...]:
    """Uniqueids of channels that began something of their own before they became part of this call: a
    consultation, a pickup, a retrieval from parking."""
    roots = [channel.uniqueid for channel in case.channels if channel.uniqueid == channel.first_linkedid]
    return tuple(uniqueid for uniqueid in roots if uniqueid != case.party.key.uniqueid)


def derive_command(case: Case) -> str | None:
    """The command that caused the call."""
    for channel in case.channels:
        known = channel.variables.get("CALLME_COMMAND")
        if known:
            return known
    return None


def derive_vote(case: Case) -> int | None:
    """What the dialplan put into CALLME_VOTE, or told in a UserEvent: on the customer's own channel, else on
    another of the call. Anything but 1 to 5 is no rating."""
    for channel in (*case.party.customers, *case.channels):
        vote = channel.variables.get(VOTE, "").strip()
        if len(vote) == 1 and vote in "12345":
            return int(vote)
    return None


def derive_cause(case: Case) -> int | None:
    """Why the last outside leg of an outgoing call ended."""
    if case.party.direction is not Direction.OUT:
        return None
    return next((leg.cause for leg in reversed(case.party.customers) if leg.cause), None)


def derive_certain(case: Case) -> bool:
    """Every talk was seen from its beginning, and nobody was in a bridge with the customer unseen."""
    stays = case.anchor.stays if case.anchor is not None else ()
    met = (channel for stay in stays for channel, _ in case.board.bridges.get(stay.bridge, ()))
    return all(item.certain for item in case.together) and not any(channel.unseen for channel in met)


def call_id(pbx: str, channel: Channel) -> CallId:
    """The id of the call that the channel began."""
    return CallId(f"{pbx}-{channel.uniqueid}")


def derive_call(case: Case, linked: tuple[CallId, ...]) -> Call:
    """The whole call."""
    talks = derive_talks(case)
    rang = derive_rang(case)
    lost = derive_lost(case)
    external = derive_external(case)
    last = derive_last_talker(talks)
    ended_at = derive_ended_at(case)
    answered_at = talks[0].since if talks else None
    ring_at, ring_until = derive_ringing_time(case, rang, answered_at)
    party = case.party
    began = party.key
    if party.direction is Direction.OUT and party.customers and party.key is party.customers[0]:
        began = party.customers[0]
    return Call(
        id=call_id(case.pbx, party.key),
        pbx=case.pbx,
        direction=party.direction,
        external=external,
        number=case.board.numbering.e164(external, derive_trunk(case)),
        name=derive_name(case),
        line=derive_line(case),
        trunk=derive_trunk(case),
        caller=derive_caller(case),
        started_at=began.born_at,
        ring_at=ring_at,
        ring_until=ring_until,
        rang=rang,
        answered_by=derive_answered_by(case, talks),
        via=derive_via(case, talks),
        talks=talks,
        holds=derive_holds(case),
        transfers=derive_transfers(case, talks),
        path=derive_path(case),
        last_talker=last.who if last is not None else None,
        owner=derive_owner(case, talks),
        disposition=derive_disposition(case, talks, rang, lost),
        hung_up_by=derive_hung_up_by(case) if ended_at is not None else None,
        answered_at=answered_at,
        ended_at=ended_at,
        lost=lost,
        certain=derive_certain(case),
        recordings=derive_recordings(case, answered_at, ended_at),
        command=derive_command(case),
        linked=linked,
        aliases=derive_aliases(case),
        vote=derive_vote(case),
        cause=derive_cause(case),
    )
