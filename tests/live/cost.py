"""How many requests of the portal a call cost, counted in the sandbox's log. Look-ups and the recording are
apart: they may come at any time, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from callme.lab.sandboxes.bitrix24.rest import Asked
from callme.lab.sandboxes.bitrix24.state import Statistic
from callme.lab.truth import TruthCall

COUNTED = ("register", "show", "hide", "finish")

RING_GROUP = 5
"""What a call that rings everywhere at once, is answered and ends may cost (DESIGN §8)."""

LOSERS = 3
"""Where so many ring together, those who lose stop one after the other: a portal that answers at once has
the first hidden before the others are known of, which is one hide more."""

STEP = 2
"""A show and a hide: for each further step of a hunt or queue, each transfer, each hand-over."""


def of(requests: Iterable[Asked], record: Statistic) -> tuple[str, ...]:
    """The short names of the requests about that call, in order; a command of a batch counts as one."""
    asked: list[str] = []
    for one in requests:
        name = one.method.rpartition(".")[2]
        if name == "batch":
            commands = [str(command) for command in dict(one.params.get("cmd") or {}).values()]
            asked += ["batch" for command in commands if _names(command, record)]
        elif name in COUNTED and _is_about(one.params, record):
            asked.append(name)
    return tuple(asked)


def limit(truth: TruthCall, refusals: int) -> int:
    """How many it may be; each telephone that is busy or declines while others ring is one more hide."""
    moves = max(0, len(truth.rang) - 1) + len(truth.transfers)
    crowded = sum(len(step) >= LOSERS for step in truth.rang)
    return RING_GROUP + STEP * moves + crowded + refusals


def _is_about(params: dict[str, Any], record: Statistic) -> bool:
    about = {record.call, record.external_id} - {None}
    return bool(about & {params.get("CALL_ID"), params.get("EXTERNAL_CALL_ID")})


def _names(command: str, record: Statistic) -> bool:
    return record.call in command or bool(record.external_id and record.external_id in command)
