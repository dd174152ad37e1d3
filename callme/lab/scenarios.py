"""Named call scenarios: what each telephone does, and the truth about it.

The names and numbers are those of the recorded traces where there is one. Ring times assume a lab started with
`OPTIONS`. Each scenario says which telephones it uses (`Scenario.uses`); two that share none run side by side.
Pure.
"""

from __future__ import annotations

from callme.lab.dialplan import Options
from callme.lab.numbering import MOBILES, OWN_NUMBER
from callme.lab.script import (
    Answer,
    Attended,
    Blind,
    Click,
    Dial,
    Hang,
    Hold,
    Ignore,
    Keys,
    Refuse,
    Ring,
    Scenario,
    Step,
    Unhold,
)
from callme.lab.truth import Disposition, Transfer, Truth, TruthCall

OPTIONS = Options(ring_s=5, ivr_s=2)
"""A lab whose telephones ring 5 s, so that suites are quick."""

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


def _went(leg: str, *what: str) -> Pairs:
    return tuple((leg, one) for one in what)


def _answered(rang: tuple[tuple[str, ...], ...], by: str, **more: object) -> dict[str, object]:
    return {
        "rang": rang,
        "answered_by": by,
        "final_talker": by,
        "talkers": (by,),
        "user": by,
        "recording": True,
        **more,
    }


def _in(caller: str, did: str, fields: dict[str, object]) -> TruthCall:
    return TruthCall("in", caller, did, **fields)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ inbound, direct
def direct_answered(
    ext: str = "101", caller: str = "79000000101", *, answer_s: float = 1, talk_s: float = 3, agent_ends: bool = True
) -> Scenario:
    """A customer calls an extension, which answers."""
    did, leg = (OWN_NUMBER if ext == "101" else f"74950000{ext}"), f"c1-{caller}"
    end = Step(Hang(ext), (ext, "answer"), talk_s) if agent_ends else ends(leg, talk_s)
    fields = _answered(((ext,),), ext, ring_s=answer_s, talk_s=talk_s, hangup_by="agent" if agent_ends else "caller")
    last = ("gotbye", "sendbye") if agent_ends else ("sendbye", "gotbye")
    return Scenario(
        "in_direct_answered" if agent_ends else "in_direct_answered_caller_ends",
        (inbound(caller, did), end),
        Truth((_in(caller, did, fields),), _went(leg, "call", "answered", last[0]) + _went(ext, "invite", "answer", last[1])),
        {ext: Answer(answer_s)},
    )


def _not_answered(
    name: str, caller: str, ring: Ring, disposition: Disposition, ring_s: float, by: str, saw: Pairs, *more: Step
) -> Scenario:
    truth = TruthCall(
        "in", caller, OWN_NUMBER, (("101",),), disposition=disposition, ring_s=ring_s, recording=False,
        hangup_by=by, user="101",
    )  # fmt: skip
    return Scenario(name, (inbound(caller, OWN_NUMBER), *more), Truth((truth,), saw), {"101": ring})


def direct_noanswer(caller: str = "79000000103") -> Scenario:
    """The extension rings until the PBX gives up."""
    saw = _went("101", "invite", "cancel") + _went(f"c1-{caller}", "call", "failed")
    return _not_answered("in_direct_noanswer", caller, Ignore(), "no-answer", RING_S, "pbx", saw)


def direct_busy(caller: str = "79000000105") -> Scenario:
    """The extension's telephone says busy."""
    saw = _went("101", "invite", "refuse") + _went(f"c1-{caller}", "call", "failed")
    return _not_answered("in_direct_busy", caller, Refuse("486", 0.3), "busy", 0.3, "pbx", saw)


def direct_declined(caller: str = "79000000106") -> Scenario:
    """The person presses "reject"."""
    saw = _went("101", "invite", "refuse") + _went(f"c1-{caller}", "call", "failed")
    return _not_answered("in_direct_declined", caller, Refuse("603", 1), "declined", 1, "agent", saw)


