"""`callme replay FILE.ami`: the story of a recorded AMI stream, the verdict on each call, and what each
portal would have been told. Nothing is sent anywhere.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from callme.calls.facts import LinkDown, Snapshot
from callme.calls.model import Call, Direction, Ring, TransferKind
from callme.calls.numbering import Kind, Numbering
from callme.calls.observed import Channel
from callme.calls.tracker import Change, Tracker
from callme.cli.story import changes_of, rules_of, tell_call, tell_intent
from callme.config import Config
from callme.crm import policy
from callme.crm.intents import Attach, Cards, Finish, Intent, Register, Transcribe
from callme.crm.policy import Rules, Told, at_home
from callme.crm.routing import verdict
from callme.errors import ConfigError
from callme.pbx.ami.transcript import moments, read_chunks
from callme.pbx.port import Directory, Moment
from callme.wording import Language, Phrase, plain

NAMED_PORTAL = "portal"
"""What the one portal is called when no configuration names any."""
SAME_STEP_S = 1.0
"""Rings that begin within a second of the first are one step: people call that "together"."""

STORY = Phrase("What happened", "Что происходило")
CALLS = Phrase("Calls", "Звонки")
CUT = Phrase(
    "the recording ends while {count} call(s) go on; they are told as lost",
    "запись кончается, пока идут звонки ({count}); они показаны как потерянные",
)
WHOSE = Phrase("Whose channels", "Чьи это каналы")
WHOSE_LINE = Phrase("{name}: {kind} {number} ({reason})", "{name}: {kind} {number} ({reason})")
TOLD = Phrase("What “{portal}” would have been told", "Что узнал бы портал «{portal}»")
NOTHING = Phrase(
    "nothing: calls among colleagues go to no CRM", "ничего: внутренние звонки в CRM не попадают"
)
NO_PORTAL = Phrase("no route leads to a portal", "ни один маршрут не ведёт на портал")


@dataclass
class Replayed:
    """A recording played to its end."""

    calls: dict[str, Call] = field(default_factory=dict)
    story: list[tuple[float, Change]] = field(default_factory=list)
    told: dict[tuple[str, str], list[tuple[float, Intent]]] = field(default_factory=dict)
    memos: dict[tuple[str, str], Told] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    rules: Mapping[str, Rules] = field(default_factory=dict)  # by portal
    cut: int = 0


def replay(file: Path, config: Config | None, *, as_json: bool, language: Language) -> int:
    """Plays the file and prints what it tells; 0. Raises `ConfigError` for what is no recording."""
    pbx = config.pbx[0].id if config is not None and config.pbx else "pbx"
    numbering = _numbering(config)
    tell(
        play(moments(read_chunks(file)), pbx, numbering, config),
        numbering,
        as_json=as_json,
        language=language,
    )
    return 0


def tell(played: Replayed, numbering: Numbering, *, as_json: bool, language: Language) -> None:
    """Prints what was played, for a person or a program."""
    ordered = sorted(played.calls.values(), key=lambda call: (call.started_at, call.id))
    if as_json:
        print(
            json.dumps({"calls": [as_truth(call, played) for call in ordered]}, ensure_ascii=False, indent=1)
        )
    else:
        _print(ordered, played, numbering, language)


def _numbering(config: Config | None) -> Numbering:
    if config is None or not config.pbx:
        return Numbering(country=config.service.country if config is not None else "RU")
    from callme.service.numbers import numbering_of

    return numbering_of(config, config.pbx[0], Directory())


# -------------------------------------------------------------------------------------- playing
def play(steps: Iterable[Moment], pbx: str, numbering: Numbering, config: Config | None) -> Replayed:
    """Runs the tracker and the policy over the moments. What is still open at the end is closed as lost."""
    tracker = Tracker(pbx, numbering)
    played = Replayed(rules=_rules(config))
    at = 0.0
    for moment in steps:
        at = moment.at
        _step(tracker, moment, played, config)
    played.cut = sum(call.open for call in played.calls.values())
    if played.cut:
        _step(tracker, Moment(at, (LinkDown(),)), played, config)
        _step(tracker, Moment(at, (Snapshot((), at + 1.0),)), played, config)
    return played


def _rules(config: Config | None) -> Mapping[str, Rules]:
    """How each portal is told; one whose own keys are not complete yet, as any would be."""
    if config is None or not config.portal:
        return {}
    from callme.portals import registry

    found: dict[str, Rules] = {}
    for one in config.portal:
        with contextlib.suppress(ConfigError):
            plan = registry.plan(one.crm, one.id, one.settings)
            found[one.id] = at_home(plan.rules, config)
    return found


def _step(tracker: Tracker, moment: Moment, played: Replayed, config: Config | None) -> None:
    outcome = tracker.step(moment.facts, moment.at)
    played.channels.update(tracker.board.channels)
    for change in outcome.changes:
        played.calls[str(change.call.id)] = change.call
        played.story.append((moment.at, change))
        _tell(change.call, moment.at, played, config)
    for absorbed in outcome.absorbed:
        played.calls.pop(str(absorbed), None)


def _tell(call: Call, at: float, played: Replayed, config: Config | None) -> None:
    if call.direction is Direction.INTERNAL:
        return
    portal = portal_of(call, config)
    if portal is None:
        return
    key = (portal, str(call.id))
    rules = played.rules.get(portal, policy.DEFAULT_RULES)
    said, played.memos[key] = policy.decide(call, played.memos.get(key, Told()), rules)
    played.told.setdefault(key, []).extend((at, intent) for intent in said)


def portal_of(call: Call, config: Config | None) -> str | None:
    """Where the call would go."""
    if config is None or not config.portal:
        return NAMED_PORTAL
    return verdict(config, call.pbx, call.line or call.trunk).portal


# -------------------------------------------------------------------------------- for a program
def as_truth(call: Call, played: Replayed) -> dict[str, Any]:
    """The call in the field names of the traces' truth files, with what each portal would have been told."""
    out = call.direction is Direction.OUT
    moved = [move for move in call.transfers if move.kind is not TransferKind.PICKUP]
    outside_only = out and bool(call.talks) and not moved
    owner = call.owner or policy.missed_owner(call, policy.DEFAULT_RULES)
    internal = call.direction is Direction.INTERNAL
    answered = call.answered_at is not None
    return {
        "id": call.id,
        "direction": call.direction.value,
        "external": call.external or None,
        "number": call.number or None,
        "name": call.name or None,
        "line": call.line or None,
        "trunk": call.trunk or None,
        "caller": call.caller,
        "rang": ring_steps(call.rang),
        "rings": [
            _times(extension=ring.extension, since=ring.since, until=ring.until, via=ring.via or None)
            for ring in call.rang
        ],
        "answered_by": call.answered_by,
        "talkers": _talkers(call),
        "final_talker": call.external if outside_only else call.last_talker,
        "talks": [
            _times(who=talk.who, extension=talk.extension, since=talk.since, until=talk.until)
            for talk in call.talks
        ],
        "holds": [_times(who=hold.who, since=hold.since, until=hold.until) for hold in call.holds],
        "hold_s": round(sum((hold.until or hold.since) - hold.since for hold in call.holds), 3),
        "transfers": [_transfer(call, move.kind.value, move.by, move.to, move.at) for move in moved],
        "via_external": call.via,
        "disposition": call.disposition.value,
        "ring_s": round(call.ring_s, 3),
        "talk_s": round(call.talk_s, 3),
        "recording": bool(answered and call.recordings),
        "recordings": [file.path for file in call.recordings],
        "hangup_by": call.hung_up_by.value if call.hung_up_by else None,
        "path": [{"kind": step.kind, "name": step.name, "at": round(step.at, 3)} for step in call.path],
        "started": round(call.started_at, 3),
        "answered": round(call.answered_at, 3) if call.answered_at is not None else None,
        "ended": round(call.ended_at, 3) if call.ended_at is not None else None,
        "lost": call.lost,
        "certain": call.certain,
        "linked": list(call.linked),
        "crm": {
            "calls": 0 if internal else 1,
            "user": None if internal else owner,
            "missed": call.direction is Direction.IN and not answered,
            "type": None if internal else call.direction.value,
        },
        "portals": {
            portal: [_intent(at, intent) for at, intent in said]
            for (portal, told_call), said in played.told.items()
            if told_call == call.id
        },
    }


