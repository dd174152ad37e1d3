"""A PBX asks who calls: the answer in time whatever is slow, the call moved once, and fetched back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callme.calls import facts as f
from callme.calls.facts import ChannelState, DialStatus
from callme.calls.numbering import Numbering
from callme.calls.presence import Presence
from callme.calls.tracker import Tracker
from callme.config import Config, Pbx, PortalTable, Routing, Steer
from callme.crm.port import Customer
from callme.errors import PbxError
from callme.pbx import port
from callme.pbx.agi import Question as AgiQuestion
from callme.service.asking import Asking
from callme.service.metrics import Metrics
from callme.service.steering import Question, Reply, Steering, Way
from callme.web.lookups import Asked, Told
from callme.wording import Phrase
from tests.service.test_river import Played

KEY = "0123456789abcdef"
IVAN = Customer(True, "Иван Петров", "101", on_duty=True)
NOW = 1_764_000_000.0
ASKED = Question("89261234567", "1.1", "74950000003")
CALLER = f.Leg(
    "1.1", "1.1", "PJSIP/trunk-00000001", ChannelState.RING, "89261234567",
    context="from-trunk-sip", exten="4950000003",
)  # fmt: skip
PHONE = f.Leg("1.2", "1.1", "PJSIP/101-00000002", ChannelState.DOWN)
GONE = PbxError(Phrase("no such channel", "нет такого канала"))


class Switch(Played):
    """A PBX that does as it is told and remembers it."""

    def __init__(self) -> None:
        super().__init__([])
        self.states: dict[str, Presence] = {}
        self.contexts: set[str] = {"callme-ring"}
        self.moved: list[tuple[str, str, str]] = []
        self.set: dict[str, str] = {}
        self.error: PbxError | None = None
        self.up = True
        self.stirred = asyncio.Event()

    @property
    def state(self) -> port.LinkState:
        return port.LinkState(self.up, 0.0)

    async def presence(self, extension: str) -> Presence:
        return self.states.get(extension, Presence.FREE)

    async def has_context(self, name: str) -> bool:
        return name in self.contexts

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        self.set[name] = value

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        if self.error is not None:
            raise self.error
        self.moved.append((channel, context, exten))
        self.stirred.set()


class Crm:
    """Knows one customer, at once or never."""

    def __init__(self, customer: Customer | None = IVAN) -> None:
        self.customer = customer
        self.asked: list[str] = []
        self.answers = asyncio.Event()
        self.answers.set()

    async def who(self, number: str, within_s: float) -> Customer | None:
        self.asked.append(number)
        try:
            await asyncio.wait_for(self.answers.wait(), within_s)
        except TimeoutError:
            return None
        return self.customer


class Shelf:
    """The database's memory of who talked last."""

    def __init__(self) -> None:
        self.talker = ""
        self.asked: list[tuple[str, str, float]] = []

    async def last_talker(self, pbx: str, number: str, since: float) -> str:
        self.asked.append((pbx, number, since))
        return self.talker


class Office:
    """One steering with what is around it."""

    def __init__(self, steering: Steering, switch: Switch, crm: Crm, tracker: Tracker, shelf: Shelf) -> None:
        self.steering, self.switch, self.crm, self._tracker = steering, switch, crm, tracker
        self.shelf = shelf
        self.now = NOW
        self.minute = (0, 12 * 60)

    def saw(self, *facts: f.Fact) -> None:
        self._tracker.step(facts, self.now)
        self.steering.saw(facts)

    async def ask(self, question: Question = ASKED, way: Way = Way.REDIRECT) -> Reply:
        return await self.steering.ask(question, way)

    async def moved(self, count: int) -> list[tuple[str, str, str]]:
        async with asyncio.timeout(5):
            while len(self.switch.moved) < count:
                self.switch.stirred.clear()
                await self.switch.stirred.wait()
        return self.switch.moved


