"""The pure outbox. Invariants first:

- a lane's records are delivered in order, each once: register, finish, then attaches;
- the hide of a card that may be seen is sent before finish, unless finish has waited as long as it may;
- no card is shown for a call that is over, nor late;
- whatever the portal answers, once it delivers again the lane comes to rest or stands held, and says why.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callme.crm.intents import Attach, Finish, Intent
from callme.crm.port import Ambiguous, Delivered, Later, Outcome, Refused, Unauthorised
from callme.delivery import outbox
from callme.delivery.lane import Lane, State, extend
from callme.delivery.outbox import (
    RULES,
    Held,
    Idle,
    Send,
    SetCards,
    Step,
    Wait,
    begin,
    interrupted,
    next_step,
    retry,
    settle,
)
from tests.delivery.fakes import WHY, attach, cards, finish, handed, lane_of, register


def carry(lane: Lane, outcome: Outcome, now: float) -> Lane:
    """The lane after its next step ended so."""
    step = next_step(lane, now)
    assert isinstance(step, Send | SetCards), step
    return settle(begin(lane, step, now), step, outcome, now)


def word(step: Step) -> str:
    match step:
        case Send(key=(kind, ordinal)):
            return f"{kind} {ordinal}"
        case SetCards(show, hide):
            return f"cards +{sorted(show)} -{sorted(hide)}"
        case Wait(until):
            return f"wait {until:g}"
        case Idle(settled):
            return "settled" if settled else "idle"
        case Held():
            return "held"


@pytest.mark.parametrize(
    ("intents", "expected"),
    [
        ((register(),), "register 0"),
        ((cards("101"), register()), "register 0"),
        ((finish(), register()), "register 0"),
        ((attach(), finish(), register()), "register 0"),
        ((finish(),), "held"),
        ((cards("101"),), "idle"),
    ],
)
def test_register_goes_first(intents: tuple[Intent, ...], expected: str) -> None:
    assert word(next_step(lane_of(*intents), 0)) == expected


def test_the_whole_way_of_a_call() -> None:
    lane = lane_of(register(), cards("101", "102"))
    assert next_step(lane, 0) == Send(("register", 0), register(), frozenset({"101", "102"}))
    lane = carry(lane, Delivered({"id": "7"}, shown=frozenset({"101"})), 0)
    assert lane.memory == {"id": "7"}
    assert next_step(lane, 0) == SetCards(frozenset({"102"}), frozenset())
    lane = carry(lane, Delivered(shown=frozenset({"102"})), 0)
    assert word(next_step(lane, 0)) == "idle"
    lane = extend(lane, handed(cards("102"), at=1))
    assert next_step(lane, 1) == SetCards(frozenset(), frozenset({"101"}))
    lane = carry(lane, Delivered(), 1)
    lane = extend(lane, handed(cards(), finish(), attach(ordinal=0), attach(ordinal=1), at=9))
    assert next_step(lane, 9) == SetCards(frozenset(), frozenset({"102"}), until=14)
    lane = carry(lane, Delivered(), 9)
    for expected in ("finish 0", "attach 0", "attach 1"):
        assert word(next_step(lane, 9)) == expected
        lane = carry(lane, Delivered(), 9)
    assert word(next_step(lane, 9)) == "settled"


def test_a_wish_that_changes_while_register_is_on_its_way_merges_into_one_order() -> None:
    lane = lane_of(register(), cards("101"))
    step = next_step(lane, 0)
    assert isinstance(step, Send)
    lane = begin(lane, step, 0)
    for seers in (("101", "102"), ("102", "103"), ("102", "103", "104")):
        lane = extend(lane, handed(cards(*seers), at=1))
    lane = settle(lane, step, Delivered(shown=frozenset({"101"})), 2)
    assert next_step(lane, 2) == SetCards(frozenset({"102", "103", "104"}), frozenset({"101"}))


def test_what_is_over_is_never_shown() -> None:
    lane = lane_of(register(), cards("101"), finish())
    assert next_step(lane, 0) == Send(("register", 0), register(), frozenset())
    lane = carry(lane, Delivered(), 0)
    assert word(next_step(lane, 0)) == "finish 0"


def test_a_show_that_would_be_late_is_dropped_but_its_successor_is_not() -> None:
    late = RULES.show_within_s + 1
    lane = lane_of(register(), cards("101"))
    assert next_step(lane, late) == Send(("register", 0), register(), frozenset())
    lane = carry(extend(lane, handed(cards("101", "102"), at=late)), Delivered(), late)
    assert next_step(lane, late) == SetCards(frozenset({"102"}), frozenset())


def test_hide_is_tried_before_finish_and_delays_it_by_its_limit_at_most() -> None:
    lane = carry(lane_of(register(), cards("101")), Delivered(shown=frozenset({"101"})), 0)
    lane = extend(lane, handed(cards(), finish(), at=10))
    lane = carry(lane, Later(WHY, wait_s=30), 10)
    assert next_step(lane, 10) == Wait(15)
    assert word(next_step(lane, 15)) == "finish 0"


def test_hide_after_an_outage_gets_its_one_try() -> None:
    lane = carry(lane_of(register(), cards("101")), Delivered(shown=frozenset({"101"})), 0)
    lane = extend(lane, handed(finish(), at=10))
    assert next_step(lane, 4000) == SetCards(frozenset(), frozenset({"101"}), until=4005)
    assert word(next_step(carry(lane, Ambiguous(WHY), 4000), 4000)) == "finish 0"


def test_who_was_sent_a_card_in_doubt_is_owed_a_hide() -> None:
    lane = carry(lane_of(register()), Delivered(), 0)
    lane = extend(lane, handed(cards("101"), at=1))
    lane = carry(lane, Ambiguous(WHY), 1)
    lane = extend(lane, handed(cards(), at=2))
    assert next_step(lane, 2) == SetCards(frozenset(), frozenset({"101"}))


def test_a_refused_show_is_given_up() -> None:
    lane = carry(lane_of(register()), Delivered(), 0)
    lane = carry(extend(lane, handed(cards("101"), at=1)), Refused(WHY), 1)
    assert word(next_step(lane, 1)) == "idle"


def test_a_refused_register_holds_until_retry() -> None:
    lane = carry(lane_of(register(), finish()), Refused(WHY), 0)
    assert next_step(lane, 9e9) == Held(WHY)
    lane = retry(lane, ("register", 0), 20)
    assert word(next_step(lane, 20)) == "register 0"
    lane = carry(carry(lane, Delivered(), 20), Delivered(), 20)
    assert word(next_step(lane, 20)) == "settled"


def test_a_refused_or_late_attach_never_blocks() -> None:
    lane = lane_of(register(), finish(), attach(ordinal=0), attach(ordinal=1), attach(ordinal=2))
    for outcome in (Delivered(), Delivered(), Refused(WHY), Later(WHY, 60)):
        lane = carry(lane, outcome, 0)
    assert word(next_step(lane, 0)) == "attach 2"
    lane = carry(lane, Delivered(), 0)
    assert next_step(lane, 0) == Wait(60)
    assert word(next_step(carry(lane, Delivered(), 60), 60)) == "settled"


@pytest.mark.parametrize(
    ("outcome", "wait", "doubt"),
    [
        (Later(WHY), 1.0, False),
        (Later(WHY, wait_s=17), 17.0, False),
        (Later(WHY, wait_s=0), 0.0, False),
        (Ambiguous(WHY), 0.5, True),
        (Unauthorised(WHY), 0.0, False),
    ],
)
def test_what_an_outcome_means_for_the_next_try(outcome: Outcome, wait: float, doubt: bool) -> None:
    lane = carry(lane_of(register()), outcome, 100)
    one = lane.get(("register", 0))
    assert (one.state, one.next_at, one.doubt, one.why) == (State.WAITING, 100 + wait, doubt, WHY)


def test_doubt_stays_until_it_is_delivered() -> None:
    lane = lane_of(register())
    for now, outcome in ((0, Ambiguous(WHY)), (10, Later(WHY, 0)), (20, Refused(WHY))):
        lane = carry(lane, outcome, now)
        assert lane.get(("register", 0)).doubt
    lane = carry(retry(lane, ("register", 0), 9000), Delivered(), 9000)
    assert not lane.get(("register", 0)).doubt


def test_what_a_kill_interrupted_waits_in_doubt() -> None:
    lane = lane_of(register())
    step = next_step(lane, 0)
    assert isinstance(step, Send)
    lane = interrupted(begin(lane, step, 0), 50)
    one = lane.get(("register", 0))
    assert (one.state, one.doubt, one.attempts, one.first_at) == (State.WAITING, True, 1, 0)
    assert word(next_step(lane, 50)) == "register 0"


@pytest.mark.parametrize(
    "outcome", [Delivered(), Later(WHY), Refused(WHY), Unauthorised(WHY), Ambiguous(WHY)]
)
def test_an_outcome_of_what_was_not_being_sent_is_refused(outcome: Outcome) -> None:
    lane = lane_of(register())
    with pytest.raises(KeyError):
        settle(lane, Send(("register", 0), register()), outcome, 0)
    done = carry(lane, Delivered(), 0)
    with pytest.raises(ValueError, match="done"):
        begin(done, Send(("register", 0), register()), 0)
    with pytest.raises(ValueError, match="nothing to retry"):
        retry(done, ("register", 0), 0)


def test_back_off_grows_to_its_ceiling_and_jitter_spreads_it() -> None:
    waits = [outbox.retry_at(Later(WHY), tries, 0, 0.5) for tries in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[0] == 1
    assert waits[-1] == RULES.longest_wait_s
    assert outbox.spread(8, 0.0) == 6
    assert outbox.spread(8, 1.0) == 10


def test_the_same_hand_over_twice_changes_nothing() -> None:
    first = handed(register(), cards("101"), finish(), at=3)
    lane = extend(Lane("main", "office-1.1"), first)
    assert extend(lane, first) == lane


# ------------------------------------------------------------------------------------------------ every way
EXTENSIONS = ("101", "102", "103")
outcomes = st.one_of(
    st.just(Delivered()),
    st.builds(Delivered, st.just({}), st.frozensets(st.sampled_from(EXTENSIONS))),
    st.builds(Later, st.just(WHY), st.one_of(st.none(), st.floats(0, 100))),
    st.just(Refused(WHY)),
    st.just(Unauthorised(WHY)),
    st.just(Ambiguous(WHY)),
)
happenings = st.one_of(
    st.builds(lambda seers: cards(*seers), st.frozensets(st.sampled_from(EXTENSIONS))),
    st.sampled_from([register(), finish(), attach(ordinal=0), attach(ordinal=1)]),
    st.floats(0, 30),  # time passes
    outcomes,  # the step on its way ends so, or one begins and ends so later
    st.just("kill"),
)


class Watch:
    """Plays one lane and looks at every step that is sent."""

    def __init__(self) -> None:
        self.lane = lane_of(register())
        self.now = 0.0
        self.on_its_way: Send | SetCards | None = None
        self.delivered: list[str] = []
        self.may_see: set[str] = set()
        self.finish_queued_at: float | None = None
        self.hide_tried = False

    def happen(self, what: object) -> None:
        match what:
            case float() | int():
                self.now += float(what)
            case "kill":
                self.lane = interrupted(self.lane, self.now)
                self.on_its_way = None
            case Delivered() | Later() | Refused() | Unauthorised() | Ambiguous():
                self.end(what)
            case _:
                self.lane = extend(self.lane, handed(what, at=self.now))  # type: ignore[arg-type]
                if isinstance(what, Finish) and self.finish_queued_at is None:
                    self.finish_queued_at = self.now

    def end(self, outcome: Outcome) -> None:
        if self.on_its_way is None:
            self.start()
            return
        step, self.on_its_way = self.on_its_way, None
        self.lane = settle(self.lane, step, outcome, self.now)
        if isinstance(step, SetCards):
            if isinstance(outcome, Delivered | Refused):
                self.may_see -= step.hide
        elif isinstance(outcome, Delivered):
            self.delivered.append(word(step))

    def start(self) -> None:
        step = next_step(self.lane, self.now)
        if not isinstance(step, Send | SetCards):
            return
        show = step.show
        if show:
            assert self.finish_queued_at is None, "a card for a call that is over"
            assert all(self.now - self.lane.wanted[seer] <= RULES.show_within_s for seer in show), "late card"
        if isinstance(step, SetCards):
            assert "register 0" in self.delivered, "cards before register"
            assert "finish 0" not in self.delivered, "cards after finish"
            self.hide_tried |= self.finish_queued_at is not None and bool(step.hide)
        elif isinstance(step.record, Finish):
            assert "register 0" in self.delivered
            owed = self.lane.shown | self.lane.doubted
            waited = self.now - (self.finish_queued_at or 0) >= RULES.hide_delay_s
            assert not owed or (waited and self.hide_tried), "finish before the hide"
        elif isinstance(step.record, Attach):
            assert "finish 0" in self.delivered
        assert not isinstance(step, Send) or word(step) not in self.delivered, "delivered twice"
        self.may_see |= show
        self.lane = begin(self.lane, step, self.now)
        self.on_its_way = step

    def let_it_rest(self) -> Step:
        """The portal delivers everything from now on, and a person retries what holds."""
        for _ in range(60):
            if self.on_its_way is not None:
                self.end(Delivered())
            step = next_step(self.lane, self.now)
            if isinstance(step, Wait):
                self.now = step.until
            elif isinstance(step, Held):
                for one in self.lane.deliveries:
                    if one.state is State.REFUSED and not isinstance(one.record, Attach):
                        self.lane = retry(self.lane, one.key, self.now)
            elif isinstance(step, Idle):
                return step
            self.start()
        raise AssertionError("the lane never comes to rest")


@settings(max_examples=400, deadline=None)
@given(st.lists(happenings, max_size=40))
def test_whatever_happens_the_invariants_hold_and_the_lane_ends(story: list[object]) -> None:
    watch = Watch()
    for what in story:
        watch.happen(what)
    end = watch.let_it_rest()
    assert end == Idle(settled=watch.lane.over)
    records = [one for one in watch.delivered if not one.startswith("attach")]
    assert records == (["register 0", "finish 0"] if watch.lane.over else ["register 0"])
    assert len(set(watch.delivered)) == len(watch.delivered)
