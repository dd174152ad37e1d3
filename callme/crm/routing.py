"""Which portal a call goes to, and by which rule (DESIGN §7: first match wins; no match is no portal, shown).

Used by the service for each call and by `callme check --why`. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from callme.calls.numbering import Numbering
from callme.config import Config


@dataclass(frozen=True, slots=True)
class Verdict:
    """`portal` is `None` when the call is unrouted. `rule` counts `[[route]]` tables from 1; `None` says
    that the only portal was taken because there are no routes."""

    portal: str | None
    rule: int | None = None


def verdict(config: Config, pbx: str, line: str) -> Verdict:
    """Where a call on this line of this PBX goes. For outgoing calls `line` is the trunk or the number
    shown."""
    for rule, route in enumerate(config.route, start=1):
        if route.pbx in ("", pbx) and (not route.line or same_line(route.line, line, config.service.country)):
            return Verdict(route.portal, rule)
    if not config.route and len(config.portal) == 1:
        return Verdict(config.portal[0].id)
    return Verdict(None)


def same_line(wanted: str, seen: str, country: str) -> bool:
    """Whether both name one line. Numbers are compared in their one form, so that `+7 495 …`, `8495…` and
    `7495…` are the same."""
    if any(letter.isalpha() for letter in wanted + seen):
        return wanted.casefold() == seen.casefold()
    return _digits(wanted, country) == _digits(seen, country) != ""


def _digits(number: str, country: str) -> str:
    digits = "".join(digit for digit in number if digit.isdecimal() or digit == "+")
    return Numbering(country=country).line(digits).lstrip("+")
