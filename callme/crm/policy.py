"""What a portal shall know of a call: compares the call as it is with what was already said, and says the
rest.

Pure, called by the service for each change of a call and each portal that the call is routed to. `Told` is
the policy's own memory of one call and portal; it is stored with the intents, so that a restart neither
repeats nor forgets one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

from callme.calls.model import Call, Disposition, RecordingFile, Sound
from callme.calls.model import Direction as Heading
from callme.calls.numbering import pattern
from callme.config import Config
from callme.crm import cards
from callme.crm.cards import EVERYBODY, CardRules
from callme.crm.commands import fruitless
from callme.crm.intents import (
    Attach,
    CallFacts,
    Cards,
    Direction,
    Finish,
    Intent,
    Reached,
    Register,
    Remind,
    Result,
    Transcribe,
)
from callme.crm.privacy import Privacy, privacy_of
from callme.wording import Phrase

MISSED_OWNER = ("rung", "line")
"""Who owns a call that nobody answered: the one whose phone rang first, else the owner of the line; where
neither is known the adapter asks the CRM who is responsible, else takes the portal's default user."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How to decide. `lines` maps a line to the extension that owns it, `cards` says who sees them,
    `blocked` are patterns of outside numbers, as written without `+`, that are no clients. `reminds`:
    somebody is reminded of missed calls. `private` says whose recordings stay here. `transcripts`: the portal
    takes what was said as text; it is written down for calls of so many seconds of talk, `None` for none."""

    missed_owner: tuple[str, ...] = MISSED_OWNER
    lines: Mapping[str, str] = field(default_factory=dict)
    cards: CardRules = EVERYBODY
    blocked: tuple[str, ...] = ()
    reminds: bool = False
    private: Privacy = field(default_factory=Privacy)
    transcripts: bool = False
    transcribe_from_s: float | None = None


DEFAULT_RULES = Rules()


def at_home(rules: Rules, config: Config) -> Rules:
    """A portal's rules with what the whole configuration says of calls."""
    speech = config.transcription
    from_s = speech.min_talk_s if speech.on and rules.transcripts else None
    return replace(rules, private=privacy_of(config), transcribe_from_s=from_s)