def direct_caller_cancels(caller: str = "79000000104") -> Scenario:
    """The customer gives up while it rings."""
    saw = _went("101", "invite", "cancel") + _went(f"c1-{caller}", "call", "sendcancel")
    quits = Step(Hang(f"c1-{caller}"), ("101", "invite"), 2)
    return _not_answered("in_direct_caller_cancels", caller, Ignore(), "cancelled", 2, "caller", saw, quits)


def voicemail(caller: str = "79000000129") -> Scenario:
    """104 does not answer, its mailbox does: a missed call."""
    leg, did = f"c1-{caller}", "74950000009"
    truth = TruthCall(
        "in", caller, did, (("104",),), disposition="voicemail", ring_s=RING_S, recording=False,
        hangup_by="caller", user="104",
    )  # fmt: skip
    saw = _went("104", "invite", "cancel") + _went(leg, "call", "answered", "sendbye")
    return Scenario("in_voicemail", (inbound(caller, did), ends(leg, 3)), Truth((truth,), saw), {"104": Ignore()})


# ------------------------------------------------------------------------------------------------ ring groups
def ringall_answered(
    caller: str = "79000000110", *, by: str = "102", answer_s: float = 2, talk_s: float = 3
) -> Scenario:
    """A ring group: all three ring together, one answers."""
    did, leg, group = "74950000003", f"c1-{caller}", ("101", "102", "103")
    saw = _went(leg, "call", "answered", "sendbye") + _went(by, "invite", "answer", "gotbye")
    for other in group:
        saw += () if other == by else _went(other, "invite", "cancel")
    fields = _answered((group,), by, ring_s=answer_s, talk_s=talk_s, hangup_by="caller")
    return Scenario(
        "in_ringall_answered_by_2nd",
        (inbound(caller, did), ends(leg, talk_s)),
        Truth((_in(caller, did, fields),), saw),
        {ext: Answer(answer_s) if ext == by else Ignore() for ext in group},
    )


def ringall_nobody(caller: str = "79000000112") -> Scenario:
    """A ring group: nobody answers."""
    did, group = "74950000003", ("101", "102", "103")
    truth = TruthCall("in", caller, did, (group,), disposition="no-answer", ring_s=RING_S, recording=False, hangup_by="pbx")
    saw = _went(f"c1-{caller}", "call", "failed")
    for ext in group:
        saw += _went(ext, "invite", "cancel")
    return Scenario("in_ringall_nobody", (inbound(caller, did),), Truth((truth,), saw), dict.fromkeys(group, Ignore()))


def ringall_busy_and_declined(caller: str = "79000000114") -> Scenario:
    """A ring group: one busy, one declines, the third answers."""
    did, leg = "74950000003", f"c1-{caller}"
    saw = _went(leg, "call", "answered", "sendbye") + _went("103", "invite", "answer", "gotbye")
    saw += _went("101", "invite", "refuse") + _went("102", "invite", "refuse")
    fields = _answered((("101", "102", "103"),), "103", ring_s=3, talk_s=2, hangup_by="caller")
    return Scenario(
        "in_ringall_busy_and_declined",
        (inbound(caller, did), ends(leg, 2)),
        Truth((_in(caller, did, fields),), saw),
        {"101": Refuse("486", 0.3), "102": Refuse("603", 1.5), "103": Answer(3)},
    )


def hunt_answered(caller: str = "79000000113") -> Scenario:
    """A hunt group: one after another, the third answers."""
    did, leg = "74950000004", f"c1-{caller}"
    saw = _went(leg, "call", "answered", "sendbye") + _went("103", "invite", "answer", "gotbye")
    saw += _went("101", "invite", "cancel") + _went("102", "invite", "cancel")
    rang = (("101",), ("102",), ("103",))
    fields = _answered(rang, "103", ring_s=2 * RING_S + 1, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_hunt_answered_by_3rd",
        (inbound(caller, did), ends(leg, 3)),
        Truth((_in(caller, did, fields),), saw),
        {"101": Ignore(), "102": Ignore(), "103": Answer(1)},
    )


