"""Who sees a card when: by person, by the queue or ring group that rings him, and by what is going on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callme.calls.facts import DialStatus
from callme.calls.model import Call, CallId, Direction, Ring, Step, Talk
from callme.crm import cards
from callme.crm.cards import CardRule, CardRules, When, Wish
from callme.crm.intents import Cards
from callme.crm.policy import Rules, Told, decide
from tests.calls.scene import Scene
from tests.crm.test_policy import heard

RINGING = Call(
    CallId("office-1.1"),
    "office",
    Direction.IN,
    "+79161234567",
    "+79161234567",
    "",
    "74950000001",
    "trunk",
    None,
    100.0,
    rang=(Ring("101", 105.0), Ring("102", 105.0)),
    path=(Step("ivr", "1", 101.0), Step("group", "600", 104.0)),
)
TALKING = replace(
    RINGING, rang=(Ring("101", 105.0, 108.0), Ring("102", 105.0, 108.0)), talks=(Talk("101", "101", 108.0),)
)


def seers(call: Call, *rules: CardRule, otherwise: When = When.RING) -> set[str]:
    return set(cards.wish(call, CardRules(otherwise, rules)).seers)


@pytest.mark.parametrize(
    ("when", "ringing", "talking"),
    [
        (When.RING, {"101", "102"}, {"101"}),
        (When.ANSWER, set(), {"101"}),
        (When.RESPONSIBLE, {"101", "102"}, {"101"}),
        (When.NEVER, set(), set()),
    ],
)
def test_each_way_for_everybody(when: When, ringing: set[str], talking: set[str]) -> None:
    assert seers(RINGING, otherwise=when) == ringing
    assert seers(TALKING, otherwise=when) == talking


def test_the_first_rule_that_fits_decides() -> None:
    rules = (
        CardRule(When.NEVER, extensions=("102",)),
        CardRule(When.ANSWER, groups=("600",)),
        CardRule(When.RING, extensions=("1XX",)),
    )
    assert seers(RINGING, *rules) == set()
    assert seers(TALKING, *rules) == {"101"}
    assert seers(RINGING, *rules[:1]) == {"101"}


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ((Step("queue", "400", 104.0),), set()),
        ((Step("queue", "400", 105.04),), set()),  # told a moment after the ringing
        ((Step("queue", "401", 104.0),), {"101", "102"}),
        ((Step("group", "400", 104.0),), {"101", "102"}),
        ((Step("queue", "400", 101.0), Step("group", "600", 104.0)), {"101", "102"}),
        ((Step("group", "600", 104.0), Step("queue", "400", 120.0)), {"101", "102"}),
        ((), {"101", "102"}),
    ],
)
def test_a_queue_counts_while_it_rings(path: tuple[Step, ...], seen: set[str]) -> None:
    assert seers(replace(RINGING, path=path), CardRule(When.NEVER, queues=("400",))) == seen


def test_a_rule_may_ask_for_person_and_group_together() -> None:
    rule = CardRule(When.NEVER, extensions=("101",), groups=("600",))
    assert seers(RINGING, rule) == {"102"}


def test_only_the_responsible_is_named_as_asking() -> None:
    rule = CardRule(When.RESPONSIBLE, extensions=("102",))
    assert cards.wish(RINGING, CardRules(rules=(rule,))) == Wish(
        frozenset({"101", "102"}), frozenset({"102"})
    )


def test_who_calls_out_may_see_it_when_the_customer_answers() -> None:
    out = replace(RINGING, direction=Direction.OUT, caller="101", rang=(), path=())
    assert seers(out) == {"101"}
    assert seers(out, otherwise=When.ANSWER) == set()
    assert seers(replace(out, talks=(Talk("101", "101", 110.0),)), otherwise=When.ANSWER) == {"101"}


def test_cards_follow_a_transfer_under_any_rule() -> None:
    scene = Scene()
    customer = scene.customer_calls()
    one = scene.rings(customer, "101")
    scene.wait(2)
    scene.talk(customer, one)
    scene.wait(5)
    scene.hangs_up(customer, one)
    said = heard(scene, Rules(cards=CardRules(When.ANSWER)))
    assert [set(wish.seers) for wish in said if isinstance(wish, Cards)] == [{"101"}, set()]


def test_the_one_who_answers_sees_it_and_no_other() -> None:
    scene = Scene()
    customer = scene.customer_calls()
    one, two = scene.rings(customer, "101"), scene.rings(customer, "102")
    scene.wait(3)
    scene.ended(customer, one, DialStatus.CANCEL)
    scene.gone(one, cause=26)
    scene.talk(customer, two)
    scene.wait(5)
    scene.hangs_up(customer, two)
    said = heard(scene, Rules(cards=CardRules(When.ANSWER)))
    assert [set(wish.seers) for wish in said if isinstance(wish, Cards)] == [{"102"}, set()]


def test_a_restart_repeats_no_wish_and_older_memos_are_read() -> None:
    rules = Rules(cards=CardRules(When.RESPONSIBLE))
    said, told = decide(RINGING, Told(), rules)
    assert said[-1] == Cards(said[-1].about, frozenset({"101", "102"}), frozenset({"101", "102"}))
    assert decide(RINGING, Told.from_json(told.to_json()), rules)[0] == ()
    old = {"registered": True, "seers": ["101"], "finished": False, "attached": []}
    assert Told.from_json(old).asking == frozenset()
