"""The worker with a fake portal and a ledger in memory, under virtual time: what would a user see?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from callme.crm.intents import Attach, Cards, Intent, Remind, Settle, Transcribe
from callme.crm.port import (
    Ambiguous,
    Audio,
    Capabilities,
    Delivered,
    Exchange,
    Later,
    Outcome,
    Refused,
    Unauthorised,
)
from callme.crm.transcript import Line, Side
from callme.delivery.breaker import PAUSE_S
from callme.delivery.lane import HandOver, State
from callme.delivery.outbox import Send, begin, next_step, retry
from callme.delivery.track import Limits
from callme.delivery.worker import Worker
from callme.errors import StoreError
from callme.wording import Phrase
from tests.delivery.fakes import (
    PORTAL,
    WHY,
    FakePortal,
    MemoryLedger,
    about,
    attach,
    cards,
    finish,
    play,
    prepare,
    register,
    transcribe,
)

SAID = (Line(Side.CUSTOMER, 0, 1, "Hello"), Line(Side.EMPLOYEE, 1, 2, "Yes"))
Story = Callable[["Stage"], Awaitable[None]]


class Stage:
    """A worker at work, and its surroundings."""

    def __init__(self, clock: Callable[[], float], limits: Limits | None = None) -> None:
        self.clock = clock
        self.portal = FakePortal(clock)
        self.ledger = MemoryLedger(clock)
        self.prepare = prepare
        self.said: Callable[[Transcribe], tuple[Line, ...] | Later | Refused] = lambda order: SAID
        self.limits = limits
        self.worker = self.new_worker()

    def new_worker(self) -> Worker:
        async def ready(order: Attach) -> Audio | Later | Refused:
            return await self.prepare(order)

        async def listen(order: Transcribe) -> tuple[Line, ...] | Later | Refused:
            return self.said(order)

        return Worker(
            self.portal,
            self.ledger,
            ready,
            self.clock,
            listen=listen,
            limits=self.limits,
            chance=lambda: 0.5,
        )

    def tell(self, *intents: Intent) -> None:
        """A commit and its hand-over."""
        self.worker.take(self.ledger.commit(*intents))

    def tell_begun(self, *intents: Intent) -> None:
        """A commit that keeps the register's beginning too, and its hand-over."""
        call = self.ledger.commit(*intents).call
        step = next_step(self.ledger.lanes[call], self.clock())
        assert isinstance(step, Send)
        lane = self.ledger.lanes[call] = begin(self.ledger.lanes[call], step, self.clock())
        self.worker.take(HandOver(PORTAL, call, self.clock(), fresh=True, begun=lane))

    def state(self, kind: str, ordinal: int = 0, call: str = "office-1.1") -> State:
        return self.ledger.lanes[call].get((kind, ordinal)).state


def perform(
    story: Story, limits: Limits | None = None, before: Callable[[Stage], None] | None = None
) -> Stage:
    """Runs the story beside a running worker."""

    async def run(clock: Callable[[], float]) -> Stage:
        stage = Stage(clock, limits)
        if before is not None:
            before(stage)
        running = asyncio.ensure_future(stage.worker.run())
        await asyncio.sleep(0.001)
        await story(stage)
        stage.worker.stop()
        await running
        return stage

    return play(run)


def test_a_call_from_first_ring_to_recording() -> None:
    async def story(stage: Stage) -> None:
        stage.tell(register(), cards("101", "102", "103"))
        await asyncio.sleep(5)
        stage.tell(cards("102"))
        await asyncio.sleep(5)
        stage.tell(cards(), finish(), attach())
        await asyncio.sleep(5)

    stage = perform(story)
    assert stage.portal.words() == [
        "register(101,102,103)",
        "cards(+101,102,103 -)",
        "cards(+ -101,103)",
        "cards(+ -102)",
        "finish",
        "attach 0",
    ]
    assert stage.portal.seen["office-1.1"] == frozenset()
    assert stage.portal.attempts[-1].memory == {"id": "portal-office-1.1"}
    assert {one.state for one in stage.ledger.lanes["office-1.1"].deliveries} == {State.DONE}
    assert [one.outcome for one in stage.ledger.tried] == ["delivered"] * 6
    assert stage.ledger.next_at["office-1.1"] is None