def memoryhunt_answered(caller: str = "79000000117") -> Scenario:
    """A memory hunt group: the first rings on while the second joins, which answers."""
    did, leg = "74950000013", f"c1-{caller}"
    saw = _went(leg, "call", "answered", "sendbye") + _went("102", "invite", "answer", "gotbye")
    saw += _went("101", "invite", "cancel", "invite", "cancel")
    fields = _answered((("101",), ("101", "102")), "102", ring_s=RING_S + 1, talk_s=2, hangup_by="caller")
    return Scenario(
        "in_memoryhunt_answered_by_2nd",
        (inbound(caller, did), ends(leg, 2)),
        Truth((_in(caller, did, fields),), saw),
        {"101": Ignore(), "102": Answer(1), "103": Ignore()},
    )


def group_with_mobile(caller: str = "79000000139") -> Scenario:
    """A ring group with an outside member: the mobile answers."""
    did, leg, mobile = "74950000011", f"c1-{caller}", "79169990106"
    saw = _went(leg, "call", "answered", "sendbye") + _went("101", "invite", "cancel")
    saw += _went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in", caller, did, (("101",),), answered_by=None, final_talker=mobile, talkers=(mobile,), ring_s=2, talk_s=3,
        recording=True, hangup_by="caller", via_external=mobile,
    )  # fmt: skip
    return Scenario(
        "in_group_mobile_answers",
        (inbound(caller, did), ends(leg, 3)),
        Truth((truth,), saw),
        {"101": Ignore()},
        {mobile: Answer(2)},
    )


# ------------------------------------------------------------------------------------------------ queues, IVR, hours
def queue_answered(caller: str = "79000000115") -> Scenario:
    """A queue, one agent at a time: the first answers."""
    did, leg = "74950000005", f"c1-{caller}"
    saw = _went(leg, "call", "answered", "sendbye") + _went("104", "invite", "answer", "gotbye")
    fields = _answered((("104",),), "104", ring_s=2, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_queue_answered",
        (inbound(caller, did), Step(Hang(leg), ("104", "answer"), 3)),
        Truth((_in(caller, did, fields),), saw),
        {"104": Answer(2), "105": Ignore()},
    )


def queue_second_answers(caller: str = "79000000137") -> Scenario:
    """A queue, one agent at a time: the first does not answer, the second does."""
    did, leg = "74950000005", f"c1-{caller}"
    saw = _went(leg, "call", "answered", "sendbye") + _went("104", "invite", "cancel")
    saw += _went("105", "invite", "answer", "gotbye")
    fields = _answered((("104",), ("105",)), "105", ring_s=RING_S + 2, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_queue_second_agent",
        (inbound(caller, did), Step(Hang(leg), ("105", "answer"), 3)),
        Truth((_in(caller, did, fields),), saw),
        {"104": Ignore(), "105": Answer(1)},
    )


def queue_ringall(caller: str = "79000000138") -> Scenario:
    """A queue, all agents together: the second answers."""
    did, leg = "74950000012", f"c1-{caller}"
    saw = _went(leg, "call", "answered", "sendbye") + _went("104", "invite", "cancel")
    saw += _went("105", "invite", "answer", "gotbye")
    fields = _answered((("104", "105"),), "105", ring_s=2, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_queue_ringall",
        (inbound(caller, did), Step(Hang(leg), ("105", "answer"), 3)),
        Truth((_in(caller, did, fields),), saw),
        {"104": Ignore(), "105": Answer(2)},
    )


def queue_abandoned(caller: str = "79000000116") -> Scenario:
    """The customer leaves the queue while an agent is rung. The queue had answered the line: nobody else had."""
    did, leg = "74950000005", f"c1-{caller}"
    truth = TruthCall("in", caller, did, (("104",),), disposition="cancelled", ring_s=2, recording=False, hangup_by="caller")
    saw = _went(leg, "call", "answered", "sendbye") + _went("104", "invite", "cancel")
    quits = Step(Hang(leg), ("104", "invite"), 2)
    return Scenario(
        "in_queue_abandoned", (inbound(caller, did), quits), Truth((truth,), saw), {"104": Ignore(), "105": Ignore()}
    )


