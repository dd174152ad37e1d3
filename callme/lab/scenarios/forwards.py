"""Calls that go on to a mobile: follow-me and call forward. Pure."""

from __future__ import annotations

from callme.lab.numbering import MOBILES
from callme.lab.scenarios.parts import ends, inbound, went
from callme.lab.script import (
    Answer,
    Hang,
    Ignore,
    Keys,
    Scenario,
    Step,
)
from callme.lab.truth import Truth, TruthCall


def follow_me(caller: str = "79000000119") -> Scenario:
    """106 rings, two seconds later its owner's mobile too, where the owner answers."""
    did, leg, mobile = "74950000007", f"c1-{caller}", MOBILES["106"]
    saw = went(leg, "call", "answered", "sendbye") + went("106", "invite", "cancel")
    saw += went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (("106",),),
        "106",
        mobile,
        (mobile,),
        ring_s=3,
        talk_s=3,
        recording=True,
        hangup_by="caller",
        user="106",
        via_external=mobile,
    )
    return Scenario(
        "in_followme_mobile_answers",
        (inbound(caller, did), ends(leg, 3)),
        Truth((truth,), saw),
        {"106": Ignore()},
        {mobile: Answer(1)},
    )


def follow_me_confirmed(caller: str = "79000000171") -> Scenario:
    """The same with confirmation: the mobile is up, and only the key puts the customer through."""
    did, leg, mobile = "74950000007", f"c1-{caller}", MOBILES["106"]
    saw = went(leg, "call", "answered", "sendbye") + went("106", "invite", "cancel")
    saw += went("prov", "invite", "answer", "key", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (("106",),),
        "106",
        mobile,
        (mobile,),
        ring_s=3.7,
        talk_s=3,
        recording=True,
        hangup_by="caller",
        user="106",
        via_external=mobile,
    )
    return Scenario(
        "in_followme_mobile_confirms",
        (inbound(caller, did), Step(Keys("prov", "1"), ("prov", "answer"), 1.2), ends(leg, 3)),
        Truth((truth,), saw),
        {"106": Ignore()},
        {mobile: Answer(0.5)},
        {"AMPUSER/106/followme/grpconf": "ENABLED"},
    )


def follow_me_unconfirmed(caller: str = "79000000172") -> Scenario:
    """The mobile's mailbox answers and presses nothing; the customer gives up."""
    did, leg, mobile = "74950000007", f"c1-{caller}", MOBILES["106"]
    saw = went(leg, "call", "sendcancel") + went("106", "invite", "cancel")
    saw += went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (("106",),),
        disposition="cancelled",
        ring_s=4,
        recording=False,
        hangup_by="caller",
        user="106",
    )
    return Scenario(
        "in_followme_mobile_does_not_confirm",
        (inbound(caller, did), Step(Hang(leg), ("prov", "answer"), 1.5)),
        Truth((truth,), saw),
        {"106": Ignore()},
        {mobile: Answer(0.5)},
        {"AMPUSER/106/followme/grpconf": "ENABLED"},
    )


def call_forward(caller: str = "79000000120") -> Scenario:
    """105 is forwarded to an outside number; no telephone of the office rings."""
    did, leg, mobile = "74950000008", f"c1-{caller}", MOBILES["105"]
    saw = went(leg, "call", "answered", "sendbye") + went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (),
        "105",
        mobile,
        (mobile,),
        ring_s=2,
        talk_s=3,
        recording=True,
        hangup_by="caller",
        user="105",
        via_external=mobile,
    )
    return Scenario(
        "in_callforward",
        (inbound(caller, did), ends(leg, 3)),
        Truth((truth,), saw),
        {"105": Ignore()},
        {mobile: Answer(2)},
        {"CF/105": mobile},
    )