def test_a_register_that_its_commit_began_is_sent_without_another_write() -> None:
    async def story(stage: Stage) -> None:
        assert stage.worker.at_once()
        stage.ledger.failures = [StoreError(WHY)] * 2  # nothing more can be written for a while
        stage.tell_begun(register(), cards("101"))
        await asyncio.sleep(0.005)
        assert stage.portal.words() == ["register(101)"]
        await asyncio.sleep(30)

    stage = perform(story)
    assert stage.portal.words() == ["register(101)"]
    assert [(one.number, one.doubt) for one in stage.portal.attempts] == [(1, False)]
    assert stage.state("register") is State.DONE
    assert stage.ledger.lanes["office-1.1"].shown == {"101"}


def test_a_begun_register_for_which_there_is_no_room_waits_as_if_it_had_not_been_begun() -> None:
    async def story(stage: Stage) -> None:
        stage.tell_begun(register("a"), cards("101", call="a"))
        assert not stage.worker.at_once()
        stage.tell_begun(register("b"), cards("102", call="b"))
        await asyncio.sleep(0.005)
        assert stage.state("register", call="b") is State.WAITING
        assert not stage.ledger.lanes["b"].doubted
        await asyncio.sleep(5)

    stage = perform(story, Limits(slots=(1, 1, 1)))
    assert stage.portal.words("b") == ["register(102)"]
    assert [(one.number, one.doubt) for one in stage.portal.attempts] == [(1, False), (1, False)]
    assert stage.state("register", call="b") is State.DONE


def test_each_attempt_keeps_what_was_asked_and_answered() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.answer = lambda word, call: Later(WHY) if len(stage.portal.log) == 1 else None
        stage.tell(register(), cards("101"))
        await asyncio.sleep(30)
        stage.tell(cards(), finish())
        await asyncio.sleep(5)

    stage = perform(story)
    kept = [(one.kind, one.number, one.exchanges) for one in stage.ledger.tried]
    assert kept == [
        ("register", 1, (Exchange("register(101)", "heard"),)),
        ("register", 2, (Exchange("register(101)", "heard"),)),
        ("cards", 1, (Exchange("cards(+ -101)", "heard"),)),
        ("finish", 1, (Exchange("finish", "heard"),)),
    ]


def test_the_wish_that_changes_while_register_is_on_its_way_costs_one_order() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.takes_s = lambda word, call: 1.0
        stage.tell(register(), cards("101"))
        for last in ("102", "103", "104"):
            await asyncio.sleep(0.1)
            stage.tell(cards("101", last))
        await asyncio.sleep(9)

    assert perform(story).portal.words() == ["register(101)", "cards(+104 -)"]


def test_lanes_never_block_each_other_and_slots_bound_them() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.takes_s = lambda word, call: 1000.0 if call == "slow" else 1.0
        stage.tell(register("slow"))
        for number in range(20):
            stage.tell(register(f"c{number}"), finish(f"c{number}"))
        stage.tell(register("late"), cards("101", call="late"))
        await asyncio.sleep(90)
        assert stage.portal.most_at_once <= 5
        for number in range(20):
            assert stage.portal.words(f"c{number}") == ["register()", "finish"]
        assert next(at for at, call, _ in stage.portal.log if call == "late") < 1
        stage.portal.takes_s = lambda word, call: 0.0

    perform(story, Limits(slots=(3, 2, 1)))