@pytest.fixture
def make() -> Any:

    @asynccontextmanager
    async def office(*rules: dict[str, Any], **routing: Any) -> AsyncIterator[Office]:
        config = Config(
            pbx=(Pbx.model_validate({"id": "office", "secret": "x"}),),
            portal=(PortalTable(id="main", crm="any"),),
            routing=Routing.model_validate({"key": KEY, **routing}),
            steer=tuple(Steer.model_validate({"to": ["responsible"], **rule}) for rule in rules or ({},)),
        )
        switch, crm, shelf, tracker = Switch(), Crm(), Shelf(), Tracker("office", Numbering())
        made: list[Office] = []
        steering = Steering(
            config, switch, tracker.board, {"main": crm}, shelf, Metrics(),
            lambda: made[0].now, lambda _: made[0].minute,
        )  # fmt: skip
        made.append(Office(steering, switch, crm, tracker, shelf))
        made[0].saw(f.ChannelSeen(CALLER, born=True))
        task = asyncio.create_task(steering.run())
        await asyncio.sleep(0)
        yield made[0]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return office


async def test_the_name_is_told_and_the_call_moved(make: Any) -> None:
    async with make({"ring_s": 12}) as office:
        assert await office.ask() == Reply("Иван Петров", "101", 12, "")
        assert office.switch.moved == [("1.1", "callme-ring", "101")]
        assert office.switch.set == {"CALLME_RING": "12", "CALLME_THEN": "from-trunk-sip,4950000003,1"}
        assert office.crm.asked == ["+79261234567"]


async def test_who_asks_again_about_the_call_gets_the_name_at_once_and_moves_nothing(make: Any) -> None:
    async with make() as office:
        await office.ask()
        office.crm.answers.clear()
        assert await office.ask() == Reply("Иван Петров")
        assert (len(office.switch.moved), len(office.crm.asked)) == (1, 1)


async def test_an_unknown_caller_shows_his_number_as_it_came(make: Any) -> None:
    async with make() as office:
        office.crm.customer = Customer(known=False)
        assert await office.ask() == Reply("89261234567")
        assert office.switch.moved == []


async def test_who_talked_with_him_last_gets_the_call_even_when_the_crm_is_silent(make: Any) -> None:
    async with make({"to": ["last", "responsible"]}, deadline=0.2, last_days=7) as office:
        office.shelf.talker = "102"
        office.crm.answers.clear()
        assert await office.ask() == Reply("89261234567", "102", 15, "")
        assert office.shelf.asked == [("office", "+79261234567", NOW - 7 * 86400)]


async def test_where_no_rule_wants_the_last_talker_he_is_not_looked_for(make: Any) -> None:
    async with make() as office:
        await office.ask()
        assert office.shelf.asked == []


async def test_hours_are_those_of_the_office(make: Any) -> None:
    async with make({"hours": ["mon-fri 09:00-18:00"]}) as office:
        office.minute = (0, 8 * 60)
        assert (await office.ask()).extension == ""
        office.minute = (0, 9 * 60)
        assert (await office.ask(Question("89261234567", "2.2"))).extension == "101"


async def test_a_silent_crm_costs_no_more_than_the_deadline(make: Any) -> None:
    async with make({"to": ["105"], "client": "known"}, deadline=0.2) as office:
        office.crm.answers.clear()
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await office.ask() == Reply("89261234567")
        assert loop.time() - began < 1


async def test_a_pbx_that_does_not_answer_costs_no_more_either(make: Any) -> None:
    async with make(deadline=0.2) as office:

        async def never(_: str) -> Presence:
            await asyncio.Event().wait()
            return Presence.FREE

        office.switch.presence = never
        assert await office.ask() == Reply("Иван Петров")
        assert office.switch.moved == []


