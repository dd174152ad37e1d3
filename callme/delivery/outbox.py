"""The pure heart of delivery: what is due on a lane, and what an outcome means for it.

The worker asks `next_step(lane, now)`, takes what is to be sent through `begin` (the store keeps that
before anything leaves), carries it out through the portal, and hands the outcome to `settle`, which returns
the lane as it is afterwards; the store writes both in one transaction. All transitions of a delivery stand
in this file and nowhere else. No clock, no chance, no I/O: `now` and `jitter` are arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from callme.crm.intents import Attach, Finish, Record, Register, Remind, Settle, Transcribe
from callme.crm.port import Ambiguous, Delivered, Later, Outcome, Refused, Unauthorised
from callme.delivery.lane import Delivery, Key, Lane, State
from callme.wording import Phrase


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of delivery, in seconds."""

    show_within_s: float = 15.0  # a show is dropped when it would come later than this after the wish
    hide_delay_s: float = 5.0  # finish waits at most so long for a hide (law 7)
    first_wait_s: float = 1.0  # back-off after `Later` without a wait of the portal's own; doubles
    doubt_wait_s: float = 0.5  # back-off after a lost answer: short, since the next try looks first; doubles
    batch_wait_s: float = 60.0  # the same after a batch: a portal may go on working on it unheard
    longest_wait_s: float = 60.0


RULES = Rules()


# ---------------------------------------------------------------------------------------------------- steps
@dataclass(frozen=True, slots=True)
class Send:
    """Send this record now. `show` is, for a register, who should see the card as of now."""

    key: Key
    record: Record
    show: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SetCards:
    """Show and hide cards now. `until` is the moment after which finish no longer waits for the answer."""

    show: frozenset[str]
    hide: frozenset[str]
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing may be sent before that moment."""

    until: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is owed. `settled` says that the call is over and everything has been told."""

    settled: bool


@dataclass(frozen=True, slots=True)
class Held:
    """The lane stands until a person asks for a retry."""

    why: Phrase


Sendable = Send | SetCards
Step = Sendable | Wait | Idle | Held

NO_BEGINNING = Phrase(
    "The end of this call is queued, but its beginning was never recorded for this portal",
    "Завершение звонка стоит в очереди, но его начало для этого портала не записано",
)
INTERRUPTED = Phrase(
    "The service stopped while this was being sent; whether it arrived is not known",
    "Служба остановилась во время отправки; дошло ли сообщение, неизвестно",
)


def next_step(lane: Lane, now: float, rules: Rules = RULES) -> Step:
    """What the lane needs at `now`. Order: register, cards, finish, attaches; see DESIGN §4 laws 7–10."""
    held = hold(lane)
    if held is not None:
        return Held(held)
    for register in lane.of(Register.KIND):
        if register.state is not State.DONE:
            return _send(register, now, _to_show(lane, now, rules))
    registered = bool(lane.of(Register.KIND))
    ends = [one for one in lane.of(Finish.KIND) if one.state is not State.DONE]
    if registered and not lane.closed:
        cards = _cards(lane, ends[0] if ends else None, now, rules)
        if cards is not None:
            return cards
    if ends:
        return _send(ends[0], now)
    if not lane.closed:
        return Idle(settled=False)
    return _afterwards(lane, now)


def together(lane: Lane, step: Step, now: float) -> tuple[Send, ...]:
    """The records of a call that is over which may travel in one request with other calls': `step`, and the
    finish behind its register unless somebody may still see the call's card. Empty for everything else."""
    if not isinstance(step, Send) or not lane.over or not isinstance(step.record, Register | Finish):
        return ()
    if isinstance(step.record, Finish) or lane.shown or lane.doubted:
        return (step,)
    ends = [one for one in lane.of(Finish.KIND) if one.state is State.WAITING and one.next_at <= now]
    return (step, *(Send(end.key, end.record) for end in ends[:1]))


def hold(lane: Lane) -> Phrase | None:
    """Why the lane stands: a refused register or finish. A refused attach never holds anything."""
    for kind in (Register.KIND, Finish.KIND):
        for one in lane.of(kind):
            if one.state is State.REFUSED:
                return one.why or Phrase("Refused", "Отказано")
    if lane.over and not lane.of(Register.KIND):
        return NO_BEGINNING
    return None


_OPEN = (State.WAITING, State.SENDING)


def is_needless(lane: Lane, record: Record) -> bool:
    """A reminder that was not sent before the client was reached is not sent at all."""
    return isinstance(record, Remind) and bool(lane.of(Settle.KIND))


def _send(delivery: Delivery, now: float, show: frozenset[str] = frozenset()) -> Step:
    if delivery.next_at > now:
        return Wait(delivery.next_at)
    return Send(delivery.key, delivery.record, show)