def test_a_refused_register_holds_its_lane_until_a_person_retries() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.answer = lambda word, call: Refused(WHY)
        stage.tell(register(), finish())
        await asyncio.sleep(4000)
        assert stage.portal.words() == ["register()"]
        assert stage.ledger.held["office-1.1"] == WHY
        stage.portal.answer = lambda word, call: None
        lane = stage.ledger.lanes["office-1.1"]
        stage.ledger.lanes["office-1.1"] = retry(lane, ("register", 0), stage.clock())
        stage.worker.take(HandOver("main", "office-1.1", stage.clock(), reload=True))
        await asyncio.sleep(1)

    assert perform(story).portal.words() == ["register()", "register()", "finish"]


def test_a_lost_answer_is_repeated_in_doubt() -> None:
    async def story(stage: Stage) -> None:
        lost = iter([Ambiguous(WHY)])
        stage.portal.answer = lambda word, call: next(lost, None)
        stage.tell(register())
        await asyncio.sleep(10)

    stage = perform(story)
    assert [(one.number, one.doubt) for one in stage.portal.attempts] == [(1, False), (2, True)]
    assert {one.first_at for one in stage.portal.attempts} == {stage.portal.log[0][0]}


def test_wrong_credentials_pause_the_portal_and_end_by_themselves() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.answer = lambda word, call: Unauthorised(WHY)
        stage.tell(register("a"))
        await asyncio.sleep(1)
        stage.tell(register("b"), finish("b"))
        await asyncio.sleep(PAUSE_S - 10)
        assert len(stage.portal.log) == 1
        assert stage.worker.paused == WHY
        stage.portal.answer = lambda word, call: None
        await asyncio.sleep(20)
        assert stage.worker.paused is None

    stage = perform(story)
    assert stage.portal.words("a") == ["register()", "register()"]
    assert stage.portal.words("b") == ["register()", "finish"]
    assert stage.ledger.paused == ["no luck", None]


def test_resume_tries_a_paused_portal_at_once() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.answer = lambda word, call: Unauthorised(WHY)
        stage.tell(register())
        await asyncio.sleep(1)
        stage.portal.answer = lambda word, call: None
        stage.worker.resume()
        await asyncio.sleep(1)

    assert perform(story).portal.words() == ["register()", "register()"]


def test_an_outage_of_an_hour_costs_few_requests_and_ends_soon_after() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.answer = lambda word, call: Later(WHY)
        for number in range(200):
            stage.tell(register(f"c{number}"), finish(f"c{number}"))
        await asyncio.sleep(3600)
        assert len(stage.portal.log) < 400
        stage.portal.answer = lambda word, call: None
        await asyncio.sleep(120)

    stage = perform(story)
    for number in range(200):
        assert stage.portal.words(f"c{number}")[-1] == "finish"
        assert stage.portal.words(f"c{number}").count("finish") == 1


def test_a_hide_that_hangs_delays_finish_by_five_seconds() -> None:
    async def story(stage: Stage) -> None:
        stage.tell(register(), cards("101"))
        await asyncio.sleep(2)
        stage.portal.takes_s = lambda word, call: 60.0 if word.startswith("cards") else 0.0
        stage.tell(cards(), finish())
        await asyncio.sleep(20)

    stage = perform(story)
    times = {word: at for at, _, word in stage.portal.log}
    assert times["finish"] - times["cards(+ -101)"] == pytest.approx(5, abs=0.01)


def test_a_hide_that_did_not_arrive_is_tried_again_when_finish_is() -> None:
    async def story(stage: Stage) -> None:
        stage.tell(register(), cards("101"))
        await asyncio.sleep(2)
        stage.portal.answer = lambda word, call: Later(WHY)
        stage.tell(cards(), finish())
        await asyncio.sleep(600)
        stage.portal.answer = lambda word, call: None
        await asyncio.sleep(60)

    stage = perform(story)
    assert stage.portal.words()[-2:] == ["cards(+ -101)", "finish"]
    assert stage.portal.seen["office-1.1"] == frozenset()


