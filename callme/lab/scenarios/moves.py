"""Calls that change hands or wait: transfers, pickup, parking, hold, two at once. Pure."""

from __future__ import annotations

from callme.lab.numbering import OWN_NUMBER
from callme.lab.scenarios.parts import ends, human, inbound, incoming, went
from callme.lab.script import (
    Answer,
    Attended,
    Blind,
    Dial,
    Hang,
    Hold,
    Ignore,
    Scenario,
    Step,
    Unhold,
)
from callme.lab.truth import Transfer, Truth, TruthCall


def blind_transfer(caller: str = "79000000121", *, to: str = "102") -> Scenario:
    """101 answers and sends the customer on to 102 by REFER."""
    did, leg = OWN_NUMBER, f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer", "refer")
    saw += went(to, "invite", "answer", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (("101",), (to,)),
        "101",
        to,
        ("101", to),
        ring_s=1,
        talk_s=7,
        recording=True,
        hangup_by="caller",
        user=to,
        transfers=(Transfer("blind", "101", to),),
    )
    return Scenario(
        "in_blind_transfer",
        (
            inbound(caller, did),
            Step(Blind("101", to), ("101", "answer"), 2),
            Step(Hang(leg), (to, "answer"), 3),
        ),
        Truth((truth,), saw),
        {"101": Answer(1), to: Answer(2)},
    )


def attended_transfer(caller: str = "79000000125", *, to: str = "102") -> Scenario:
    """101 answers, holds, asks 102, and joins the two by REFER with Replaces."""
    did, leg, consult = OWN_NUMBER, f"c1-{caller}", "consult101"
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer", "hold", "refer")
    saw += went(consult, "call", "answered", "gotbye") + went(to, "invite", "answer", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (("101",), (to,)),
        "101",
        to,
        ("101", to),
        ring_s=1,
        talk_s=9,
        recording=True,
        hangup_by="caller",
        user=to,
        transfers=(Transfer("attended", "101", to),),
    )
    return Scenario(
        "in_attended_transfer",
        (
            inbound(caller, did),
            Step(Hold("101"), ("101", "answer"), 2),
            Step(Dial(consult, "101", to, "101"), ("101", "hold"), 0.3),
            Step(Attended("101", consult), (consult, "answered"), 2),
            Step(Hang(leg), ("101", "refer"), 3),
        ),
        Truth((truth,), saw),
        {"101": Answer(1), to: Answer(1)},
    )


def consult_and_back(caller: str = "79000000126") -> Scenario:
    """101 holds the customer, asks 102, and comes back: no transfer."""
    did, leg, consult = OWN_NUMBER, f"c1-{caller}", "consult101"
    saw = went(leg, "call", "answered", "sendbye") + went(
        "101", "invite", "answer", "hold", "unhold", "gotbye"
    )
    saw += went(consult, "call", "answered", "sendbye") + went("102", "invite", "answer", "gotbye")
    fields = human((("101",),), "101", ring_s=1, talk_s=7, hangup_by="caller")
    aside = TruthCall(
        "internal",
        None,
        None,
        (("102",),),
        "102",
        "102",
        ("102",),
        ring_s=1,
        talk_s=2,
        hangup_by="caller",
        caller="101",
        callee="102",
    )
    return Scenario(
        "in_consult_and_back",
        (
            inbound(caller, did),
            Step(Hold("101"), ("101", "answer"), 2),
            Step(Dial(consult, "101", "102", "101"), ("101", "hold"), 0.3),
            ends(consult, 2),
            Step(Unhold("101"), (consult, "sendbye"), 0.3),
            Step(Hang(leg), ("101", "unhold"), 2),
        ),
        Truth((incoming(caller, did, fields), aside), saw),
        {"101": Answer(1), "102": Answer(1)},
    )


def hold(caller: str = "79000000136") -> Scenario:
    """101 puts the customer on hold for two seconds."""
    did, leg = OWN_NUMBER, f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went(
        "101", "invite", "answer", "hold", "unhold", "gotbye"
    )
    fields = human((("101",),), "101", ring_s=1, talk_s=5, hangup_by="caller")
    return Scenario(
        "in_hold_unhold",
        (
            inbound(caller, did),
            Step(Hold("101"), ("101", "answer"), 1),
            Step(Unhold("101"), ("101", "hold"), 2),
            Step(Hang(leg), ("101", "unhold"), 2),
        ),
        Truth((incoming(caller, did, fields),), saw),
        {"101": Answer(1)},
    )


def pickup(caller: str = "79000000127", *, code: str = "**101") -> Scenario:
    """101 rings, 102 takes the call by a feature code (`**101`, or `*8`)."""
    did, leg, picker = OWN_NUMBER, f"c1-{caller}", "pickup102"
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "cancel")
    saw += went(picker, "call", "answered", "gotbye")
    fields = human((("101",),), "102", ring_s=2, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_pickup" if code == "**101" else "in_pickup_any",
        (inbound(caller, did), Step(Dial(picker, "102", code, "102"), ("101", "invite"), 2), ends(leg, 3)),
        Truth((incoming(caller, did, fields),), saw),
        {"101": Ignore()},
    )


def park_and_retrieve(caller: str = "79000000130") -> Scenario:
    """101 parks the customer, 102 fetches him from place 71."""
    did, leg, fetch = OWN_NUMBER, f"c1-{caller}", "unpark102"
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer", "refer")
    saw += went(fetch, "call", "answered", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (("101",),),
        "101",
        "102",
        ("101", "102"),
        ring_s=1,
        talk_s=9,
        recording=True,
        hangup_by="caller",
        user="102",
        transfers=(Transfer("park", "101", "102"),),
    )
    return Scenario(
        "in_park_retrieve",
        (
            inbound(caller, did),
            Step(Blind("101", "70"), ("101", "answer"), 2),
            Step(Dial(fetch, "102", "71", "102"), ("101", "refer"), 2.5),
            Step(Hang(leg), (fetch, "answered"), 4.5),
        ),
        Truth((truth,), saw),
        {"101": Answer(1)},
    )


def overlapping(caller: str = "79000000131") -> Scenario:
    """The same customer calls twice at once: two calls."""
    one, two = f"c1-{caller}", "c2"
    saw = went(one, "call", "answered", "sendbye") + went(two, "call", "answered", "sendbye")
    saw += went("101", "invite", "answer", "gotbye") + went("105", "invite", "answer", "gotbye")
    first = human((("101",),), "101", ring_s=1, talk_s=4, hangup_by="caller")
    second = human((("105",),), "105", ring_s=1, talk_s=4, hangup_by="caller")
    return Scenario(
        "two_overlapping_calls",
        (
            inbound(caller, OWN_NUMBER),
            Step(Dial(two, "trunk-prov", "74950000008", caller), ("101", "answer"), 1),
            ends(one, 4),
            ends(two, 4),
        ),
        Truth((incoming(caller, OWN_NUMBER, first), incoming(caller, "74950000008", second)), saw),
        {"101": Answer(1), "105": Answer(1)},
    )