def _talkers(call: Call) -> list[str]:
    """Who talked, in order; of an outgoing call the customer and the colleagues to whom he was handed on."""
    who = list(dict.fromkeys(talk.who for talk in call.talks))
    if call.direction is not Direction.OUT or not who:
        return who
    return [call.external, *(one for one in who if one != call.caller)]


def _transfer(call: Call, kind: str, by: str, to: str, at: float) -> dict[str, Any]:
    after = at - call.answered_at if call.answered_at is not None else None
    return {"kind": kind, "by": by, "to": to, "after_s": round(after, 3) if after is not None else None}


def _times(**fields: Any) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in fields.items()}


def ring_steps(rang: tuple[Ring, ...]) -> list[list[str]]:
    """Extensions whose own phones rang, those that began together in one step."""
    found: list[tuple[float, list[str]]] = []
    for ring in rang:
        if ring.via:
            continue
        if found and ring.since - found[-1][0] < SAME_STEP_S:
            if ring.extension not in found[-1][1]:
                found[-1][1].append(ring.extension)
        else:
            found.append((ring.since, [ring.extension]))
    return [sorted(step) for _, step in found]


def _intent(at: float, intent: Intent) -> dict[str, Any]:
    told: dict[str, Any] = {"at": round(at, 3)}
    match intent:
        case Register():
            told |= {
                "tell": "register",
                "owner": intent.owner,
                "number": intent.about.number,
                "line": intent.about.line,
            }
        case Cards():
            told |= {"tell": "cards", "shown_to": sorted(intent.seers)}
        case Finish():
            told |= {
                "tell": "finish",
                "owner": intent.owner,
                "result": intent.result.value,
                "talk_s": intent.talk_s,
                "lost": intent.lost,
            }
        case Attach() | Transcribe():
            told |= {"tell": intent.KIND, "path": intent.path}
        case _:
            told |= {"tell": intent.KIND}
    return told