def test_a_recording_that_is_not_ready_waits_and_one_that_is_gone_does_not_block() -> None:
    async def story(stage: Stage) -> None:
        first = iter([Later(WHY, 3.0)])

        async def ready(order: Attach) -> Audio | Later | Refused:
            if order.ordinal == 1:
                return Refused(WHY)
            return next(first, None) or await prepare(order)

        stage.prepare = ready
        stage.tell(register(), finish(), attach(ordinal=0), attach(ordinal=1))
        await asyncio.sleep(30)

    stage = perform(story)
    assert stage.portal.words() == ["register()", "finish", "attach 0"]
    assert (stage.state("attach", 0), stage.state("attach", 1)) == (State.DONE, State.REFUSED)


def test_a_recording_that_lacks_a_part_is_attached_and_the_rest_is_awaited() -> None:
    async def story(stage: Stage) -> None:
        whole = iter([False, False])

        async def ready(order: Attach) -> Audio | Later | Refused:
            audio = await prepare(order)
            assert isinstance(audio, Audio)
            return audio if next(whole, True) else replace(audio, lacking=WHY, again_s=60.0)

        stage.prepare = ready
        stage.portal.answer = lambda word, call: Delivered({"file": word}) if "attach" in word else None
        stage.tell(register(), finish(), attach())
        await asyncio.sleep(30)
        assert stage.state("attach") is State.WAITING
        assert stage.ledger.lanes["office-1.1"].memory["file"] == "attach 0"
        await asyncio.sleep(120)

    stage = perform(story)
    assert stage.portal.words() == ["register()", "finish", "attach 0", "attach 0", "attach 0"]
    assert stage.state("attach") is State.DONE
    assert [one.outcome for one in stage.ledger.tried if one.kind == "attach"] == [
        "later",
        "later",
        "delivered",
    ]


def test_an_older_recording_does_not_take_the_place_of_a_better_one() -> None:
    async def story(stage: Stage) -> None:
        first = iter([Later(WHY, 3.0)])

        async def ready(order: Attach) -> Audio | Later | Refused:
            return await prepare(order) if order.ordinal else next(first, None) or await prepare(order)

        stage.prepare = ready
        stage.tell(register(), finish(), attach(ordinal=0), attach(ordinal=1))
        await asyncio.sleep(30)

    stage = perform(story)
    assert stage.portal.words() == ["register()", "finish", "attach 1"]
    assert (stage.state("attach", 0), stage.state("attach", 1)) == (State.DONE, State.DONE)


def test_a_notice_about_the_sound_stands_at_its_delivery() -> None:
    async def story(stage: Stage) -> None:
        async def ready(order: Attach) -> Audio | Later | Refused:
            audio = await prepare(order)
            assert isinstance(audio, Audio)
            return replace(audio, notice=WHY)

        stage.prepare = ready
        stage.tell(register(), finish(), attach())
        await asyncio.sleep(5)

    (tried,) = [one for one in perform(story).ledger.tried if one.kind == "attach"]
    assert (tried.outcome, tried.why) == ("delivered", WHY)


def test_a_portal_without_cards_and_recordings_is_not_asked_for_them() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.capabilities = Capabilities(cards=False, live_register=True, recordings=False)
        stage.tell(register(), cards("101", "102"))
        await asyncio.sleep(1)
        stage.tell(finish(), attach())
        await asyncio.sleep(10)

    stage = perform(story)
    assert stage.portal.words() == ["register(101,102)", "finish"]
    assert stage.state("attach") is State.REFUSED


