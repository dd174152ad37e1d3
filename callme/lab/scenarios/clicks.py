"""Click-to-call: AMI Originate rings the agent first, then the customer. Pure."""

from __future__ import annotations

from callme.lab.scenarios.parts import outward, went
from callme.lab.script import (
    Answer,
    Click,
    Hang,
    Refuse,
    Ring,
    Scenario,
    Step,
)
from callme.lab.truth import Disposition, Truth


def click(
    number: str = "79000000211", *, agent: Ring | None = None, customer: Ring | None = None
) -> Scenario:
    """A click: 101's telephone rings first, then the customer is called."""
    agent, customer = agent or Answer(1), customer or Answer(2)
    steps: tuple[Step, ...] = (Step(Click("101", number)),)
    if not isinstance(agent, Answer):
        refused = isinstance(agent, Refuse)
        disposition: Disposition = "declined" if refused else "no-answer"
        truth = outward(
            "101",
            number,
            disposition,
            line=None,  # no trunk was dialled
            rang=(("101",),),
            hangup_by="agent" if refused else "pbx",
            click=True,
        )
        saw, name = went("101", "invite", "refuse" if refused else "cancel"), "click_to_call_agent_declines"
        name = name if refused else "click_to_call_agent_noanswer"
    elif isinstance(customer, Answer):
        truth = outward(
            "101",
            number,
            "answered",
            rang=(("101",),),
            answered_by=number,
            final_talker=number,
            talkers=(number,),
            ring_s=customer.after_s,
            talk_s=3,
            recording=True,
            hangup_by="agent",
            click=True,
        )
        steps += (Step(Hang("101"), ("prov", "answer"), 3),)
        saw = went("101", "invite", "answer", "sendbye") + went("prov", "invite", "answer", "gotbye")
        name = "click_to_call_answered"
    elif isinstance(customer, Refuse):
        truth = outward("101", number, "busy", rang=(("101",),), ring_s=1, hangup_by="pbx", click=True)
        saw = went("101", "invite", "answer", "gotbye") + went("prov", "invite", "refuse")
        name = "click_to_call_customer_busy"
    else:
        truth = outward("101", number, "no-answer", rang=(("101",),), ring_s=3, hangup_by="agent", click=True)
        steps += (Step(Hang("101"), ("prov", "invite"), 3),)
        saw = went("101", "invite", "answer", "sendbye") + went("prov", "invite", "cancel")
        name = "click_to_call_customer_noanswer"
    return Scenario(name, steps, Truth((truth,), saw), {"101": agent}, {number: customer})
