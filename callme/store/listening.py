"""Who heard which recording, and which recordings are kept back from every portal. Called by `sqlite`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects import sqlite

from callme.store.schema import kept_back, listened


@dataclass(frozen=True, slots=True)
class Heard:
    """Somebody opened a call's recording: when (epoch seconds), who, and from which address."""

    call: str
    at: float
    who: str
    address: str


@dataclass(frozen=True, slots=True)
class KeptBack:
    """A person said that a call's recording is never uploaded: when (epoch seconds), and who."""

    call: str
    at: float
    who: str


_LISTENED = insert(listened)
_KEPT = sqlite.insert(kept_back).on_conflict_do_nothing(index_elements=["call"])


def note(connection: Connection, heard: Sequence[Heard]) -> list[None]:
    """Keeps that they listened."""
    connection.execute(_LISTENED, [asdict(one) for one in heard])
    return [None] * len(heard)


def keep_back(connection: Connection, said: Sequence[KeptBack]) -> list[None]:
    """Keeps what was said; the first word stands."""
    connection.execute(_KEPT, [asdict(one) for one in said])
    return [None] * len(said)


def heard(connection: Connection, call: str) -> tuple[Heard, ...]:
    """Who heard the call's recording, newest first."""
    question = select(listened).where(listened.c.call == call).order_by(listened.c.at.desc())
    rows = connection.execute(question).mappings()
    return tuple(Heard(row["call"], row["at"], row["who"], row["address"]) for row in rows)


def held_back(connection: Connection, call: str) -> KeptBack | None:
    """Who kept the call's recording back, if anybody did."""
    row = connection.execute(select(kept_back).where(kept_back.c.call == call)).mappings().first()
    return None if row is None else KeptBack(row["call"], row["at"], row["who"])
