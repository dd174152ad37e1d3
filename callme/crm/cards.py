"""Who should see a call's card: whoever rings or talks, as far as the portal's rules let him.

`crm.policy` asks for each change of a call. Pure. A rule goes by who it is and by the ring group or queue
that rings him; the first that fits decides. That a client is somebody's own only the portal can tell: those
people are named in `Wish.asking`, and the adapter looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from callme.calls.model import Call, Step
from callme.calls.model import Direction as Heading
from callme.calls.numbering import pattern

MOMENT_S = 0.05
"""A place in the dialplan and the ringing that it causes may be told in either order."""


class When(StrEnum):
    """When somebody sees the card."""

    RING = "ring"  # as soon as his phone rings, and while he talks
    ANSWER = "answer"  # while he talks
    RESPONSIBLE = "responsible"  # as `RING`, but only the client's own responsible, where there is one
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class CardRule:
    """For these people: their extensions as patterns, the queues and ring groups that ring them by number.
    What is empty fits everybody."""

    when: When
    extensions: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def fits(self, extension: str, station: Step | None) -> bool:
        """Whether it speaks of this person, rung from there."""
        if self.extensions and not any(_shape(text).match(extension) for text in self.extensions):
            return False
        if not self.queues and not self.groups:
            return True
        if station is None:
            return False
        return station.name in (self.queues if station.kind == "queue" else self.groups)


@dataclass(frozen=True, slots=True)
class CardRules:
    """The first rule that fits, else `otherwise`."""

    otherwise: When = When.RING
    rules: tuple[CardRule, ...] = ()

    def of(self, extension: str, station: Step | None) -> When:
        """When this person, rung from there, sees the card."""
        found = (rule.when for rule in self.rules if rule.fits(extension, station))
        return next(found, self.otherwise)


EVERYBODY = CardRules()


@dataclass(frozen=True, slots=True)
class Wish:
    """`seers` should see the card now; of them `asking` only if the portal says that the client is
    theirs."""

    seers: frozenset[str] = frozenset()
    asking: frozenset[str] = frozenset()


NOBODY = Wish()


def wish(call: Call, rules: CardRules = EVERYBODY) -> Wish:
    """Who should see the card now: whoever rings or talks; of an outgoing call its caller until he hangs up
    or somebody else talks."""
    if call.ended_at is not None:
        return NOBODY
    talking = {*call.talking, *call.staying}
    present = {*call.ringing, *call.picking_up, *talking}
    if call.direction is Heading.OUT and not call.talks and call.caller is not None:
        present.add(call.caller)  # he listens to tones, and another trunk may be tried
    if rules is EVERYBODY:
        return Wish(frozenset(present))
    when = {extension: rules.of(extension, _station(call, extension)) for extension in present}
    seers = (
        extension
        for extension, moment in when.items()
        if moment in (When.RING, When.RESPONSIBLE) or (moment is When.ANSWER and extension in talking)
    )
    asking = (extension for extension, moment in when.items() if moment is When.RESPONSIBLE)
    return Wish(frozenset(seers), frozenset(asking))


def _station(call: Call, extension: str) -> Step | None:
    """The ring group or queue that rang this person last; `None` when he was rung by himself."""
    rung = [ring.since for ring in call.rang if ring.extension == extension]
    if not rung:
        return None
    before = [step for step in call.path if step.at <= rung[-1] + MOMENT_S]
    return before[-1] if before and before[-1].kind in ("queue", "group") else None


_shape = lru_cache(maxsize=1024)(pattern)