def _afterwards(lane: Lane, now: float) -> Step:
    """What follows a call that is closed: recordings, what is said in them, a reminder, and its end when that
    is told."""
    kinds = (Attach.KIND, Transcribe.KIND, Remind.KIND)
    waiting = [one for kind in kinds for one in lane.of(kind) if one.state in _OPEN]
    if not any(isinstance(one.record, Remind) for one in waiting):
        waiting += [one for one in lane.of(Settle.KIND) if one.state in _OPEN]
    if not waiting:
        return Idle(settled=True)
    # A recording that is not ready yet does not keep the next one: the earliest due goes first.
    return _send(min(waiting, key=lambda one: (max(one.next_at, now), one.record.ordinal)), now)


def _to_show(lane: Lane, now: float, rules: Rules) -> frozenset[str]:
    """Who should get the card: wanted, not known to have it, and not too late. Nobody once the call is
    over."""
    if lane.over:
        return frozenset()
    return frozenset(
        seer
        for seer, since in lane.wanted.items()
        if seer not in lane.shown and now - since <= rules.show_within_s
    )


def _to_hide(lane: Lane) -> frozenset[str]:
    have = lane.shown | lane.doubted
    return have if lane.over else have - frozenset(lane.wanted)


def _cards(lane: Lane, end: Delivery | None, now: float, rules: Rules) -> SetCards | Wait | None:
    """The order that cards need, or how long it must wait; `None` when the wish is met or given up."""
    show, hide = _to_show(lane, now, rules), _to_hide(lane)
    if not show and not hide:
        return None
    if end is None:
        return Wait(lane.card_next_at) if lane.card_next_at > now else SetCards(show, hide)
    if end.attempts:
        # Only a hide that failed a moment ago does not come first: a portal that was away takes both or none.
        ready = max(end.next_at, lane.card_next_at) <= now
        return SetCards(show, hide, now + rules.hide_delay_s) if ready else None
    limit = end.created_at + rules.hide_delay_s
    if lane.card_tries == 0:
        # After an outage the limit may be long past; the hide still gets its one try, bounded in itself.
        return SetCards(show, hide, max(limit, now + rules.hide_delay_s))
    if now >= limit:
        return None
    return Wait(min(lane.card_next_at, limit)) if lane.card_next_at > now else SetCards(show, hide, limit)


# ------------------------------------------------------------------------------------------------ transitions
# waiting ──begin──▶ sending ──Delivered──▶ done
#    ▲                  ├──Later, Unauthorised──▶ waiting
#    ▲                  ├──not sent after all──▶ waiting (`release`)
#    │                  ├──Ambiguous, a kill───▶ waiting, in doubt
#    │                  └──Refused──▶ refused ──retry──┐
#    └─────────────────────────────────────────────────┘
AFTER: dict[tuple[State, type], State] = {
    (State.SENDING, Delivered): State.DONE,
    (State.SENDING, Later): State.WAITING,
    (State.SENDING, Unauthorised): State.WAITING,
    (State.SENDING, Ambiguous): State.WAITING,
    (State.SENDING, Refused): State.REFUSED,
}


def begin(lane: Lane, step: Sendable, now: float) -> Lane:
    """The lane as it must be kept before the step is sent, so that a kill in between is seen afterwards."""
    if isinstance(step, SetCards):
        return replace(lane, doubted=lane.doubted | step.show, card_tries=lane.card_tries + 1)
    delivery = lane.get(step.key)
    if delivery.state is not State.WAITING:
        raise ValueError(f"{step.key} is {delivery.state}, so it cannot be sent")
    sending = replace(
        delivery,
        state=State.SENDING,
        attempts=delivery.attempts + 1,
        first_at=now if delivery.first_at is None else delivery.first_at,
    )
    return replace(lane.put(sending), doubted=lane.doubted | step.show)


def under_way(lane: Lane) -> Send | None:
    """What is being sent of a lane that was begun by the commit that brought it."""
    for one in lane.deliveries:
        if one.state is State.SENDING:
            return Send(one.key, one.record, lane.doubted)
    return None


def release(lane: Lane, step: Send) -> Lane:
    """The lane with a step that was begun for the first time and surely not sent, as if it had not been."""
    one = lane.get(step.key)
    waiting = replace(one, state=State.WAITING, attempts=one.attempts - 1, first_at=None)
    return replace(lane.put(waiting), doubted=lane.doubted - step.show)