@dataclass(frozen=True, slots=True)
class Given:
    """A call that the portal asked for, by a click of `extension` on `number`, and mostly has opened itself
    before there was one: `ref` is its id there, empty where the portal has none. Whatever the PBX made of it,
    to the portal it is this outgoing call, and it has to be finished. `by` is the person in the portal,
    `callback` and `note` as in `Register`; `why`: it came to nothing before it was dialled."""

    ref: str
    extension: str
    number: str
    by: str = ""
    callback: bool = False
    note: Phrase | None = None
    why: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What was already said of one call to one portal."""

    registered: bool = False
    seers: frozenset[str] = frozenset()
    finished: bool = False
    attached: tuple[str, ...] = ()  # the files of the last attach, by name
    asking: frozenset[str] = frozenset()
    attaches: int = 0
    reached: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the store."""
        return {
            "registered": self.registered,
            "seers": sorted(self.seers),
            "finished": self.finished,
            "attached": list(self.attached),
            "asking": sorted(self.asking),
            "attaches": self.attaches,
            "reached": self.reached,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Told:
        """What `to_json` gave; nothing was said where nothing is stored."""
        if not stored:
            return cls()
        return cls(
            bool(stored.get("registered")),
            frozenset(stored.get("seers", ())),
            bool(stored.get("finished")),
            tuple(stored.get("attached", ())),
            frozenset(stored.get("asking", ())),
            int(stored.get("attaches", len(stored.get("attached", ())))),
            bool(stored.get("reached")),
        )


def decide(
    call: Call, told: Told, rules: Rules = DEFAULT_RULES, given: Given | None = None
) -> tuple[tuple[Intent, ...], Told]:
    """The intents that bring a portal from `told` to the call as it is now, in order, and what is told
    then."""
    if given is not None:
        call = _as_given(call, given)
    if call.direction is Heading.INTERNAL:
        return (), told
    said: list[Intent] = []
    about = facts_of(call)
    if given is not None:
        about = replace(about, callback=given.callback)
    if not told.registered and worth_telling(call):
        beginning = _register(about, owner_now(call, rules), given)
        said.append(replace(beginning, unwanted=unwanted(call, rules)))
        told = replace(told, registered=True)
    if not told.registered:
        return (), told
    wish = cards.wish(call, rules.cards)
    if (wish.seers, wish.asking) != (told.seers, told.asking):
        said.append(Cards(about, wish.seers, wish.asking))
        told = replace(told, seers=wish.seers, asking=wish.asking)
    if rules.reminds and call.talks and not told.reached:
        said.append(Reached(about, call.answered_by))
        told = replace(told, reached=True)
    if call.ended_at is not None and not told.finished:
        end = _finish(call, about, rules, given)
        said.append(end)
        if rules.reminds and is_missed(end):
            said.append(Remind(about, end.owner, end.ended_at, rung=end.rung))
        told = replace(told, finished=True)
    files = sounds(call) if told.finished and not rules.private.keeps_back(call) else ()
    names = tuple(file.path for file in files)
    if names and names != told.attached and all(file.until is not None for file in files):
        attach = _attach(call, about, files, told.attaches)
        said += [attach, *_transcribe(call, attach, rules)]
        told = replace(told, attached=names, attaches=told.attaches + 1)
    return tuple(said), told


def sounds(call: Call) -> tuple[RecordingFile, ...]:
    """The files that together hold what was said in a call, the best one first: of its talk, else the
    message that the caller left. A file whose channel lives on is still being written."""
    wanted = Sound.TALK if call.talks else Sound.VOICEMAIL
    return tuple(file for file in call.recordings if file.kind is wanted)


def attach_of(call: Call) -> Attach | None:
    """What would be told of the recordings of a call that is over, whether a portal wants them or not."""
    files = sounds(call) if call.ended_at is not None else ()
    return _attach(call, facts_of(call), files, 0) if files else None


def _attach(call: Call, about: CallFacts, files: tuple[RecordingFile, ...], ordinal: int) -> Attach:
    over = call.ended_at or call.started_at
    return Attach(about, call.pbx, files[0].path, over, ordinal, files, call.answered_at, call.lost)


def _transcribe(call: Call, attach: Attach, rules: Rules) -> tuple[Transcribe, ...]:
    """Of a message that a caller left its length does not count: he said all there is."""
    from_s = rules.transcribe_from_s
    if from_s is None or (call.talks and call.talk_s < from_s):
        return ()
    return (Transcribe(**{one.name: getattr(attach, one.name) for one in fields(attach)}),)


def _as_given(call: Call, given: Given) -> Call:
    """The call as the portal knows it: outgoing, to the number that was clicked, of who clicked."""
    return replace(
        call,
        direction=Heading.OUT,
        external=call.external or given.number,
        caller=call.caller or given.extension or None,
        owner=call.owner or given.extension or None,
    )


def abandon(
    call: Call, told: Told, now: float, rules: Rules = DEFAULT_RULES
) -> tuple[tuple[Intent, ...], Told]:
    """A call that was told and then turned out to be part of another is closed with what was known of it."""
    if not told.registered or told.finished:
        return (), told
    ended = replace(call, ended_at=call.ended_at or now, lost=True)
    return decide(ended, told, rules)


def is_missed(end: Finish) -> bool:
    """A client called, nobody talked with him, and that is certain."""
    calm = end.unwanted or end.lost or end.result in (Result.ANSWERED, Result.UNKNOWN)
    return end.about.direction is Direction.IN and bool(end.about.number) and not calm


def unwanted(call: Call, rules: Rules) -> bool:
    """Whether the PBX's blacklist or the portal's own list names the outside party."""
    if call.disposition is Disposition.BLOCKED:
        return True
    digits = (call.number or call.external).removeprefix("+")
    return bool(digits) and any(_shape(text).match(digits) for text in rules.blocked)


_shape = lru_cache(maxsize=1024)(pattern)


def worth_telling(call: Call) -> bool:
    """Something happened that a CRM shows: somebody rings or talks, the customer is dialled, or it is
    over."""
    return call.ring_at is not None or bool(call.rang) or bool(call.talks) or call.ended_at is not None


def facts_of(call: Call) -> CallFacts:
    """What each intent says about its call."""
    return CallFacts(
        call=str(call.id),
        direction=Direction(call.direction.value),
        number=call.number or call.external,
        name=call.name,
        line=call.line or call.trunk,
        started_at=call.started_at,
    )


def owner_now(call: Call, rules: Rules) -> str | None:
    """Whose call it is, as far as known."""
    return call.owner or (call.ringing or (None,))[0] or missed_owner(call, rules)


def missed_owner(call: Call, rules: Rules) -> str | None:
    """The owner of a call that nobody answered, by the configured order."""
    for source in rules.missed_owner:
        if source == "rung" and call.rang:
            return call.rang[0].extension
        if source == "line" and call.line in rules.lines:
            return rules.lines[call.line]
    return None


def _register(about: CallFacts, owner: str | None, given: Given | None) -> Register:
    if given is None:
        return Register(about, owner)
    return Register(about, owner, given=given.ref, by=given.by, note=given.note)


def _finish(call: Call, about: CallFacts, rules: Rules, given: Given | None) -> Finish:
    answered = call.disposition is Disposition.ANSWERED
    blocked = unwanted(call, rules)
    turned_away = blocked and not answered and about.direction is Direction.IN
    why = (given.why or fruitless(call)) if given else None
    result = Result(call.disposition.value)
    if why is not None and result is Result.CANCELLED:
        result = Result.FAILED  # nobody gave up: the PBX came no further
    return Finish(
        about,
        owner=call.owner or missed_owner(call, rules),
        result=Result.BLOCKED if turned_away else result,
        talk_s=max(1, round(_talk_s(call))) if answered else 0,
        ended_at=call.ended_at or call.started_at,
        lost=call.lost,
        rung=tuple(dict.fromkeys(ring.extension for ring in call.rang)),
        vote=call.vote,
        cause=call.cause,
        by=given.by if given else "",
        why=why,
        unwanted=blocked,
    )


def _talk_s(call: Call) -> float:
    """Who rates a talk is not in it any more: then it ended when the last of us left."""
    ends = [talk.until for talk in call.talks if talk.until is not None]
    if call.vote is None or call.answered_at is None or not ends:
        return call.talk_s
    return min(call.talk_s, max(ends) - call.answered_at)
