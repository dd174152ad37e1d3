"""Records that travel together when many are owed at once (law 10): what would a user see?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from callme.crm.intents import Finish
from callme.crm.port import Ambiguous, Delivered, Exchange, Later, Outcome, Parcel, Unauthorised
from callme.delivery.breaker import Breaker, after, telling
from callme.delivery.lane import State
from callme.delivery.outbox import Idle, Send, begin, next_step, settle, together
from callme.delivery.track import Limits
from tests.delivery.fakes import WHY, FakePortal, attach, cards, finish, lane_of, play, register
from tests.delivery.test_worker import Stage, perform

MOST = 10


class Carrying(FakePortal):
    """Takes ten calls in one request. `answers` decides what becomes of one order of a batch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.capabilities = replace(self.capabilities, batch=MOST)
        self.batches: list[list[str]] = []
        self.at_once = 0
        self.most_batches = 0
        self.batch_s = 1.0
        self.answers: Callable[[str, str], Outcome | None] = lambda word, call: None

    async def batch(self, parcels: Sequence[Parcel]) -> list[tuple[Outcome, ...]]:
        self.batches.append([order.about.call for parcel in parcels for order, _ in parcel.orders[:1]])
        self.at_once += 1
        self.most_batches = max(self.most_batches, self.at_once)
        found = [self._carried(parcel) for parcel in parcels]
        try:
            await asyncio.sleep(self.batch_s)
        finally:
            self.at_once -= 1
        return found

    def _carried(self, parcel: Parcel) -> tuple[Outcome, ...]:
        outcomes: list[Outcome] = []
        for order, attempt in parcel.orders:
            self.log.append((self.clock(), order.about.call, f"batch {order.KIND}"))
            self.attempts.append(attempt)
            attempt.trace.note(order.KIND, "heard")
            known = Delivered({} if isinstance(order, Finish) else {"id": f"portal-{order.about.call}"})
            outcomes.append(self.answers(order.KIND, order.about.call) or known)
            if not isinstance(outcomes[-1], Delivered):
                break
        return tuple(outcomes)


def carrying(stage: Stage) -> Carrying:
    assert isinstance(stage.portal, Carrying)
    return stage.portal


def before(stage: Stage) -> None:
    stage.portal = Carrying(stage.clock)
    stage.worker = stage.new_worker()


Answers = Callable[[str, str], Outcome | None]


def owing(count: int, answers: Answers | None = None, batch_s: float = 1.0) -> Callable[[Stage], None]:
    """So many calls are over, and nothing was told of them."""

    def begin_with(stage: Stage) -> None:
        before(stage)
        carrying(stage).answers = answers or carrying(stage).answers
        carrying(stage).batch_s = batch_s
        for number in range(count):
            stage.ledger.commit(register(f"c{number}"), finish(f"c{number}"))

    return begin_with


def once(outcome: Outcome, kind: str, *calls: str) -> Answers:
    """The first order of that kind of each of these calls ends so."""
    left = set(calls)

    def answers(word: str, call: str) -> Outcome | None:
        if word != kind or call not in left:
            return None
        left.remove(call)
        return outcome

    return answers


def test_a_backlog_takes_few_requests_and_keeps_each_calls_order() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.sleep(60)

    stage = perform(story, before=owing(200))
    assert len(carrying(stage).batches) == 200 / MOST
    assert carrying(stage).most_batches == Limits().batches
    for number in range(200):
        assert stage.portal.words(f"c{number}") == ["batch register", "batch finish"]
        assert [one.state for one in stage.ledger.lanes[f"c{number}"].deliveries] == [State.DONE] * 2
        assert stage.ledger.lanes[f"c{number}"].memory == {"id": f"portal-c{number}"}
        assert stage.ledger.next_at[f"c{number}"] is None


def test_each_order_of_a_batch_is_an_attempt_with_what_was_asked_for_it() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.sleep(10)

    stage = perform(story, before=owing(2))
    kept = [(one.kind, one.number, one.outcome, one.exchanges) for one in stage.ledger.tried]
    for kind in ("register", "finish"):
        assert kept.count((kind, 1, "delivered", (Exchange(kind, "heard"),))) == 2
    assert len(kept) == 4


def test_a_call_that_rings_during_a_backlog_is_told_at_once_and_by_itself() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.sleep(5)
        stage.tell(register("live"), cards("101", "102", call="live"))
        await asyncio.sleep(1)
        assert stage.portal.words("live") == ["register(101,102)", "cards(+101,102 -)"]
        stage.tell(cards(call="live"), finish("live"))
        await asyncio.sleep(90)

    stage = perform(story, before=owing(500))
    assert stage.portal.words("live")[2:3] == ["cards(+ -101,102)"]
    assert stage.portal.words("live")[3:] in (["finish"], ["batch finish"])


def test_calls_that_end_while_little_is_owed_are_finished_by_themselves() -> None:
    async def story(stage: Stage) -> None:
        for number in range(3):
            stage.tell(register(f"c{number}"))
        await asyncio.sleep(1)
        for number in range(3):
            stage.tell(finish(f"c{number}"))
        await asyncio.sleep(1)

    stage = perform(story, before=before)
    assert carrying(stage).batches == []
    assert all(stage.portal.words(f"c{number}") == ["register()", "finish"] for number in range(3))


