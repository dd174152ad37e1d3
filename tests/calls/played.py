"""Plays a transcript through the tracker in all the ways in which a real link might deliver it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from callme.calls import facts as f
from callme.calls.model import Call, Direction, TransferKind
from callme.calls.numbering import Numbering
from callme.calls.tracker import Tracker
from callme.pbx.ami.transcript import Chunk, moments, read_chunks
from callme.pbx.port import Moment

FOLDER = Path(__file__).parent.parent / "transcripts"
SECOND = 1.0


@dataclass(frozen=True)
class Case:
    """One transcript with the truth about it."""

    file: Path

    @property
    def name(self) -> str:
        return f"{self.file.parent.name}/{self.file.name.split('.')[0]}"

    @property
    def truth(self) -> list[dict[str, Any]]:
        stem = self.file.name.split(".")[0]
        return list(json.loads((self.file.parent / f"{stem}.truth.json").read_text())["calls"])

    @property
    def chunks(self) -> list[Chunk]:
        return _chunks(self.file)

    @property
    def moments(self) -> list[Moment]:
        return _moments(self.file)


@cache
def _chunks(file: Path) -> list[Chunk]:
    return read_chunks(file)


@cache
def _moments(file: Path) -> list[Moment]:
    return list(moments(_chunks(file)))


def cases(size: int | None = None) -> list[Case]:
    """All transcripts, or those whose compressed size is below `size`."""
    found = sorted([*FOLDER.glob("*/*.ami"), *FOLDER.glob("*/*.ami.gz")])
    return [Case(file) for file in found if size is None or len(file.read_bytes()) < size]


# -------------------------------------------------------------------------------------- playing
def play(steps: Iterable[Moment], *, close: bool = False, numbering: Numbering | None = None) -> list[Call]:
    """The calls at the end, eldest first. With `close` the link then breaks and comes back with nothing
    alive."""
    tracker = Tracker("pbx", numbering or Numbering())
    known: dict[str, Call] = {}
    now = 0.0
    for step in steps:
        now = step.at
        _take(tracker, step, known)
    if close:
        for fact in (f.LinkDown(), f.Snapshot((), now + 2)):
            now += 3
            _take(tracker, Moment(now, (fact,)), known)
    _take(tracker, Moment(now + 60, (f.TimePassed(),)), known)
    assert not tracker.board.channels or any(call.open for call in known.values()), (
        "memory of dead channels is kept"
    )
    return sorted(known.values(), key=lambda call: (call.started_at, call.id))


def _take(tracker: Tracker, step: Moment, known: dict[str, Call]) -> None:
    outcome = tracker.step(step.facts, step.at)
    for change in outcome.changes:
        assert known.get(change.call.id) == change.before, "a change does not start from what was told"
        known[change.call.id] = change.call
    for absorbed in outcome.absorbed:
        assert known[absorbed].direction is Direction.INTERNAL, "a customer's call was absorbed"
        del known[absorbed]


def one_by_one(steps: Iterable[Moment]) -> Iterator[Moment]:
    """Each fact as a step of its own."""
    for step in steps:
        for fact in step.facts:
            yield Moment(step.at, (fact,))


def shuffled(steps: Iterable[Moment], seed: int) -> Iterator[Moment]:
    """Facts of one millisecond in another order, each as a step of its own; a channel's birth and death and
    the link stay where they are, as in Asterisk, whose channel topics keep their own order."""
    chance = random.Random(seed)
    batch: list[f.Fact] = []
    at = 0.0
    for step in one_by_one(steps):
        if round(step.at * 1000) != round(at * 1000):
            yield from _shuffle(batch, at, chance)
            batch = []
        at = step.at
        batch.extend(step.facts)
    yield from _shuffle(batch, at, chance)


def _shuffle(batch: list[f.Fact], at: float, chance: random.Random) -> Iterator[Moment]:
    fixed = [isinstance(fact, f.LinkUp | f.LinkDown | f.Snapshot) for fact in batch]
    if any(fixed):
        order = batch
    else:
        order = batch[:]
        chance.shuffle(order)
    for fact in order:
        yield Moment(at, (fact,))


# ----------------------------------------------------------------------------------- what lives
class Living:
    """What a PBX would answer to CoreShowChannels: kept apart from the tracker, by births, deaths and
    bridges alone."""

    def __init__(self) -> None:
        self._legs: dict[str, f.Leg] = {}
        self._in: dict[str, tuple[str, bool]] = {}

    def take(self, fact: f.Fact) -> None:
        leg = getattr(fact, "leg", None)
        if isinstance(fact, f.HungUp):
            self._legs.pop(fact.leg.uniqueid, None)
            self._in.pop(fact.leg.uniqueid, None)
        elif isinstance(fact, f.LinkUp):
            self._legs.clear()
            self._in.clear()
        elif leg is not None and (
            leg.uniqueid in self._legs or (isinstance(fact, f.ChannelSeen) and fact.born)
        ):
            self._legs[leg.uniqueid] = leg
        if isinstance(fact, f.BridgeEntered):
            self._in[fact.leg.uniqueid] = (fact.bridge, fact.holding)
            self._in.pop(fact.swap, None)
        elif isinstance(fact, f.BridgeLeft) and self._in.get(fact.leg.uniqueid, ("",))[0] == fact.bridge:
            del self._in[fact.leg.uniqueid]

    def snapshot(self, at: float) -> f.Snapshot:
        return f.Snapshot(
            tuple(
                f.LiveLeg(leg, *self._in.get(uniqueid, ("", False))) for uniqueid, leg in self._legs.items()
            ),
            at,
        )


def reconnected_after(steps: list[Moment], index: int) -> Iterator[Moment]:
    """The link breaks after that fact and comes back at once with a snapshot."""
    living = Living()
    for number, step in enumerate(one_by_one(steps)):
        yield step
        living.take(step.facts[0])
        if number == index:
            yield Moment(step.at, (f.LinkDown(),))
            yield Moment(step.at, (f.LinkUp(None), living.snapshot(step.at)))


# -------------------------------------------------------------------------------------- judging
def ring_steps(call: Call) -> list[list[str]]:
    """Extensions that rang together, step by step."""
    found: list[tuple[float, list[str]]] = []
    for ring in call.rang:
        if ring.via:
            continue
        if found and ring.since - found[-1][0] < SECOND:
            if ring.extension not in found[-1][1]:
                found[-1][1].append(ring.extension)
        else:
            found.append((ring.since, [ring.extension]))
    return [sorted(step) for _, step in found]


def told(call: Call) -> dict[str, Any]:
    """The call in the words of the truth."""
    out = call.direction is Direction.OUT
    talked = out and bool(call.talks)
    return {
        "direction": call.direction.value,
        "external": call.external or None,
        "line": call.line or None,
        "caller": call.caller,
        "rang": ring_steps(call),
        "answered_by": call.answered_by,
        "talkers": [call.external] if talked else list(dict.fromkeys(talk.who for talk in call.talks)),
        "final_talker": call.external if talked else call.last_talker,
        "disposition": call.disposition.value,
        "lost": call.lost,
        "transfers": [
            (move.kind.value, move.by, move.to)
            for move in call.transfers
            if move.kind is not TransferKind.PICKUP
        ],
    }


def expected(truth: dict[str, Any]) -> dict[str, Any]:
    """The truth in the same words."""
    return {
        "direction": truth["direction"],
        "external": truth["external"],
        "line": truth["line"],
        "caller": truth.get("caller"),
        "rang": truth["rang"],
        "answered_by": truth["answered_by"],
        "talkers": truth["talkers"],
        "final_talker": truth["final_talker"],
        "disposition": truth["disposition"],
        "lost": truth.get("lost", False),
        "transfers": [(move["kind"], move["by"], move["to"]) for move in truth.get("transfers", ())],
    }


def matching(calls: list[Call], truths: list[dict[str, Any]]) -> list[tuple[Call, dict[str, Any]]]:
    """Each call with its truth; calls come in the order in which they began."""
    assert len(calls) == len(truths), [told(call) for call in calls]
    return list(zip(calls, truths, strict=True))


def path_free(text: str) -> str:
    """A channel name without its number, for messages."""
    return re.sub(r"-[0-9a-f]{8}", "", text)
