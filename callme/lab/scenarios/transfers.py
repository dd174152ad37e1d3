"""Transfers of every other kind: to groups, queues, outside, in vain, by feature code. Pure."""

from __future__ import annotations

from callme.lab.numbering import OWN_NUMBER
from callme.lab.scenarios.parts import Pairs, inbound, outgoing, outward, went
from callme.lab.script import Answer, Attended, Blind, Dial, Hang, Hold, Ignore, Keys, Ring, Scenario, Step
from callme.lab.truth import Transfer, Truth, TruthCall

MOBILE = "79169990200"


def _blind(
    name: str,
    caller: str,
    to: str,
    rang: tuple[tuple[str, ...], ...],
    by: str,
    talk_s: float,
    phones: dict[str, Ring | tuple[Ring, ...]],
    saw: Pairs,
    outside: dict[str, Ring] | None = None,
) -> Scenario:
    leg, answering = f"c1-{caller}", "prov" if outside else by
    truth = TruthCall(
        "in",
        caller,
        OWN_NUMBER,
        (("101",), *rang),
        "101",
        by,
        ("101", by),
        ring_s=1,
        talk_s=talk_s,
        recording=True,
        hangup_by="caller",
        user="101" if outside else by,
        transfers=(Transfer("blind", "101", to),),
    )
    saw += went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer", "refer")
    saw += went(answering, "invite", "answer", "gotbye")
    steps = (
        inbound(caller, OWN_NUMBER),
        Step(Blind("101", to), ("101", "answer"), 2),
        Step(Hang(leg), (answering, "answer"), 2),
    )
    return Scenario(name, steps, Truth((truth,), saw), {"101": Answer(1), **phones}, outside or {})


def blind_to_queue(caller: str = "79000000150") -> Scenario:
    """101 sends the customer into a queue."""
    phones: dict[str, Ring | tuple[Ring, ...]] = {"104": Ignore(), "105": Answer(1)}
    saw = went("104", "invite", "cancel")
    return _blind("in_blind_to_queue", caller, "701", (("104", "105"),), "105", 5, phones, saw)


def blind_to_outside(caller: str = "79000000151") -> Scenario:
    """101 sends the customer to an outside number: no second call for a CRM."""
    return _blind("in_blind_to_outside", caller, MOBILE, (), MOBILE, 5, {}, (), {MOBILE: Answer(1)})


def blind_to_group(caller: str = "79000000152") -> Scenario:
    """104 sends the customer to a ring group, where 103 answers."""
    did, leg = "74950000009", f"c1-{caller}"
    group = ("101", "102", "103")
    truth = TruthCall(
        "in",
        caller,
        did,
        (("104",), group),
        "104",
        "103",
        ("104", "103"),
        ring_s=1,
        talk_s=5,
        recording=True,
        hangup_by="caller",
        user="103",
        transfers=(Transfer("blind", "104", "600"),),
    )
    saw = went(leg, "call", "answered", "sendbye") + went("104", "invite", "answer", "refer")
    saw += went("101", "invite", "cancel") + went("102", "invite", "cancel")
    saw += went("103", "invite", "answer", "gotbye")
    steps = (
        inbound(caller, did),
        Step(Blind("104", "600"), ("104", "answer"), 2),
        Step(Hang(leg), ("103", "answer"), 2),
    )
    phones: dict[str, Ring | tuple[Ring, ...]] = {
        "104": Answer(1),
        "101": Ignore(),
        "102": Ignore(),
        "103": Answer(1),
    }
    return Scenario("in_blind_to_group", steps, Truth((truth,), saw), phones)


def blind_in_vain(caller: str = "79000000153") -> Scenario:
    """101 sends the customer to 102, who does not answer; the PBX ends the call."""
    leg = f"c1-{caller}"
    truth = TruthCall(
        "in",
        caller,
        OWN_NUMBER,
        (("101",), ("102",)),
        "101",
        "101",
        ("101",),
        ring_s=1,
        talk_s=7,
        recording=True,
        hangup_by="pbx",
        user="101",
        transfers=(Transfer("blind", "101", "102"),),
    )
    saw = went(leg, "call", "answered", "gotbye") + went("101", "invite", "answer", "refer")
    saw += went("102", "invite", "cancel")
    steps = (inbound(caller, OWN_NUMBER), Step(Blind("101", "102"), ("101", "answer"), 2))
    return Scenario("in_blind_in_vain", steps, Truth((truth,), saw), {"101": Answer(1), "102": Ignore()})


def blind_by_code(caller: str = "79000000154") -> Scenario:
    """101 presses ## and 102."""
    leg = f"c1-{caller}"
    truth = TruthCall(
        "in",
        caller,
        OWN_NUMBER,
        (("101",), ("102",)),
        "101",
        "102",
        ("101", "102"),
        ring_s=1,
        talk_s=8,
        recording=True,
        hangup_by="caller",
        user="102",
        transfers=(Transfer("blind", "101", "102"),),
    )
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer", "gotbye")
    saw += went("102", "invite", "answer", "gotbye")
    steps = (
        inbound(caller, OWN_NUMBER),
        Step(Keys("101", "##"), ("101", "answer"), 1),
        Step(Keys("101", "102"), ("101", "answer"), 3),
        Step(Hang(leg), ("102", "answer"), 2),
    )
    return Scenario("in_blind_by_code", steps, Truth((truth,), saw), {"101": Answer(1), "102": Answer(1)})


