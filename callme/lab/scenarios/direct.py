"""Customers call an extension directly. Pure."""

from __future__ import annotations

from callme.lab.numbering import OWN_NUMBER
from callme.lab.scenarios.parts import RING_S, Pairs, ends, human, inbound, incoming, went
from callme.lab.script import (
    Answer,
    Hang,
    Ignore,
    Refuse,
    Ring,
    Scenario,
    Step,
)
from callme.lab.truth import Disposition, Truth, TruthCall

GREETING_S = 12
"""So long Asterisk's own announcement of a mailbox and its beep take at most."""


def direct_answered(
    ext: str = "101",
    caller: str = "79000000101",
    *,
    answer_s: float = 1,
    talk_s: float = 3,
    agent_ends: bool = True,
) -> Scenario:
    """A customer calls an extension, which answers."""
    did, leg = (OWN_NUMBER if ext == "101" else f"74950000{ext}"), f"c1-{caller}"
    end = Step(Hang(ext), (ext, "answer"), talk_s) if agent_ends else ends(leg, talk_s)
    fields = human(
        ((ext,),), ext, ring_s=answer_s, talk_s=talk_s, hangup_by="agent" if agent_ends else "caller"
    )
    last = ("gotbye", "sendbye") if agent_ends else ("sendbye", "gotbye")
    return Scenario(
        "in_direct_answered" if agent_ends else "in_direct_answered_caller_ends",
        (inbound(caller, did), end),
        Truth(
            (incoming(caller, did, fields),),
            went(leg, "call", "answered", last[0]) + went(ext, "invite", "answer", last[1]),
        ),
        {ext: Answer(answer_s)},
    )


def _not_answered(
    name: str,
    caller: str,
    ring: Ring,
    disposition: Disposition,
    ring_s: float,
    by: str,
    saw: Pairs,
    *more: Step,
) -> Scenario:
    truth = TruthCall(
        "in",
        caller,
        OWN_NUMBER,
        (("101",),),
        disposition=disposition,
        ring_s=ring_s,
        recording=False,
        hangup_by=by,
        user="101",
    )
    return Scenario(name, (inbound(caller, OWN_NUMBER), *more), Truth((truth,), saw), {"101": ring})


def direct_noanswer(caller: str = "79000000103") -> Scenario:
    """The extension rings until the PBX gives up."""
    saw = went("101", "invite", "cancel") + went(f"c1-{caller}", "call", "failed")
    return _not_answered("in_direct_noanswer", caller, Ignore(), "no-answer", RING_S, "pbx", saw)


def direct_busy(caller: str = "79000000105") -> Scenario:
    """The extension's telephone says busy."""
    saw = went("101", "invite", "refuse") + went(f"c1-{caller}", "call", "failed")
    return _not_answered("in_direct_busy", caller, Refuse("486", 0.3), "busy", 0.3, "pbx", saw)


def direct_declined(caller: str = "79000000106") -> Scenario:
    """The person presses "reject"."""
    saw = went("101", "invite", "refuse") + went(f"c1-{caller}", "call", "failed")
    return _not_answered("in_direct_declined", caller, Refuse("603", 1), "declined", 1, "pbx", saw)


def direct_caller_cancels(caller: str = "79000000104") -> Scenario:
    """The customer gives up while it rings."""
    saw = went("101", "invite", "cancel") + went(f"c1-{caller}", "call", "sendcancel")
    quits = Step(Hang(f"c1-{caller}"), ("101", "invite"), 2)
    return _not_answered("in_direct_caller_cancels", caller, Ignore(), "cancelled", 2, "caller", saw, quits)


def voicemail_message(caller: str = "79000000157") -> Scenario:
    """104 does not answer, the caller leaves a message: a missed call with his voice."""
    leg, did = f"c1-{caller}", "74950000009"
    truth = TruthCall(
        "in",
        caller,
        did,
        (("104",),),
        disposition="voicemail",
        ring_s=RING_S,
        recording=False,
        message=True,
        hangup_by="caller",
        user="104",
    )
    saw = went("104", "invite", "cancel") + went(leg, "call", "answered", "sendbye")
    return Scenario(
        "in_voicemail_message",
        (inbound(caller, did), ends(leg, GREETING_S + 5)),
        Truth((truth,), saw),
        {"104": Ignore()},
    )


def voicemail(caller: str = "79000000129") -> Scenario:
    """104 does not answer, its mailbox does: a missed call."""
    leg, did = f"c1-{caller}", "74950000009"
    truth = TruthCall(
        "in",
        caller,
        did,
        (("104",),),
        disposition="voicemail",
        ring_s=RING_S,
        recording=False,
        hangup_by="caller",
        user="104",
    )
    saw = went("104", "invite", "cancel") + went(leg, "call", "answered", "sendbye")
    return Scenario(
        "in_voicemail", (inbound(caller, did), ends(leg, 3)), Truth((truth,), saw), {"104": Ignore()}
    )
