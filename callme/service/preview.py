"""What the rules of `[[steer]]` would have done with calls of the past, and what became of those calls.

Asked by `callme routing --preview`. It changes nothing: calls come from the database, customers from the CRM
as it knows them today. What cannot be known any more (whether a telephone was there, whether a workday was
open) counts as no hindrance; that somebody was talking does, as far as CallMe's own calls tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from callme.calls.model import Call, Disposition
from callme.calls.numbering import hidden
from callme.calls.presence import Presence
from callme.config import Config
from callme.crm.port import Customer, Knows
from callme.crm.routing import verdict as routed
from callme.crm.steering import Caller, Verdict, choose, decide
from callme.service.clock import local_minute
from callme.store import CallFilter, Reading

ASK_S = 20.0
"""So long one answer of the CRM is waited for: nobody hangs on the line."""

DAY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A call as it was, and where the rules would have sent it. `asked` is false when the CRM did not say
    whose number it is."""

    call: Call
    verdict: Verdict
    name: str
    asked: bool

    @property
    def sent(self) -> bool:
        """Whether it would have gone to an employee."""
        return bool(self.verdict.extension)


@dataclass(frozen=True, slots=True)
class Tally:
    """The whole in figures. Of the calls sent: how many that employee answered anyway, how many another did,
    and how many nobody did."""

    calls: int
    sent: int
    same: int
    other: int
    missed: int
    unasked: int
    by_rule: Mapping[int, int]


async def foresee(
    config: Config, reading: Reading, portals: Mapping[str, object], since: float, limit: int
) -> list[Foreseen]:
    """The incoming calls since then, newest first, at most `limit`. Raises `StoreError`."""
    found = await _calls(reading, since, limit)
    customers: dict[tuple[str, str], Customer | None] = {}
    told = []
    for call in found:
        number, portal = call.number or call.external, routed(config, call.pbx, call.line).portal or ""
        if (portal, number) not in customers:
            customers[portal, number] = await _who(portals.get(portal), number)
        customer = customers[portal, number]
        last = ""
        if not hidden(number):
            remembered = call.started_at - config.routing.last_days * DAY_S
            last = await reading.last_talker(call.pbx, number, remembered, until=call.started_at)
        told.append(_judged(config, call, found, customer, last))
    return told


def tally(told: Iterable[Foreseen]) -> Tally:
    """Those calls in figures."""
    rows = list(told)
    sent = [one for one in rows if one.sent]
    answered = [one for one in sent if one.call.disposition is Disposition.ANSWERED]
    same = sum(one.call.answered_by == one.verdict.extension for one in answered)
    rules = Counter(one.verdict.rule for one in rows if one.verdict.rule is not None)
    return Tally(
        calls=len(rows),
        sent=len(sent),
        same=same,
        other=len(answered) - same,
        missed=len(sent) - len(answered),
        unasked=sum(not one.asked for one in rows),
        by_rule=dict(sorted(rules.items())),
    )


async def _calls(reading: Reading, since: float, limit: int) -> list[Call]:
    found: list[Call] = []
    older = None
    while len(found) < limit:
        page = await reading.list_calls(
            CallFilter(direction="in", since=since), older_than=older, limit=limit - len(found)
        )
        found += page.calls
        older = page.older
        if older is None:
            break
    return found


async def _who(portal: object, number: str) -> Customer | None:
    if hidden(number):
        return Customer(known=False)
    if not isinstance(portal, Knows):
        return None
    customer = await portal.who(number, ASK_S)
    return replace(customer, on_duty=None) if customer is not None else None


def _judged(config: Config, call: Call, around: list[Call], customer: Customer | None, last: str) -> Foreseen:
    weekday, minute = local_minute(call.started_at)
    caller = Caller(
        pbx=call.pbx,
        line=call.line,
        number=call.number or call.external,
        weekday=weekday,
        minute=minute,
        customer=customer,
        last=last or None,
    )
    choice = choose(config, caller)
    busy = {one.extension: Presence.BUSY for one in choice.candidates if _talked(one.extension, call, around)}
    verdict = decide(choice, caller, busy)
    return Foreseen(call, verdict, customer.name if customer is not None else "", customer is not None)


def _talked(extension: str, call: Call, around: list[Call]) -> bool:
    """Whether he was talking in another of these calls when this one came."""
    return any(
        talk.extension == extension and talk.since <= call.started_at < (talk.until or talk.since)
        for other in around
        if other.id != call.id and other.pbx == call.pbx
        for talk in other.talks
    )
