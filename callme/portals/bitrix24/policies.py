"""The tables of a portal's settings that say what is done with its calls; `settings` puts them together.

Only shapes and their checks: who decides by them is `crm.policy`, `owners` and `clients`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from callme.config.forms import Patterns, Table
from callme.config.problems import Unfit
from callme.crm.cards import CardRule as Rule
from callme.crm.cards import When
from callme.wording import Phrase

Moment = Literal["ring", "answer", "responsible", "never"]


class CardRule(Table):
    """One of `card_rules`: who is rung how, and when he sees the card."""

    extensions: Patterns = ()
    queues: Patterns = ()
    groups: Patterns = ()
    cards: Moment

    @model_validator(mode="after")
    def _somebody(self) -> CardRule:
        if self.extensions or self.queues or self.groups:
            return self
        raise Unfit(
            Phrase("the rule names nobody", "в правиле никто не назван"),
            Phrase(
                "give extensions, queues or groups; for everybody set cards of the portal",
                "задайте extensions, queues или groups; для всех — ключ cards портала",
            ),
        )

    def plain(self) -> Rule:
        """The same for any CRM."""
        return Rule(When(self.cards), self.extensions, self.queues, self.groups)


class Creation(StrEnum):
    """Of which calls with an unknown number the portal gets a new client."""

    NEVER = "never"
    ANSWERED = "answered"
    MISSED = "missed"  # nobody answered, in either direction
    ALWAYS = "always"


def _creation(value: object) -> object:
    """`true` and `false` stay for always and never."""
    if isinstance(value, bool):
        return Creation.ALWAYS if value else Creation.NEVER
    if isinstance(value, str) and value in tuple(Creation):
        return Creation(value)
    raise Unfit(
        Phrase("it is none of the possible values", "такого значения не бывает"),
        Phrase("choose from {choice}", "выберите: {choice}").given(choice=", ".join(Creation)),
    )


Creates = Annotated[Creation, BeforeValidator(_creation)]


class Create(Table):
    """`create`: of which calls the portal makes a client for a number that it does not know, per
    direction."""

    # An unknown caller is a new client, which is what people expect of telephony in this CRM; a number that
    # an employee dials may be a taxi, and a wrong digit must not become a lead.
    inbound: Creates = Creation.ALWAYS
    outbound: Creates = Creation.NEVER


class Line(Table):
    """`lines."74950000001"`: one of the company's numbers, or a trunk by its name. `source` is a code of the
    portal's list of sources, `owner` the extension that gets its missed calls; `create` outranks the portal's
    own `create` on this line, `create_outbound` does so for the calls that go out over it. `remind` outranks
    whether the portal reminds of missed calls."""

    name: str = ""
    source: str = ""
    create: Creates | None = None
    create_outbound: Creates | None = None
    owner: str = ""
    remind: bool | None = None

    @property
    def outgoing(self) -> Creation | None:
        """What is said of calls out of the line."""
        return self.create_outbound or self.create


class Missed(Table):
    """`missed`: how somebody is reminded of a call that nobody answered, whom, and in how many hours he
    shall have called back."""

    notify: bool = False
    task: bool = False
    to: Literal["owner", "responsible"] = "owner"
    task_hours: Annotated[float, Field(gt=0, le=720)] = 4

    @property
    def wanted(self) -> bool:
        """Whether anybody is reminded at all."""
        return self.notify or self.task


Kind = Literal["lead", "deal", "contact", "company"]


class Reassign(Table):
    """`reassign`: which known clients go to whoever talked with them, and whether only those whose
    responsible does not work here any more."""

    kinds: tuple[Kind, ...] = ()
    when: Literal["dismissed", "always"] = "dismissed"

    @property
    def marks(self) -> frozenset[str]:
        """The kinds in the portal's own words."""
        return frozenset(kind.upper() for kind in self.kinds)


class Vip(Table):
    """`vip`: by which field of a contact, lead or company a client is known as important, and with which of
    its values; without values any that is not empty, 0, N or "no"."""

    field: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    values: tuple[str, ...] = ()

    def marks(self, item: Mapping[str, Any]) -> bool:
        """Whether a record of the CRM bears the mark. Own fields come under their names (`UF_CRM_…`), the
        portal's with small letters (`typeId` for `TYPE_ID`)."""
        value = item.get(self.field, item.get(_camel(self.field)))
        found = {str(one).strip() for one in (value if isinstance(value, list) else [value])}
        if self.values:
            return bool(found & set(self.values))
        return bool(found - {"", "0", "N", "no", "None", "False"})


def _camel(name: str) -> str:
    head, *rest = name.lower().split("_")
    return head + "".join(part.capitalize() for part in rest)
