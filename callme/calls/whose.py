"""Whose call it is: the outside party, the line it came or went by, and the colleague who called.

Called by `derive.derive_call`; each function gives one field (law 1: whatever order the facts came in).
"""

from __future__ import annotations

from callme.calls.case import Case, outside_number
from callme.calls.model import (
    Direction,
)
from callme.calls.numbering import hidden, parse_name
from callme.calls.parties import (
    is_outside_number,
)


def derive_external(case: Case) -> str:
    """The outside party's number as the PBX gave it; empty when hidden or not known."""
    customer = case.customer
    if case.party.direction is Direction.INTERNAL:
        return ""
    if customer is not None:
        if case.party.direction is Direction.IN:
            return "" if hidden(customer.first_number) else customer.first_number
        number = outside_number(customer)
        if number:
            return number
    key = case.party.key
    if not case.party.originated:
        return "" if hidden(key.first_exten) else key.first_exten
    return next((n for n in (key.first_number, key.number) if is_outside_number(case.board, n)), "")


def derive_name(case: Case) -> str:
    """The caller's name as it came in; a copy of the number (FreePBX makes one) is no name."""
    name = (
        case.customer.first_name if case.customer is not None and case.party.direction is Direction.IN else ""
    )
    return "" if hidden(name) or not any(map(str.isalpha, name)) else name


def derive_line(case: Case) -> str:
    """The DID that was called, or the number that we showed, in one form."""
    return case.board.numbering.line(_line(case), derive_trunk(case))


def _line(case: Case) -> str:
    customer = case.customer
    if customer is None:
        return ""
    if case.party.direction is Direction.IN:
        did = customer.variables.get("FROM_DID", "")
        first = customer.first_exten if customer.born else ""
        return next(
            (value for value in (did, first) if len(value.lstrip("+")) > 1 and value.lstrip("+").isdigit()),
            "",
        )
    shown = next((dial.shown for dial in customer.dials if dial.shown), "")
    return shown if not hidden(shown) and not case.board.numbering.is_extension(shown) else ""


def derive_trunk(case: Case) -> str:
    """The trunk's name."""
    customer = case.customer
    if customer is None:
        return ""
    return case.board.whose(customer)[1]


def derive_caller(case: Case) -> str | None:
    """The colleague who called."""
    if case.party.direction is Direction.IN:
        return None
    agent = case.agent or case.party.origin
    if agent is None:
        return None
    known = case.board.extension(agent)
    if known is None and agent.is_local and case.party.originated:
        # A click of one whose calls are forwarded: his mobile was rung, he was asked for by his number.
        exten = parse_name(agent.name).local_exten
        return exten if case.board.numbering.is_extension(exten) and exten not in case.groups else None
    return known
