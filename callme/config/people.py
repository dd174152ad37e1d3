"""Who may open the pages beside the one who manages: `[[person]]` tables."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr

from callme.config.forms import Table


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
