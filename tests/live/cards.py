"""Who had to see a call's card, and when: told by the telephones' own log, and compared with what the portal
showed.

A telephone that rings or talks for the customer puts the card before its owner. A consultation among
colleagues does not, until the customer is joined to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from callme.lab.numbering import EXTENSIONS, MOBILES, person
from callme.lab.phones import Seen, far_end
from callme.lab.play import ENDINGS, OPENINGS, Played
from callme.lab.sandboxes.bitrix24.state import Card
from callme.lab.script import Attended, Dial, KillPbx, Scenario
from callme.lab.truth import TruthCall

PROMPT_S = 2.0
"""So soon a card must be there after the ring began, and gone after it stopped."""

NOTICEABLE_S = 1.0
"""What rings shorter may go by without a card; what is answered sooner may be shown after the answer."""

REBORN_S = 20.0
"""So soon after its death a PBX is back and has told what still lives."""

CROWD = 5
"""When more calls than this come at once a card is in time two seconds after the ring, answered meanwhile
or not: a CRM allows two requests a second, and each call wants one before its card."""

CLOCK_S = 0.3
"""The telephone logs before or after the PBX tells."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One person had to see the card from `since` until `until`. It may be shown from `earliest` on."""

    extension: str
    since: float
    until: float
    earliest: float
    answered: float | None = None

    @property
    def noticeable(self) -> bool:
        """Long enough for a card."""
        return self.until - self.since >= NOTICEABLE_S

    @property
    def due(self) -> float:
        """When the card had to be there: two seconds after the ring, and before the answer if that left
        time."""
        late = self.since + PROMPT_S
        return (
            min(late, self.answered) if self.answered and self.answered - self.since >= NOTICEABLE_S else late
        )


@dataclass(frozen=True, slots=True)
class _Leg:
    """One SIP call of one telephone. `left` is its end, or the moment when it gave the call away."""

    leg: str
    opened_by: str
    opened: float
    answered: float | None
    left: float
    number: str
    caller: str


def wrong(played: Played, truth: TruthCall, cards: Sequence[tuple[str, Card]]) -> Iterator[str]:
    """What is wrong with the cards of that call: (extension, card) of every showing."""
    stretches = list(_stretches(played, truth))
    start = played.started
    dies = any(isinstance(step.deed, KillPbx) for step in played.scenario.steps)
    late = REBORN_S if dies else PROMPT_S
    for extension, card in cards:
        told = f"card of {extension or 'nobody'} {_span(card.shown_at, card.hidden_at, start)}"
        own = [one for one in _merged(stretches) if one.extension == extension]
        if card.hidden_at is None:
            yield f"{told}: still shown"
        elif not any(_within(card, one, late) for one in own):
            spans = ", ".join(_span(one.since, one.until, start) for one in own) or "never"
            yield f"{told}: had to be seen {spans}"
    crowded = len(played.scenario.truth.calls) > CROWD
    for one in stretches:
        if crowded:
            one = replace(one, answered=None)
        if dies:  # nobody watched when the talk ended
            one = replace(one, until=one.due)
        if one.noticeable and not any(ext == one.extension and _covers(card, one) for ext, card in cards):
            mine = ", ".join(
                _span(c.shown_at, c.hidden_at, start) for ext, c in cards if ext == one.extension
            )
            due = f"due at {one.due - start:.2f}"
            span = _span(one.since, one.until, start)
            yield f"{one.extension} had to see it {span}, {due}; saw {mine or 'none'}"


def _span(since: float, until: float | None, start: float) -> str:
    return f"{since - start:.2f}–{'' if until is None else f'{until - start:.2f}'} s"


def _within(card: Card, one: Stretch, late: float) -> bool:
    assert card.hidden_at is not None
    return card.shown_at >= one.earliest - CLOCK_S and card.hidden_at <= one.until + late


