"""Each field of a call, computed by exactly one `derive_…` function from what was observed.

The tracker asks for `derive_call(case)` whenever something in a cluster changed. Nothing here remembers
anything, and no function depends on the order in which facts arrived (law 1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from callme.calls import ending, path
from callme.calls.facts import DialStatus
from callme.calls.grouping import Cluster, Switchboard
from callme.calls.model import (
    Call,
    CallId,
    Direction,
    Disposition,
    Hold,
    RecordingFile,
    Ring,
    Side,
    Step,
    Talk,
    Transfer,
    TransferKind,
)
from callme.calls.numbering import Kind, dialled_number, hidden, parse_name
from callme.calls.observed import Channel, Dial, overlap
from callme.calls.parties import (
    Dialler,
    Party,
    dialler,
    is_caller,
    is_inbound,
    is_outside_number,
    was_answered,
)
from callme.calls.talks import Together, answered_without_bridge, together


@dataclass
class Case:
    """One call of a cluster, with everything that the derivations look at."""

    pbx: str
    board: Switchboard
    cluster: Cluster
    party: Party
    alone: bool  # the cluster holds no other call: all its channels are this call's

    @cached_property
    def channels(self) -> list[Channel]:
        """The channels of this call, eldest first."""
        everyone = self.cluster.ordered()
        return everyone if self.alone else [channel for channel in everyone if self._mine(channel)]

    def _mine(self, channel: Channel) -> bool:
        own = {self.party.key, *self.party.customers}
        if self.party.origin is not None:
            own.add(self.party.origin)
        return channel in own or dialler(self.board, channel).channel in own

    @cached_property
    def groups(self) -> set[str]:
        """Numbers on the way that are groups or queues."""
        return path.groups_of(self.board, self.channels)

    @cached_property
    def customer(self) -> Channel | None:
        """The customer's channel: the caller's, or the leg that was answered, else the last one tried."""
        customers = self.party.customers
        answered = [leg for leg in customers if was_answered(leg)]
        if self.party.direction is Direction.IN:
            return customers[0]
        return answered[0] if answered else (customers[-1] if customers else None)

    @cached_property
    def anchor(self) -> Channel | None:
        """The channel whose partners are the talkers: the customer's, or the caller's of an internal call."""
        return self.party.origin if self.party.direction is Direction.INTERNAL else self.customer

    @cached_property
    def together(self) -> list[Together]:
        """Stretches in which somebody heard the customer."""
        if self.anchor is None:
            return []
        found = [one for one in together(self.board, self.anchor) if not self._is_another(one.channel)]
        seen = {item.channel.uniqueid for item in found}
        if self.party.direction is Direction.OUT:
            missing = self._answer_of_origin(seen)
        else:
            missing = [
                answered_without_bridge(self.board, self.anchor, channel)
                for channel in self.channels
                if channel.dials and channel.uniqueid not in seen and self.is_person(channel)
            ]
        return sorted([*found, *filter(None, missing)], key=lambda item: item.since)

    def _answer_of_origin(self, seen: set[str]) -> list[Together | None]:
        """An outgoing call that was answered though no bridge was seen: it is the calling phone that
        talks."""
        leg, agent = self.customer, self.agent
        if leg is None or agent is None or seen:
            return []
        answers = [
            dial.until for dial in leg.dials if dial.status is DialStatus.ANSWER and dial.until is not None
        ]
        ends = [end for end in (leg.gone_at, agent.gone_at) if end is not None]
        if not answers or (ends and min(ends) <= answers[0]):
            return []
        return [Together(agent, answers[0], min(ends) if ends else None, certain=False)]

    def _is_another(self, channel: Channel) -> bool:
        """A caller with a call of his own, met in a conference or by a transfer: he answered nobody."""
        return (
            channel not in self.party.customers
            and is_inbound(channel)
            and self.board.kind(channel) is Kind.TRUNK
        )

    def is_person(self, channel: Channel) -> bool:
        """A colleague's phone, or an outside phone that is not the customer's."""
        if channel in self.party.customers:
            return False
        return self.board.kind(channel) in (Kind.EXTENSION, Kind.TRUNK)

    @cached_property
    def agent(self) -> Channel | None:
        """The phone that calls out: the dialling channel, or the phone that an Originate rang for it."""
        origin = self.party.origin
        if origin is None or self.party.direction is Direction.IN:
            return None
        if not origin.is_local and self.board.kind(origin) is Kind.EXTENSION:
            return origin
        phones = [c for c in self.channels if c.dials and self.board.kind(c) is Kind.EXTENSION]
        answered = [c for c in phones if was_answered(c)]
        return next(iter(answered or phones), None)

    def forwarder(self, leg: Channel, by: Dialler | None = None) -> str | None:
        """The colleague on whose behalf an outside phone was rung."""
        by = by or dialler(self.board, leg)
        at = leg.dials[0].since if leg.dials else leg.born_at
        sent = [
            h for c in self.party.customers for h in c.handovers if h.kind == "blind" and h.at <= at + 1.0
        ]
        if sent and by.channel in self.party.customers and not by.through:
            return self.person(sent[-1].by)
        top = by.channel or self.party.key
        return path.on_behalf_of(self.board, by.through, top, at, self.groups)

    def person(self, who: str) -> str:
        """An extension or number for a channel's uniqueid, a device (`PJSIP/101`) or a number."""
        channel = self.board.channels.get(who)
        if channel is not None:
            return self.board.extension(channel) or outside_number(channel)
        if "/" in who:
            kind, name = self.board.numbering.of_channel(who, "")
            return name if kind is Kind.EXTENSION else parse_name(who).peer
        return who

    def forwarded_legs(self) -> Iterable[Channel]:
        """Outside phones that were rung for this call."""
        for channel in self.channels:
            if (
                channel.dials
                and channel not in self.party.customers
                and self.board.kind(channel) is Kind.TRUNK
            ):
                yield channel