def test_finishes_alone_travel_together_when_more_are_ready_than_go_side_by_side() -> None:
    async def story(stage: Stage) -> None:
        for number in range(40):
            stage.tell(register(f"c{number}"))
        await asyncio.sleep(5)
        stage.portal.takes_s = lambda word, call: 2.0
        for number in range(40):
            stage.tell(finish(f"c{number}"))
        await asyncio.sleep(20)

    stage = perform(story, before=before)
    assert all(stage.portal.words(f"c{number}")[1] in ("finish", "batch finish") for number in range(40))
    assert len(stage.portal.log) == 80
    assert len(carrying(stage).batches) >= 3


def test_a_batch_without_an_answer_leaves_doubt_about_every_call_in_it() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.sleep(40)
        assert len(carrying(stage).batches) == 1, "the portal may still be working on it"
        await asyncio.sleep(60)

    lost = once(Ambiguous(WHY), "register", *(f"c{number}" for number in range(5)))
    stage = perform(story, before=owing(5, lost))
    assert len(carrying(stage).batches) == 2
    assert [one.doubt for one in stage.portal.attempts[:5]] == [False] * 5
    again = [one for one in stage.portal.attempts[5:] if one.number == 2]
    assert [one.doubt for one in again] == [True] * 5
    assert {one.state for lane in stage.ledger.lanes.values() for one in lane.deliveries} == {State.DONE}


def test_a_register_that_fails_keeps_its_finish_for_later() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.sleep(30)

    stage = perform(story, before=owing(3, once(Later(WHY), "register", "c1")))
    assert stage.portal.words("c1") == ["batch register", "batch register", "batch finish"]
    assert stage.portal.words("c2") == ["batch register", "batch finish"]


def test_a_finish_that_fails_behind_its_register_is_repeated_alone() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.sleep(30)

    stage = perform(story, before=owing(3, once(Later(WHY, 1.0), "finish", "c1")))
    assert stage.portal.words("c1") == ["batch register", "batch finish", "finish"]
    assert stage.portal.attempts[-1].memory == {"id": "portal-c1"}
    assert stage.portal.attempts[-1].number == 2


def test_a_kill_in_the_middle_of_a_batch_is_a_doubt_about_each_register() -> None:
    async def killed(clock: Callable[[], float]) -> Stage:
        stage = Stage(clock)
        owing(5, batch_s=3000.0)(stage)
        running = asyncio.ensure_future(stage.worker.run())
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        stage.worker = stage.new_worker()  # as a new process would: nothing but the table
        carrying(stage).batch_s = 1.0
        again = asyncio.ensure_future(stage.worker.run())
        await asyncio.sleep(40)
        stage.worker.stop()
        await again
        return stage

    stage = play(killed)
    doubts = [(attempt.number, attempt.doubt) for attempt in stage.portal.attempts]
    assert doubts[:10] == [(1, False)] * 10
    assert doubts[10:] == [(2, True), (1, False)] * 5, "the doubt about a register covers its finish"
    assert {one.state for lane in stage.ledger.lanes.values() for one in lane.deliveries} == {State.DONE}


def test_a_portal_that_is_down_gets_a_batch_of_one_call_as_its_probe() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.sleep(600)
        asked = len(carrying(stage).batches)
        assert max(map(len, carrying(stage).batches[8:])) == 1
        assert asked < 80
        carrying(stage).answers = lambda word, call: None
        await asyncio.sleep(60)
        assert len(carrying(stage).batches) - asked <= 12

    stage = perform(story, before=owing(100, lambda word, call: Later(WHY)))
    assert {one.state for lane in stage.ledger.lanes.values() for one in lane.deliveries} == {State.DONE}


# ------------------------------------------------------------------------------------------- the pure part
def test_only_records_of_calls_that_are_over_travel() -> None:
    live = lane_of(register(), cards("101"))
    assert together(live, next_step(live, 0.0), 0.0) == ()
    over = lane_of(register(), finish(), attach())
    assert [one.key for one in together(over, next_step(over, 0.0), 0.0)] == [("register", 0), ("finish", 0)]
    assert together(over, Idle(settled=False), 0.0) == ()


def test_a_finish_waits_for_the_hide_of_a_card_that_somebody_may_see() -> None:
    lane = lane_of(register(), cards("101"))
    step = next_step(lane, 0.0)
    assert isinstance(step, Send)
    lost = settle(begin(lane, step, 0.0), step, Ambiguous(WHY), 1.0)
    over = replace(lost, deliveries=lane_of(register(), finish()).deliveries)
    assert [one.key for one in together(over, next_step(over, 9.0), 9.0)] == [("register", 0)]


def test_a_batch_speaks_of_the_portal_once() -> None:
    refused = Unauthorised(WHY)
    assert telling([Later(WHY), refused, Delivered()]) == refused
    assert telling([Later(WHY), Delivered()]) == Delivered()
    assert after(Breaker(), telling([Later(WHY)] * 25), 0.0).failures == 1
