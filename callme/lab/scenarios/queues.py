"""Customers meet a queue, the IVR, or a closed office. Pure."""

from __future__ import annotations

from callme.lab.scenarios.parts import RING_S, ends, human, inbound, incoming, went
from callme.lab.script import (
    Answer,
    Hang,
    Ignore,
    Keys,
    Scenario,
    Step,
)
from callme.lab.truth import Truth, TruthCall


def queue_answered(caller: str = "79000000115") -> Scenario:
    """A queue, one agent at a time: the first answers."""
    did, leg = "74950000005", f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("104", "invite", "answer", "gotbye")
    fields = human((("104",),), "104", ring_s=2, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_queue_answered",
        (inbound(caller, did), Step(Hang(leg), ("104", "answer"), 3)),
        Truth((incoming(caller, did, fields),), saw),
        {"104": Answer(2), "105": Ignore()},
    )


def queue_second_answers(caller: str = "79000000137") -> Scenario:
    """A queue, one agent at a time: the first does not answer, the second does."""
    did, leg = "74950000005", f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("104", "invite", "cancel")
    saw += went("105", "invite", "answer", "gotbye")
    fields = human((("104",), ("105",)), "105", ring_s=RING_S + 2, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_queue_second_agent",
        (inbound(caller, did), Step(Hang(leg), ("105", "answer"), 3)),
        Truth((incoming(caller, did, fields),), saw),
        {"104": Ignore(), "105": Answer(1)},
    )


def queue_ringall(caller: str = "79000000138") -> Scenario:
    """A queue, all agents together: the second answers."""
    did, leg = "74950000012", f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("104", "invite", "cancel")
    saw += went("105", "invite", "answer", "gotbye")
    fields = human((("104", "105"),), "105", ring_s=2, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_queue_ringall",
        (inbound(caller, did), Step(Hang(leg), ("105", "answer"), 3)),
        Truth((incoming(caller, did, fields),), saw),
        {"104": Ignore(), "105": Answer(2)},
    )


def queue_abandoned(caller: str = "79000000116") -> Scenario:
    """The customer leaves the queue while an agent is rung. The queue had answered the line: nobody else
    had."""
    did, leg = "74950000005", f"c1-{caller}"
    truth = TruthCall(
        "in", caller, did, (("104",),), disposition="cancelled", ring_s=2, recording=False, hangup_by="caller"
    )
    saw = went(leg, "call", "answered", "sendbye") + went("104", "invite", "cancel")
    quits = Step(Hang(leg), ("104", "invite"), 2)
    return Scenario(
        "in_queue_abandoned",
        (inbound(caller, did), quits),
        Truth((truth,), saw),
        {"104": Ignore(), "105": Ignore()},
    )


def ivr_then_extension(caller: str = "79000000107") -> Scenario:
    """The IVR answers, the customer presses 1, 101 answers."""
    did, leg = "74950000002", f"c1-{caller}"
    saw = went(leg, "call", "answered", "key", "sendbye") + went("101", "invite", "answer", "gotbye")
    fields = human((("101",),), "101", ring_s=1, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_ivr_then_ext",
        (
            inbound(caller, did),
            Step(Keys(leg, "1"), (leg, "answered"), 1),
            Step(Hang(leg), ("101", "answer"), 3),
        ),
        Truth((incoming(caller, did, fields),), saw),
        {"101": Answer(1)},
    )


def ivr_then_queue(caller: str = "79000000173") -> Scenario:
    """The IVR answers, the customer presses 2, an agent of the queue answers."""
    did, leg = "74950000002", f"c1-{caller}"
    saw = went(leg, "call", "answered", "key", "sendbye") + went("104", "invite", "answer", "gotbye")
    fields = human((("104",),), "104", ring_s=1, talk_s=2, hangup_by="caller")
    return Scenario(
        "in_ivr_then_queue",
        (
            inbound(caller, did),
            Step(Keys(leg, "2"), (leg, "answered"), 1),
            Step(Hang(leg), ("104", "answer"), 2),
        ),
        Truth((incoming(caller, did, fields),), saw),
        {"104": Answer(1), "105": Ignore()},
    )


def ivr_times_out(caller: str = "79000000174") -> Scenario:
    """The customer presses nothing: the IVR sends him to the ring group, where 102 answers."""
    did, leg, group = "74950000002", f"c1-{caller}", ("101", "102", "103")
    saw = went(leg, "call", "answered", "sendbye") + went("102", "invite", "answer", "gotbye")
    saw += went("101", "invite", "cancel") + went("103", "invite", "cancel")
    fields = human((group,), "102", ring_s=1, talk_s=2, hangup_by="caller")
    return Scenario(
        "in_ivr_times_out",
        (inbound(caller, did), Step(Hang(leg), ("102", "answer"), 2)),
        Truth((incoming(caller, did, fields),), saw),
        {"101": Ignore(), "102": Answer(1), "103": Ignore()},
    )


def ivr_hangup(caller: str = "79000000108") -> Scenario:
    """The customer hangs up inside the IVR: nobody was rung."""
    did, leg = "74950000002", f"c1-{caller}"
    truth = TruthCall("in", caller, did, disposition="cancelled", recording=False, hangup_by="caller")
    saw = went(leg, "call", "answered", "sendbye")
    return Scenario("in_ivr_hangup", (inbound(caller, did), ends(leg, 1.5)), Truth((truth,), saw))


def after_hours(caller: str = "79000000118") -> Scenario:
    """The office is closed: an announcement, then the PBX hangs up."""
    did, leg = "74950000006", f"c1-{caller}"
    truth = TruthCall("in", caller, did, disposition="after-hours", recording=False, hangup_by="pbx")
    return Scenario(
        "in_after_hours", (inbound(caller, did),), Truth((truth,), went(leg, "call", "answered", "gotbye"))
    )
