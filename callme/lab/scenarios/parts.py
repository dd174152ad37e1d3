"""The parts that scenarios are written with. Pure."""

from __future__ import annotations

from callme.lab.dialplan import Options
from callme.lab.numbering import OWN_NUMBER
from callme.lab.script import Dial, Hang, Step
from callme.lab.truth import Disposition, TruthCall

OPTIONS = Options(ring_s=5, ivr_s=2, park_s=4)
"""A lab whose telephones ring 5 s, so that suites are quick. Scenarios assume it."""

RING_S = OPTIONS.ring_s
Pairs = tuple[tuple[str, str], ...]


def inbound(caller: str, did: str, *, name: str = "", anonymous: bool = False, leg: str = "") -> Step:
    """A customer calls."""
    return Step(Dial(leg or f"c1-{caller}", "trunk-prov", did, caller, name, anonymous))


def outgoing(extension: str, number: str, *, leg: str = "") -> Step:
    """An extension dials."""
    return Step(Dial(leg or f"c1-{extension}", extension, number, extension))


def ends(leg: str, talk_s: float) -> Step:
    """The calling side hangs up so long after it was answered."""
    return Step(Hang(leg), (leg, "answered"), talk_s)


def went(leg: str, *what: str) -> Pairs:
    """What the telephones must have logged for that leg, in this order."""
    return tuple((leg, one) for one in what)


def human(rang: tuple[tuple[str, ...], ...], by: str, **more: object) -> dict[str, object]:
    """Fields of a call that one person answered and kept."""
    told: dict[str, object] = {"rang": rang, "answered_by": by, "final_talker": by, "talkers": (by,)}
    return {**told, "user": by, "recording": True, **more}


def incoming(caller: str | None, did: str, fields: dict[str, object]) -> TruthCall:
    """The truth about a customer's call."""
    return TruthCall("in", caller, did, **fields)  # type: ignore[arg-type]


def outward(ext: str, number: str, disposition: Disposition, **more: object) -> TruthCall:
    """The truth about an extension's call to a customer."""
    told: dict[str, object] = {
        "line": OWN_NUMBER,
        "disposition": disposition,
        "caller": ext,
        "user": ext,
        **more,
    }
    return TruthCall("out", number, **told)  # type: ignore[arg-type]