@pytest.mark.parametrize("trouble", ["refused", "link down", "busy", "somebody talks"])
async def test_where_the_call_cannot_be_moved_the_name_is_told_all_the_same(make: Any, trouble: str) -> None:
    async with make() as office:
        match trouble:
            case "refused":
                office.switch.error = GONE
            case "link down":
                office.switch.up = False
            case "busy":
                office.switch.states["101"] = Presence.BUSY
            case "somebody talks":
                office.saw(f.BridgeEntered(CALLER, "b1", holding=False))
        assert await office.ask() == Reply("Иван Петров")
        assert office.switch.moved == []


async def test_a_colleagues_channel_is_never_moved(make: Any) -> None:
    async with make() as office:
        inside = f.Leg("5.1", "5.1", "PJSIP/102-00000009", ChannelState.RING, "102", context="from-internal")
        office.saw(f.ChannelSeen(inside, born=True))
        await office.ask(Question("102", "5.1", ""))
        assert office.switch.moved == []


async def test_a_call_that_we_have_not_seen_yet_is_moved_by_its_uniqueid(make: Any) -> None:
    async with make() as office:
        await office.ask(Question("89261234567", "7.7", "74950000003"))
        assert office.switch.moved == [("7.7", "callme-ring", "101")]
        assert office.switch.set["CALLME_THEN"] == "from-pstn,74950000003,1"


# ------------------------------------------------------------------------- without a line of dialplan
@asynccontextmanager
async def bare(make: Any, **rule: Any) -> AsyncIterator[Office]:
    async with make(rule) as office:
        office.switch.contexts.clear()
        await office.ask()
        assert office.switch.moved == [("1.1", "from-did-direct", "101")]
        office.saw(f.Dialled(CALLER, PHONE, "101/sip:101@host"))
        yield office


async def test_who_declines_loses_the_call_to_its_route_at_once(make: Any) -> None:
    async with bare(make) as office:
        office.saw(f.DialEnded(CALLER, PHONE, DialStatus.BUSY))
        assert (await office.moved(2))[1] == ("1.1", "from-trunk-sip", "4950000003")
        assert await office.ask() == Reply("Иван Петров")
        assert len(office.switch.moved) == 2


@pytest.mark.parametrize(
    ("then", "place"),
    [
        ("route", ("from-trunk-sip", "4950000003")),
        ("105", ("from-did-direct", "105")),
        ("ext-group,600", ("ext-group", "600")),
    ],
)
async def test_who_does_not_answer_in_time_loses_it_to_the_next_place(
    make: Any, then: str, place: tuple[str, str]
) -> None:
    async with bare(make, ring_s=3, then=then) as office:
        office.now += 3
        office.saw(f.TimePassed())
        assert (await office.moved(2))[1] == ("1.1", *place)


@pytest.mark.parametrize(
    "fact", [f.DialEnded(CALLER, PHONE, DialStatus.ANSWER), f.HungUp(CALLER, 16)], ids=["answered", "gone"]
)
async def test_what_is_answered_or_gone_is_left_alone(make: Any, fact: f.Fact) -> None:
    async with bare(make, ring_s=3) as office:
        office.saw(fact)
        await asyncio.sleep(0)
        office.now += 60
        office.saw(f.TimePassed())
        await asyncio.sleep(0.01)
        assert len(office.switch.moved) == 1


async def test_an_order_without_an_answer_is_watched_as_if_it_was_obeyed(make: Any) -> None:
    async with make({"ring_s": 3}) as office:
        office.switch.contexts.clear()
        office.switch.error = port.UnsureError(GONE.problem)
        assert (await office.ask()).extension == "101"
        office.switch.error = None
        office.now += 3
        office.saw(f.TimePassed())
        assert await office.moved(1) == [("1.1", "from-trunk-sip", "4950000003")]


# ------------------------------------------------------------------------------------------ the doors
def told(pbx: str = "office", key: str = KEY, uniqueid: str = "1.1", *, by_dialplan: bool = False) -> Asked:
    return Asked(pbx, key, "89261234567", uniqueid, "74950000003", by_dialplan)


