"""The truth about a scripted call: what was told to the telephones and seen by them, never read from AMI.

The field names are those of the recorded traces' truth files, so that one comparison serves both. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Disposition = Literal[
    "answered", "no-answer", "busy", "declined", "cancelled", "failed", "after-hours", "voicemail"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transfer:
    """One change of who talks."""

    kind: Literal["blind", "attended", "park"]
    by: str
    to: str

    def as_json(self) -> dict[str, object]:
        """As the truth files write it."""
        return {"kind": self.kind, "by": self.by, "to": self.to}


@dataclass(frozen=True, slots=True)
class TruthCall:
    """One call as people understand it."""

    direction: Literal["in", "out", "internal"]
    external: str | None
    line: str | None
    rang: tuple[tuple[str, ...], ...] = ()
    answered_by: str | None = None
    final_talker: str | None = None
    talkers: tuple[str, ...] = ()
    disposition: Disposition = "answered"
    ring_s: float = 0
    talk_s: float = 0
    recording: bool | None = None
    message: bool = False
    """The caller left a message in a mailbox."""
    hangup_by: str | None = None
    """`caller`, `callee` or `pbx`."""
    user: str | None = None
    """Whose call an operator expects in the CRM."""
    caller: str | None = None
    """The extension that called: outgoing and internal calls."""
    callee: str | None = None
    """The extension that was called: internal calls."""
    transfers: tuple[Transfer, ...] = ()
    via_external: str | None = None
    """The outside number on which the person talked: forward, follow-me."""
    click: bool = False

    @property
    def missed(self) -> bool:
        """An inbound call that no person answered."""
        return self.direction == "in" and self.disposition != "answered"

    def as_json(self) -> dict[str, object]:
        """As the truth files write it."""
        told: dict[str, object] = {
            "direction": self.direction,
            "external": self.external,
            "line": self.line,
            "rang": [list(step) for step in self.rang],
            "answered_by": self.answered_by,
            "final_talker": self.final_talker,
            "talkers": list(self.talkers),
            "disposition": self.disposition,
            "ring_s": self.ring_s,
            "talk_s": self.talk_s,
            "recording": self.recording,
            "hangup_by": self.hangup_by,
            "crm": {
                "calls": 0 if self.direction == "internal" else 1,
                "user": self.user,
                "missed": self.missed,
                "type": self.direction,
            },
        }
        more: dict[str, object] = {
            "caller": self.caller,
            "callee": self.callee,
            "via_external": self.via_external,
        }
        told |= {name: value for name, value in more.items() if value is not None}
        if self.transfers:
            told["transfers"] = [transfer.as_json() for transfer in self.transfers]
        if self.click:
            told["click"] = True
        return told


@dataclass(frozen=True, slots=True)
class Truth:
    """The calls of a scenario, and the words that the telephones must have logged, in order per leg."""

    calls: tuple[TruthCall, ...]
    seen: tuple[tuple[str, str], ...] = ()
    """(leg, what) pairs that must each have been seen, in this order within a leg."""

    @property
    def crm_calls(self) -> int:
        """How many calls a CRM must hold afterwards."""
        return sum(call.direction != "internal" for call in self.calls)


def problems(truth: Truth, seen: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Where the telephones saw something else than the script meant. Empty = the play went as written."""
    found = []
    for leg in dict.fromkeys(leg for leg, _ in truth.seen):
        meant = [what for name, what in truth.seen if name == leg]
        was = [what for name, what in seen if name == leg]
        rest = iter(was)
        if not all(what in rest for what in meant):
            found.append(f"{leg}: meant {', '.join(meant)}; saw {', '.join(was) or 'nothing'}")
    if told := {leg for leg, _ in truth.seen}:  # a trial at the command line means nothing
        strangers = {leg for leg, what in seen if what == "invite"} - told
        found += [f"{leg}: was rung, which was not meant" for leg in sorted(strangers)]
    return tuple(found)