def ivr_then_extension(caller: str = "79000000107") -> Scenario:
    """The IVR answers, the customer presses 1, 101 answers."""
    did, leg = "74950000002", f"c1-{caller}"
    saw = _went(leg, "call", "answered", "key", "sendbye") + _went("101", "invite", "answer", "gotbye")
    fields = _answered((("101",),), "101", ring_s=1, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_ivr_then_ext",
        (inbound(caller, did), Step(Keys(leg, "1"), (leg, "answered"), 1), Step(Hang(leg), ("101", "answer"), 3)),
        Truth((_in(caller, did, fields),), saw),
        {"101": Answer(1)},
    )


def ivr_hangup(caller: str = "79000000108") -> Scenario:
    """The customer hangs up inside the IVR: nobody was rung."""
    did, leg = "74950000002", f"c1-{caller}"
    truth = TruthCall("in", caller, did, disposition="cancelled", recording=False, hangup_by="caller")
    saw = _went(leg, "call", "answered", "sendbye")
    return Scenario("in_ivr_hangup", (inbound(caller, did), ends(leg, 1.5)), Truth((truth,), saw))


def after_hours(caller: str = "79000000118") -> Scenario:
    """The office is closed: an announcement, then the PBX hangs up."""
    did, leg = "74950000006", f"c1-{caller}"
    truth = TruthCall("in", caller, did, disposition="after-hours", recording=False, hangup_by="pbx")
    return Scenario(
        "in_after_hours", (inbound(caller, did),), Truth((truth,), _went(leg, "call", "answered", "gotbye"))
    )


# ------------------------------------------------------------------------------------------------ forwards
def follow_me(caller: str = "79000000119") -> Scenario:
    """106 rings, two seconds later its owner's mobile too, where the owner answers."""
    did, leg, mobile = "74950000007", f"c1-{caller}", MOBILES["106"]
    saw = _went(leg, "call", "answered", "sendbye") + _went("106", "invite", "cancel")
    saw += _went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in", caller, did, (("106",),), "106", mobile, (mobile,), ring_s=3, talk_s=3, recording=True,
        hangup_by="caller", user="106", via_external=mobile,
    )  # fmt: skip
    return Scenario(
        "in_followme_mobile_answers",
        (inbound(caller, did), ends(leg, 3)),
        Truth((truth,), saw),
        {"106": Ignore()},
        {mobile: Answer(1)},
    )


def call_forward(caller: str = "79000000120") -> Scenario:
    """105 is forwarded to an outside number; no telephone of the office rings."""
    did, leg, mobile = "74950000008", f"c1-{caller}", MOBILES["105"]
    saw = _went(leg, "call", "answered", "sendbye") + _went("prov", "invite", "answer", "gotbye")
    truth = TruthCall(
        "in", caller, did, (), "105", mobile, (mobile,), ring_s=2, talk_s=3, recording=True, hangup_by="caller",
        user="105", via_external=mobile,
    )  # fmt: skip
    return Scenario(
        "in_callforward",
        (inbound(caller, did), ends(leg, 3)),
        Truth((truth,), saw),
        {"105": Ignore()},
        {mobile: Answer(2)},
        {"CF/105": mobile},
    )


# ------------------------------------------------------------------------------------------------ transfers and the like
def blind_transfer(caller: str = "79000000121", *, to: str = "102") -> Scenario:
    """101 answers and sends the customer on to 102 by REFER."""
    did, leg = OWN_NUMBER, f"c1-{caller}"
    saw = _went(leg, "call", "answered", "sendbye") + _went("101", "invite", "answer", "refer")
    saw += _went(to, "invite", "answer", "gotbye")
    truth = TruthCall(
        "in", caller, did, (("101",), (to,)), "101", to, ("101", to), ring_s=1, talk_s=7, recording=True,
        hangup_by="caller", user=to, transfers=(Transfer("blind", "101", to),),
    )  # fmt: skip
    return Scenario(
        "in_blind_transfer",
        (inbound(caller, did), Step(Blind("101", to), ("101", "answer"), 2), Step(Hang(leg), (to, "answer"), 3)),
        Truth((truth,), saw),
        {"101": Answer(1), to: Answer(2)},
    )


