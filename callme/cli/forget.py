"""`callme forget NUMBER`: everything that is kept here of the calls of one number goes, for good."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from callme.cli.configured import configured
from callme.cli.ordering import order
from callme.cli.tongue import say
from callme.config import Config
from callme.errors import StoreError, TroubleError
from callme.service.forgetting import forget as forgotten
from callme.store import open_store
from callme.store.sqlite import IN_USE
from callme.wording import Phrase

_ASK = Phrase(
    "Forget all calls of {number} here: records, our copies of the audio, what the PBX said? "
    "What the PBX and the CRM keep stays theirs. [y/N] ",
    "Забыть здесь все звонки {number}: записи о звонках, наши копии аудио, сообщения АТС? "
    "То, что хранят АТС и CRM, останется у них. [y/N] ",
)
_DONE = Phrase("Calls forgotten: {count}.", "Забыто звонков: {count}.")
_STAYS = Phrase(
    "Calls that go on or wait for a portal stay; run this again when they are over.",
    "Звонки, которые ещё идут или ждут портала, остались; повторите команду, когда они закончатся.",
)
_NO_NUMBER = Phrase("“{number}” holds no digits", "в «{number}» нет цифр")
_NO_NUMBER_CURE = Phrase("give the number with its country code", "укажите номер с кодом страны")


def forget(path: Path | None, number: str, *, yes: bool, as_json: bool) -> int:
    """Asks, unless told not to, and forgets. Raises `TroubleError`."""
    if not any(char.isdigit() for char in number):
        raise TroubleError(_NO_NUMBER.given(number=number), _NO_NUMBER_CURE)
    config = configured(path)
    if not yes and not _agreed(number):
        return 1
    count = _forget(config, number)
    if as_json:
        print(json.dumps({"forgotten": count}))
        return 0
    print(say(_DONE, count=count))
    print(say(_STAYS))
    return 0


def _agreed(number: str) -> bool:
    print(say(_ASK, number=number), end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "д", "да")


def _forget(config: Config, number: str) -> int:
    try:
        return asyncio.run(_here(config, number))
    except StoreError as error:
        if error.problem.en != IN_USE.en:
            raise
    answer = order(config, "forget", {"number": number}) or {}
    return int(answer.get("forgotten", 0))


async def _here(config: Config, number: str) -> int:
    """No service runs: the database is ours."""
    store = open_store(config.service.store)
    try:
        return await forgotten(config.service, store, number, time.time())
    finally:
        await store.close()
