"""One call of a cluster, with everything that the derivations look at.

The tracker makes one for each call whenever something in its cluster changed; what several derivations ask
for is worked out once. It decides nothing that a person would read: that is done by the `derive_…`
functions of `whose`, `ringing`, `talking`, `outcome` and `derive`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from callme.calls import path
from callme.calls.facts import DialStatus
from callme.calls.grouping import Cluster, Switchboard
from callme.calls.model import (
    Direction,
)
from callme.calls.numbering import Kind, dialled_number, hidden, parse_name
from callme.calls.observed import Channel
from callme.calls.parties import (
    Party,
    dialler,
    is_inbound,
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
    def outside_since(self) -> float | None:
        """When a colleague first dialled the customer. What rang or was handed over before that belongs to
        the call among colleagues which this one grew from; `None` for other calls."""
        if self.party.direction is not Direction.OUT or self.party.originated:
            return None
        began = [dial.since for leg in self.party.customers for dial in leg.dials]
        return min(began) if began else None

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

    def transferred_out(self, leg: Channel) -> bool:
        """The customer was sent to this outside phone by a blind transfer: it stands for no colleague."""
        by = dialler(self.board, leg)
        at = leg.dials[0].since if leg.dials else leg.born_at
        handovers = [handover for channel in self.party.customers for handover in channel.handovers]
        sent = any(handover.kind == "blind" and handover.at <= at + 1.0 for handover in handovers)
        return sent and by.channel in self.party.customers and not by.through

    def forwarder(self, leg: Channel) -> str | None:
        """The colleague on whose behalf an outside phone was rung."""
        if self.transferred_out(leg):
            return None
        by = dialler(self.board, leg)
        at = leg.dials[0].since if leg.dials else leg.born_at
        top = by.channel or self.party.key
        return path.on_behalf_of(self.board, by.through, top, at, self.groups)

    def person(self, who: str) -> str:
        """An extension or number for a channel's uniqueid, a device (`PJSIP/101`) or a number."""
        channel = self.board.channels.get(who)
        if channel is not None and channel.is_local:
            return parse_name(channel.name).local_exten  # a feature code transfers through a Local channel
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