def attended_transfer(caller: str = "79000000125", *, to: str = "102") -> Scenario:
    """101 answers, holds, asks 102, and joins the two by REFER with Replaces."""
    did, leg, consult = OWN_NUMBER, f"c1-{caller}", "consult101"
    saw = _went(leg, "call", "answered", "sendbye") + _went("101", "invite", "answer", "hold", "refer")
    saw += _went(consult, "call", "answered", "gotbye") + _went(to, "invite", "answer", "gotbye")
    truth = TruthCall(
        "in", caller, did, (("101",), (to,)), "101", to, ("101", to), ring_s=1, talk_s=9, recording=True,
        hangup_by="caller", user=to, transfers=(Transfer("attended", "101", to),),
    )  # fmt: skip
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
    saw = _went(leg, "call", "answered", "sendbye") + _went("101", "invite", "answer", "hold", "unhold", "gotbye")
    saw += _went(consult, "call", "answered", "sendbye") + _went("102", "invite", "answer", "gotbye")
    fields = _answered((("101",),), "101", ring_s=1, talk_s=7, hangup_by="caller")
    aside = TruthCall(
        "internal", None, None, (("102",),), "102", "102", ("102",), ring_s=1, talk_s=2, hangup_by="caller",
        caller="101", callee="102",
    )  # fmt: skip
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
        Truth((_in(caller, did, fields), aside), saw),
        {"101": Answer(1), "102": Answer(1)},
    )


def hold(caller: str = "79000000136") -> Scenario:
    """101 puts the customer on hold for two seconds."""
    did, leg = OWN_NUMBER, f"c1-{caller}"
    saw = _went(leg, "call", "answered", "sendbye") + _went("101", "invite", "answer", "hold", "unhold", "gotbye")
    fields = _answered((("101",),), "101", ring_s=1, talk_s=5, hangup_by="caller")
    return Scenario(
        "in_hold_unhold",
        (
            inbound(caller, did),
            Step(Hold("101"), ("101", "answer"), 1),
            Step(Unhold("101"), ("101", "hold"), 2),
            Step(Hang(leg), ("101", "unhold"), 2),
        ),
        Truth((_in(caller, did, fields),), saw),
        {"101": Answer(1)},
    )


def pickup(caller: str = "79000000127", *, code: str = "**101") -> Scenario:
    """101 rings, 102 takes the call by a feature code (`**101`, or `*8`)."""
    did, leg, picker = OWN_NUMBER, f"c1-{caller}", "pickup102"
    saw = _went(leg, "call", "answered", "sendbye") + _went("101", "invite", "cancel")
    saw += _went(picker, "call", "answered", "gotbye")
    fields = _answered((("101",),), "102", ring_s=2, talk_s=3, hangup_by="caller")
    return Scenario(
        "in_pickup" if code == "**101" else "in_pickup_any",
        (inbound(caller, did), Step(Dial(picker, "102", code, "102"), ("101", "invite"), 2), ends(leg, 3)),
        Truth((_in(caller, did, fields),), saw),
        {"101": Ignore()},
    )


def park_and_retrieve(caller: str = "79000000130") -> Scenario:
    """101 parks the customer, 102 fetches him from place 71."""
    did, leg, fetch = OWN_NUMBER, f"c1-{caller}", "unpark102"
    saw = _went(leg, "call", "answered", "sendbye") + _went("101", "invite", "answer", "refer")
    saw += _went(fetch, "call", "answered", "gotbye")
    truth = TruthCall(
        "in", caller, did, (("101",),), "101", "102", ("101", "102"), ring_s=1, talk_s=7, recording=True,
        hangup_by="caller", user="102", transfers=(Transfer("park", "101", "102"),),
    )  # fmt: skip
    return Scenario(
        "in_park_retrieve",
        (
            inbound(caller, did),
            Step(Blind("101", "70"), ("101", "answer"), 2),
            Step(Dial(fetch, "102", "71", "102"), ("101", "refer"), 2.5),
            Step(Hang(leg), (fetch, "answered"), 2.5),
        ),
        Truth((truth,), saw),
        {"101": Answer(1)},
    )


