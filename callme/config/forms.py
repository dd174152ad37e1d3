"""What values of the configuration look like: the small checks that several tables share.

Used by the modules of `config` that describe tables. Nothing here reads files or the environment.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from callme.config.problems import Unfit
from callme.wording import Phrase


class Table(BaseModel):
    """One table of the file: frozen, without unknown keys, its values in no error text."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def split_listen(value: str) -> tuple[str, int]:
    """`host:port` as a pair; an IPv6 address stands in brackets. `ValueError` if it is not that."""
    host, colon, port = value.rpartition(":")
    bare = host.strip("[]")
    if not (colon and bare and port.isdecimal() and int(port) <= 65535) or (":" in bare and host[0] != "["):
        raise ValueError(value)
    return bare, int(port)


def listening(value: str) -> str:
    """`host:port`, as it stands."""
    try:
        split_listen(value)
    except ValueError:
        raise Unfit(
            Phrase("“{value}” is not host:port", "«{value}» — это не адрес:порт", {"value": value}),
            Phrase("write it like 127.0.0.1:8080", "напишите так: 127.0.0.1:8080"),
        ) from None
    return value


def several(value: object) -> object:
    """One string, or several separated by commas (as the environment gives them), where a list is due."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Listen = Annotated[str, AfterValidator(listening)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(several)]