async def test_over_http(make: Any) -> None:
    async with make() as office:
        doors = Asking(Routing.model_validate({"key": KEY}), {"office": office.steering})
        assert await doors.look_up(told()) == Told("Иван Петров", "101")


async def test_curl_is_answered_the_extension_and_the_rest_is_put_on_the_channel(make: Any) -> None:
    async with make({"then": "ext-group,600"}) as office:
        doors = Asking(Routing.model_validate({"key": KEY}), {"office": office.steering})
        assert await doors.look_up(told(by_dialplan=True)) == Told("Иван Петров", "101")
        assert office.switch.moved == []
        assert office.switch.set == {
            "CALLERID(name)": "Иван Петров",
            "CALLME_RING": "15",
            "CALLME_THEN": "ext-group,600,1",
        }


async def test_fastagi_is_answered_variables(make: Any) -> None:
    async with make() as office:
        doors = Asking(Routing.model_validate({"key": KEY}), {"office": office.steering})
        asked = AgiQuestion("office", (KEY, "74950000003"), {"uniqueid": "1.1", "callerid": "89261234567"})
        assert dict(await doors.answer(asked)) == {
            "CALLERID(name)": "Иван Петров",
            "CALLME_RING": "15",
            "CALLME_THEN": "",
            "CALLME_EXTEN": "101",
        }
        assert dict(await doors.answer(asked)) == {"CALLERID(name)": "Иван Петров", "CALLME_EXTEN": ""}


@pytest.mark.parametrize(
    ("asked", "routing"),
    [
        (told(key="0123456789abcdeF"), {"key": KEY}),
        (told(key=""), {"key": KEY}),
        (told(key=""), {}),
        (told(pbx="depot"), {"key": KEY}),
    ],
    ids=["wrong key", "no key", "no key is set", "another PBX"],
)
async def test_a_stranger_learns_and_moves_nothing(make: Any, asked: Asked, routing: dict[str, str]) -> None:
    async with make() as office:
        doors = Asking(Routing.model_validate(routing), {"office": office.steering})
        assert await doors.look_up(asked) is None
        question = AgiQuestion(asked.pbx, (asked.key,), {"uniqueid": "1.1", "callerid": "1"})
        assert tuple(await doors.answer(question)) == ()
        assert (office.switch.moved, office.crm.asked) == ([], [])


async def test_what_would_end_a_line_is_no_part_of_a_number(make: Any) -> None:
    """A caller's telephone says itself which number it has; the answer is one line, and so is an order."""
    async with make() as office:
        office.crm.customer = Customer(known=False)
        doors = Asking(Routing.model_validate({"key": KEY}), {"office": office.steering})
        asked = Asked("office", KEY, "7916\r\nVariable: 1<x>", "1.9", "", by_dialplan=True)
        assert await doors.look_up(asked) == Told("7916Variable: 1 x", "")
        assert office.switch.set == {"CALLERID(name)": "7916Variable: 1 x"}


async def test_a_route_begins_anew_at_no_made_up_place(make: Any) -> None:
    async with make() as office:
        doors = Asking(Routing.model_validate({"key": KEY}), {"office": office.steering})
        asked = Asked("office", KEY, "89261234567", "1.9", "5\r\n,1&evil,s", by_dialplan=False)
        assert await doors.look_up(asked) == Told("Иван Петров", "101")
        assert office.switch.set["CALLME_THEN"] == "from-pstn,s,1"


async def test_a_question_without_a_channel_moves_nothing(make: Any) -> None:
    async with make() as office:
        doors = Asking(Routing.model_validate({"key": KEY}), {"office": office.steering})
        for uniqueid in ("", "1\r\nAction: Command", "x" * 200):
            assert await doors.look_up(told(uniqueid=uniqueid)) == Told("89261234567", "")
        assert office.switch.moved == []