def overlapping(caller: str = "79000000131") -> Scenario:
    """The same customer calls twice at once: two calls."""
    one, two = f"c1-{caller}", "c2"
    saw = _went(one, "call", "answered", "sendbye") + _went(two, "call", "answered", "sendbye")
    saw += _went("101", "invite", "answer", "gotbye") + _went("105", "invite", "answer", "gotbye")
    first = _answered((("101",),), "101", ring_s=1, talk_s=4, hangup_by="caller")
    second = _answered((("105",),), "105", ring_s=1, talk_s=4, hangup_by="caller")
    return Scenario(
        "two_overlapping_calls",
        (
            inbound(caller, OWN_NUMBER),
            Step(Dial(two, "trunk-prov", "74950000008", caller), ("101", "answer"), 1),
            ends(one, 4),
            ends(two, 4),
        ),
        Truth((_in(caller, OWN_NUMBER, first), _in(caller, "74950000008", second)), saw),
        {"101": Answer(1), "105": Answer(1)},
    )


# ------------------------------------------------------------------------------------------------ outgoing, internal
def _out(ext: str, number: str, disposition: Disposition, **more: object) -> TruthCall:
    return TruthCall("out", number, OWN_NUMBER, disposition=disposition, caller=ext, user=ext, **more)  # type: ignore[arg-type]


def out_answered(ext: str = "101", number: str = "79000000201", *, answer_s: float = 2, talk_s: float = 3) -> Scenario:
    """An extension calls a customer, who answers."""
    leg = f"c1-{ext}"
    truth = _out(
        ext, number, "answered", answered_by=number, final_talker=number, talkers=(number,), ring_s=answer_s,
        talk_s=talk_s, recording=True, hangup_by="agent",
    )  # fmt: skip
    saw = _went(leg, "call", "answered", "sendbye") + _went("prov", "invite", "answer", "gotbye")
    return Scenario(
        "out_answered", (outgoing(ext, number), ends(leg, talk_s)), Truth((truth,), saw), {}, {number: Answer(answer_s)}
    )


def out_noanswer(ext: str = "101", number: str = "79000000202") -> Scenario:
    """The customer does not answer; the extension gives up."""
    leg = f"c1-{ext}"
    truth = _out(ext, number, "no-answer", ring_s=3, recording=False, hangup_by="agent")
    saw = _went(leg, "call", "sendcancel") + _went("prov", "invite", "cancel")
    quits = Step(Hang(leg), ("prov", "invite"), 3)
    return Scenario("out_noanswer", (outgoing(ext, number), quits), Truth((truth,), saw), {}, {number: Ignore()})


def out_refused(ext: str = "101", number: str = "79000000203", *, code: str = "486") -> Scenario:
    """The customer's line is busy (486), declines (603) or does not exist (404)."""
    leg = f"c1-{ext}"
    name, disposition = {
        "486": ("out_busy", "busy"), "603": ("out_declined", "declined"), "404": ("out_invalid_number", "failed"),
    }[code]  # fmt: skip
    truth = TruthCall(
        "out", number, OWN_NUMBER, disposition=disposition, ring_s=1, recording=False, hangup_by="pbx", user=ext,  # type: ignore[arg-type]
        caller=ext,
    )  # fmt: skip
    saw = _went(leg, "call", "failed") + _went("prov", "invite", "refuse")
    return Scenario(name, (outgoing(ext, number),), Truth((truth,), saw), {}, {number: Refuse(code, 1)})


def out_failover(ext: str = "101", number: str = "79000000206") -> Scenario:
    """The first trunk is out of order, the second one serves: one call."""
    leg = f"c1-{ext}"
    truth = TruthCall(
        "out", number, "74950000099", answered_by=number, final_talker=number, talkers=(number,), ring_s=2, talk_s=3,
        recording=True, hangup_by="agent", user=ext, caller=ext,
    )  # fmt: skip
    saw = _went(leg, "call", "answered", "sendbye") + _went("prov", "invite", "refuse")
    saw += _went("back", "invite", "answer", "gotbye")
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
        "internal", None, None, ((to,),), to, to, (to,), ring_s=1, talk_s=3, hangup_by="caller", caller=ext, callee=to
    )
    saw = _went(leg, "call", "answered", "sendbye") + _went(to, "invite", "answer", "gotbye")
    return Scenario("internal_call", (outgoing(ext, to), ends(leg, 3)), Truth((truth,), saw), {to: Answer(1)})


