"""More than one call at a time, waiting, and what is no call at all. Pure."""

from __future__ import annotations

from callme.lab.numbering import CONFERENCE, MOBILES, OWN_NUMBER
from callme.lab.scenarios.parts import RING_S, ends, human, inbound, incoming, outgoing, went
from callme.lab.script import Answer, Blind, Dial, Hang, Ignore, KillPbx, Refuse, Scenario, Step
from callme.lab.truth import Transfer, Truth, TruthCall


def call_waiting(caller: str = "79000000160", second: str = "79000000161") -> Scenario:
    """101 talks; another customer rings 101 meanwhile and gives up."""
    one, two = f"c1-{caller}", f"c2-{second}"
    saw = went(one, "call", "answered", "sendbye") + went(two, "call", "sendcancel")
    saw += went("101", "invite", "answer", "invite", "cancel", "gotbye")
    first = human((("101",),), "101", ring_s=1, talk_s=6, hangup_by="caller")
    missed = TruthCall(
        "in",
        second,
        "74950000101",
        (("101",),),
        disposition="cancelled",
        ring_s=2,
        recording=False,
        hangup_by="caller",
        user="101",
    )
    return Scenario(
        "in_call_waiting",
        (
            inbound(caller, OWN_NUMBER),
            Step(Dial(two, "trunk-prov", "74950000101", second), (one, "answered"), 1),
            Step(Hang(two), (two, "call"), 2),
            ends(one, 6),
        ),
        Truth((incoming(caller, OWN_NUMBER, first), missed), saw),
        {"101": (Answer(1), Ignore())},
    )


def hunt_cancelled_at_second(caller: str = "79000000162") -> Scenario:
    """A hunt group: the customer gives up while the second telephone rings."""
    did, leg = "74950000004", f"c1-{caller}"
    truth = TruthCall(
        "in",
        caller,
        did,
        (("101",), ("102",)),
        disposition="cancelled",
        ring_s=RING_S + 1,
        recording=False,
        hangup_by="caller",
    )
    saw = went(leg, "call", "sendcancel") + went("101", "invite", "cancel") + went("102", "invite", "cancel")
    return Scenario(
        "in_hunt_cancelled_at_2nd",
        (inbound(caller, did), Step(Hang(leg), ("102", "invite"), 1)),
        Truth((truth,), saw),
        {"101": Ignore(), "102": Ignore(), "103": Ignore()},
    )


def queue_times_out(caller: str = "79000000163") -> Scenario:
    """105 does not answer in the queue; after its limit the customer goes to 104, who does."""
    did, leg = "74950000015", f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("105", "invite", "cancel")
    saw += went("104", "invite", "answer", "gotbye")
    fields = human((("105",), ("104",)), "104", ring_s=5, talk_s=2, hangup_by="caller")
    return Scenario(
        "in_queue_times_out",
        (inbound(caller, did), Step(Hang(leg), ("104", "answer"), 2)),
        Truth((incoming(caller, did, fields),), saw),
        {"105": Ignore(), "104": Answer(1)},
    )


def queue_agent_forwarded(caller: str = "79000000164") -> Scenario:
    """The queue's agent 105 is forwarded to a mobile, where the call is answered."""
    did, leg, mobile = "74950000015", f"c1-{caller}", MOBILES["105"]
    saw = went(leg, "call", "answered", "sendbye") + went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (),
        "105",
        mobile,
        (mobile,),
        ring_s=1,
        talk_s=2,
        recording=True,
        hangup_by="caller",
        user="105",
        via_external=mobile,
    )
    return Scenario(
        "in_queue_agent_forwarded",
        (inbound(caller, did), Step(Hang(leg), ("prov", "answer"), 2)),
        Truth((truth,), saw),
        {"105": Ignore(), "104": Ignore()},
        {mobile: Answer(1)},
        {"CF/105": mobile},
    )


def forwarded_when(what: str, caller: str) -> Scenario:
    """102 is busy (`busy`) or does not answer (`noanswer`) and is then forwarded to a mobile."""
    did, leg, mobile = "74950000102", f"c1-{caller}", "79169990102"
    busy = what == "busy"
    saw = went(leg, "call", "answered", "sendbye") + went("102", "invite", "refuse" if busy else "cancel")
    saw += went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (("102",),),
        "102",
        mobile,
        (mobile,),
        ring_s=2 if busy else RING_S + 1,
        talk_s=2,
        recording=True,
        hangup_by="caller",
        user="102",
        via_external=mobile,
    )
    return Scenario(
        f"in_forward_{what}",
        (inbound(caller, did), ends(leg, 2)),
        Truth((truth,), saw),
        {"102": Refuse("486", 1) if busy else Ignore()},
        {mobile: Answer(1)},
        {"CFB/102" if busy else "CFU/102": mobile},
    )


