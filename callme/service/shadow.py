"""Shadow mode's comparison: our untold calls beside those that the CRM was told by somebody else.

Called by `callme shadow`, while the service runs or not: the database is read beside it, the CRM is asked
through the portal's own adapter, and nothing is written anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from callme.config import Config
from callme.crm.port import Portal
from callme.crm.shadow import HOUR_S, NEAR_S, ZONES, Compares, Comparison, Unlisted, compare
from callme.service.portals import opened, plans
from callme.store.reading import Reading
from callme.store.shadowed import shadowed


@dataclass(frozen=True, slots=True)
class Compared:
    """One portal's. `since` is the beginning of what was compared: not before its first shadowed call.
    `found` is `None` where nothing was shadowed in that time, or the CRM keeps no list that can be read."""

    portal: str
    on: bool  # shadow mode is on at this moment
    since: float
    found: Comparison | Unlisted | None


async def compared(config: Config, reading: Reading, since: float, until: float) -> tuple[Compared, ...]:
    """Every portal that is in shadow mode, or was in that time (epoch seconds). Raises `ConfigError`,
    `StoreError`."""
    found = []
    for table, plan in zip(config.portal, plans(config), strict=True):
        portal = opened(plan)
        try:
            one = await _of_portal(portal, reading, since, until, on=table.shadow)
        finally:
            await portal.close()
        if one.on or one.found is not None:
            found.append(one)
    return tuple(found)


async def _of_portal(portal: Portal, reading: Reading, since: float, until: float, *, on: bool) -> Compared:
    calls = await reading.ask(lambda connection: shadowed(connection, portal.id, since, until))
    if not calls or not isinstance(portal, Compares):
        return Compared(portal.id, on, since, None)
    since = max(since, calls[0].register.about.started_at - NEAR_S)
    ours = await portal.would_list(calls)
    if not isinstance(ours, tuple):
        return Compared(portal.id, on, since, ours)
    # A connector that tells the hour of another zone is looked for there too.
    beyond = ZONES * HOUR_S
    theirs = await portal.listed(since - beyond, until + beyond)
    if not isinstance(theirs, tuple):
        return Compared(portal.id, on, since, theirs)
    told = compare(ours, theirs)
    inside = tuple(one for one in told.only_theirs if since <= one.started_at < until)
    return Compared(portal.id, on, since, replace(told, only_theirs=inside))
