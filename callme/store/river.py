"""What one step of the river leaves in the database, as values. `sqlite` writes them, the service fills them.

States, calls, intents, memos and anomalies of one step are one transaction (law 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callme.calls.model import Call
from callme.crm.commands import CommandState
from callme.crm.intents import Intent
from callme.wording import Phrase


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An observation that the model did not expect."""

    at: float
    text: Phrase
    call: str | None = None


@dataclass(frozen=True, slots=True)
class CommandMove:
    """The next state of the command whose call has that id. `closed`: nothing is owed for it any more."""

    call: str
    state: CommandState
    why: Phrase | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class StepWrite:
    """One step of one PBX, made at `at` (epoch seconds).

    `states` holds the tracker's saved state per open call (opaque JSON data); `None` forgets it. A key that
    is no call id, such as the empty one, may hold what the tracker keeps for the whole PBX. `intents` are
    (portal id, intent). `told` is the policy's memo per (portal id, call id).
    """

    pbx: str
    at: float
    states: Mapping[str, dict[str, Any] | None] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()
    intents: tuple[tuple[str, Intent], ...] = ()
    told: Mapping[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    anomalies: tuple[Anomaly, ...] = ()
    commands: tuple[CommandMove, ...] = ()


@dataclass(frozen=True, slots=True)
class Resume:
    """What a PBX's tracker and policy go on with after a restart: saved states, the views of their calls,
    memos."""

    states: Mapping[str, dict[str, Any]]
    calls: Mapping[str, Call]
    told: Mapping[tuple[str, str], dict[str, Any]]
