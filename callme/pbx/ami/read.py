"""What one read of an AMI link brings: made by `ami.link`, consumed by `ami.source`. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from callme.pbx.ami.wire import Message
from callme.wording import Phrase


class ReadKind(StrEnum):
    """What one read of the link brought."""

    UP = "up"
    EVENTS = "events"
    SNAPSHOT = "snapshot"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Read:
    """One thing that the link brought, in the order of the stream.

    `at` is the wall time of the socket read. `raw` holds the kept packets with their blank lines, for the
    transcript. UP: the link works; `uptime` is from `FullyBooted`, in seconds, 0 for a PBX that just booted,
    None if the PBX did not say; it comes again when a PBX that let us in while booting has booted. SNAPSHOT:
    the items of every list that the PBX gave, each list's `…Complete` event after them; `asked_at` is when
    the lists were asked for. DOWN: the link is lost, or cannot be made, for the reason in `problem`; said
    once per reason.
    """

    kind: ReadKind
    at: float
    messages: tuple[Message, ...] = ()
    raw: bytes = b""
    asked_at: float = 0.0
    problem: Phrase | None = None
    uptime: int | None = None
    version: str = ""
