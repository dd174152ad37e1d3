"""The way of a call through the dialplan, and on whose behalf a leg was dialled, read from the places a
channel visited.

Context names are FreePBX's and those of plain dialplans that copy them; they only ever add detail. No
decision about who talked or how a call ended rests on them alone (the sheet freepbx §1.5).
"""

from __future__ import annotations

import re
from functools import lru_cache

from callme.calls.grouping import Switchboard
from callme.calls.model import Step
from callme.calls.numbering import hidden, parse_name
from callme.calls.observed import Channel, Place

_STEPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^ivr-(?P<name>.+)$"), "ivr"),
    (re.compile(r"^(ext-group|grps|dial-with-exten|dial-ext-with-exten)$"), "group"),
    (re.compile(r"^ext-queues$"), "queue"),
    (re.compile(r"^(timeconditions|app-daynight)$"), "hours"),
    (re.compile(r"^app-announcement-(?P<name>.+)$"), "announcement"),
    (re.compile(r"^(ext-findmefollow|followme-check|followme-sub|fmgrps)$"), "followme"),
    (re.compile(r"^(from-did-direct|ext-local|dialOne-with-exten)$"), "extension"),
    (re.compile(r"^(app-vm.*|macro-vm|sub-vm.*|.*voicemail.*|vm-.*)$"), "voicemail"),
    (re.compile(r"^(ext-meetme|app-conference.*)$"), "conference"),
    (re.compile(r"^(park-.*|parkedcalls.*)$"), "parking"),
    (re.compile(r"^(app-blackhole)$"), "blackhole"),
)
_NOBODY = re.compile(
    r"^(ext-group|grps|dial-with-exten|dial-ext-with-exten|ext-queues|ivr-|timeconditions|app-|from-queue$|from-pstn|from-trunk|ext-did|outbound|outrt)"
)
_VOICEMAIL = re.compile(r"(^|[-_])(vm|voicemail)", re.IGNORECASE)
_BLACKLIST = "app-blacklist"
_MAILBOXES = ("macro-vm", "sub-vm", "vm-")
_DIALS = ("s", "h", "i", "t", "")


@lru_cache(maxsize=4096)
def _station(context: str) -> tuple[str, str] | None:
    """Kind of the place that a context is, and its name where the context holds it."""
    for shape, kind in _STEPS:
        match = shape.match(context)
        if match is not None:
            return kind, match.groupdict().get("name") or ""
    return None


def steps(channel: Channel) -> tuple[Step, ...]:
    """The stations of the channel that people know by name, each once in a row."""
    found: list[Step] = []
    for place in channel.places:
        station = _station(place.context)
        if station is None:
            continue
        kind, name = station
        name = name or ("" if place.exten in _DIALS else place.exten)
        if found and found[-1].kind == kind and name in ("", found[-1].name):
            continue
        found.append(Step(kind, name, place.at))
    for waiting in channel.queues:
        if all((step.kind, step.name) != ("queue", waiting.queue) for step in found):
            found.append(Step("queue", waiting.queue, waiting.since))
    return tuple(sorted(found, key=lambda step: step.at))


def left_for_voicemail(channel: Channel) -> bool:
    """The caller was sent to a mailbox: the application ran, the line was taken up by a voicemail context,
    or was up already and came to one (a Macro dialplan shows no applications, sheet freepbx §1.5)."""
    if any(name.lower() in ("voicemail", "minivmrecord") for name, _ in channel.applications):
        return True
    if channel.up_at is None:
        return False
    return bool(_VOICEMAIL.search(channel.up_context)) or channel.visited(*_MAILBOXES)


def turned_away(channel: Channel) -> bool:
    """FreePBX's blacklist took the line: every caller passes its check, but only a blacklisted one is
    answered there."""
    return channel.up_context.startswith(_BLACKLIST)


def groups_of(board: Switchboard, channels: list[Channel]) -> set[str]:
    """Numbers that are groups or queues, not people."""
    found: set[str] = set()
    for channel in channels:
        found.update(waiting.queue for waiting in channel.queues)
        found.update(step.name for step in steps(channel) if step.kind in ("group", "queue") and step.name)
        exten = parse_name(channel.name).local_exten if channel.is_local else ""
        if exten.startswith("RG-"):
            found.add(exten.split("-")[1])
    return found


def on_behalf_of(
    board: Switchboard, through: tuple[Channel, ...], top: Channel | None, dialled_at: float, groups: set[str]
) -> str | None:
    """The colleague for whom a leg was dialled: named by a Local channel on the way, by a sibling of it, by
    the place where the dialling channel was, or by the called name that the dialplan had set. `None` for a
    group's own member."""
    for half in through:
        name = parse_name(half.name).local_exten
        for candidate in (name.removeprefix("FMPR-").removeprefix("LC-"), name):
            if board.numbering.is_extension(candidate) and candidate not in groups:
                return candidate
    lookers = [*through, *([top] if top is not None else [])]
    sibling = _followed(board, lookers) or _redirected(board, lookers)
    if sibling is not None:
        return sibling
    for looker in lookers:
        found = _stood_at(board, looker.places, dialled_at, groups)
        if found is not None:
            return found
    calling = (top.first_number, top.number) if top is not None else ()
    for looker in reversed(lookers):
        # A Local half is connected with who calls: a caller with a short number is nobody's forwarding.
        connected = looker.connected if looker.connected not in calling else ""
        for said in (looker.variables.get("EXTTOCALL", ""), connected):
            if said and not hidden(said) and board.numbering.is_extension(said) and said not in groups:
                return said
    return None


def _followed(board: Switchboard, lookers: list[Channel]) -> str | None:
    """FreePBX's follow-me dials Local/FMPR-EXT and Local/FMGL-NUMBERS side by side (sheet freepbx §1.8)."""
    callers = {looker.uniqueid for looker in lookers}
    for channel in board.cluster_of(lookers[0]).members.values() if lookers else ():
        if channel.is_local and any(dial.caller in callers for dial in channel.dials):
            name = parse_name(channel.name).local_exten
            if name.startswith("FMPR-"):
                return name.removeprefix("FMPR-")
    return None


def _redirected(board: Switchboard, lookers: list[Channel]) -> str | None:
    """The colleague whose phone answered the same dial with a redirection (302) to this leg's number."""
    callers = {looker.uniqueid for looker in lookers}
    wanted = {parse_name(looker.name).local_exten for looker in lookers if looker.is_local}
    for channel in board.cluster_of(lookers[0]).members.values() if lookers else ():
        for dial in channel.dials:
            if dial.forward and dial.caller in callers and dial.forward.partition("@")[0] in wanted:
                return board.extension(channel)
    return None


def _stood_at(board: Switchboard, places: list[Place], at: float, groups: set[str]) -> str | None:
    """The last colleague's number that the channel was at before it dialled."""
    for place in reversed(places):
        if place.at > at or _NOBODY.match(place.context):
            continue
        if board.numbering.is_extension(place.exten) and place.exten not in groups:
            return place.exten
    return None