def attended_by_code(caller: str = "79000000155") -> Scenario:
    """101 presses *2 and 102, asks, and hangs up."""
    leg = f"c1-{caller}"
    truth = TruthCall(
        "in",
        caller,
        OWN_NUMBER,
        (("101",), ("102",)),
        "101",
        "102",
        ("101", "102"),
        ring_s=1,
        talk_s=10,
        recording=True,
        hangup_by="caller",
        user="102",
        transfers=(Transfer("attended", "101", "102"),),
    )
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer", "sendbye")
    saw += went("102", "invite", "answer", "gotbye")
    steps = (
        inbound(caller, OWN_NUMBER),
        Step(Keys("101", "*2"), ("101", "answer"), 1),
        Step(Keys("101", "102"), ("101", "answer"), 3),
        Step(Hang("101"), ("102", "answer"), 1.5),
        Step(Hang(leg), ("101", "sendbye"), 2),
    )
    return Scenario("in_attended_by_code", steps, Truth((truth,), saw), {"101": Answer(1), "102": Answer(1)})


def attended_to_outside(caller: str = "79000000156") -> Scenario:
    """101 asks somebody outside and joins the two: each outside party has a call of its own, and they are
    linked."""
    leg, consult = f"c1-{caller}", "consult101"
    truth = TruthCall(
        "in",
        caller,
        OWN_NUMBER,
        (("101",),),
        "101",
        MOBILE,
        ("101", MOBILE),
        ring_s=1,
        talk_s=8,
        recording=True,
        hangup_by="caller",
        user="101",
        transfers=(Transfer("attended", "101", MOBILE),),
    )
    asked = outward(
        "101",
        MOBILE,
        "answered",
        answered_by=MOBILE,
        final_talker=MOBILE,
        talkers=(MOBILE,),
        ring_s=1,
        talk_s=4,
        recording=True,
    )
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer", "hold", "refer")
    saw += went(consult, "call", "answered", "gotbye") + went("prov", "invite", "answer", "gotbye")
    steps = (
        inbound(caller, OWN_NUMBER),
        Step(Hold("101"), ("101", "answer"), 2),
        Step(Dial(consult, "101", MOBILE, "101"), ("101", "hold"), 0.3),
        Step(Attended("101", consult), (consult, "answered"), 2),
        Step(Hang(leg), ("101", "refer"), 2),
    )
    return Scenario(
        "in_attended_to_outside", steps, Truth((truth, asked), saw), {"101": Answer(1)}, {MOBILE: Answer(1)}
    )


def out_blind(ext: str = "101", number: str = "79000000220") -> Scenario:
    """101 calls a customer and sends him to 102."""
    leg = f"c1-{ext}"
    truth = TruthCall(
        "out",
        number,
        OWN_NUMBER,
        (("102",),),
        number,
        number,
        (number,),
        ring_s=1,
        talk_s=5,
        recording=True,
        hangup_by="callee",
        user="102",
        caller=ext,
        transfers=(Transfer("blind", ext, "102"),),
    )
    saw = went(leg, "call", "answered", "refer") + went("prov", "invite", "answer", "sendbye")
    saw += went("102", "invite", "answer", "gotbye")
    steps = (
        outgoing(ext, number),
        Step(Blind(leg, "102"), (leg, "answered"), 2),
        Step(Hang("prov"), ("102", "answer"), 2),
    )
    return Scenario(
        "out_blind_transfer", steps, Truth((truth,), saw), {"102": Answer(1)}, {number: Answer(1)}
    )


def out_attended(ext: str = "101", number: str = "79000000221") -> Scenario:
    """101 calls a customer, asks 102 and joins the two."""
    leg, consult = f"c1-{ext}", "consult101"
    truth = TruthCall(
        "out",
        number,
        OWN_NUMBER,
        (("102",),),
        number,
        number,
        (number,),
        ring_s=1,
        talk_s=8,
        recording=True,
        hangup_by="callee",
        user="102",
        caller=ext,
        transfers=(Transfer("attended", ext, "102"),),
    )
    saw = went(leg, "call", "answered", "hold", "refer") + went(consult, "call", "answered", "gotbye")
    saw += went("prov", "invite", "answer", "sendbye") + went("102", "invite", "answer", "gotbye")
    steps = (
        outgoing(ext, number),
        Step(Hold(leg), (leg, "answered"), 2),
        Step(Dial(consult, ext, "102", ext), (leg, "hold"), 0.3),
        Step(Attended(leg, consult), (consult, "answered"), 2),
        Step(Hang("prov"), (leg, "refer"), 2),
    )
    return Scenario(
        "out_attended_transfer", steps, Truth((truth,), saw), {"102": Answer(1)}, {number: Answer(1)}
    )


def internal_becomes_outgoing(number: str = "79000000222") -> Scenario:
    """101 calls 102, who sends 101 on to a customer: from then on an outgoing call."""
    leg = "c1-101"
    truth = TruthCall(
        "out",
        number,
        OWN_NUMBER,
        (),
        number,
        number,
        (number,),
        ring_s=1,
        talk_s=4,
        recording=True,
        hangup_by="agent",
        user="101",
        caller="101",
    )
    saw = went(leg, "call", "answered", "sendbye") + went("102", "invite", "answer", "refer")
    saw += went("prov", "invite", "answer", "gotbye")
    steps = (
        outgoing("101", "102"),
        Step(Blind("102", number), ("102", "answer"), 2),
        Step(Hang(leg), ("prov", "answer"), 4),
    )
    return Scenario(
        "internal_becomes_outgoing", steps, Truth((truth,), saw), {"102": Answer(1)}, {number: Answer(1)}
    )
