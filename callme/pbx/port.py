"""What any PBX source offers the service: moments of facts, how the link is, and a few questions.

AMI is the first source (`pbx.ami.source`); an ARI source would bring the same. Nothing here knows a CRM.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from callme.calls.facts import Fact
from callme.calls.presence import Presence
from callme.errors import PbxError
from callme.wording import Phrase


@dataclass(frozen=True, slots=True)
class Moment:
    """The facts that arrived together, when they did (wall time), and the bytes they came from."""

    at: float
    facts: tuple[Fact, ...]
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class LinkState:
    """How a link is: up or not, since when (wall time), what is wrong, the PBX's version."""

    up: bool
    since: float
    problem: Phrase | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """What a PBX told of its own numbers; empty where it may not be asked.

    `names` maps an extension to the person's name, `devices` a device to its extension, `queues` a queue to
    its members' extensions; `groups` are numbers of ring groups, `trunks` endpoints that are nobody's
    telephone (`PJSIP/trunk-prov`). `denied` are the questions that our account may not put."""

    names: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    trunks: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


class UnsureError(PbxError):
    """The PBX was asked and did not answer: it may have done it."""


@dataclass(frozen=True, slots=True)
class Originate:
    """Ring `extension`; who answers there is put through to `number`. All that the PBX knows of it bears
    `key` (what it answers us, a variable on each channel) and begins with the channel `uniqueid`, whose
    other half is `other`. `agent_context` is where the extension is dialled; empty: where this PBX does it
    best. `number` is in the form that the PBX dials; the telephone shows it while it rings, or
    the customer's `name` where one is known. `variables` are set on the channel too. `device` rings only that
    telephone of the extension, straight and not through the dialplan; `alert` is the header by which a
    telephone picks up by itself."""

    key: str
    uniqueid: str
    other: str
    extension: str
    agent_context: str
    number: str
    context: str
    ring_s: int
    name: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    alert: str = ""


class Pbx(Protocol):
    """One PBX."""

    id: str

    @property
    def state(self) -> LinkState:
        """How the link is now."""

    def moments(self) -> AsyncGenerator[Moment, None]:
        """What happens on the PBX, for ever, through losses of the link. One consumer only."""

    async def look_again(self) -> None:
        """Asks for a snapshot; it comes as a moment. Does nothing while the link is down."""

    async def directory(self) -> Directory:
        """Its numbers, as far as our rights reach. Raises `PbxError` while the link is down."""

    async def originate(self, order: Originate) -> None:
        """Begins a call; what becomes of it is seen as facts. Raises `UnsureError` when it may have been
        begun, any other `PbxError` when it was not; it is never repeated here."""

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        """Sends the channel of that name or uniqueid to another place of the dialplan, priority 1; whatever
        ran on it is left. Raises `UnsureError` when it may have been done, any other `PbxError` when it was
        not, such as when the channel is gone."""

    async def hang_up(self, channel: str) -> None:
        """Ends the channel of that name. Raises `PbxError`."""

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        """Sets a variable or a function's value, such as `CALLERID(name)`, on the channel of that name or
        uniqueid. Raises
        `PbxError`."""

    async def press(self, channel: str, key: str) -> None:
        """Sends one key of a telephone (DTMF) to whoever is at the far end of the channel of that name.
        Raises `PbxError`."""

    async def presence(self, extension: str) -> Presence:
        """Whether that extension's telephone can take a call at this moment; `UNKNOWN` where the PBX does not
        say. Raises `PbxError` while the link is down."""

    async def has_context(self, name: str) -> bool:
        """Whether the dialplan has a context of that name at this moment; false where the PBX does not say.
        Raises `PbxError` while the link is down."""

    async def close(self) -> None:
        """Ends `moments` and gives the connection back."""