def parking_times_out(caller: str = "79000000167") -> Scenario:
    """101 parks the customer, nobody fetches him, he comes back to 101."""
    leg = f"c1-{caller}"
    truth = TruthCall(
        "in",
        caller,
        OWN_NUMBER,
        (("101",), ("101",)),
        "101",
        "101",
        ("101",),
        ring_s=1,
        talk_s=9,
        recording=True,
        hangup_by="caller",
        user="101",
        transfers=(Transfer("park", "101", "101"),),
    )
    saw = went(leg, "call", "answered", "sendbye")
    saw += went("101", "invite", "answer", "refer", "invite", "answer", "gotbye")
    return Scenario(
        "in_parking_times_out",
        (
            inbound(caller, OWN_NUMBER),
            Step(Blind("101", "70"), ("101", "answer"), 1.5),
            Step(Hang(leg), ("101", "refer"), 8),
        ),
        Truth((truth,), saw),
        {"101": Answer(1)},
    )


def conference(caller: str = "79000000168") -> Scenario:
    """The customer and 101 meet in a conference room."""
    did, leg, agent = "74950000010", f"c1-{caller}", "c1-101"
    saw = went(leg, "call", "answered", "sendbye") + went(agent, "call", "answered", "sendbye")
    truth = TruthCall(
        "in",
        caller,
        did,
        (),
        "101",
        "101",
        ("101",),
        talk_s=3,
        recording=False,
        hangup_by="caller",
        user="101",
    )
    return Scenario(
        "in_conference",
        (
            inbound(caller, did),
            Step(Dial(agent, "101", CONFERENCE, "101"), (leg, "answered"), 1),
            Step(Hang(leg), (agent, "answered"), 3),
            Step(Hang(agent), (leg, "sendbye"), 0.5),
        ),
        Truth((truth,), saw),
    )


def pbx_dies(caller: str = "79000000134", after: str = "79000000135") -> Scenario:
    """The PBX dies in the middle of a talk and comes back; then another customer calls."""
    leg, later = f"c1-{caller}", "after"
    saw = went(leg, "call", "answered", "sendbye") + went(later, "call", "answered", "sendbye")
    saw += went("101", "invite", "answer", "invite", "answer", "gotbye")
    # Of a talk this short Asterisk has written 44 bytes when it is killed: there is nothing to attach.
    lost = human((("101",),), "101", ring_s=1, talk_s=2, hangup_by=None, recording=False)
    fields = human((("101",),), "101", ring_s=1, talk_s=2, hangup_by="caller")
    return Scenario(
        "pbx_restart_during_call",
        (
            inbound(caller, OWN_NUMBER),
            Step(KillPbx(), (leg, "answered"), 2),
            Step(Hang(leg), (leg, "answered"), 5),
            Step(Hang("101"), (leg, "answered"), 5),
            Step(Dial(later, "trunk-prov", OWN_NUMBER, after), (leg, "answered"), 8),
            ends(later, 2),
        ),
        Truth((incoming(caller, OWN_NUMBER, lost), incoming(after, OWN_NUMBER, fields)), saw),
        {"101": Answer(1)},
    )


def echo_test() -> Scenario:
    """A feature code is no call: 101 dials the echo test."""
    leg = "c1-101"
    saw = went(leg, "call", "answered", "sendbye")
    return Scenario("no_call_echo_test", (outgoing("101", "*43"), ends(leg, 1)), Truth((), saw))


def intercom() -> Scenario:
    """Intercom is no call for a CRM: 101 speaks to 102 through its loudspeaker."""
    leg = "c1-101"
    saw = went(leg, "call", "answered", "sendbye") + went("102", "invite", "answer", "gotbye")
    return Scenario(
        "no_call_intercom",
        (outgoing("101", "*80102"), ends(leg, 1)),
        Truth((), saw),
        {"102": Answer(0)},
    )


def burst(count: int = 20) -> Scenario:
    """So many customers call five extensions at once; all are answered."""
    people = ("101", "102", "103", "104", "105")
    steps: list[Step] = []
    calls: list[TruthCall] = []
    for number in range(count):
        ext, caller = people[number % len(people)], f"7900001{number:04}"
        did, leg = f"74950000{ext}", f"c1-{caller}"
        steps += [inbound(caller, did), ends(leg, 3)]
        calls.append(incoming(caller, did, human(((ext,),), ext, ring_s=1, talk_s=3, hangup_by="caller")))
    saw = tuple(
        pair
        for number in range(count)
        for pair in went(f"c1-7900001{number:04}", "call", "answered", "sendbye")
    )
    saw += tuple(pair for ext in people for pair in went(ext, "invite", "answer", "gotbye"))
    return Scenario(
        f"burst_{count}", tuple(steps), Truth(tuple(calls), saw), dict.fromkeys(people, Answer(1))
    )
