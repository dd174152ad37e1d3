"""Who may see and hear what: `[[person]]` and `[[keep_back]]` tables."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from callme.config.forms import Patterns, Table


class Role(StrEnum):
    """What somebody may do on the pages; each may what stands before."""

    LOOK = "look"  # see calls
    LISTEN = "listen"  # hear recordings
    MANAGE = "manage"  # retry, keep back, forget

    def covers(self, needed: Role) -> bool:
        """Whether who has this role may do what needs that one."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Person(Table):
    """One `[[person]]`: somebody who may come in beside `web_user`, who manages."""

    id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^:\s]+$")]
    password: Annotated[SecretStr, Field(min_length=8)]
    role: Role = Role.LOOK


class KeepBack(Table):
    """One `[[keep_back]]`: recordings of these calls are uploaded nowhere. What is empty fits every call;
    `extensions` are patterns of who talked."""

    pbx: str = ""
    line: str = ""
    direction: Literal["", "in", "out"] = ""
    extensions: Patterns = ()
