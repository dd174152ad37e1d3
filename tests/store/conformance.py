"""What every store must do, whatever lies beneath. A backend's test class inherits this and gives
`reopen`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy.exc import IntegrityError

from callme.crm.port import Ambiguous, Delivered, Exchange, Outcome, Refused
from callme.delivery.lane import HandOver, Lane, State
from callme.delivery.ledger import LaneWrite, Tried
from callme.delivery.outbox import Send, SetCards, begin, due_at, hold, next_step, settle
from callme.store import Anomaly, StepWrite, Store
from callme.wording import Phrase
from tests.delivery.fakes import WHY, attach, cards, finish, register
from tests.store.making import PBX, call, step

CALL = "office-1.1"
ASKED = (Exchange('register {"a":"ё"}', "200 {}"), Exchange("look", "not sent: <b>"))
Reopen = Callable[[], Store]


async def start(store: Store, lane: Lane, now: float) -> tuple[Lane, Send | SetCards]:
    """Keeps the beginning of the lane's next step."""
    due = next_step(lane, now)
    assert isinstance(due, Send | SetCards)
    lane = begin(lane, due, now)
    touched = frozenset({due.key} if isinstance(due, Send) else ())
    await store.save(LaneWrite(lane, touched, None, due_at(lane, now), hold(lane)))
    return lane, due


async def end(store: Store, lane: Lane, due: Send | SetCards, outcome: Outcome, now: float) -> Lane:
    """Keeps its outcome."""
    lane = settle(lane, due, outcome, now)
    kind, ordinal = due.key if isinstance(due, Send) else ("cards", 0)
    why = outcome.notice if isinstance(outcome, Delivered) else outcome.why
    tried = Tried(kind, ordinal, 1, now, 12, type(outcome).__name__.lower(), why, ASKED)
    touched = frozenset({due.key} if isinstance(due, Send) else ())
    await store.save(LaneWrite(lane, touched, tried, due_at(lane, now), hold(lane)))
    return lane


async def lane_of(store: Store, name: str = CALL) -> Lane:
    found = await store.lane("main", name)
    assert found is not None
    return found