def test_an_adapters_fault_is_a_doubt_of_that_lane_alone() -> None:
    async def story(stage: Stage) -> None:
        faults = iter([1])

        def answer(word: str, call: str) -> Outcome | None:
            if call == "bad" and next(faults, None):
                raise ZeroDivisionError
            return None

        stage.portal.answer = answer
        stage.tell(register("bad"))
        stage.tell(register("good"))
        await asyncio.sleep(5)

    stage = perform(story)
    assert stage.portal.words("good") == ["register()"]
    assert stage.portal.words("bad") == ["register()", "register()"]
    assert "ZeroDivisionError" in str(stage.ledger.tried[0].why)


def test_while_the_store_cannot_write_nothing_is_lost_nor_sent_twice() -> None:
    full = StoreError(Phrase("disk full", "диск полон"))

    async def story(stage: Stage) -> None:
        stage.portal.takes_s = lambda word, call: 1.0
        stage.tell(register())
        await asyncio.sleep(0.5)
        stage.ledger.failures = [full, full]  # the outcome of register meets a full disk
        await asyncio.sleep(30)
        stage.ledger.failures = [full]  # and so does the beginning of finish
        stage.tell(finish())
        await asyncio.sleep(30)

    stage = perform(story)
    assert stage.portal.words() == ["register()", "finish"]
    assert stage.state("finish") is State.DONE


def test_what_the_table_holds_at_start_is_delivered() -> None:
    def before(stage: Stage) -> None:
        for number in range(30):
            stage.ledger.commit(register(f"c{number}"), finish(f"c{number}"))

    async def story(stage: Stage) -> None:
        await asyncio.sleep(60)

    stage = perform(story, Limits(lanes=7), before)
    assert all(stage.portal.words(f"c{number}") == ["register()", "finish"] for number in range(30))


def test_a_call_that_left_memory_is_read_again() -> None:
    async def story(stage: Stage) -> None:
        stage.tell(register(), finish())
        await asyncio.sleep(10)
        stage.tell(attach())
        await asyncio.sleep(10)

    assert perform(story).portal.words() == ["register()", "finish", "attach 0"]


def test_what_is_committed_while_a_lane_is_being_read_is_not_missed() -> None:
    async def story(stage: Stage) -> None:
        stage.tell(register(), finish())
        await asyncio.sleep(10)
        stage.ledger.read_s = 2.0
        stage.tell(attach(ordinal=0))
        await asyncio.sleep(1)
        stage.tell(attach(ordinal=1))
        await asyncio.sleep(10)

    assert perform(story).portal.words() == ["register()", "finish", "attach 0", "attach 1"]


def test_what_is_done_while_the_table_is_being_looked_at_is_not_sent_again() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.takes_s = lambda word, call: 0.5
        stage.ledger.look_s = 5.0
        await asyncio.sleep(59.9)
        stage.tell(register(), finish())
        await asyncio.sleep(15)

    stage = perform(story)
    assert stage.portal.words() == ["register()", "finish"]
    assert stage.state("finish") is State.DONE


def test_what_became_due_while_the_table_was_being_looked_at_is_sent_soon() -> None:
    """It had left memory, and the table as it was seen does not say how it stands now."""

    async def story(stage: Stage) -> None:
        stage.portal.answer = lambda word, call: Later(WHY, 7.0) if len(stage.portal.log) == 1 else None
        stage.portal.takes_s = lambda word, call: 0.5
        stage.ledger.look_s = 12.0
        await asyncio.sleep(59.9)
        stage.tell(register())
        await asyncio.sleep(30)

    stage = perform(story)
    assert stage.portal.words() == ["register()", "register()"]


def test_stop_waits_for_what_is_on_its_way_and_sends_nothing_new() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.takes_s = lambda word, call: 3.0
        stage.tell(register(), finish())
        await asyncio.sleep(1)

    stage = perform(story)
    assert stage.portal.words() == ["register()"]
    assert stage.state("register") is State.DONE
    assert stage.state("finish") is State.WAITING


