"""`callme deliveries`: what portals have not taken, and `--retry` to send one of them again.

A running service owns its database, so a retry goes to it over its own API; without one it is written
directly.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from callme.cli.configured import configured
from callme.cli.listing import columns, moment
from callme.cli.ordering import order
from callme.cli.shelf import shelf
from callme.cli.tongue import language, say
from callme.config import Config
from callme.errors import StoreError, TroubleError
from callme.store import DeliveryRow, open_store
from callme.store.sqlite import IN_USE
from callme.web.phrases import Words
from callme.wording import Phrase

_NONE = Phrase("Everything has been delivered.", "Всё доставлено.")
_RETRIED = Phrase("Delivery {id} will be tried again.", "Доставка {id} будет повторена.")
_NO_SUCH = Phrase(
    "There is no delivery {id} that could be retried", "Нет доставки {id}, которую можно было бы повторить"
)
_NO_SUCH_CURE = Phrase("`callme deliveries` lists them", "их список покажет `callme deliveries`")


def deliveries(path: Path | None, *, retry: int | None, as_json: bool) -> int:
    """Prints what is not delivered, or retries one delivery. Raises `TroubleError` when it cannot be
    retried."""
    config = configured(path)
    if retry is not None:
        return _retried(config, retry, as_json=as_json)
    rows = asyncio.run(_undelivered(config))
    if as_json:
        print(json.dumps({"deliveries": [_plain(row) for row in rows]}, ensure_ascii=False, indent=2))
    elif rows:
        print("\n".join(columns(_table(rows))))
    else:
        print(say(_NONE))
    return 0


async def _undelivered(config: Config) -> tuple[DeliveryRow, ...]:
    reading = shelf(config)
    try:
        return await reading.deliveries(limit=500)
    finally:
        await reading.close()


def _plain(row: DeliveryRow) -> dict[str, object]:
    why = row.held or row.why
    return {
        "id": row.id,
        "portal": row.portal,
        "call": row.call,
        "kind": row.kind,
        "state": row.state.value,
        "attempts": row.attempts,
        "next_at": row.next_at,
        "created_at": row.created_at,
        "why": why.say(language()) if why else None,
    }


def _table(rows: tuple[DeliveryRow, ...]) -> list[list[str]]:
    words = Words(language())
    return [
        [
            str(row.id),
            moment(row.created_at),
            row.portal,
            row.call,
            words("record", row.kind),
            words("state", row.state.value),
            words.told(row.held or row.why),
        ]
        for row in rows
    ]


def _retried(config: Config, delivery: int, *, as_json: bool) -> int:
    try:
        found = asyncio.run(_write(config, delivery))
    except StoreError as error:
        if error.problem.en != IN_USE.en:
            raise
        found = order(config, f"deliveries/{delivery}/retry") is not None
    if not found:
        raise TroubleError(_NO_SUCH.given(id=delivery), _NO_SUCH_CURE)
    print(json.dumps({"retried": delivery}) if as_json else say(_RETRIED, id=delivery))
    return 0


async def _write(config: Config, delivery: int) -> bool:
    store = open_store(config.service.store)
    try:
        return await store.retry(delivery, time.time())
    finally:
        await store.close()
