"""What every portal must do, whatever its CRM: one class of tests that each adapter inherits.

An adapter's test module brings a `stand`: its portal before a sandbox of its CRM, ways to see what the CRM
holds, and troubles to order. The tests play the worker: they repeat an order as long as its outcome says
so, with `doubt` after an ambiguous one, and then look at the CRM.
"""

from __future__ import annotations

import asyncio
import wave
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import pytest

from callme.crm.intents import Attach, CallFacts, Direction, Finish, Register, Result
from callme.crm.port import (
    UNTRACED,
    Ambiguous,
    Attempt,
    Audio,
    Batches,
    Delivered,
    Later,
    Outcome,
    Parcel,
    Portal,
    Refused,
    Trace,
    Unauthorised,
    Urgency,
)


class Trouble(StrEnum):
    """What goes wrong at one request."""

    UNREACHABLE = "unreachable"  # the connection never stands
    BUSY = "busy"  # the portal asks for quiet; nothing was done
    BROKEN_BEFORE = "broken before"  # an internal error, nothing was done
    BROKEN_AFTER = "broken after"  # an internal error after everything was done
    LOST = "lost"  # done, and the connection closed without an answer
    PAGE = "page"  # done, and a proxy's page came instead of the answer
    CUT = "cut"  # done, and the answer breaks off in the middle


class OpenGate:
    """Lets everybody in at once and remembers."""

    def __init__(self) -> None:
        self.entered: list[Urgency] = []
        self.waits: list[float] = []

    async def enter(self, urgency: Urgency) -> None:
        self.entered.append(urgency)

    def told_to_wait(self, seconds: float) -> None:
        self.waits.append(seconds)