def test_stop_gives_up_what_takes_too_long_and_the_next_start_doubts_it() -> None:
    async def run(clock: Callable[[], float]) -> Stage:
        stage = Stage(clock)
        stage.portal.takes_s = lambda word, call: 300.0
        running = asyncio.ensure_future(stage.worker.run(grace_s=5))
        await asyncio.sleep(0)
        stage.tell(register())
        await asyncio.sleep(1)
        stage.worker.stop()
        await running
        assert clock() < 10
        assert stage.state("register") is State.SENDING
        stage.portal.takes_s = lambda word, call: 0.0
        stage.worker = stage.new_worker()
        running = asyncio.ensure_future(stage.worker.run())
        await asyncio.sleep(1)
        stage.worker.stop()
        await running
        return stage

    stage = play(run)
    assert [one.doubt for one in stage.portal.attempts] == [False, True]
    assert stage.state("register") is State.DONE


def test_stop_before_start_sends_nothing() -> None:
    async def run(clock: Callable[[], float]) -> Stage:
        stage = Stage(clock)
        stage.tell(register())
        stage.worker.stop()
        await stage.worker.run()
        return stage

    assert play(run).portal.log == []


def test_a_fault_of_our_own_ends_the_worker_loudly() -> None:
    async def run(clock: Callable[[], float]) -> None:
        stage = Stage(clock)
        running = asyncio.ensure_future(stage.worker.run())
        await asyncio.sleep(0.001)
        stage.ledger.failures = [ZeroDivisionError()]
        stage.tell(register())
        with pytest.raises(ZeroDivisionError):
            await running

    play(run)


# ------------------------------------------------------------------------------------------ reminders
def remind() -> Remind:
    return Remind(about(), "101", 1010.0)


def settled() -> Settle:
    return Settle(about(), 1020.0, "101")


def test_a_reminder_follows_the_record_and_ends_when_the_client_was_reached() -> None:
    async def story(stage: Stage) -> None:
        stage.tell(register(), finish(), remind())
        await asyncio.sleep(60)
        stage.tell(settled())
        await asyncio.sleep(60)

    stage = perform(story)
    assert stage.portal.words() == ["register()", "finish", "remind", "settle"]
    assert stage.portal.attempts[-1].memory["task"] == "7"


def test_who_was_reached_before_a_reminder_could_be_sent_costs_nobody_one() -> None:
    async def story(stage: Stage) -> None:
        down = Later(WHY, 100.0)
        stage.portal.answer = lambda word, call: down if word == "finish" else None
        stage.tell(register(), finish(), remind())
        await asyncio.sleep(10)
        stage.tell(settled())
        stage.portal.answer = lambda word, call: None
        await asyncio.sleep(300)

    stage = perform(story)
    assert "remind" not in stage.portal.words()
    assert (stage.state("remind"), stage.state("settle")) == (State.DONE, State.DONE)


def test_a_reminder_that_may_have_been_made_is_looked_at_before_it_is_ended() -> None:
    async def story(stage: Stage) -> None:
        lost = iter([Ambiguous(WHY)])
        stage.portal.answer = lambda word, call: next(lost, None) if word == "remind" else None
        stage.portal.takes_s = lambda word, call: 5.0 if word == "remind" else 0.01
        stage.tell(register(), finish(), remind())
        await asyncio.sleep(2)
        stage.tell(settled())
        await asyncio.sleep(60)

    stage = perform(story)
    assert stage.portal.words() == ["register()", "finish", "remind", "remind", "settle"]


def test_a_refused_reminder_holds_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.portal.answer = lambda word, call: Refused(WHY) if word == "remind" else None
        stage.tell(register(), finish(), remind(), attach())
        await asyncio.sleep(10)

    stage = perform(story)
    assert (stage.state("remind"), stage.state("attach")) == (State.REFUSED, State.DONE)


