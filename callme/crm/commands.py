"""What a portal asks of the PBX: a click on a number shall become a call. The words of it, for any CRM.

A portal's adapter hears its CRM's message and gives a `Click`; the service keeps it as a command and dials.
Pure, and free of any CRM's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from callme.wording import Phrase

DIGITS_MIN, DIGITS_MAX = 2, 20
_SPACING = re.compile(r"[\s().\-\u00a0\u2011\u2013]")

NO_NUMBER = Phrase("“{number}” cannot be dialled", "номер «{number}» набрать нельзя")
FORBIDDEN = Phrase("calls to {number} are forbidden here", "звонки на {number} здесь запрещены")


class CommandState(StrEnum):
    """How far a command is. Nothing leads back: what was sent is never sent again."""

    WAITING = "waiting"  # → sent | refused | expired
    SENT = "sent"  # → dialled | refused; kept before the PBX is asked, so a kill leaves it in doubt
    DIALLED = "dialled"  # its call was seen
    REFUSED = "refused"  # not dialled, for the reason that is kept with it
    EXPIRED = "expired"  # its deadline passed before it could be dialled


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody clicked a number. `ref` is the portal's own id of the call that it opened for the click,
    `who` the person in the portal's words, `extension` his telephone (empty when the portal knows none),
    `number` what to dial as the portal writes it, `line` over which of our lines (empty: whichever), `at`
    when he clicked (epoch seconds)."""

    ref: str
    who: str
    extension: str
    number: str
    at: float
    line: str = ""

    def to_json(self) -> dict[str, Any]:
        """For the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Click:
        """What `to_json` gave; keys that a newer version added are left out."""
        return cls(**{name: value for name, value in stored.items() if name in cls.__dataclass_fields__})


# ------------------------------------------------------------------------------------- what was heard
@dataclass(frozen=True, slots=True)
class Heard:
    """The message is the portal's. `click` is what it asks for; `None`: nothing of ours. `max_age_s`: so
    long after the click it may be dialled."""

    click: Click | None = None
    max_age_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Foreign:
    """Whoever sent it does not know the portal's secret."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """It cannot be understood."""

    why: Phrase


Hearing = Heard | Foreign | Unclear


@runtime_checkable
class Hears(Protocol):
    """A portal that can be called by its CRM. One that hears nothing simply lacks the method."""

    async def hear(self, body: bytes, now: float) -> Hearing:
        """What that body of a POST to our door says. Raises nothing for what a stranger may send."""


# --------------------------------------------------------------------------------------- what is dialled
def dialled(number: str, plus: str, prefix: str, forbidden: Iterable[re.Pattern[str]]) -> str | Phrase:
    """The number as the PBX dials it: digits alone, the leading `+` replaced, the prefix before it; or why
    it is not dialled. Codes with `*` and `#` change settings of the PBX and are no numbers to call."""
    plain = _SPACING.sub("", number)
    digits = plain.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and DIGITS_MIN <= len(digits) <= DIGITS_MAX):
        return NO_NUMBER.given(number=number[:40])
    if any(shape.match(digits) for shape in forbidden):
        return FORBIDDEN.given(number=digits)
    return prefix + (plus if plain != digits else "") + digits
