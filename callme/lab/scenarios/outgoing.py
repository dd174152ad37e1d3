"""Calls that extensions make: to customers and to colleagues. Pure."""

from __future__ import annotations

from callme.lab.scenarios.parts import ends, outgoing, outward, went
from callme.lab.script import (
    Answer,
    Hang,
    Ignore,
    Refuse,
    Scenario,
    Step,
)
from callme.lab.truth import Disposition, Truth, TruthCall


def out_answered(
    ext: str = "101", number: str = "79000000201", *, answer_s: float = 2, talk_s: float = 3
) -> Scenario:
    """An extension calls a customer, who answers."""
    leg = f"c1-{ext}"
    truth = outward(
        ext,
        number,
        "answered",
        answered_by=number,
        final_talker=number,
        talkers=(number,),
        ring_s=answer_s,
        talk_s=talk_s,
        recording=True,
        hangup_by="agent",
    )
    saw = went(leg, "call", "answered", "sendbye") + went("prov", "invite", "answer", "gotbye")
    return Scenario(
        "out_answered",
        (outgoing(ext, number), ends(leg, talk_s)),
        Truth((truth,), saw),
        {},
        {number: Answer(answer_s)},
    )


def out_noanswer(ext: str = "101", number: str = "79000000202") -> Scenario:
    """The customer does not answer; the extension gives up."""
    leg = f"c1-{ext}"
    truth = outward(ext, number, "no-answer", ring_s=3, recording=False, hangup_by="agent")
    saw = went(leg, "call", "sendcancel") + went("prov", "invite", "cancel")
    quits = Step(Hang(leg), ("prov", "invite"), 3)
    return Scenario(
        "out_noanswer", (outgoing(ext, number), quits), Truth((truth,), saw), {}, {number: Ignore()}
    )


REFUSALS: dict[str, tuple[str, Disposition]] = {
    "486": ("out_busy", "busy"),
    "603": ("out_declined", "declined"),
    "404": ("out_invalid_number", "failed"),
}


def out_refused(ext: str = "101", number: str = "79000000203", *, code: str = "486") -> Scenario:
    """The customer's line is busy (486), declines (603) or does not exist (404)."""
    leg = f"c1-{ext}"
    name, disposition = REFUSALS[code]
    truth = outward(ext, number, disposition, ring_s=1, recording=False, hangup_by="pbx")
    saw = went(leg, "call", "failed") + went("prov", "invite", "refuse")
    return Scenario(name, (outgoing(ext, number),), Truth((truth,), saw), {}, {number: Refuse(code, 1)})


def out_failover(ext: str = "101", number: str = "79000000206") -> Scenario:
    """The first trunk is out of order, the second one serves: one call."""
    leg = f"c1-{ext}"
    truth = TruthCall(
        "out",
        number,
        "74950000099",
        answered_by=number,
        final_talker=number,
        talkers=(number,),
        ring_s=2,
        talk_s=3,
        recording=True,
        hangup_by="agent",
        user=ext,
        caller=ext,
    )
    saw = went(leg, "call", "answered", "sendbye") + went("prov", "invite", "refuse")
    saw += went("back", "invite", "answer", "gotbye")
    return Scenario(
        "out_trunk_failover",
        (outgoing(ext, number), ends(leg, 3)),
        Truth((truth,), saw),
        {},
        {number: Answer(2)},
        trunk_down=True,
    )


def internal(ext: str = "101", to: str = "102") -> Scenario:
    """One extension calls another: not for a CRM."""
    leg = f"c1-{ext}"
    truth = TruthCall(
        "internal",
        None,
        None,
        ((to,),),
        to,
        to,
        (to,),
        ring_s=1,
        talk_s=3,
        hangup_by="caller",
        caller=ext,
        callee=to,
    )
    saw = went(leg, "call", "answered", "sendbye") + went(to, "invite", "answer", "gotbye")
    return Scenario("internal_call", (outgoing(ext, to), ends(leg, 3)), Truth((truth,), saw), {to: Answer(1)})
