"""Customers call a ring group. Pure."""

from __future__ import annotations

from callme.lab.scenarios.parts import RING_S, ends, human, inbound, incoming, went
from callme.lab.script import (
    Answer,
    Dial,
    Hang,
    Ignore,
    Keys,
    Refuse,
    Scenario,
    Step,
)
from callme.lab.truth import Truth, TruthCall

FIRST_AVAILABLE, CONFIRMED = "74950000016", "74950000017"


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


def first_available(caller: str = "79000000183") -> Scenario:
    """A group in which only the first idle telephone rings: 101 talks with a colleague, so it is 102."""
    leg, chat = f"c1-{caller}", "c2-103"
    saw = went(leg, "call", "answered", "sendbye") + went("102", "invite", "answer", "gotbye")
    saw += went(chat, "call", "answered", "sendbye") + went("101", "invite", "answer", "gotbye")
    fields = human((("102",),), "102", ring_s=1, talk_s=2, hangup_by="caller")
    among = {"ring_s": 0.5, "talk_s": 5, "hangup_by": "caller", "caller": "103", "callee": "101"}
    colleagues = TruthCall("internal", None, None, (("101",),), "101", "101", ("101",), **among)  # type: ignore[arg-type]
    return Scenario(
        "in_group_first_available",
        (
            Step(Dial(chat, "103", "101", "103")),
            Step(Dial(leg, "trunk-prov", FIRST_AVAILABLE, caller), (chat, "answered"), 0.5),
            Step(Hang(leg), ("102", "answer"), 2),
            Step(Hang(chat), ("102", "answer"), 3),
        ),
        Truth((colleagues, incoming(caller, FIRST_AVAILABLE, fields)), saw),
        {"101": Answer(0.5), "102": Answer(1)},
    )


def group_confirmed(caller: str = "79000000184") -> Scenario:
    """A group whose outside member has to confirm: the mobile answers and presses 1."""
    leg, mobile = f"c1-{caller}", "79169990605"
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "cancel")
    saw += went("prov", "invite", "answer", "key", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        CONFIRMED,
        (("101",),),
        answered_by=mobile,
        final_talker=mobile,
        talkers=(mobile,),
        ring_s=2.2,
        talk_s=3,
        recording=True,
        hangup_by="caller",
        via_external=mobile,
    )
    return Scenario(
        "in_group_mobile_confirms",
        (inbound(caller, CONFIRMED), Step(Keys("prov", "1"), ("prov", "answer"), 1.2), ends(leg, 3)),
        Truth((truth,), saw),
        {"101": Ignore()},
        {mobile: Answer(1)},
    )


def group_unconfirmed(caller: str = "79000000169") -> Scenario:
    """The same group: the mobile's mailbox answers and presses nothing, nobody else does either."""
    leg, mobile = f"c1-{caller}", "79169990605"
    saw = went(leg, "call", "failed") + went("101", "invite", "cancel")
    saw += went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        CONFIRMED,
        (("101",),),
        disposition="no-answer",
        ring_s=RING_S,
        recording=False,
        hangup_by="pbx",
    )
    return Scenario(
        "in_group_mobile_does_not_confirm",
        (inbound(caller, CONFIRMED),),
        Truth((truth,), saw),
        {"101": Ignore()},
        {mobile: Answer(1)},
    )


def group_confirmed_inside(caller: str = "79000000170") -> Scenario:
    """The same group: 101, who need not confirm, is quicker than the mobile."""
    leg, mobile = f"c1-{caller}", "79169990605"
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer", "gotbye")
    saw += went("prov", "invite", "answer", "gotbye")
    fields = human((("101",),), "101", ring_s=3, talk_s=2, hangup_by="caller")
    return Scenario(
        "in_group_confirmed_inside",
        (inbound(caller, CONFIRMED), ends(leg, 2)),
        Truth((incoming(caller, CONFIRMED, fields),), saw),
        {"101": Answer(3)},
        {mobile: Answer(1)},
    )