class Notes:
    """A trace that keeps everything."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []

    def note(self, request: str, answer: str) -> None:
        self.kept.append((request, answer))


@dataclass(frozen=True, slots=True)
class Seen:
    """A finished call as the CRM shows it. `owner` is the person's extension, empty for the default user;
    `line` is empty where the call or the CRM has none."""

    number: str
    owner: str
    incoming: bool
    answered: bool
    talk_s: int
    recordings: tuple[bytes, ...] = ()
    line: str = ""


@dataclass
class Stand(ABC):
    """A portal before its sandbox. `people` are two extensions that the CRM knows; `now` is the sandbox's
    clock."""

    portal: Portal
    gate: OpenGate
    people: tuple[str, str] = ("101", "102")
    stranger: str = "199"
    lines: bool = True  # the CRM keeps over which line a call came
    now: float = 1_767_225_610.0

    @abstractmethod
    def finished(self) -> list[Seen]:
        """The finished calls that the CRM holds."""

    @abstractmethod
    def unfinished(self) -> int:
        """How many calls the CRM holds open."""

    @abstractmethod
    def clients(self) -> int:
        """How many clients the CRM holds."""

    @abstractmethod
    def seers(self) -> set[str]:
        """The extensions whose owners see a card now."""

    @abstractmethod
    def trouble(self, kind: Trouble, nth: int = 1) -> None:
        """Goes wrong at the nth request from now."""

    @abstractmethod
    def armed(self) -> int:
        """How many ordered troubles have not happened yet."""

    @abstractmethod
    def deny(self) -> None:
        """The CRM refuses our credentials from now on."""

    @abstractmethod
    def lines_held(self) -> list[str]:
        """The lines that the CRM knows, each as often as it has it."""

    @abstractmethod
    def secrets(self) -> list[str]:
        """Texts that nobody may read in what is kept of our requests."""

    @abstractmethod
    def requests(self) -> int:
        """How many requests reached the CRM so far."""


MAX_TRIES = 6
LINE = "74950000001"


class PortalConformance:
    """The tests. `stand` is the inheriting module's fixture."""

    # -------------------------------------------------------------------------------------- the worker
    memory: dict[str, str]
    trace: Trace = UNTRACED

    @pytest.fixture(autouse=True)
    def _fresh_lane(self) -> None:
        self.memory = {}

    def facts(
        self,
        stand: Stand,
        number: str = "+79165550001",
        direction: Direction = Direction.IN,
        line: str = "",
        call: str = "office-1767225600.7",
    ) -> CallFacts:
        return CallFacts(call, direction, number, "", line, stand.now - 10)

    def attempt(self, stand: Stand, number: int = 1, *, doubt: bool = False) -> Attempt:
        return Attempt(number, doubt, dict(self.memory), stand.now, stand.now, self.trace)

    async def insist(self, stand: Stand, send: Callable[[Attempt], Awaitable[Outcome]]) -> Delivered:
        """Repeats as the worker does."""
        doubt = False
        outcome: Outcome | None = None
        for number in range(1, MAX_TRIES + 1):
            outcome = await send(self.attempt(stand, number, doubt=doubt))
            if isinstance(outcome, Delivered):
                self.memory.update(outcome.memory)
                return outcome
            assert isinstance(outcome, Later | Ambiguous), outcome
            doubt = doubt or isinstance(outcome, Ambiguous)
        raise AssertionError(f"not delivered: {outcome}")

    async def play(self, stand: Stand, wav: Path) -> None:
        """A whole answered call: both ring, the second answers, it ends, its recording follows."""
        first, second = stand.people
        facts = self.facts(stand, line=LINE)
        both = frozenset(stand.people)
        register = Register(facts, first)
        opened = await self.insist(stand, lambda a: stand.portal.register(register, both, a))
        await self.insist(
            stand,
            lambda a: stand.portal.cards(facts.call, both - (opened.shown or frozenset()), frozenset(), a),
        )
        await self.insist(stand, lambda a: stand.portal.cards(facts.call, frozenset(), frozenset({first}), a))
        finish = Finish(facts, second, Result.ANSWERED, 6, stand.now)
        await self.insist(stand, lambda a: stand.portal.finish(finish, a))
        attach = Attach(facts, "office", "/monitor/a.wav", stand.now)
        await self.insist(stand, lambda a: stand.portal.attach(attach, self.audio(wav), a))

    def audio(self, wav: Path) -> Audio:
        return Audio(wav, "call.wav", "audio/x-wav", 1.0)

    def content(self, wav: Path) -> tuple[bytes, ...]:
        return (wav.read_bytes(),)

    @pytest.fixture
    def wav(self, tmp_path: Path) -> Path:
        file = tmp_path / "call.wav"
        with wave.open(str(file), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(16000))
        return file

    def the_one_call(self, stand: Stand, wav: Path) -> None:
        """The CRM holds this call once, right, and nothing else."""
        audio = self.content(wav) if stand.portal.capabilities.recordings else ()
        line = LINE if stand.lines else ""
        assert stand.finished() == [Seen("+79165550001", stand.people[1], True, True, 6, audio, line)]
        assert stand.unfinished() == 0

    # ---------------------------------------------------------------------------------- the whole call
    async def test_a_call_ends_as_one_record(self, stand: Stand, wav: Path) -> None:
        await self.play(stand, wav)
        self.the_one_call(stand, wav)
        assert stand.seers() == set()

    @pytest.mark.parametrize("nth", range(1, 11))
    @pytest.mark.parametrize("kind", list(Trouble))
    async def test_trouble_at_any_request_leaves_one_right_record(
        self, stand: Stand, wav: Path, kind: Trouble, nth: int
    ) -> None:
        stand.trouble(kind, nth)
        await self.play(stand, wav)
        assert stand.armed() == int(stand.requests() < nth)
        self.the_one_call(stand, wav)

    @pytest.mark.parametrize("kind", [Trouble.LOST, Trouble.BROKEN_AFTER, Trouble.BUSY])
    async def test_trouble_at_two_requests_running_leaves_one_right_record(
        self, stand: Stand, wav: Path, kind: Trouble
    ) -> None:
        await stand.portal.refresh()
        for nth in (1, 2, 4, 5):
            stand.trouble(kind, nth)
        await self.play(stand, wav)
        assert stand.armed() == int(stand.requests() < nth)
        self.the_one_call(stand, wav)

    async def test_calls_that_begin_together_on_a_new_line_all_name_it(self, stand: Stand) -> None:
        calls = [self.facts(stand, line=LINE, call=f"office-1767225600.{n}") for n in range(5)]
        await asyncio.gather(
            *(
                stand.portal.register(Register(facts, "101"), frozenset(), self.attempt(stand))
                for facts in calls
            )
        )
        assert stand.lines_held() == ([LINE] if stand.lines else [])

    async def test_what_was_asked_and_answered_is_noted_without_secrets(
        self, stand: Stand, wav: Path
    ) -> None:
        notes = Notes()
        self.trace = notes
        await self.play(stand, wav)
        assert len(notes.kept) >= 3
        for request, answer in notes.kept:
            assert request
            assert answer
            assert max(len(request), len(answer)) <= 2000
            for secret in stand.secrets():
                assert secret not in request + answer
        asked = "\n".join(request for request, _ in notes.kept)
        assert "9165550001" in asked

    async def test_every_request_passes_the_gate(self, stand: Stand, wav: Path) -> None:
        await self.play(stand, wav)
        await stand.portal.check()
        assert len(stand.gate.entered) == stand.requests() > 0

    async def test_a_missed_call_is_not_answered_and_has_no_talk(self, stand: Stand) -> None:
        facts = self.facts(stand)
        await self.insist(stand, lambda a: stand.portal.register(Register(facts, "101"), frozenset(), a))
        finish = Finish(facts, "101", Result.BUSY, 0, stand.now)
        await self.insist(stand, lambda a: stand.portal.finish(finish, a))
        assert stand.finished() == [Seen(facts.number, "101", True, False, 0)]

    async def test_an_outgoing_call_is_outgoing(self, stand: Stand) -> None:
        facts = self.facts(stand, direction=Direction.OUT)
        await self.insist(stand, lambda a: stand.portal.register(Register(facts, "102"), frozenset(), a))
        finish = Finish(facts, "102", Result.ANSWERED, 3, stand.now)
        await self.insist(stand, lambda a: stand.portal.finish(finish, a))
        assert stand.finished() == [Seen(facts.number, "102", False, True, 3)]

    # ------------------------------------------------------------------------------------------- twice
    async def test_the_same_register_twice_is_one_call(self, stand: Stand) -> None:
        order = Register(self.facts(stand), "101")
        one = await self.insist(stand, lambda a: stand.portal.register(order, frozenset(), a))
        two = await self.insist(stand, lambda a: stand.portal.register(order, frozenset(), a))
        assert one.memory == two.memory
        assert stand.unfinished() + len(stand.finished()) <= 1

    async def test_a_second_finish_after_a_lost_answer_is_delivered_and_makes_nothing(
        self, stand: Stand
    ) -> None:
        facts = self.facts(stand)
        await self.insist(stand, lambda a: stand.portal.register(Register(facts, "101"), frozenset(), a))
        finish = Finish(facts, "101", Result.ANSWERED, 6, stand.now)
        await stand.portal.finish(finish, self.attempt(stand))
        again = await stand.portal.finish(finish, self.attempt(stand, 2, doubt=True))
        assert isinstance(again, Delivered)
        assert len(stand.finished()) == 1

    # ------------------------------------------------------------------------------ the other outcomes
    async def test_refused_credentials_pause_the_portal_and_name_a_cure(
        self, stand: Stand, wav: Path
    ) -> None:
        facts = self.facts(stand)
        await self.insist(stand, lambda a: stand.portal.register(Register(facts, "101"), frozenset(), a))
        stand.deny()
        attempt = self.attempt(stand)
        outcomes = [
            await stand.portal.register(Register(facts, "101"), frozenset(), attempt),
            await stand.portal.finish(Finish(facts, "101", Result.BUSY, 0, stand.now), attempt),
            await stand.portal.attach(Attach(facts, "office", "a", stand.now), self.audio(wav), attempt),
        ]
        for outcome in outcomes:
            assert isinstance(outcome, Unauthorised)
            assert outcome.cure is not None
            assert outcome.why.say("ru") != outcome.why.say("en")
        assert stand.finished() == []

    async def test_a_busy_portal_means_later_and_quiet(self, stand: Stand) -> None:
        await stand.portal.refresh()
        stand.trouble(Trouble.BUSY)
        outcome = await stand.portal.register(
            Register(self.facts(stand), "101"), frozenset(), self.attempt(stand)
        )
        assert isinstance(outcome, Later)
        assert stand.gate.waits
        assert stand.unfinished() == 0

    async def test_a_finish_of_what_never_was_is_refused(self, stand: Stand) -> None:
        finish = Finish(self.facts(stand), "101", Result.BUSY, 0, stand.now)
        assert isinstance(await stand.portal.finish(finish, self.attempt(stand)), Refused)
        assert stand.finished() == []

    # ------------------------------------------------------------------------------------------ people
    async def test_a_call_of_nobody_known_is_recorded_with_a_notice(self, stand: Stand) -> None:
        facts = self.facts(stand)
        show = frozenset({stand.stranger})
        opened = await self.insist(
            stand, lambda a: stand.portal.register(Register(facts, stand.stranger), show, a)
        )
        assert opened.notice is not None
        assert stand.stranger in opened.notice.say("ru")
        assert opened.shown == show, "nobody can be shown it, so the wish counts as met"
        assert stand.seers() == set()
        finish = Finish(facts, None, Result.NO_ANSWER, 0, stand.now)
        await self.insist(stand, lambda a: stand.portal.finish(finish, a))
        assert stand.finished() == [Seen(facts.number, "", True, False, 0)]

    async def test_a_hidden_caller_is_recorded_and_makes_no_client(self, stand: Stand) -> None:
        before = stand.clients()
        facts = self.facts(stand, number="")
        await self.insist(stand, lambda a: stand.portal.register(Register(facts, "101"), frozenset(), a))
        finish = Finish(facts, "101", Result.ANSWERED, 6, stand.now)
        await self.insist(stand, lambda a: stand.portal.finish(finish, a))
        assert [(seen.owner, seen.talk_s) for seen in stand.finished()] == [("101", 6)]
        assert stand.clients() == before

    # ------------------------------------------------------------------------------------ capabilities
    async def test_a_call_can_be_seen_before_it_ends_or_not_as_declared(self, stand: Stand) -> None:
        order = Register(self.facts(stand), "101")
        await self.insist(stand, lambda a: stand.portal.register(order, frozenset(), a))
        assert stand.unfinished() == int(stand.portal.capabilities.live_register)

    async def test_cards_appear_and_disappear_or_not_as_declared(self, stand: Stand) -> None:
        first, second = stand.people
        facts = self.facts(stand)
        able = stand.portal.capabilities.cards
        await self.insist(
            stand, lambda a: stand.portal.register(Register(facts, first), frozenset({first}), a)
        )
        assert stand.seers() == ({first} if able else set())
        for show, hide, seen in (
            ({second}, {first}, {second}),
            ({first}, set[str](), {first, second}),
            (set[str](), {first, second}, set[str]()),
        ):
            done = await self.insist(
                stand,
                lambda a, s=show, h=hide: stand.portal.cards(facts.call, frozenset(s), frozenset(h), a),  # type: ignore[misc]
            )
            assert done.shown == frozenset(show)
            assert stand.seers() == (seen if able else set())

    async def test_recordings_are_kept_or_refused_as_declared(self, stand: Stand, wav: Path) -> None:
        facts = self.facts(stand)
        await self.insist(stand, lambda a: stand.portal.register(Register(facts, "101"), frozenset(), a))
        finish = Finish(facts, "101", Result.ANSWERED, 6, stand.now)
        await self.insist(stand, lambda a: stand.portal.finish(finish, a))
        outcome = await stand.portal.attach(
            Attach(facts, "office", "a", stand.now), self.audio(wav), self.attempt(stand)
        )
        able = stand.portal.capabilities.recordings
        assert isinstance(outcome, Delivered if able else Refused)
        assert stand.finished()[0].recordings == (self.content(wav) if able else ())

    async def test_the_hide_of_a_finished_call_is_no_error(self, stand: Stand) -> None:
        facts = self.facts(stand)
        await self.insist(stand, lambda a: stand.portal.register(Register(facts, "101"), frozenset(), a))
        finish = Finish(facts, "101", Result.ANSWERED, 6, stand.now)
        await self.insist(stand, lambda a: stand.portal.finish(finish, a))
        await self.insist(stand, lambda a: stand.portal.cards(facts.call, frozenset(), frozenset({"102"}), a))

    # ------------------------------------------------------------------------------------------- batch
    def over(self, stand: Stand, count: int = 3) -> list[tuple[Register | Finish, ...]]:
        """Calls that are over and of which nothing was told yet."""
        told: list[tuple[Register | Finish, ...]] = []
        for place in range(count):
            facts = self.facts(stand, f"+7916555100{place}", call=f"office-1767225600.{place}", line=LINE)
            ended = Finish(facts, "101", Result.ANSWERED, 6, stand.now)
            told.append((Register(facts, "101"), ended))
        return told

    async def insist_together(
        self, stand: Stand, portal: Batches, owed: list[tuple[Register | Finish, ...]]
    ) -> None:
        """Repeats as the worker does: what was delivered is not asked again, what was asked behind an order
        without an answer is in doubt with it, and a wait that the adapter names is kept."""
        began = stand.now
        memory: dict[str, dict[str, str]] = {orders[0].about.call: {} for orders in owed}
        doubted: set[str] = set()
        for number in range(1, MAX_TRIES + 1):
            parcels = [
                Parcel(
                    tuple(
                        (
                            order,
                            Attempt(
                                number,
                                order.about.call in doubted,
                                dict(memory[order.about.call]),
                                stand.now,
                                began,
                                self.trace,
                            ),
                        )
                        for order in orders
                    )
                )
                for orders in owed
            ]
            left = []
            waits = [0.0]
            for orders, outcomes in zip(owed, await portal.batch(parcels), strict=True):
                call = orders[0].about.call
                done = 0
                assert 1 <= len(outcomes) <= len(orders)
                for outcome in outcomes:
                    assert isinstance(outcome, Delivered | Later | Ambiguous), outcome
                    if isinstance(outcome, Delivered):
                        memory[call].update(outcome.memory)
                        doubted.discard(call)
                        done += 1
                    elif isinstance(outcome, Ambiguous):
                        doubted.add(call)
                    else:
                        memory[call].update(outcome.memory)
                        waits.append(outcome.wait_s or 0.0)
                left += [orders[done:]] if done < len(orders) else []
            owed = left
            if not owed:
                return
            stand.now += max(waits)
        raise AssertionError(f"not delivered: {owed}")

    def all_right(self, stand: Stand, count: int = 3) -> None:
        line = LINE if stand.lines else ""
        meant = [Seen(f"+7916555100{place}", "101", True, True, 6, line=line) for place in range(count)]
        assert sorted(stand.finished(), key=lambda seen: seen.number) == meant
        assert stand.unfinished() == 0

    async def test_calls_that_are_over_travel_together_or_not_as_declared(self, stand: Stand) -> None:
        most = stand.portal.capabilities.batch
        assert isinstance(stand.portal, Batches) == bool(most)
        if isinstance(stand.portal, Batches):
            await stand.portal.refresh()
            await self.insist_together(stand, stand.portal, self.over(stand))
            before = stand.requests()
            more = [
                (Register(facts, "101"), Finish(facts, "101", Result.ANSWERED, 6, stand.now))
                for place in range(most)
                for facts in [self.facts(stand, call=f"office-1767225601.{place}", line=LINE)]
            ]
            await self.insist_together(stand, stand.portal, list(more))
            assert len(stand.finished()) == 3 + most
            assert (stand.requests() - before) / most <= 0.1

    @pytest.mark.parametrize("nth", range(1, 5))
    @pytest.mark.parametrize("kind", list(Trouble))
    async def test_trouble_at_any_request_of_a_batch_leaves_one_right_record_each(
        self, stand: Stand, kind: Trouble, nth: int
    ) -> None:
        if isinstance(stand.portal, Batches):
            await stand.portal.refresh()
            stand.trouble(kind, nth)
            await self.insist_together(stand, stand.portal, self.over(stand))
            self.all_right(stand)

    async def test_a_bad_order_among_good_ones_is_refused_alone(self, stand: Stand) -> None:
        if isinstance(stand.portal, Batches):
            never = Finish(self.facts(stand, call="office-1767225600.99"), "101", Result.BUSY, 0, stand.now)
            parcels = [
                Parcel(tuple((order, self.attempt(stand)) for order in orders))
                for orders in [*self.over(stand), (never,)]
            ]
            *good, bad = await stand.portal.batch(parcels)
            assert [type(outcome) for outcomes in good for outcome in outcomes] == [Delivered] * 6
            assert [type(outcome) for outcome in bad] == [Refused]
            self.all_right(stand)

    async def test_of_a_batch_each_order_keeps_what_was_asked_for_it_alone(self, stand: Stand) -> None:
        if isinstance(stand.portal, Batches):
            traces = [(Notes(), Notes()) for _ in range(3)]
            parcels = [
                Parcel(
                    tuple(
                        (order, replace(self.attempt(stand), trace=trace))
                        for order, trace in zip(orders, both, strict=True)
                    )
                )
                for orders, both in zip(self.over(stand), traces, strict=True)
            ]
            await stand.portal.batch(parcels)
            for place, both in enumerate(traces):
                opened, closed = ("\n".join(map(str, notes.kept)) for notes in both)
                assert f"7916555100{place}" in opened
                for other in {0, 1, 2} - {place}:
                    assert f"7916555100{other}" not in opened + closed
                assert closed
                assert all(secret not in opened + closed for secret in stand.secrets())

    # ------------------------------------------------------------------------------------------- check
    async def test_check_finds_a_good_portal_well_and_makes_nothing(self, stand: Stand) -> None:
        clients = stand.clients()
        findings = await stand.portal.check()
        assert findings
        assert [finding.found.say("en") for finding in findings if not finding.well] == []
        assert (stand.clients(), stand.unfinished(), stand.finished()) == (clients, 0, [])

    async def test_check_says_what_to_do_about_refused_credentials(self, stand: Stand) -> None:
        stand.deny()
        ill = [finding for finding in await stand.portal.check() if not finding.well]
        assert ill
        assert ill[0].cure is not None