def outside_number(leg: Channel) -> str:
    """The number behind a trunk channel: what was dialled on it, else the caller id it has."""
    for dial in leg.dials:
        number = dialled_number(dial.dial_string)
        if number:
            return number
    return next((n for n in (leg.first_number, leg.number) if not hidden(n)), "")


# -------------------------------------------------------------------------------- who and where
def derive_external(case: Case) -> str:
    """The outside party's number as the PBX gave it; empty when hidden or not known."""
    customer = case.customer
    if case.party.direction is Direction.INTERNAL:
        return ""
    if customer is not None:
        if case.party.direction is Direction.IN:
            return "" if hidden(customer.first_number) else customer.first_number
        number = outside_number(customer)
        if number:
            return number
    key = case.party.key
    if not key.is_local:
        return "" if hidden(key.first_exten) else key.first_exten
    return next((n for n in (key.first_number, key.number) if is_outside_number(case.board, n)), "")


def derive_name(case: Case) -> str:
    """The caller's name as it came in; a copy of the number (FreePBX makes one) is no name."""
    name = (
        case.customer.first_name if case.customer is not None and case.party.direction is Direction.IN else ""
    )
    return "" if hidden(name) or not any(map(str.isalpha, name)) else name


def derive_line(case: Case) -> str:
    """The DID that was called, or the number that we showed."""
    customer = case.customer
    if customer is None:
        return ""
    if case.party.direction is Direction.IN:
        did = customer.variables.get("FROM_DID", "")
        first = customer.first_exten if customer.born else ""
        return next(
            (value for value in (did, first) if len(value.lstrip("+")) > 1 and value.lstrip("+").isdigit()),
            "",
        )
    shown = next((dial.shown for dial in customer.dials if dial.shown), "")
    return shown if not hidden(shown) and not case.board.numbering.is_extension(shown) else ""


def derive_trunk(case: Case) -> str:
    """The trunk's name."""
    customer = case.customer
    if customer is None:
        return ""
    return case.board.whose(customer)[1]