# --------------------------------------------------------------------------------- for a person
def _print(ordered: list[Call], played: Replayed, numbering: Numbering, language: Language) -> None:
    def heading(phrase: Phrase) -> None:
        print(f"\n{phrase.say(language)}\n{'─' * len(phrase.say(language))}")

    heading(WHOSE)
    whose = filter(None, (_whose(channel, numbering) for channel in played.channels.values()))
    for owner in sorted({phrase.say(language) for phrase in whose}):
        print(f"  {owner}")
    heading(STORY)
    for at, change in played.story:
        for line in changes_of(change):
            print(f"  {_clock(at)}  {line.say(language)}")
    if played.cut:
        print(f"\n! {CUT.given(count=played.cut).say(language)}")
    heading(CALLS)
    for call in ordered:
        first, *more = (line.say(language) for line in tell_call(call))
        print("\n".join((f"  {first}", *(f"    {line}" for line in more))))
        for line in rules_of(call):
            print(f"      {line.say(language)}")
        _print_told(call, played, language)
        print()


def _print_told(call: Call, played: Replayed, language: Language) -> None:
    said = {portal: intents for (portal, of), intents in played.told.items() if of == call.id}
    if not said:
        print(f"    {(NOTHING if call.direction is Direction.INTERNAL else NO_PORTAL).say(language)}")
    for portal, intents in said.items():
        print(f"    {TOLD.given(portal=portal).say(language)}:")
        for at, intent in intents:
            print(f"      {_clock(at)}  {tell_intent(intent).say(language)}")


def _whose(channel: Channel, numbering: Numbering) -> Phrase | None:
    kind, number, reason = numbering.explain(channel.name, channel.first_context)
    if kind not in (Kind.EXTENSION, Kind.TRUNK):
        return None
    name = channel.name.rpartition("-")[0] or channel.name
    return WHOSE_LINE.given(name=name, kind=_KINDS[kind], number=plain(number), reason=_REASONS[reason])


_KINDS = {Kind.EXTENSION: Phrase("extension", "внутренний"), Kind.TRUNK: Phrase("trunk", "транк")}
_REASONS = {
    "configured": Phrase("by the configuration", "по конфигурации"),
    "discovered": Phrase("told by the PBX", "сообщила АТС"),
    "inferred": Phrase("inferred from name and context", "выведено из имени и контекста"),
}


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]