def _covers(card: Card, one: Stretch) -> bool:
    return card.shown_at <= one.due and (card.hidden_at is None or card.hidden_at >= one.until - CLOCK_S)


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches of one person that follow each other closely are one."""
    found: list[Stretch] = []
    for one in sorted(stretches, key=lambda stretch: (stretch.extension, stretch.since)):
        last = found[-1] if found else None
        if last and last.extension == one.extension and one.since - last.until <= PROMPT_S:
            found[-1] = replace(last, until=max(last.until, one.until))
        else:
            found.append(one)
    return found


# --------------------------------------------------------------------------------- from the log
def _stretches(played: Played, truth: TruthCall) -> Iterator[Stretch]:
    scenario, legs = played.scenario, _of_call(truth, played.scenario, _legs(played.seen))
    people = {ext for step in truth.rang for ext in step}
    people |= {who for who in (*truth.talkers, truth.answered_by, truth.user, truth.caller) if who}
    end = max((leg.left for leg in legs if _customers(leg, scenario, truth)), default=played.ended)
    if truth.direction == "out" and truth.disposition != "answered":
        end = played.ended  # the caller listens to tones, and another trunk may be tried
    for leg in legs:
        for stretch in _of_leg(leg, legs, scenario, truth):
            if stretch.extension in people and stretch.since < end:
                yield replace(stretch, until=min(stretch.until, end))


def _of_call(truth: TruthCall, scenario: Scenario, legs: list[_Leg]) -> list[_Leg]:
    """Where a scenario has several customers' calls: the legs of this one, told apart by the caller's number
    and, where one customer calls twice, by what he dialled last."""
    calls = [one for one in scenario.truth.calls if one.direction != "internal"]
    if len(calls) == 1:
        return legs
    if truth.direction == "out":
        return [leg for leg in legs if leg.caller == truth.caller or leg.number == truth.external]
    same = [one for one in calls if one.external == truth.external]
    own = [one is truth for one in same].index(True)
    dialled = [leg for leg in legs if leg.opened_by == "call" and leg.caller == truth.external]
    since = dialled[own].opened
    until = dialled[own + 1].opened if own + 1 < len(dialled) else float("inf")
    return [leg for leg in legs if leg.caller == truth.external and since <= leg.opened < until]


def _of_leg(leg: _Leg, legs: list[_Leg], scenario: Scenario, truth: TruthCall) -> Iterator[Stretch]:
    dial = next((deed for deed in _dials(scenario) if deed.leg == leg.leg), None)
    if far_end(leg.leg):
        owner = _owner(leg.number, scenario)
        if owner and truth.direction == "in":
            yield Stretch(owner, leg.opened, leg.left, leg.opened, leg.answered)
    elif dial is None:
        if (since := _joined(leg, legs, scenario)) is not None:
            yield Stretch(
                person(leg.leg), since, leg.left, since, leg.answered if since == leg.opened else None
            )
    elif truth.direction == "out" and dial is _first_dial(scenario, truth.caller):
        rang = [one.opened for one in legs if far_end(one.leg)]
        if rang:
            yield Stretch(dial.phone, min(rang), leg.left, leg.opened)
    elif not dial.phone.isdigit() or dial.number in EXTENSIONS:
        return  # the customer himself, or a talk among colleagues
    elif leg.answered is not None:  # took the call by a feature code
        yield Stretch(dial.phone, leg.answered, leg.left, leg.opened)


def _customers(leg: _Leg, scenario: Scenario, truth: TruthCall) -> bool:
    """The customer's telephone: without it there is no call to see a card of, though a colleague's mobile may
    stay on the line (its mailbox is still asked for a key)."""
    called = any(one.leg == leg.leg and not one.phone.isdigit() for one in _dials(scenario))
    return called or (truth.direction == "out" and far_end(leg.leg))


def _dials(scenario: Scenario) -> Iterator[Dial]:
    return (step.deed for step in scenario.steps if isinstance(step.deed, Dial))


def _first_dial(scenario: Scenario, phone: str | None) -> Dial | None:
    return next((deed for deed in _dials(scenario) if deed.phone == phone), None)


def _owner(mobile: str, scenario: Scenario) -> str | None:
    """Whose mobile that is: by follow-me, or by a forward that the scenario sets (`CF/105`)."""
    forwards = {number: row.partition("/")[2] for row, number in scenario.astdb.items()}
    followed = {number: ext for ext, number in MOBILES.items()}
    return forwards.get(mobile) or followed.get(mobile)


def _joined(leg: _Leg, legs: list[_Leg], scenario: Scenario) -> float | None:
    """When a rung telephone came to the customer's call: at once, or by the transfer that ended a
    consultation; never when the consultation ended without."""
    for step in scenario.steps:
        deed = step.deed
        if not (isinstance(deed, Dial) and deed.phone.isdigit() and deed.number == leg.leg):
            continue
        asking = next((one for one in legs if one.leg == deed.leg), None)
        if asking is None or not asking.opened <= leg.opened <= asking.left:
            continue
        gave = [
            s.deed.leg for s in scenario.steps if isinstance(s.deed, Attended) and s.deed.consult == deed.leg
        ]
        return next((one.left for one in legs if one.leg in gave), None)
    return leg.opened


def _legs(seen: Sequence[Seen]) -> list[_Leg]:
    found = []
    for opening in (one for one in seen if one.what in OPENINGS):
        words = [one for one in seen if one.call == opening.call]
        answered = next((one.at for one in words if one.what in ("answer", "answered")), None)
        left = next((one.at for one in words if one.what in ENDINGS | {"refer"}), words[-1].at)
        number, caller = [*(word.lstrip("+") for word in opening.detail.split()), "", ""][:2]
        found.append(_Leg(opening.leg, opening.what, opening.at, answered, left, number, caller))
    return found
