"""Turns what is known into what a person reads: numbers in groups, local times, lengths, a call's outcome
in a word.

One `Reading` serves one page: its language, the country for numbers without a prefix, and the moment it is
made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import phonenumbers

from callme.calls.model import Call, Direction, Disposition
from callme.web.board import CallRow, DeliveryView
from callme.web.phrases import Words
from callme.wording import Phrase

_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "ru": ("янв.", "февр.", "мар.", "апр.", "мая", "июн.", "июл.", "авг.", "сент.", "окт.", "нояб.", "дек."),
}
_ARROWS = {Direction.IN: "↙", Direction.OUT: "↗", Direction.INTERNAL: "↔"}
_REACHED = frozenset({Disposition.ANSWERED})
_CALM = frozenset({Disposition.VOICEMAIL, Disposition.AFTER_HOURS, Disposition.BLOCKED, Disposition.UNKNOWN})
_SHORTEST = 7  # digits: what is shorter is an extension or a service number and shown as it is


@lru_cache(maxsize=4096)
def grouped(number: str, country: str) -> str:
    """A phone number with its digits in groups, `+7 495 000-00-01`; what is no valid number stays as it
    is."""
    if sum(sign.isdecimal() for sign in number) < _SHORTEST:
        return number
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_valid_number(parsed):
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@dataclass(frozen=True, slots=True)
class Crm:
    """The state of a call's deliveries in one word; `why` is the reason of the worst trouble."""

    state: str  # done, waiting, refused, none
    why: Phrase | None = None


def crm(deliveries: Iterable[DeliveryView]) -> Crm:
    """The worst state among deliveries: refused before waiting before done."""
    known = list(deliveries)
    refused = next((one for one in known if one.state == "refused"), None)
    if refused is not None:
        return Crm("refused", refused.why)
    open_ones = [one for one in known if one.state != "done"]
    if open_ones:
        return Crm("waiting", next((one.why for one in open_ones if one.why), None))
    return Crm("done" if known else "none")


@dataclass(frozen=True, slots=True)
class Reading:
    """Says things to one reader."""

    words: Words
    country: str
    now: float

    def number(self, number: str) -> str:
        """A phone number, or words for a hidden one."""
        return grouped(number, self.country) if number else self.words.hidden

    def who(self, call: Call) -> str:
        """The outside party's number, for an internal call the colleague that called."""
        if call.direction is Direction.INTERNAL and not (call.number or call.external):
            return call.caller or "—"
        return self.number(call.number or call.external)

    def line(self, call: Call) -> str:
        """The line's number or name; empty when unknown."""
        return grouped(call.line, self.country) if call.line else ""

    def employee(self, call: Call) -> str:
        """Who talked last; without a talk who called out."""
        return call.last_talker or call.answered_by or call.caller or ""

    def arrow(self, call: Call) -> str:
        """Which way the call went."""
        return _ARROWS[call.direction]

    def tone(self, call: Call) -> str:
        """How the outcome should look: `good`, `calm` or `missed`."""
        if call.open or call.disposition in _CALM:
            return "calm"
        return "good" if call.disposition in _REACHED else "missed"

    def seconds_so_far(self, call: Call) -> int:
        """Whole seconds since the answer, else since the beginning."""
        return max(0, int(self.now - (call.answered_at or call.started_at)))

    def length(self, seconds: float) -> str:
        """`42 s`, `3 min 05 s`, `1 h 02 min`."""
        whole, w = round(seconds), self.words
        if whole < 60:
            return f"{whole} {w.seconds}"
        if whole < 3600:
            return f"{whole // 60} {w.minutes} {whole % 60:02} {w.seconds}"
        return f"{whole // 3600} {w.hours} {whole % 3600 // 60:02} {w.minutes}"

    def clock(self, moment: float) -> str:
        """Local time of day to the second."""
        return _local(moment).strftime("%H:%M:%S")

    def moment(self, moment: float) -> str:
        """Local time, with the day unless it is today."""
        local, today = _local(moment), _local(self.now)
        if local.date() == today.date():
            return local.strftime("%H:%M")
        day = f"{local.day} {_MONTHS[self.words.language][local.month - 1]}"
        year = f" {local.year}" if local.year != today.year else ""
        return f"{day}{year}, {local:%H:%M}"

    def stamp(self, moment: float) -> str:
        """Machine-readable time for `<time datetime=…>`."""
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")

    def crm(self, row: CallRow) -> Crm:
        """The state of the row's deliveries in one word."""
        return crm(row.deliveries)


def _local(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone()
