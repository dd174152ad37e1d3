"""Who may use the address of the old scripts: the `callme_out` table of a portal. `settings` holds it."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from callme.config.forms import Table
from callme.config.problems import Unfit
from callme.wording import Phrase


def _source(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value.strip(), strict=False))
    except ValueError:
        raise Unfit(
            Phrase("“{value}” is no address", "«{value}» — не адрес", {"value": value}),
            Phrase("write 192.0.2.10 or 192.0.2.0/24", "напишите 192.0.2.10 или 192.0.2.0/24"),
        ) from None


def _door_secret(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < 16:
        raise Unfit(
            Phrase("it is too short: it could be guessed", "он слишком короткий: его можно подобрать"),
            Phrase("give at least 16 random characters", "задайте не меньше 16 случайных знаков"),
        )
    return value


class CallMeOut(Table):
    """`callme_out`: who may use the address of the old CallMe scripts, `/CallMeOut.php`: these sources
    (addresses or networks), or whoever knows `secret`. Nobody where neither is given; the CRM's own events
    prove themselves by `application_token`."""

    allow: tuple[Annotated[str, AfterValidator(_source)], ...] = ()
    secret: Annotated[SecretStr, AfterValidator(_door_secret)] = SecretStr("")
