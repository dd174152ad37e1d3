"""What a portal asks of the PBX: a click on a number shall become a call. The words of it, for any CRM.

A portal's adapter hears its CRM's message and gives a `Click`; the service keeps it as a command and dials.
Pure, and free of any CRM's own words.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from callme.calls.model import Call, Disposition, Side
from callme.wording import Phrase

DIGITS_MIN, DIGITS_MAX = 2, 20
KEYS_MAX = 40
_SPACING = re.compile(r"[\s().\-\u00a0\u2011\u2013]")

NO_NUMBER = Phrase("“{number}” cannot be dialled", "номер «{number}» набрать нельзя")
FORBIDDEN = Phrase("calls to {number} are forbidden here", "звонки на {number} здесь запрещены")
NOT_PICKED_UP = Phrase(
    "your telephone {extension} was not picked up", "на вашем телефоне {extension} никто не ответил"
)
BUSY = Phrase("your telephone {extension} is busy", "ваш телефон {extension} занят")
SILENT = Phrase(
    "your telephone {extension} did not ring: it is switched off or not registered",
    "ваш телефон {extension} не зазвонил: он выключен или не зарегистрирован на АТС",
)
NO_WAY_OUT = Phrase(
    "the PBX found no line on which to dial it: the number is wrong, or no outbound route takes it",
    "АТС не нашла, по какой линии его набрать: номер неверен либо его не берёт ни один исходящий маршрут",
)


class CommandState(StrEnum):
    """How far a command is. Nothing leads back: what was sent is never sent again."""

    WAITING = "waiting"  # → sent | refused | expired
    SENT = "sent"  # → dialled | refused; kept before the PBX is asked, so a kill leaves it in doubt
    DIALLED = "dialled"  # its call was seen
    REFUSED = "refused"  # not dialled, for the reason that is kept with it
    EXPIRED = "expired"  # its deadline passed before it could be dialled


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody clicked a number, or a customer asked for a call. `ref` is the portal's own id of the call
    that it opened for the click, `who` the person in the portal's words, `extension` his telephone (empty
    when the portal knows none), `number` what to dial as the portal writes it, `line` over which of our lines
    (empty: whichever), `at` when he clicked (epoch seconds).

    `by` is the person's id in the portal; `then` what is to be dialled by keys when the customer has
    answered; `client` whom the portal has under that number, in its own words; `campaign` the portal's id of
    the list that is being called. `callback`: a customer asked to be called, saying `text`; the portal has
    opened no call for it, and `ref` only tells one such wish from another. So it is without `opened`: the
    call was asked for past the portal."""

    ref: str
    who: str
    extension: str
    number: str
    at: float
    line: str = ""
    by: str = ""
    then: str = ""
    client: str = ""
    campaign: str = ""
    callback: bool = False
    text: str = ""
    opened: bool = True

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
    long after the click it may be dialled. `stirred`: what we may do in the portal has changed, and is to be
    looked at."""

    click: Click | None = None
    max_age_s: float = 15.0
    stirred: bool = False


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


Keep = Callable[[Hearing], Awaitable[bool]]
"""Sees to one message; false when it could not be kept and has to come again."""


@runtime_checkable
class Fetches(Protocol):
    """A portal whose CRM may be unable to reach us and keeps its messages until they are fetched."""

    id: str

    async def fetch(self, clock: Callable[[], float], keep: Keep) -> float:
        """Gives each message that waits to `keep`; the CRM forgets none before. Seconds after which to come
        again."""


@runtime_checkable
class Names(Protocol):
    """A portal that knows customers by name. One that does not simply lacks the method."""

    async def name_of(self, click: Click) -> str:
        """The customer's name, to be shown on the telephone; empty when there is none."""


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


def keys(text: str) -> str:
    """What is dialled by keys after the answer: digits, `*`, `#`, and `w` for half a second of waiting, to
    which a comma (two seconds on mobile telephones) comes down as well."""
    known = {**{key: key for key in "0123456789*#wW"}, ",": "wwww", ";": "wwww"}
    return "".join(known.get(sign, "") for sign in text).lower()[:KEYS_MAX]


def fruitless(call: Call) -> Phrase | None:
    """Why the call that a click caused never reached the customer, as its employee is told; `None` when it
    did, or when he himself declined or hung up."""
    extension = call.caller or call.owner or "?"
    others = any(ring.extension != extension for ring in call.rang)  # the number was a colleague's
    if call.ended_at is None or call.talks or call.trunk or others or call.lost:
        return None
    match call.disposition:
        case Disposition.NO_ANSWER:
            return NOT_PICKED_UP.given(extension=extension)
        case Disposition.BUSY:
            return BUSY.given(extension=extension)
        case Disposition.FAILED | Disposition.UNKNOWN | Disposition.CANCELLED if not call.rang:
            return SILENT.given(extension=extension)
        case Disposition.CANCELLED if call.hung_up_by is Side.PBX:
            return NO_WAY_OUT
    return None