def derive_caller(case: Case) -> str | None:
    """The colleague who called."""
    if case.party.direction is Direction.IN:
        return None
    agent = case.agent or case.party.origin
    return case.board.extension(agent) if agent is not None else None


# -------------------------------------------------------------------------------------- ringing
def derive_rang(case: Case) -> tuple[Ring, ...]:
    """Every stretch in which a colleague's phone, or an outside phone on his behalf, rang."""
    found = [ring for channel in case.channels for ring in _rings_of(case, channel)]
    for leg in case.forwarded_legs():
        owner = case.forwarder(leg)
        if owner is not None:
            number = outside_number(leg)
            found += [_ring(owner, leg, dial, number) for dial in leg.dials]
    return tuple(sorted(found, key=lambda ring: (ring.since, ring.extension)))


def _rings_of(case: Case, channel: Channel) -> Iterable[Ring]:
    extension = case.board.extension(channel)
    if extension is None:
        return
    if is_caller(channel):
        return  # it called us; a pickup gives it a DialEnd, but it never rang (asterisk-ami-observed §6)
    for dial in channel.dials:
        yield _ring(extension, channel, dial)
    if not channel.dials and channel.ringing_at is not None:
        yield Ring(extension, channel.ringing_at, channel.up_at or channel.gone_at, channel.name)


def _ring(extension: str, channel: Channel, dial: Dial, via: str = "") -> Ring:
    picked_up = dial.status is DialStatus.ANSWER or (dial.until is None and channel.up_at is not None)
    answered = picked_up and channel.alive
    return Ring(extension, dial.since, _ring_end(channel, dial), channel.name, via, answered)


def _ring_end(channel: Channel, dial: Dial) -> float | None:
    return dial.until if dial.until is not None else (channel.up_at or channel.gone_at)


def derive_ringing_time(
    case: Case, rang: tuple[Ring, ...], answered_at: float | None
) -> tuple[float | None, float | None]:
    """First ring and its end: of our phones for a caller, of the customer's phone for an outgoing call."""
    if case.party.direction is Direction.OUT:
        spans = [(d.since, _ring_end(leg, d)) for leg in case.party.customers for d in leg.dials]
    else:
        spans = [(ring.since, ring.until) for ring in rang]
    if not spans:
        return None, None
    if answered_at is not None:
        return min(since for since, _ in spans), answered_at
    ends = [until for _, until in spans if until is not None]
    return min(since for since, _ in spans), max(ends) if len(ends) == len(spans) else None


# -------------------------------------------------------------------------------------- talking
def derive_talks(case: Case) -> tuple[Talk, ...]:
    """Who talked with the customer and when."""
    return tuple(
        Talk(*_talker(case, item.channel), since=item.since, until=item.until) for item in case.together
    )


def _talker(case: Case, channel: Channel) -> tuple[str, str | None]:
    extension = case.board.extension(channel)
    if extension is not None:
        return extension, extension
    return outside_number(channel), case.forwarder(channel) if channel.dials else None


def derive_answered_by(case: Case, talks: tuple[Talk, ...]) -> str | None:
    """Who answered first: a colleague (also when he forwarded), else the outside number that did."""
    if not talks:
        return None
    if case.party.direction is Direction.OUT:
        return derive_external(case) or None
    return talks[0].extension or talks[0].who


def derive_via(case: Case, talks: tuple[Talk, ...]) -> str | None:
    """The outside number to which the call was forwarded and where somebody answered."""
    numbers = {outside_number(leg) for leg in case.forwarded_legs()}
    return next((talk.who for talk in talks if talk.who in numbers), None)


def derive_last_talker(talks: tuple[Talk, ...]) -> Talk | None:
    """The talk that ended last; of those that end together the one that began last."""
    if not talks:
        return None
    return max(talks, key=lambda talk: (float("inf") if talk.until is None else talk.until, talk.since))


