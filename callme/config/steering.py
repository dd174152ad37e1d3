"""`[routing]` and `[[steer]]`: the caller's name on the telephone, and calls to the employee they are for.

Read by `config.shape`; decided upon in `crm.steering`. Nothing of it does anything until a key is set and
the PBX is told to ask (docs/routing.md).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from callme.config import hours
from callme.config.forms import Patterns, Table, listening, several
from callme.config.problems import Unfit
from callme.wording import Phrase

KEY_MIN = 16
RESPONSIBLE, LAST, ROUTE = "responsible", "last", "route"
State = Literal["busy", "dnd", "unregistered", "off-duty"]
_TARGET = re.compile(r"responsible|last|route|\d{2,10}")
_PLACE = re.compile(r"route|\d{2,10}|[A-Za-z0-9_.-]+,[A-Za-z0-9*#+_-]+")


def _key(value: SecretStr) -> SecretStr:
    key = value.get_secret_value()
    if key and not (len(key) >= KEY_MIN and re.fullmatch(r"[A-Za-z0-9_.~-]+", key)):
        raise Unfit(
            Phrase("it does not fit into a PBX's dialplan", "он не годится для диалплана АТС"),
            Phrase(
                "use at least {least} Latin letters and digits, such as openssl rand -hex 16 gives",
                "нужно не меньше {least} латинских букв и цифр, например из openssl rand -hex 16",
                {"least": KEY_MIN},
            ),
        )
    return value


def _agi(value: str) -> str:
    return listening(value) if value else value


def _hours(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            hours.read(value)
        except ValueError:
            raise Unfit(
                Phrase("“{value}” are no hours", "«{value}» — это не часы работы", {"value": value}),
                Phrase('write them like "mon-fri 09:00-18:00"', "напишите так: «mon-fri 09:00-18:00»"),
            ) from None
    return values


def _targets(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not _TARGET.fullmatch(value):
            raise Unfit(
                Phrase("nobody is meant by “{value}”", "непонятно, кто такой «{value}»", {"value": value}),
                Phrase(
                    "write responsible, last, an extension such as 105, or route",
                    "напишите responsible, last, внутренний номер вроде 105 или route",
                ),
            )
    return values


def _place(value: str) -> str:
    if not _PLACE.fullmatch(value):
        raise Unfit(
            Phrase(
                "“{value}” is no place of the dialplan", "«{value}» — не место в диалплане", {"value": value}
            ),
            Phrase(
                'write route, an extension, or context and number: "ext-group,600"',
                "напишите route, внутренний номер либо контекст и номер: «ext-group,600»",
            ),
        )
    return value


class Routing(Table):
    """`[routing]`: how the PBX asks us who calls. Empty `key`: nobody may ask."""

    key: Annotated[SecretStr, AfterValidator(_key)] = SecretStr("")
    # All of it, in seconds: asking the CRM, the telephones, moving the call. FreePBX itself waits 7 s.
    deadline: Annotated[float, Field(ge=0.1, le=6)] = 1.5
    agi: Annotated[str, AfterValidator(_agi)] = ""  # where FastAGI is listened for, such as 127.0.0.1:4573
    # Numbers that are never steered, beside the employees' own as the CRM knows them.
    exclude: Patterns = ()
    last_days: Annotated[int, Field(ge=1, le=3650)] = 30  # so long "last" remembers who talked with whom

    @property
    def open(self) -> bool:
        """Whether the PBX may ask at all."""
        return bool(self.key.get_secret_value())


class Steer(Table):
    """One `[[steer]]`: the first that holds for a call decides. `to` are tried in order, the first who can
    take the call gets it; nobody can: the call's ordinary route. `then` is where the call goes when he does
    not answer within `ring_s` seconds."""

    pbx: str = ""
    line: Patterns = ()
    hours: Annotated[Patterns, AfterValidator(_hours)] = ()
    client: Literal["any", "known", "unknown", "vip"] = "any"
    to: Annotated[Patterns, Field(min_length=1), AfterValidator(_targets)]
    # A telephone in this state is rung all the same.
    even_if: Annotated[tuple[State, ...], BeforeValidator(several)] = ()
    ring_s: Annotated[int, Field(ge=3, le=300)] = 15
    then: Annotated[str, AfterValidator(_place)] = ROUTE