def settle(
    lane: Lane, step: Sendable, outcome: Outcome, now: float, jitter: float = 0.5, rules: Rules = RULES
) -> Lane:
    """The lane after the outcome of that step. `jitter` is a number from 0 up to 1 that the shell drew.

    `lane` is the lane as it is now, with what came in while the step was on its way.
    """
    if isinstance(step, SetCards):
        return _settle_cards(lane, step, outcome, now, jitter, rules)
    delivery = lane.get(step.key)
    after = replace(
        delivery,
        state=AFTER[delivery.state, type(outcome)],
        doubt=not isinstance(outcome, Delivered) and (delivery.doubt or isinstance(outcome, Ambiguous)),
        why=None if isinstance(outcome, Delivered) else outcome.why,
        next_at=retry_at(outcome, delivery.attempts, now, jitter, rules),
    )
    lane = lane.put(after)
    if isinstance(outcome, Delivered | Later):
        lane = replace(lane, memory={**lane.memory, **outcome.memory})
    match step.record:
        case Register():
            return _settle_register_cards(lane, step, outcome, after.doubt)
        case Finish() if isinstance(outcome, Delivered):
            # A finished call has no card any more: nothing is owed.
            return replace(lane, shown=frozenset(), doubted=frozenset(), card_next_at=0.0)
        case Finish():
            # It waits anyway: hides that did not arrive are tried again ahead of its next try.
            return replace(lane, card_tries=0, card_next_at=0.0)
        case _:
            return lane


def _settle_register_cards(lane: Lane, step: Send, outcome: Outcome, doubt: bool) -> Lane:
    if isinstance(outcome, Delivered):
        met = (outcome.shown or frozenset()) & step.show
        return replace(lane, shown=lane.shown | met, doubted=lane.doubted - step.show)
    return lane if doubt else replace(lane, doubted=frozenset())


def _settle_cards(
    lane: Lane, step: SetCards, outcome: Outcome, now: float, jitter: float, rules: Rules
) -> Lane:
    tries = 1 if any(end.attempts for end in lane.of(Finish.KIND)) else lane.card_tries
    again = retry_at(outcome, tries, now, jitter, rules)
    touched = step.show | step.hide
    if isinstance(outcome, Delivered):
        met = step.show if outcome.shown is None else outcome.shown & step.show
        unmet = step.show - met
        return replace(
            lane,
            memory={**lane.memory, **outcome.memory},
            shown=(lane.shown - step.hide) | met,
            doubted=lane.doubted - touched,
            card_tries=lane.card_tries if unmet else 0,
            card_next_at=_wait(lane.card_tries, rules.first_wait_s, jitter, rules) + now if unmet else 0.0,
        )
    if isinstance(outcome, Refused):
        # Repeating cannot help: this show is given up, and who was to be hidden counts as hidden.
        return replace(
            lane,
            wanted={seer: since for seer, since in lane.wanted.items() if seer not in step.show},
            shown=lane.shown - step.hide,
            doubted=lane.doubted - touched,
            card_tries=0,
            card_next_at=0.0,
        )
    # Not done, or not known: who was sent a card stays in doubt, which costs at most one hide too many.
    return replace(lane, card_next_at=again)


def interrupted(lane: Lane, now: float) -> Lane:
    """The lane as found after a kill: what was being sent waits again, in doubt."""
    for one in lane.deliveries:
        if one.state is State.SENDING:
            lane = lane.put(replace(one, state=State.WAITING, doubt=True, next_at=now, why=INTERRUPTED))
    return lane


def retry(lane: Lane, key: Key, now: float) -> Lane:
    """The lane with that refused or waiting delivery due now. `ValueError` when it is done or being sent."""
    one = lane.get(key)
    if one.state not in (State.REFUSED, State.WAITING):
        raise ValueError(f"{key} is {one.state}: there is nothing to retry")
    return lane.put(replace(one, state=State.WAITING, next_at=now))


# --------------------------------------------------------------------------------------------------- back-off
def retry_at(outcome: Outcome, tries: int, now: float, jitter: float, rules: Rules = RULES) -> float:
    """When the next try may be made. A wait that the portal named outranks our guess (law 8)."""
    match outcome:
        case Later(wait_s=float() | int() as wait_s):
            return now + max(0.0, wait_s)
        case Later():
            return now + _wait(tries, rules.first_wait_s, jitter, rules)
        case Ambiguous():
            return now + _wait(tries, rules.doubt_wait_s, jitter, rules)
        case _:
            return now


def _wait(tries: int, first_s: float, jitter: float, rules: Rules) -> float:
    return spread(min(rules.longest_wait_s, first_s * 2.0 ** min(max(tries, 1) - 1, 16)), jitter)


def spread(seconds: float, jitter: float) -> float:
    """The wait moved by up to a quarter either way, so that lanes which failed together do not return
    together."""
    return seconds * (0.75 + 0.5 * jitter)


def due_at(lane: Lane, now: float, rules: Rules = RULES) -> float | None:
    """When the lane wants attention next: `now` if at once, `None` if it is at rest or held."""
    match next_step(lane, now, rules):
        case Wait(until):
            return until
        case Idle() | Held():
            return None
        case _:
            return now