# ------------------------------------------------------------------------------------------------ click-to-call
def click(number: str = "79000000211", *, agent: Ring | None = None, customer: Ring | None = None) -> Scenario:
    """A click: 101's telephone rings first, then the customer is called."""
    agent, customer = agent or Answer(1), customer or Answer(2)
    steps: tuple[Step, ...] = (Step(Click("101", number)),)
    if not isinstance(agent, Answer):
        refused = isinstance(agent, Refuse)
        disposition: Disposition = "declined" if refused else "no-answer"
        truth = _out("101", number, disposition, rang=(("101",),), ring_s=RING_S, hangup_by="agent", click=True)
        saw, name = _went("101", "invite", "refuse" if refused else "cancel"), "click_to_call_agent_declines"
        name = name if refused else "click_to_call_agent_noanswer"
    elif isinstance(customer, Answer):
        truth = _out(
            "101", number, "answered", rang=(("101",),), answered_by=number, final_talker=number, talkers=(number,),
            ring_s=customer.after_s, talk_s=3, recording=True, hangup_by="agent", click=True,
        )  # fmt: skip
        steps += (Step(Hang("101"), ("prov", "answer"), 3),)
        saw = _went("101", "invite", "answer", "sendbye") + _went("prov", "invite", "answer", "gotbye")
        name = "click_to_call_answered"
    elif isinstance(customer, Refuse):
        truth = _out("101", number, "busy", rang=(("101",),), ring_s=1, hangup_by="pbx", click=True)
        saw = _went("101", "invite", "answer", "gotbye") + _went("prov", "invite", "refuse")
        name = "click_to_call_customer_busy"
    else:
        truth = _out("101", number, "no-answer", rang=(("101",),), ring_s=3, hangup_by="agent", click=True)
        steps += (Step(Hang("101"), ("prov", "invite"), 3),)
        saw = _went("101", "invite", "answer", "sendbye") + _went("prov", "invite", "cancel")
        name = "click_to_call_customer_noanswer"
    return Scenario(name, steps, Truth((truth,), saw), {"101": agent}, {number: customer})


FIRST: tuple[Scenario, ...] = (
    direct_answered(),
    direct_answered("104", "79000000102", agent_ends=False),
    direct_noanswer(),
    direct_busy(),
    direct_caller_cancels(),
    ringall_answered(),
    ringall_nobody(),
    out_answered(),
    out_noanswer(),
    out_refused(),
    internal(),
)
"""The calls that everything rests on: direct, ring group, outgoing, internal."""

MORE: tuple[Scenario, ...] = (
    direct_declined(),
    ringall_busy_and_declined(),
    hunt_answered(),
    memoryhunt_answered(),
    group_with_mobile(),
    queue_answered(),
    queue_second_answers(),
    queue_ringall(),
    queue_abandoned(),
    ivr_then_extension(),
    ivr_hangup(),
    after_hours(),
    voicemail(),
    follow_me(),
    call_forward(),
    blind_transfer(),
    attended_transfer(),
    consult_and_back(),
    hold(),
    pickup(),
    pickup("79000000128", code="*8"),
    park_and_retrieve(),
    overlapping(),
    out_refused("102", "79000000204", code="603"),
    out_refused("103", "79000000205", code="404"),
    out_failover(),
    click(),
    click("79000000212", agent=Refuse("603", 1)),
    click("79000000213", agent=Ignore()),
    click("79000000214", customer=Refuse("486", 1)),
    click("79000000215", customer=Ignore()),
)
"""The other situations."""

ALL: dict[str, Scenario] = {scenario.name: scenario for scenario in (*FIRST, *MORE)}


def by_name(name: str) -> Scenario:
    """The scenario of that name; KeyError when there is none."""
    return ALL[name]
