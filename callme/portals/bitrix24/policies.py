"""The tables of a portal's settings that say what is done with its calls; `settings` puts them together.

Only shapes and their checks: who decides by them is `crm.policy`, `owners` and `clients`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from callme.config.problems import Unfit
from callme.config.shape import Patterns
from callme.crm.cards import CardRule as Rule
from callme.crm.cards import When
from callme.wording import Phrase


class Table(BaseModel):
    """Frozen; a key that it does not know is an error; no value of it gets into a message."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


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


class Create(Table):
    """`create`: whether the portal makes a client for a number that it does not know, per direction."""

    # An unknown caller is a new client, which is what people expect of telephony in this CRM; a number that
    # an employee dials may be a taxi, and a wrong digit must not become a lead.
    inbound: bool = True
    outbound: bool = False


class Line(Table):
    """`lines."74950000001"`: one of the company's numbers, or a trunk by its name. `source` is a code of the
    portal's list of sources, `owner` the extension that gets its missed calls; `create` outranks the portal's
    own `create` on this line."""

    name: str = ""
    source: str = ""
    create: bool | None = None
    owner: str = ""
