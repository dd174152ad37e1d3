"""Customers call a ring group. Pure."""

from __future__ import annotations

from callme.lab.scenarios.parts import RING_S, ends, human, inbound, incoming, went
from callme.lab.script import (
    Answer,
    Ignore,
    Refuse,
    Scenario,
)
from callme.lab.truth import Truth, TruthCall


def ringall_answered(
    caller: str = "79000000110", *, by: str = "102", answer_s: float = 2, talk_s: float = 3
) -> Scenario:
    """A ring group: all three ring together, one answers."""
    did, leg, group = "74950000003", f"c1-{caller}", ("101", "102", "103")
    saw = went(leg, "call", "answered", "sendbye") + went(by, "invite", "answer", "gotbye")
    for other in group:
        saw += () if other == by else went(other, "invite", "cancel")
    fields = human((group,), by, ring_s=answer_s, talk_s=talk_s, hangup_by="caller")
    return Scenario(
        "in_ringall_answered_by_2nd",
        (inbound(caller, did), ends(leg, talk_s)),
        Truth((incoming(caller, did, fields),), saw),
        {ext: Answer(answer_s) if ext == by else Ignore() for ext in group},
    )


def ringall_nobody(caller: str = "79000000112") -> Scenario:
    """A ring group: nobody answers."""
    did, group = "74950000003", ("101", "102", "103")
    truth = TruthCall(
        "in", caller, did, (group,), disposition="no-answer", ring_s=RING_S, recording=False, hangup_by="pbx"
    )
    saw = went(f"c1-{caller}", "call", "failed")
    for ext in group:
        saw += went(ext, "invite", "cancel")
    return Scenario(
        "in_ringall_nobody", (inbound(caller, did),), Truth((truth,), saw), dict.fromkeys(group, Ignore())
    )


def ringall_busy_and_declined(caller: str = "79000000114") -> Scenario:
    """A ring group: one busy, one declines, the third answers."""
    did, leg = "74950000003", f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("103", "invite", "answer", "gotbye")
    saw += went("101", "invite", "refuse") + went("102", "invite", "refuse")
    fields = human((("101", "102", "103"),), "103", ring_s=3, talk_s=2, hangup_by="caller")
    return Scenario(
        "in_ringall_busy_and_declined",
        (inbound(caller, did), ends(leg, 2)),
        Truth((incoming(caller, did, fields),), saw),
        {"101": Refuse("486", 0.3), "102": Refuse("603", 1.5), "103": Answer(3)},
    )


def hunt_answered(caller: str = "79000000113") -> Scenario:
    """A hunt group: one after another, the third answers."""
    did, leg = "74950000004", f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("103", "invite", "answer", "gotbye")
    saw += went("101", "invite", "cancel") + went("102", "invite", "cancel")
    rang = (("101",), ("102",), ("103",))
    fields = human(rang, "103", ring_s=2 * RING_S + 1, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_hunt_answered_by_3rd",
        (inbound(caller, did), ends(leg, 3)),
        Truth((incoming(caller, did, fields),), saw),
        {"101": Ignore(), "102": Ignore(), "103": Answer(1)},
    )


def memoryhunt_answered(caller: str = "79000000117") -> Scenario:
    """A memory hunt group: the first rings on while the second joins, which answers."""
    did, leg = "74950000013", f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("102", "invite", "answer", "gotbye")
    saw += went("101", "invite", "cancel", "invite", "cancel")
    fields = human((("101",), ("101", "102")), "102", ring_s=RING_S + 1, talk_s=2, hangup_by="caller")
    return Scenario(
        "in_memoryhunt_answered_by_2nd",
        (inbound(caller, did), ends(leg, 2)),
        Truth((incoming(caller, did, fields),), saw),
        {"101": Ignore(), "102": Answer(1), "103": Ignore()},
    )


def group_with_mobile(caller: str = "79000000139") -> Scenario:
    """A ring group with an outside member: the mobile answers."""
    did, leg, mobile = "74950000011", f"c1-{caller}", "79169990106"
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "cancel")
    saw += went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (("101",),),
        answered_by=mobile,
        final_talker=mobile,
        talkers=(mobile,),
        ring_s=2,
        talk_s=3,
        recording=True,
        hangup_by="caller",
        via_external=mobile,
    )
    return Scenario(
        "in_group_mobile_answers",
        (inbound(caller, did), ends(leg, 3)),
        Truth((truth,), saw),
        {"101": Ignore()},
        {mobile: Answer(2)},
    )
