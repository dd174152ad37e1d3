"""What happens in a scripted call, as plain values: what each telephone does when rung, who does what and
when.

`scenarios` writes them down, `play` acts them out. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from callme.lab.truth import Truth


@dataclass(frozen=True, slots=True)
class Answer:
    """Ring, then answer."""

    after_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Refuse:
    """Ring, then refuse with a SIP code: 486 busy, 603 declined, 404 no such number, 503 out of order."""

    code: str = "486"
    after_s: float = 0.5


@dataclass(frozen=True, slots=True)
class Ignore:
    """Ring until the PBX gives up."""


Ring = Answer | Refuse | Ignore


@dataclass(frozen=True, slots=True)
class Dial:
    """A telephone calls. From outside the phone is a trunk's far end (`trunk-prov`)."""

    leg: str
    phone: str
    number: str
    caller: str
    name: str = ""
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Hang:
    """Hang up; give up while it still rings."""

    leg: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Put the other side on hold."""

    leg: str


@dataclass(frozen=True, slots=True)
class Unhold:
    """Take the other side back."""

    leg: str


@dataclass(frozen=True, slots=True)
class Keys:
    """Press keys."""

    leg: str
    keys: str


@dataclass(frozen=True, slots=True)
class Blind:
    """Transfer the other side to a number by REFER."""

    leg: str
    to: str


@dataclass(frozen=True, slots=True)
class Attended:
    """Join the other side of `leg` with the other side of `consult`, a call of the same person (REFER,
    Replaces)."""

    leg: str
    consult: str


@dataclass(frozen=True, slots=True)
class Click:
    """Click-to-call: AMI Originate of the extension's telephone to a number, as CallMe does it."""

    extension: str
    number: str


@dataclass(frozen=True, slots=True)
class KillPbx:
    """The PBX dies as in a power cut and is started again at once."""


Deed = Dial | Hang | Hold | Unhold | Keys | Blind | Attended | Click | KillPbx


@dataclass(frozen=True, slots=True)
class Step:
    """A deed, so many seconds after a leg saw or did something (`answer`, `invite`…), or after the start."""

    deed: Deed
    after: tuple[str, str] | None = None
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scripted situation and the truth about it."""

    name: str
    steps: tuple[Step, ...]
    truth: Truth
    phones: dict[str, Ring | tuple[Ring, ...]] = field(default_factory=dict)
    """What each extension's telephone does when rung (several: at its first call, its second…); every one
    that may ring is named."""
    outside: dict[str, Ring] = field(default_factory=dict)
    """What happens at each outside number that the PBX calls."""
    astdb: dict[str, str] = field(default_factory=dict)
    """Rows set for the time of the play: `CF/105`."""
    trunk_down: bool = False
    """The first trunk answers 503, the second one serves."""

    def uses(self) -> frozenset[str]:
        """Telephones and outside numbers that no other play may use meanwhile."""
        dialled = {step.deed.phone for step in self.steps if isinstance(step.deed, Dial)}
        clicked = {step.deed.extension for step in self.steps if isinstance(step.deed, Click)}
        down = {"trunk-down"} if self.trunk_down else set()
        inside = {phone for phone in dialled if phone.isdigit()}
        return frozenset(inside | clicked | down | set(self.phones) | set(self.outside))

    def numbers(self) -> frozenset[str]:
        """Every number that belongs to this play: it marks the play's channels and recordings."""
        callers = {step.deed.caller for step in self.steps if isinstance(step.deed, Dial)}
        return frozenset(callers | self.uses() | set(self.outside)) - {"trunk-down"}