def test_the_portal_learns_whose_card_depends_on_the_client() -> None:
    async def story(stage: Stage) -> None:
        asking = frozenset({"102"})
        stage.tell(register(), Cards(about(), frozenset({"101", "102"}), asking))
        await asyncio.sleep(5)

    stage = perform(story)
    assert stage.portal.words() == ["register(101,102)", "cards(+101,102 -)"]
    assert {attempt.asking for attempt in stage.portal.attempts} == {frozenset({"102"})}


# ---------------------------------------------------------------------------------------- transcripts
WHOLE = (register(), finish(), attach(), transcribe())


def test_what_was_said_follows_the_recording() -> None:
    async def story(stage: Stage) -> None:
        stage.tell(*WHOLE)
        await asyncio.sleep(10)

    stage = perform(story)
    assert stage.portal.words() == ["register()", "finish", "attach 0", "transcribe 0: Hello / Yes"]
    assert stage.state("transcribe") is State.DONE


def test_a_slow_transcriber_keeps_nothing_and_does_not_look_like_a_portal_that_is_away() -> None:
    async def story(stage: Stage) -> None:
        stage.said = lambda order: Later(WHY, 60.0) if stage.clock() < 3000 else SAID
        stage.tell(*WHOLE)
        await asyncio.sleep(1000)
        assert not stage.worker.down
        stage.tell(attach(ordinal=1))
        await asyncio.sleep(10)
        assert stage.state("attach", 1) is State.DONE
        await asyncio.sleep(3000)

    stage = perform(story)
    assert stage.portal.words()[-2:] == ["attach 1", "transcribe 0: Hello / Yes"]


def test_a_recording_that_cannot_be_written_down_is_told_and_holds_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.said = lambda order: Refused(WHY)
        stage.tell(register(), finish(), transcribe(), attach())
        await asyncio.sleep(10)

    stage = perform(story)
    assert (stage.state("transcribe"), stage.state("attach")) == (State.REFUSED, State.DONE)
    assert not [word for word in stage.portal.words() if word.startswith("transcribe")]


def test_of_a_recording_without_words_nothing_is_told() -> None:
    async def story(stage: Stage) -> None:
        stage.said = lambda order: ()
        stage.tell(*WHOLE)
        await asyncio.sleep(10)

    stage = perform(story)
    assert stage.portal.words()[-1] == "attach 0"
    assert stage.state("transcribe") is State.DONE
    assert "Nothing was said" in str(stage.ledger.tried[-1].why)


def test_less_complete_words_do_not_take_the_place_of_better_ones() -> None:
    async def story(stage: Stage) -> None:
        stage.said = lambda order: SAID if order.ordinal else Later(WHY, 30.0)
        stage.tell(register(), finish(), transcribe(), transcribe(ordinal=1))
        await asyncio.sleep(10)
        stage.said = lambda order: SAID
        await asyncio.sleep(60)

    stage = perform(story)
    assert stage.portal.words()[2:] == ["transcribe 1: Hello / Yes"]
    assert stage.state("transcribe", 0) is State.DONE


def test_a_portal_that_takes_no_transcripts_says_so() -> None:
    class Deaf:
        """All that a portal must do."""

        def __init__(self, portal: FakePortal) -> None:
            self.id, self.capabilities = portal.id, portal.capabilities
            self.register, self.finish, self.cards = portal.register, portal.finish, portal.cards
            self.attach, self.check, self.refresh = portal.attach, portal.check, portal.refresh
            self.close = portal.close

    async def run(clock: Callable[[], float]) -> MemoryLedger:
        ledger = MemoryLedger(clock)
        worker = Worker(Deaf(FakePortal(clock)), ledger, prepare, clock, chance=lambda: 0.5)
        running = asyncio.ensure_future(worker.run())
        worker.take(ledger.commit(register(), finish(), transcribe()))
        await asyncio.sleep(10)
        worker.stop()
        await running
        return ledger

    one = play(run).lanes["office-1.1"].get(("transcribe", 0))
    assert one.state is State.REFUSED
    assert "takes no transcripts" in str(one.why)
