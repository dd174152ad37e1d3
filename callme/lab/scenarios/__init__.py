"""Named call scenarios: what each telephone does, and the truth about it.

The names and numbers are those of the recorded traces where there is one. Ring times assume a lab started
with `OPTIONS`. Each scenario says which telephones it uses (`Scenario.uses`); two that share none run side by
side. Pure.
"""

from __future__ import annotations

from callme.lab.scenarios.clicks import click
from callme.lab.scenarios.crowded import (
    burst,
    call_waiting,
    conference,
    echo_test,
    forwarded_when,
    hunt_cancelled_at_second,
    intercom,
    parking_times_out,
    pbx_dies,
    queue_agent_forwarded,
    queue_times_out,
)
from callme.lab.scenarios.direct import (
    direct_answered,
    direct_busy,
    direct_caller_cancels,
    direct_declined,
    direct_noanswer,
    voicemail,
    voicemail_message,
)
from callme.lab.scenarios.forwards import (
    call_forward,
    follow_me,
    follow_me_confirmed,
    follow_me_unconfirmed,
)
from callme.lab.scenarios.groups import (
    first_available,
    group_confirmed,
    group_confirmed_inside,
    group_unconfirmed,
    group_with_mobile,
    hunt_answered,
    memoryhunt_answered,
    ringall_answered,
    ringall_busy_and_declined,
    ringall_nobody,
)
from callme.lab.scenarios.moves import (
    attended_transfer,
    blind_transfer,
    consult_and_back,
    hold,
    overlapping,
    park_and_retrieve,
    pickup,
)
from callme.lab.scenarios.odd import anonymous, did_with_plus, named, no_did, two_telephones, unregistered
from callme.lab.scenarios.outgoing import internal, out_answered, out_failover, out_noanswer, out_refused
from callme.lab.scenarios.parts import OPTIONS
from callme.lab.scenarios.queues import (
    after_hours,
    ivr_hangup,
    ivr_then_extension,
    ivr_then_queue,
    ivr_times_out,
    queue_abandoned,
    queue_answered,
    queue_ringall,
    queue_second_answers,
)
from callme.lab.scenarios.transfers import (
    attended_by_code,
    attended_to_outside,
    blind_by_code,
    blind_in_vain,
    blind_to_group,
    blind_to_outside,
    blind_to_queue,
    internal_becomes_outgoing,
    out_attended,
    out_blind,
)
from callme.lab.script import Ignore, Refuse, Scenario

__all__ = ["ALL", "ALONE", "FIRST", "MORE", "OPTIONS", "by_name"]

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
    first_available(),
    group_confirmed(),
    group_unconfirmed(),
    group_confirmed_inside(),
    queue_answered(),
    queue_second_answers(),
    queue_ringall(),
    queue_abandoned(),
    ivr_then_extension(),
    ivr_then_queue(),
    ivr_times_out(),
    ivr_hangup(),
    after_hours(),
    voicemail(),
    voicemail_message(),
    follow_me(),
    follow_me_confirmed(),
    follow_me_unconfirmed(),
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
    anonymous(),
    named(),
    did_with_plus(),
    no_did(),
    unregistered(),
    two_telephones(),
    blind_to_queue(),
    blind_to_outside(),
    blind_to_group(),
    blind_in_vain(),
    blind_by_code(),
    attended_by_code(),
    attended_to_outside(),
    out_blind(),
    out_attended(),
    internal_becomes_outgoing(),
    call_waiting(),
    hunt_cancelled_at_second(),
    queue_times_out(),
    queue_agent_forwarded(),
    forwarded_when("busy", "79000000165"),
    forwarded_when("noanswer", "79000000166"),
    parking_times_out(),
    conference(),
    echo_test(),
    intercom(),
    burst(),
)
"""The other situations."""

ALONE: tuple[Scenario, ...] = (pbx_dies(),)
"""What needs a PBX for itself: it dies."""

ALL: dict[str, Scenario] = {scenario.name: scenario for scenario in (*FIRST, *MORE, *ALONE)}


def by_name(name: str) -> Scenario:
    """The scenario of that name; KeyError when there is none."""
    return ALL[name]