class StoreConformance:
    """Inherit and provide the fixture `reopen`: a function that opens the same database anew."""

    @pytest.fixture
    async def store(self, reopen: Reopen) -> AsyncIterator[Store]:
        store = reopen()
        yield store
        await store.close()

    # ------------------------------------------------------------------------------------------ the river
    async def test_a_step_survives_whole(self, store: Store, reopen: Reopen) -> None:
        one = call()
        odd = Anomaly(1000.0, Phrase("Odd {name}", "Странно {name}", {"name": WHY}), CALL)
        await store.commit(
            step(
                register(),
                cards("101", "102"),
                states={CALL: {"format": 1, "имя": [1, None]}, "": {"last": 5}},
                calls=(one,),
                told={("main", CALL): {"seers": ["101"]}},
                anomalies=(odd,),
            )
        )
        await store.close()
        store = reopen()
        try:
            resume = await store.load(PBX)
            assert resume.states == {CALL: {"format": 1, "имя": [1, None]}, "": {"last": 5}}
            assert resume.calls == {CALL: one}
            assert resume.told == {("main", CALL): {"seers": ["101"]}}
            lane = await lane_of(store)
            assert [delivery.record for delivery in lane.deliveries] == [register()]
            assert lane.wanted == {"101": 1000.0, "102": 1000.0}
            story = await store.reading.get_call(CALL)
            assert story is not None
            assert story.anomalies == (odd,)
            assert (await store.load("branch")).states == {}
        finally:
            await store.close()

    async def test_a_forgotten_state_and_a_closed_call_are_not_resumed(self, store: Store) -> None:
        await store.commit(step(states={CALL: {"a": 1}}, calls=(call(),)))
        await store.commit(step(states={CALL: None}, calls=(call(ended_at=1020.0),)))
        resume = await store.load(PBX)
        assert (resume.states, resume.calls) == ({}, {})

    async def test_the_same_intent_twice_is_one_row(self, store: Store) -> None:
        for _ in range(2):
            await store.commit(step(register(), finish(), attach(ordinal=0), attach(ordinal=1)))
        await store.commit(step(register(), portal="other"))
        rows = await store.reading.deliveries()
        assert sorted((row.portal, row.kind, row.ordinal) for row in rows) == [
            ("main", "attach", 0),
            ("main", "attach", 1),
            ("main", "finish", 0),
            ("main", "register", 0),
            ("other", "register", 0),
        ]

    async def test_a_wish_that_goes_on_keeps_its_beginning(self, store: Store) -> None:
        await store.commit(step(register(), cards("101")))
        await store.commit(step(cards("101", "102"), at=1005.0))
        assert (await lane_of(store)).wanted == {"101": 1000.0, "102": 1005.0}

    async def test_lanes_are_handed_over_after_the_commit_and_in_order(self, store: Store) -> None:
        handed: list[HandOver] = []
        store.on_hand_over(handed.append)
        await asyncio.gather(
            store.commit(step(register(), cards("101"))),
            store.commit(step(cards("102"), at=1001.0)),
            store.commit(step(finish(), at=1002.0)),
        )
        assert [(one.at, one.fresh, len(one.records)) for one in handed] == [
            (1000.0, True, 1),
            (1001.0, False, 0),
            (1002.0, False, 1),
        ]
        assert handed[0].cards == cards("101")

    async def test_a_new_calls_register_is_begun_by_the_commit_that_brings_it(self, store: Store) -> None:
        handed: list[HandOver] = []
        store.on_hand_over(handed.append, lambda portal: portal == "main")
        await store.commit(step(register(), cards("101")), step(cards("101", "102"), at=1001.0))
        (one,) = handed
        assert one.begun == await lane_of(store)
        assert one.begun is not None
        assert one.begun.doubted == {"101", "102"}
        sending = one.begun.get(("register", 0))
        assert (sending.state, sending.attempts) == (State.SENDING, 1)
        assert await store.recover("main", 1002.0) == 1
        assert (await lane_of(store)).get(("register", 0)).doubt

    async def test_nothing_is_begun_for_who_would_not_send_or_of_a_call_that_is_over(
        self, store: Store
    ) -> None:
        handed: list[HandOver] = []
        store.on_hand_over(handed.append, lambda portal: portal == "main")
        await store.commit(step(register(), portal="other"))
        await store.commit(step(register()), step(finish(), at=1001.0))
        assert [one.begun for one in handed] == [None, None, None]
        assert await store.recover("main", 1002.0) == 0

    async def test_a_commit_whose_caller_left_is_still_handed_over(self, store: Store) -> None:
        handed: list[HandOver] = []
        store.on_hand_over(handed.append)
        leaving = asyncio.ensure_future(store.commit(step(register())))
        await asyncio.sleep(0)
        leaving.cancel()
        await store.commit(step(finish()))
        assert [one.records for one in handed] == [(register(),), (finish(),)]

    async def test_a_bad_step_leaves_nothing_and_spares_its_neighbours(self, store: Store) -> None:
        bad = step(register("bad"), states={"bad": {"cannot": object()}})
        results = await asyncio.gather(
            store.commit(step(register("a"))),
            store.commit(bad),
            store.commit(step(register("b"))),
            return_exceptions=True,
        )
        assert [type(one).__name__ for one in results] == ["NoneType", "StatementError", "NoneType"]
        assert {row.call for row in await store.reading.deliveries()} == {"a", "b"}

    # ------------------------------------------------------------------------------------------ delivery
    async def test_an_attempt_and_its_lane_are_kept(self, store: Store) -> None:
        await store.commit(step(register(), cards("101"), calls=(call(),)))
        lane, due = await start(store, await lane_of(store), 1000)
        kept = await lane_of(store)
        assert kept == lane
        assert kept.get(("register", 0)).state is State.SENDING
        await end(store, lane, due, Delivered({"id": "7"}, frozenset({"101"}), WHY), 1001)
        kept = await lane_of(store)
        assert kept.memory == {"id": "7"}
        assert (kept.shown, kept.doubted) == (frozenset({"101"}), frozenset())
        story = await store.reading.get_call(CALL)
        assert story is not None
        (row,) = story.deliveries
        assert (row.state, row.attempts, row.settled_at) == (State.DONE, 1, 1001.012)
        (tried,) = story.attempts
        assert (tried.kind, tried.outcome, tried.took_ms, tried.why) == ("register", "delivered", 12, WHY)
        assert tried.exchanges == ASKED

    async def test_the_wish_belongs_to_the_river(self, store: Store) -> None:
        await store.commit(step(register(), cards("101")))
        lane, due = await start(store, await lane_of(store), 1000)
        await store.commit(step(cards("102"), at=1001.0))
        await end(store, lane, due, Delivered(), 1002)
        assert (await lane_of(store)).wanted == {"102": 1001.0}

    async def test_one_delivery_of_a_lane_is_in_progress(self, store: Store) -> None:
        await store.commit(step(register(), finish()))
        lane, _ = await start(store, await lane_of(store), 1000)
        both = lane.put(begin(lane, Send(("finish", 0), finish()), 1000).get(("finish", 0)))
        with pytest.raises(IntegrityError):
            await store.save(LaneWrite(both, frozenset({("finish", 0)}), None, 1000, None))

    async def test_lanes_become_due_by_their_time(self, store: Store) -> None:
        for number in range(5):
            await store.commit(step(register(f"c{number}"), at=1000.0 + number))
        due = await store.due("main", 1002.0, 10)
        assert [lane.call for lane in due.lanes] == ["c0", "c1", "c2"]
        assert due.next_at == 1003.0
        assert [lane.call for lane in (await store.due("main", 1002.0, 2)).lanes] == ["c0", "c1"]
        assert (await store.due("other", 9e9, 10)).lanes == ()

    async def test_after_a_kill_what_was_being_sent_waits_in_doubt(
        self, store: Store, reopen: Reopen
    ) -> None:
        await store.commit(step(register(), finish(), calls=(call(),)))
        await start(store, await lane_of(store), 1000)
        await store.close()
        store = reopen()
        try:
            assert await store.recover("main", 2000) == 1
            assert await store.recover("main", 2000) == 0
            one = (await store.due("main", 2000, 10)).lanes[0].get(("register", 0))
            assert (one.state, one.doubt, one.attempts, one.first_at) == (State.WAITING, True, 1, 1000)
            story = await store.reading.get_call(CALL)
            assert story is not None
            assert [tried.outcome for tried in story.attempts] == ["interrupted"]
        finally:
            await store.close()

    async def test_recovery_wakes_open_lanes_and_late_recordings_but_not_what_is_settled_or_held(
        self, store: Store
    ) -> None:
        for name, outcomes, last in (
            ("open", [Delivered()], register("open")),
            ("settled", [Delivered(), Delivered()], finish("settled")),
            ("held", [Refused(WHY)], finish("held")),
        ):
            await store.commit(step(register(name), last))
            for outcome in outcomes:
                lane, due = await start(store, await lane_of(store, name), 1000)
                await end(store, lane, due, outcome, 1000)
        assert (await store.due("main", 9e9, 10)).lanes == ()
        await store.recover("main", 2000)
        assert [lane.call for lane in (await store.due("main", 2000, 10)).lanes] == ["open"]
        await store.commit(step(attach("settled"), at=2001.0))
        assert "settled" in [lane.call for lane in (await store.due("main", 2001, 10)).lanes]

    async def test_retry_frees_a_held_lane_and_says_when_there_is_nothing_to_retry(
        self, store: Store
    ) -> None:
        handed: list[HandOver] = []
        await store.commit(step(register()))
        lane, due = await start(store, await lane_of(store), 1000)
        await end(store, lane, due, Refused(WHY), 1000)
        (row,) = await store.reading.deliveries(State.REFUSED)
        assert (row.held, row.why) == (WHY, WHY)
        store.on_hand_over(handed.append)
        assert await store.retry(row.id, 3000)
        assert [(one.call, one.reload) for one in handed] == [(CALL, True)]
        lane = (await store.due("main", 3000, 10)).lanes[0]
        lane, due = await start(store, lane, 3000)
        await end(store, lane, due, Delivered(), 3000)
        assert not await store.retry(row.id, 4000)
        assert not await store.retry(999, 4000)

    async def test_backlog_and_pause_are_seen_per_portal(self, store: Store) -> None:
        await store.commit(step(register("a"), finish("a"), at=1000.0))
        await store.commit(step(register("b"), at=900.0))
        await store.commit(step(register("a"), portal="other", at=950.0))
        lane, due = await start(store, await lane_of(store, "b"), 1000)
        await end(store, lane, due, Refused(WHY), 1000)
        await store.pause("main", WHY, 1001)
        main, other = await store.reading.backlog()
        assert (main.portal, main.waiting, main.refused, main.oldest_at) == ("main", 2, 1, 1000.0)
        assert main.paused == WHY
        assert (other.waiting, other.oldest_at, other.paused) == (1, 950.0, None)
        await store.pause("main", None, 1002)
        assert (await store.reading.backlog())[0].paused is None

    async def test_cards_in_doubt_survive(self, store: Store) -> None:
        await store.commit(step(register()))
        lane, due = await start(store, await lane_of(store), 1000)
        await end(store, lane, due, Delivered(), 1000)
        await store.commit(step(cards("101")))
        lane, due = await start(store, await lane_of(store), 1000)
        assert (await lane_of(store)).doubted == {"101"}
        await end(store, lane, due, Ambiguous(WHY), 1000)
        kept = await lane_of(store)
        assert (kept.doubted, kept.card_tries, kept.card_next_at) == (frozenset({"101"}), 1, 1000.5)

    async def test_many_writers_share_few_transactions(self, store: Store) -> None:
        await asyncio.gather(*(store.commit(step(register(f"c{number}"))) for number in range(200)))
        assert len(await store.reading.deliveries(limit=500)) == 200
        assert store.groups < 100

    async def test_an_empty_step_is_fine(self, store: Store) -> None:
        await store.commit(StepWrite(PBX, 1000.0))
        assert (await store.load(PBX)).states == {}
