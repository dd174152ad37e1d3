"""How values become rows and rows become values. Used by every module of the store; does no I/O itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from callme.calls import model
from callme.calls.model import Call
from callme.crm import intents
from callme.crm.intents import Record
from callme.crm.port import Exchange
from callme.delivery.lane import Delivery, Lane, State, in_order
from callme.delivery.ledger import Tried
from callme.wording import Phrase

Row = Mapping[str, Any]

_PLAIN = (str, int, float, bool, type(None))


def phrase_in(phrase: Phrase | None) -> dict[str, Any] | None:
    """A phrase as JSON data. Values that JSON does not know are kept as their text."""
    if phrase is None:
        return None
    stored: dict[str, Any] = {"en": phrase.en, "ru": phrase.ru}
    if phrase.values:
        stored["values"] = {
            name: {"phrase": phrase_in(value)}
            if isinstance(value, Phrase)
            else value
            if isinstance(value, _PLAIN)
            else str(value)
            for name, value in phrase.values.items()
        }
    return stored


def phrase_out(stored: Mapping[str, Any] | None) -> Phrase | None:
    """The phrase that `phrase_in` gave."""
    if stored is None:
        return None
    values = {
        name: phrase_out(value["phrase"]) if isinstance(value, Mapping) else value
        for name, value in stored.get("values", {}).items()
    }
    return Phrase(stored["en"], stored["ru"], values)


def tail(number: str) -> str:
    """The digits of a number, last first: numbers that end alike stand side by side in the index."""
    return "".join(char for char in reversed(number) if char.isdigit())


def call_in(call: Call) -> dict[str, Any]:
    """The row of a call."""
    return {
        "id": call.id,
        "pbx": call.pbx,
        "direction": call.direction.value,
        "number": call.number or call.external,
        "tail": tail(call.number or call.external),
        "line": call.line,
        "owner": call.owner,
        "disposition": call.disposition.value,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "talk_s": call.talk_s,
        "lost": call.lost,
        "open": call.open,
        "view": model.encode(call),
    }


def record_in(portal: str, record: Record, at: float) -> dict[str, Any]:
    """The row of a delivery that has not been tried."""
    return {
        "portal": portal,
        "call": record.about.call,
        "kind": record.KIND,
        "ordinal": record.ordinal,
        "payload": intents.encode(record),
        "state": State.WAITING.value,
        "attempts": 0,
        "next_at": 0.0,
        "doubt": False,
        "created_at": at,
    }


def delivery_out(row: Row) -> Delivery:
    """The delivery of a row."""
    return Delivery(
        record=intents.decode(row["kind"], row["payload"]),
        created_at=row["created_at"],
        state=State(row["state"]),
        attempts=row["attempts"],
        next_at=row["next_at"],
        doubt=row["doubt"],
        first_at=row["first_at"],
        why=phrase_out(row["why"]),
    )


def lane_out(row: Row, deliveries: Iterable[Row]) -> Lane:
    """The lane of its row and the rows of its deliveries."""
    return Lane(
        portal=row["portal"],
        call=row["call"],
        deliveries=in_order(delivery_out(one) for one in deliveries),
        memory=row["memory"],
        wanted=row["wanted"],
        shown=frozenset(row["shown"]),
        doubted=frozenset(row["doubted"]),
        card_tries=row["card_tries"],
        card_next_at=row["card_next_at"],
        asking=frozenset(row["asking"] or ()),
    )


def lane_new(portal: str, call: str, at: float) -> dict[str, Any]:
    """The row of a lane of which nothing is known yet."""
    return {
        "portal": portal,
        "call": call,
        "memory": {},
        "wanted": {},
        "shown": [],
        "doubted": [],
        "card_tries": 0,
        "card_next_at": 0.0,
        "closed": False,
        "next_at": at,
        "created_at": at,
    }


def tried_in(portal: str, call: str, tried: Tried) -> dict[str, Any]:
    """The row of an attempt that ended."""
    return {
        "portal": portal,
        "call": call,
        "kind": tried.kind,
        "ordinal": tried.ordinal,
        "number": tried.number,
        "at": tried.at,
        "took_ms": tried.took_ms,
        "outcome": tried.outcome,
        "why": phrase_in(tried.why),
        "exchanges": [[one.request, one.answer] for one in tried.exchanges] or None,
    }


def exchanges_out(stored: Iterable[Iterable[str]] | None) -> tuple[Exchange, ...]:
    """The exchanges of an attempt's row."""
    return tuple(Exchange(*pair) for pair in stored or ())
