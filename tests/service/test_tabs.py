"""The tab over a real river and database: the right call, the right people, and orders that reach the PBX."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from callme.calls.model import Call
from callme.calls.tracker import Tracker
from callme.config import Pbx
from callme.crm.intents import Intent, Register
from callme.crm.policy import facts_of
from callme.crm.tabs import Order, Stranger, Viewer
from callme.delivery.ledger import LaneWrite
from callme.errors import PbxError
from callme.pbx import port
from callme.pbx.port import Moment, UnsureError
from callme.service import tabs
from callme.service.metrics import Metrics
from callme.service.numbers import numbering_of
from callme.service.river import River
from callme.service.tabs import CallTabs
from callme.service.tickets import LIFE_S
from callme.store import StepWrite, open_store
from callme.store.listening import KeptBack
from callme.store.sqlite import Store
from callme.web.tab import Shown
from callme.wording import Phrase
from tests.calls.played import FOLDER, Case
from tests.service.test_river import Played, config

REF = "externalCall.abc"
PORTAL = "https://acme.example"
IN = Case(FOLDER / "plain16" / "in_ringall_answered_by_2nd.ami.gz")
CLICK = Case(FOLDER / "plain16" / "click_to_call_answered.ami.gz")
MOBILE = Case(FOLDER / "plain16" / "in_followme_mobile_answers.ami.gz")


class Switch(Played):
    """A PBX that stands still at a moment, and remembers what it was told."""

    def __init__(self, moments: list[Moment]) -> None:
        super().__init__(moments)
        self.contexts = {"from-did-direct", "from-internal"}
        self.told: list[tuple[str, ...]] = []
        self.error: PbxError | None = None

    async def has_context(self, name: str) -> bool:
        return name in self.contexts

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        await self._tell("redirect", channel, context, exten)

    async def hang_up(self, channel: str) -> None:
        await self._tell("hang up", channel)

    async def _tell(self, *order: str) -> None:
        if self.error is not None:
            raise self.error
        self.told.append(order)


class Crm:
    """A portal whose people are known."""

    id = "main"
    frame = PORTAL
    people: Mapping[str, str] = {"101": "Анна", "102": "Борис", "103": "<b>Вера</b>", "9": "Дальний"}

    @property
    def tab(self) -> Crm:
        return self

    async def viewer(self, fields: Mapping[str, str]) -> Viewer | Stranger:
        if "as" not in fields:
            return Stranger(Phrase("who?", "кто?"))
        return self.viewer_again(fields["as"], fields.get("call", REF))

    def viewer_again(self, user: str, call: str) -> Viewer:
        return Viewer(user, call, "call", frozenset({user}), user == "chief")

    def colleagues(self) -> Mapping[str, str]:
        return self.people


class Office:
    """One call that goes on, and its tab."""

    def __init__(self, cards: CallTabs, switch: Switch, store: Store, river: River, call: Call) -> None:
        self.cards, self.switch, self.store, self.river, self.call = cards, switch, store, river, call
        self.now = call.started_at + 60

    async def open(self, user: str, **fields: str) -> Shown:
        shown = await self.cards.open("main", {"as": user, **fields})
        assert shown is not None
        assert shown.frame == PORTAL
        return shown

    async def press(self, user: str, order: str, to: str = "", ticket: str = "") -> str:
        """What the page then says."""
        ticket = ticket or self.cards._tickets.issue("main", REF, user)
        shown = await self.cards.press("main", ticket, order, to)
        assert shown is not None
        return shown.said.say("en") if shown.said else ""

    def customer(self) -> Any:
        """The channel through which the customer really came or was called, by the transcript."""
        (channel,) = [one for one in self.river.board.channels.values() if "trunk" in one.name and one.alive]
        return channel


def until(moments: list[Moment], reached: Callable[[Call], bool]) -> tuple[list[Moment], Call]:
    """The beginning of a transcript, as far as a call has got so far."""
    pbx = Pbx(id="office", secret=SecretStr("x"))
    tracker = Tracker("office", numbering_of(config(), pbx, port.Directory()))
    for place, moment in enumerate(moments):
        for change in tracker.step(moment.facts, moment.at).changes:
            if reached(change.call):
                return moments[: place + 1], change.call
    raise AssertionError("the transcript never gets there")


@asynccontextmanager
async def office(folder: Path, case: Case, reached: Callable[[Call], bool]) -> AsyncIterator[Office]:
    moments, call = until(case.moments, reached)
    store, settings = open_store(folder / "callme.db"), config()
    switch = Switch(moments)
    river = River(
        settings, settings.pbx[0], switch, store, Metrics(), lambda: call.started_at + 60, lambda: None
    )
    await river.run()
    await remember(store, call, REF)
    made: list[Office] = []
    cards = CallTabs(settings, [Crm()], [river], store, lambda: made[0].now)  # type: ignore[list-item]
    made.append(Office(cards, switch, store, river, call))
    yield made[0]
    await store.close()


async def remember(store: Store, call: Call, ref: str) -> None:
    """The portal has given the call its own id."""
    lane = await store.lane("main", str(call.id))
    assert lane is not None
    await store.save(LaneWrite(replace(lane, memory={"call": ref}), frozenset(), None, None, None))


def talked(call: Call) -> bool:
    return bool(call.talking)


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Office]:
    """102 talks, after 101 and 102 rang."""
    async with office(tmp_path, IN, talked) as made:
        yield made


async def test_whoever_took_part_sees_the_call_and_who_talks_has_buttons(talk: Office) -> None:
    talker, rung = await talk.open("102"), await talk.open("101")
    assert talker.view is not None
    assert rung.view is not None
    assert talker.view.call.id == rung.view.call.id == talk.call.id
    assert (talker.view.orders, rung.view.orders) == (frozenset(Order), frozenset())
    assert ("103", "<b>Вера</b>") in talker.view.colleagues
    assert not {"102", "9"} & dict(talker.view.colleagues).keys(), "not himself, and nobody of another PBX"


async def test_others_see_nothing_and_get_no_ticket(talk: Office) -> None:
    for shown in (await talk.open("104"), await talk.open("102", call="externalCall.other")):
        assert shown.view is None
    assert (await talk.open("104")).ticket == ""
    stranger = await talk.cards.open("main", {})
    assert stranger is not None
    assert (stranger.status, stranger.view, stranger.ticket) == (403, None, "")
    assert await talk.cards.open("nowhere", {"as": "102"}) is None


async def test_a_card_without_a_call_says_so(talk: Office) -> None:
    assert (await talk.open("102", call="")).said == tabs.NO_CALL


async def test_a_call_that_is_not_known_yet_may_be_looked_for_again(talk: Office) -> None:
    shown = await talk.open("102", call="externalCall.soon")
    assert shown.said == tabs.UNKNOWN
    await remember(talk.store, talk.call, "externalCall.soon")
    again = await talk.cards.press("main", shown.ticket, "", "")
    assert again is not None
    assert again.view is not None


async def test_hanging_up_ends_the_customers_channel(talk: Office) -> None:
    assert "being ended" in await talk.press("102", "hang-up")
    assert talk.switch.told == [("hang up", talk.customer().name)]


async def test_a_call_is_handed_on_where_calls_from_outside_reach_a_colleague(talk: Office) -> None:
    assert "handed on to 103" in await talk.press("102", "transfer", "103")
    talk.switch.contexts = {"from-internal"}
    await talk.press("102", "transfer", "103")
    uniqueid = talk.customer().uniqueid
    assert talk.switch.told == [
        ("redirect", uniqueid, "from-did-direct", "103"),
        ("redirect", uniqueid, "from-internal", "103"),
    ]
    talk.switch.contexts = set()
    assert "no place in its dialplan" in await talk.press("102", "transfer", "103")
    assert len(talk.switch.told) == 2, "a place that is not there would end the call"


@pytest.mark.parametrize(
    ("user", "order", "to"),
    [
        ("101", "hang-up", ""),
        ("101", "transfer", "103"),
        ("103", "hang-up", ""),
        ("102", "transfer", "102"),
        ("102", "transfer", "9"),
        ("102", "transfer", "103,1\r\nAction: Originate"),
        ("102", "transfer", ""),
        ("102", "explode", ""),
    ],
)
async def test_what_is_not_his_to_order_reaches_no_pbx(talk: Office, user: str, order: str, to: str) -> None:
    assert await talk.press(user, order, to)
    assert talk.switch.told == []


async def test_a_supervisor_directs_every_call(talk: Office) -> None:
    assert "being ended" in await talk.press("chief", "hang-up")
    assert len(talk.switch.told) == 1


async def test_a_forged_foreign_or_old_ticket_orders_nothing(talk: Office) -> None:
    good = talk.cards._tickets.issue("main", REF, "102")
    for ticket in ("x", f"{good}x", talk.cards._tickets.issue("other", REF, "102")):
        assert await talk.press("102", "hang-up", ticket=ticket) == tabs.STALE.say("en")
    foreign = talk.cards._tickets.issue("main", "externalCall.other", "102")
    assert await talk.press("102", "hang-up", ticket=foreign) == tabs.MAY_NOT.say("en")
    talk.now += LIFE_S
    assert await talk.press("102", "hang-up", ticket=good) == tabs.STALE.say("en")
    assert talk.switch.told == []


async def test_a_pbx_that_refuses_or_is_silent_is_told(talk: Office) -> None:
    talk.switch.error = PbxError(Phrase("no such channel", "нет такого канала"))
    assert "no such channel" in await talk.press("102", "hang-up")
    talk.switch.error = UnsureError(Phrase("no answer", "нет ответа"))
    assert "may have been done" in await talk.press("102", "hang-up")


async def test_earlier_calls_of_the_number_and_the_recording_are_told(talk: Office) -> None:
    other = replace(talk.call, id=f"{talk.call.id}0", started_at=talk.call.started_at - 500, ended_at=1.0)
    namesake = replace(other, id=f"{talk.call.id}1", number="1" + talk.call.number[-10:])
    elsewhere = replace(other, id=f"{talk.call.id}2")
    for one, portal in ((other, "main"), (namesake, "main"), (elsewhere, "second")):
        await insert(talk.store, one, (portal, Register(facts_of(one), "101")))
    await talk.store.keep_back(KeptBack(str(talk.call.id), 0.0, "Anna"))
    view = (await talk.open("102")).view
    assert view is not None
    assert [one.id for one in view.past] == [other.id]
    assert view.kept_back


async def insert(store: Store, call: Call, *told: tuple[str, Intent]) -> None:
    await store.commit(StepWrite("office", 0.0, calls=(call,), intents=told))


async def test_who_alone_is_rung_may_hand_on_and_not_end(tmp_path: Path) -> None:
    direct = Case(FOLDER / "plain16" / "in_direct_answered.ami.gz")
    async with office(tmp_path, direct, lambda call: bool(call.ringing)) as ringing:
        (rung,) = ringing.call.ringing
        assert await ringing.press(rung, "hang-up") == tabs.MAY_NOT.say("en")
        other = next(one for one in ("101", "102") if one != rung)
        assert "handed on" in await ringing.press(rung, "transfer", other)
        assert ringing.switch.told == [("redirect", ringing.customer().uniqueid, "from-did-direct", other)]


async def test_of_a_clicked_call_the_called_customer_is_handed_on(tmp_path: Path) -> None:
    async with office(tmp_path, CLICK, talked) as clicked:
        assert "being ended" in await clicked.press(clicked.call.talking[0], "hang-up")
        assert clicked.switch.told == [("hang up", clicked.customer().name)]


async def test_who_calls_out_gives_up_by_his_own_channel(tmp_path: Path) -> None:
    out = Case(FOLDER / "plain16" / "out_answered.ami.gz")
    async with office(tmp_path, out, lambda call: bool(call.external) and not call.talks) as calling:
        assert calling.call.caller is not None
        assert "being ended" in await calling.press(calling.call.caller, "hang-up")
        (told,) = calling.switch.told
        assert "trunk" not in told[1], "the next trunk would be tried"


async def test_a_forwarded_leg_is_not_taken_for_the_customer(tmp_path: Path) -> None:
    async with office(tmp_path, MOBILE, talked) as forwarded:
        await forwarded.press("chief", "hang-up")
        (told,) = forwarded.switch.told
        first = forwarded.river.board.channels[str(forwarded.call.id).removeprefix("office-")]
        assert told == ("hang up", first.name)


async def test_when_the_customer_has_gone_nobody_is_hung_up(talk: Office) -> None:
    talk.customer().gone_at = talk.now
    assert await talk.press("102", "hang-up") == tabs.GONE.say("en")
    assert talk.switch.told == []
