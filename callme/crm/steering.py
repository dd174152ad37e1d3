"""To whom a call goes that has just come in: the first `[[steer]]` that holds, and of those it names the
first who can take the call.

Asked by `service.steering` for each look-up and by the preview for calls of the past. What is not known
keeps a rule from holding, never the call from its ordinary route. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from callme.calls.numbering import hidden, pattern
from callme.calls.presence import Presence
from callme.config import Config, Steer
from callme.config.hours import within
from callme.config.steering import LAST, RESPONSIBLE, ROUTE
from callme.crm.port import Customer
from callme.crm.routing import same_line
from callme.wording import Phrase

NAME_MAX = 40
"""Letters that a telephone's display and a SIP header take without harm (sheet freepbx §6.2)."""

OFF_DUTY = "off-duty"
_EXTENSION = re.compile(r"[0-9]{2,10}")

NO_RULE = Phrase("no rule holds", "ни одно правило не подошло")
EXCLUDED = Phrase("the number is excluded", "номер в исключениях")
COLLEAGUE = Phrase("an employee's own number", "собственный номер сотрудника")
ORDINARY = Phrase("the rule says: ordinary route", "правило велит: обычный маршрут")
NOBODY = Phrase("the rule names nobody known for this caller", "правило никого не даёт для этого номера")
NOT_FREE = Phrase("none can take the call: {who}", "никто не может принять: {who}")
CHOSEN = {
    RESPONSIBLE: Phrase("responsible in the CRM", "ответственный в CRM"),
    LAST: Phrase("talked with this caller last", "последним говорил с этим номером"),
    "": Phrase("named by the rule", "указан в правиле"),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls which line when. `weekday` (0 is Monday) and `minute` (of the day) are the office's local
    time. `customer` is `None` when the CRM did not say in time; `last` is the extension that talked with the
    caller last."""

    pbx: str
    line: str
    number: str
    weekday: int
    minute: int
    customer: Customer | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the call goes. Empty `extension`: its ordinary route. `rule` counts `[[steer]]` tables from 1,
    `None` when none holds. `then` is the place for a call that he does not answer within `ring_s`."""

    extension: str
    rule: int | None
    why: Phrase
    ring_s: int = 0
    then: str = ROUTE


@dataclass(frozen=True, slots=True)
class Candidate:
    """An employee whom the rule would have: his extension, and as what it names him."""

    extension: str
    as_what: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The rule that holds, and whom it would have: of these the telephones have to be looked at. Without a
    rule `why` says why."""

    why: Phrase
    rule: int | None = None
    steer: Steer | None = None
    candidates: tuple[Candidate, ...] = ()


def choose(config: Config, caller: Caller) -> Choice:
    """The first rule that holds for this caller."""
    if excluded(config, caller.number):
        return Choice(EXCLUDED)
    if caller.customer is not None and caller.customer.colleague:
        return Choice(COLLEAGUE)
    for number, steer in enumerate(config.steer, start=1):
        if _holds(config, steer, caller):
            return _whom(number, steer, caller)
    return Choice(NO_RULE)


def decide(choice: Choice, caller: Caller, presence: Mapping[str, Presence]) -> Verdict:
    """The first of the candidates who can take the call. An extension that is not in `presence` is taken as
    one of which nothing is known, and that is rung."""
    if choice.steer is None or not choice.candidates:
        return Verdict("", choice.rule, choice.why)
    passed = []
    for one in choice.candidates:
        hindrance = _hindrance(one, caller, presence.get(one.extension, Presence.UNKNOWN))
        if hindrance and hindrance not in choice.steer.even_if:
            passed.append(f"{one.extension} {hindrance}")
            continue
        why = CHOSEN.get(one.as_what, CHOSEN[""])
        return Verdict(one.extension, choice.rule, why, choice.steer.ring_s, choice.steer.then)
    return Verdict("", choice.rule, NOT_FREE.given(who=", ".join(passed)))


def excluded(config: Config, number: str) -> bool:
    """Whether the number is on the list of those that are never steered, in whatever form it is written
    there."""
    if hidden(number):
        return False
    return any(_matches(text, number, config.service.country) for text in config.routing.exclude)


def display(name: str, number: str) -> str:
    """What the telephone shows: the name on one line, without signs that SIP or the dialplan would read as
    their own; the number when there is no name."""
    line = _plain(name)
    if len(line) > NAME_MAX:
        line = line[: NAME_MAX - 1].rstrip() + "…"
    return line or _plain(number)


def _plain(text: str) -> str:
    signs = (sign if sign.isprintable() and sign not in '"\\<>{}$[]|`;' else " " for sign in text)
    return " ".join("".join(signs).split())


def _holds(config: Config, steer: Steer, caller: Caller) -> bool:
    if steer.pbx not in ("", caller.pbx):
        return False
    if steer.line and not any(_matches(line, caller.line, config.service.country) for line in steer.line):
        return False
    if steer.hours and not within(steer.hours, caller.weekday, caller.minute):
        return False
    customer = caller.customer
    match steer.client:
        case "known":
            return customer is not None and customer.known
        case "unknown":
            return customer is not None and not customer.known
        case "vip":
            return customer is not None and customer.vip
        case _:
            return True


def _whom(number: int, steer: Steer, caller: Caller) -> Choice:
    found: list[Candidate] = []
    for target in steer.to:
        if target == ROUTE:
            if not found:
                return Choice(ORDINARY, number, steer)
            break
        extension = _extension(target, caller)
        if extension and extension not in [one.extension for one in found]:
            found.append(Candidate(extension, target))
    return Choice(NOBODY, number, steer, tuple(found))


def _extension(target: str, caller: Caller) -> str:
    match target:
        case "responsible":
            # Whoever keeps the list of people in a CRM writes there what he likes, an outside number too.
            extension = caller.customer.extension if caller.customer is not None else ""
            return extension if _EXTENSION.fullmatch(extension) else ""
        case "last":
            return caller.last or ""
        case _:
            return target


def _hindrance(one: Candidate, caller: Caller, presence: Presence) -> str:
    """Why he cannot take the call, in the words of `even_if`; empty when he can."""
    if presence in (Presence.BUSY, Presence.DND, Presence.UNREGISTERED):
        return presence.value
    customer = caller.customer
    if customer is not None and customer.extension == one.extension and customer.on_duty is False:
        return OFF_DUTY
    return ""


def _matches(wanted: str, number: str, country: str) -> bool:
    """A number in any form, or a pattern of digits such as `7916XXXXXXX` or `7495*`."""
    if same_line(wanted, number, country):
        return True
    digits = number.lstrip("+")
    return any(sign in "XZN*?xzn" for sign in wanted) and bool(
        pattern(wanted.lstrip("+").upper()).match(digits)
    )
