"""To whom an incoming call goes: each kind of rule, and what keeps a call on its ordinary route."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callme.calls.presence import Presence
from callme.config import Config, Routing, Steer
from callme.crm.port import Customer
from callme.crm.steering import Caller, choose, decide, display

MONDAY, SATURDAY, NOON = 0, 5, 12 * 60
IVAN = Customer(True, "Иван Петров", "101", on_duty=True)
CALLER = Caller("office", "74950000003", "+79261234567", MONDAY, NOON, IVAN, last="102")
STRANGER = replace(CALLER, customer=Customer(known=False), last=None)
SILENT = replace(CALLER, customer=None, last=None)


def config(*rules: dict[str, Any], **routing: Any) -> Config:
    return Config(
        steer=tuple(Steer.model_validate({"to": ["responsible"], **rule}) for rule in rules),
        routing=Routing.model_validate(routing),
    )


def sent(settings: Config, caller: Caller = CALLER, **presence: Presence) -> tuple[str, int | None]:
    """The extension, and by which rule."""
    states = {name.removeprefix("e"): state for name, state in presence.items()}
    found = decide(choose(settings, caller), caller, states)
    return found.extension, found.rule


def why(settings: Config, caller: Caller = CALLER, **presence: Presence) -> str:
    states = {name.removeprefix("e"): state for name, state in presence.items()}
    return decide(choose(settings, caller), caller, states).why.say("en")


def test_without_rules_every_call_keeps_its_route() -> None:
    assert sent(config()) == ("", None)


def test_the_responsible_employee_gets_the_call() -> None:
    assert sent(config({})) == ("101", 1)


@pytest.mark.parametrize("caller", [STRANGER, SILENT], ids=["unknown client", "the CRM is silent"])
def test_where_nobody_is_responsible_the_call_keeps_its_route(caller: Caller) -> None:
    assert sent(config({}), caller) == ("", 1)


@pytest.mark.parametrize("written", ["+79161112233", "79161112233", "101,1", "٢٢٢", "1"])
def test_what_the_crm_has_for_an_extension_and_is_none_is_not_rung(written: str) -> None:
    assert sent(config({}), replace(CALLER, customer=replace(IVAN, extension=written))) == ("", 1)


def test_the_first_rule_that_holds_decides() -> None:
    rules = config({"client": "unknown", "to": ["105"]}, {"to": ["responsible"]}, {"to": ["106"]})
    assert sent(rules) == ("101", 2)
    assert sent(rules, STRANGER) == ("105", 1)


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("74950000003", True),
        ("+7 495 000-00-03", True),
        ("84950000003", True),
        ("7495000000X", True),
        ("7495*", True),
        ("74950000004", False),
    ],
)
def test_a_rule_for_a_line(line: str, holds: bool) -> None:
    assert bool(sent(config({"line": [line]}))[0]) is holds


def test_a_rule_for_one_of_several_lines_and_for_a_pbx() -> None:
    assert sent(config({"line": ["74950000001", "74950000003"]})) == ("101", 1)
    assert sent(config({"pbx": "depot"}, {"pbx": "office"})) == ("101", 2)


@pytest.mark.parametrize(
    ("weekday", "minute", "holds"),
    [(MONDAY, 9 * 60, True), (MONDAY, 18 * 60, False), (SATURDAY, NOON, False), (MONDAY, 8 * 60 + 59, False)],
)
def test_a_rule_for_hours(weekday: int, minute: int, holds: bool) -> None:
    caller = replace(CALLER, weekday=weekday, minute=minute)
    assert bool(sent(config({"hours": ["mon-fri 09:00-18:00"]}), caller)[0]) is holds


@pytest.mark.parametrize(
    ("client", "of_known", "of_unknown", "of_vip", "of_silent"),
    [
        ("any", True, True, True, True),
        ("known", True, False, True, False),
        ("unknown", False, True, False, False),
        ("vip", False, False, True, False),
    ],
)
def test_a_rule_for_a_kind_of_client(
    client: str, of_known: bool, of_unknown: bool, of_vip: bool, of_silent: bool
) -> None:
    rules = config({"client": client, "to": ["105"]})
    vip = replace(CALLER, customer=replace(IVAN, vip=True))
    found = [bool(sent(rules, one)[0]) for one in (CALLER, STRANGER, vip, SILENT)]
    assert found == [of_known, of_unknown, of_vip, of_silent]


def test_the_last_talker_first_then_the_responsible() -> None:
    rules = config({"to": ["last", "responsible"]})
    assert sent(rules) == ("102", 1)
    assert sent(rules, e102=Presence.BUSY) == ("101", 1)
    assert sent(rules, replace(CALLER, last=None)) == ("101", 1)
    assert sent(rules, replace(SILENT, last="102")) == ("102", 1), "the CRM is not needed for it"


@pytest.mark.parametrize("state", [Presence.BUSY, Presence.DND, Presence.UNREGISTERED])
def test_who_cannot_take_a_call_is_passed_over(state: Presence) -> None:
    assert sent(config({}), e101=state) == ("", 1)
    assert state.value in why(config({}), e101=state)
    assert sent(config({"even_if": [state.value]}), e101=state) == ("101", 1)


@pytest.mark.parametrize("state", [Presence.FREE, Presence.UNKNOWN])
def test_who_is_free_or_of_whom_the_pbx_says_nothing_is_rung(state: Presence) -> None:
    assert sent(config({}), e101=state) == ("101", 1)


def test_whose_workday_is_closed_is_passed_over() -> None:
    home = replace(CALLER, customer=replace(IVAN, on_duty=False))
    assert sent(config({}), home) == ("", 1)
    assert sent(config({"to": ["responsible", "105"]}), home) == ("105", 1)
    assert sent(config({"even_if": ["off-duty"]}), home) == ("101", 1)
    assert sent(config({}), replace(CALLER, customer=replace(IVAN, on_duty=None))) == ("101", 1)


def test_route_as_a_target_ends_the_search() -> None:
    assert sent(config({"client": "vip", "to": ["105"]}, {"to": ["route"]}, {})) == ("", 2)
    assert sent(config({"to": ["responsible", "route", "105"]}), e101=Presence.BUSY) == ("", 1)


def test_how_long_it_rings_and_where_it_goes_then() -> None:
    rules = config({"ring_s": 7, "then": "ext-group,600"})
    found = decide(choose(rules, CALLER), CALLER, {})
    assert (found.ring_s, found.then) == (7, "ext-group,600")


@pytest.mark.parametrize("listed", ["+79261234567", "8 926 123-45-67", "7926XXXXXXX", "7926*"])
def test_excluded_numbers_keep_their_route(listed: str) -> None:
    assert sent(config({}, exclude=[listed])) == ("", None)
    assert "excluded" in why(config({}, exclude=[listed]))


def test_an_employee_who_calls_in_from_his_mobile_keeps_the_route() -> None:
    caller = replace(CALLER, customer=replace(IVAN, colleague=True))
    assert sent(config({}), caller) == ("", None)


def test_a_hidden_number_is_on_no_list() -> None:
    assert sent(config({"to": ["105"]}, exclude=["*"]), replace(STRANGER, number="")) == ("105", 1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Иван Петров", "Иван Петров"),
        ("", "+79261234567"),
        ("  \r\n\t ", "+79261234567"),
        ('ООО "Ромашка"\r\nX-Evil: 1', "ООО Ромашка X-Evil: 1"),
        ("${SHELL(rm)}<sip:a>", "SHELL(rm) sip:a"),
        ("а" * 60, "а" * 39 + "…"),
    ],
)
def test_what_the_telephone_shows_is_one_harmless_line(name: str, shown: str) -> None:
    assert display(name, "+79261234567") == shown