def derive_owner(case: Case, talks: tuple[Talk, ...]) -> str | None:
    """The colleague whose call it is: who talked last; without a talk, who called out."""
    own = tuple(talk for talk in talks if talk.extension)
    last = derive_last_talker(own)
    return last.extension if last is not None else derive_caller(case)


def derive_holds(case: Case, talks: tuple[Talk, ...]) -> tuple[Hold, ...]:
    """Stretches in which a talking colleague had put the customer on hold."""
    found: list[Hold] = []
    for item in case.together:
        extension = case.board.extension(item.channel)
        for span in item.channel.holds if extension else ():
            part = overlap(span.since, span.until, item.since, item.until)
            if part is not None:
                found.append(Hold(str(extension), *part))
    return tuple(sorted(found, key=lambda hold: hold.since))


def derive_transfers(case: Case, talks: tuple[Talk, ...]) -> tuple[Transfer, ...]:
    """Hand-overs of the customer; a blind transfer that only parked him is the parking."""
    found: list[Transfer] = []
    for channel in [*case.party.customers, *(c for c in case.channels if c not in case.party.customers)]:
        parked = [h.at for h in channel.handovers if h.kind == "park"]
        for handover in channel.handovers:
            if handover.kind == "blind" and any(abs(at - handover.at) < 1.0 for at in parked):
                continue
            to = case.person(handover.to) if handover.to else ""
            by = case.person(handover.by)
            found.append(Transfer(TransferKind(handover.kind), by, to, handover.at))
    return tuple(sorted(found, key=lambda transfer: transfer.at))


# -------------------------------------------------------------------------------------- the end
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
    legs = [channel for channel in case.channels if channel.dials and not channel.is_local]
    way = path.steps(origin)
    return ending.inbound(
        origin,
        legs,
        voicemail=path.left_for_voicemail(origin),
        offered=bool(rang) or any(step.kind in ("extension", "group", "queue", "followme") for step in way),
        menu=any(step.kind in ("ivr", "queue") for step in way),
    )


def _outbound_disposition(case: Case) -> Disposition:
    if case.party.customers:
        return ending.outbound(case.party.customers)
    agents = [channel for channel in case.channels if channel.dials and case.board.extension(channel)]
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


# ----------------------------------------------------------------------------------- recordings
def derive_recordings(case: Case) -> tuple[RecordingFile, ...]:
    """Files of the channels that took part in the customer's talk, the best one first: on the customer's
    own channel, else on the one that dialled him, else on a Local half or a phone of the talk. A
    consultation's file is not the customer's."""
    through = {uniqueid for item in case.together for uniqueid in item.path}
    spoke = {item.channel.uniqueid for item in case.together}
    origin = case.party.origin.uniqueid if case.party.origin is not None else ""
    customers = {channel.uniqueid for channel in case.party.customers}

    def rank(channel: Channel) -> int | None:
        order = (customers, {origin}, through, spoke)
        return next((place for place, members in enumerate(order) if channel.uniqueid in members), None)

    ranked = [
        (place, recording.at, RecordingFile(recording.path, channel.name, channel.uniqueid, recording.at))
        for channel in case.channels
        if (place := rank(channel)) is not None
        for recording in channel.recordings
    ]
    ranked.sort(key=lambda item: item[:2])
    unique = {file.path: file for _, _, file in reversed(ranked)}
    return tuple(file for _, _, file in ranked if unique.pop(file.path, None) is not None)


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
        number=case.board.numbering.e164(external),
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
        holds=derive_holds(case, talks),
        transfers=derive_transfers(case, talks),
        path=derive_path(case),
        last_talker=last.who if last is not None else None,
        owner=derive_owner(case, talks),
        disposition=derive_disposition(case, talks, rang, lost),
        hung_up_by=derive_hung_up_by(case) if ended_at is not None else None,
        answered_at=answered_at,
        ended_at=ended_at,
        lost=lost,
        certain=all(item.certain for item in case.together),
        recordings=derive_recordings(case),
        command=derive_command(case),
        linked=linked,
        aliases=derive_aliases(case),
    )
