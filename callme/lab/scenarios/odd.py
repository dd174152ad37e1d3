"""Inbound calls that come in an odd form, or to somebody with no telephone or two. Pure."""

from __future__ import annotations

from callme.lab.numbering import OWN_NUMBER
from callme.lab.scenarios.parts import ends, human, inbound, incoming, went
from callme.lab.script import Answer, Ignore, Scenario, Step
from callme.lab.truth import Truth, TruthCall


def _to_101(name: str, caller: str, step: Step, line: str | None, external: str | None) -> Scenario:
    leg = f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("101", "invite", "answer", "gotbye")
    fields = human((("101",),), "101", ring_s=1, talk_s=2, hangup_by="caller")
    truth = TruthCall("in", external, line, **fields)  # type: ignore[arg-type]
    return Scenario(name, (step, ends(leg, 2)), Truth((truth,), saw), {"101": Answer(1)})


def anonymous(caller: str = "79000000140") -> Scenario:
    """The customer withholds the number."""
    return _to_101("in_anonymous", caller, inbound(caller, OWN_NUMBER, anonymous=True), OWN_NUMBER, None)


def named(caller: str = "79000000141") -> Scenario:
    """The provider sends the customer's name too."""
    step = inbound(caller, OWN_NUMBER, name="Rosa Klebb")
    return _to_101("in_caller_name", caller, step, OWN_NUMBER, caller)


def did_with_plus(caller: str = "79000000142") -> Scenario:
    """The provider writes the DID with a plus: no route has it so, the any/any route takes it."""
    return _to_101("in_did_with_plus", caller, inbound(caller, f"+{OWN_NUMBER}"), OWN_NUMBER, caller)


def no_did(caller: str = "79000000143") -> Scenario:
    """The provider sends no number dialled."""
    return _to_101("in_no_did", caller, inbound(caller, "s"), None, caller)


def unregistered(caller: str = "79000000144") -> Scenario:
    """107 has no telephone registered: nobody can be rung."""
    did, leg = "74950000107", f"c1-{caller}"
    truth = TruthCall("in", caller, did, disposition="failed", recording=False, hangup_by="pbx")
    return Scenario("in_unregistered", (inbound(caller, did),), Truth((truth,), went(leg, "call", "failed")))


def two_telephones(caller: str = "79000000145") -> Scenario:
    """108 has two telephones: both ring, the second answers; one person was rung."""
    did, leg = "74950000108", f"c1-{caller}"
    saw = went(leg, "call", "answered", "sendbye") + went("108", "invite", "cancel")
    saw += went("118", "invite", "answer", "gotbye")
    fields = human((("108",),), "108", ring_s=1, talk_s=2, hangup_by="caller")
    return Scenario(
        "in_two_telephones",
        (inbound(caller, did), ends(leg, 2)),
        Truth((incoming(caller, did, fields),), saw),
        {"108": Ignore(), "118": Answer(1)},
    )
