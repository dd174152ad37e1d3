"""Whether a played scenario came out right: in the portal, on the screens, in the recording and in the
service's own words. Every fault found is one sentence; none found means right.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callme.lab.numbering import EXTENSIONS
from callme.lab.play import Played, RecordingFile
from callme.lab.sandboxes.bitrix24.state import Card, Recording, Statistic
from callme.lab.script import Attended, Blind, KillPbx, Refuse, Scenario
from callme.lab.truth import TruthCall
from tests.live import cards, cost, sound

NEAR_S = 1.0
"""How far a length may be from the script's."""

HEARD_S = 3.5
"""Who talked so long must be heard: a telephone of the lab may begin to sound two seconds late."""

PAUSES = ("refer", "hold", "sendbye", "gotbye")

TOGETHER_S = 1.0
"""Extensions that began to ring so close to each other rang together."""

HIDDEN = "000000"
TYPES = {"in": 2, "out": 1}
OUT_CODES = {
    "answered": "200",
    "no-answer": "480",
    "voicemail": "480",
    "busy": "486",
    "declined": "603",
    "cancelled": "603-S",
    "failed": "503",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One call as portal and service hold it."""

    record: Statistic
    cards: tuple[tuple[str, Card], ...]
    recording: Recording | None
    call: Mapping[str, Any]
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A scenario that was played and delivered, with what its calls left."""

    played: Played
    seen: tuple[Seen, ...]
    left_open: tuple[str, ...]
    troubles: tuple[str, ...]


def phone(truth: TruthCall) -> str:
    """The outside party as the portal keeps it."""
    return f"+{truth.external}" if truth.external else HIDDEN


async def faults(shown: Shown, users: Mapping[str, int], default_user: int) -> list[str]:
    """Everything that is not as the truth has it."""
    truths = [truth for truth in shown.played.scenario.truth.calls if truth.direction != "internal"]
    found = [f"the telephones saw something else: {one}" for one in shown.played.problems]
    found += shown.troubles
    found += [f"the portal still has {one} open" for one in shown.left_open]
    if len(shown.seen) != len(truths):
        return [*found, f"{len(truths)} calls for the CRM, the portal has {len(shown.seen)}"]
    for truth, seen in zip(truths, shown.seen, strict=True):
        found += _record(truth, shown.played.scenario, seen.record, users, default_user)
        found += cards.wrong(shown.played, truth, seen.cards)
        found += _call(truth, seen.call, lost=_killed(shown.played) and truth.hangup_by is None)
        found += [one async for one in _recording(truth, seen.recording, shown.played)]
        refusals = sum(what == "refuse" for _, what in shown.played.scenario.truth.seen)
        if len(seen.asked) > cost.limit(truth, refusals):
            found.append(f"it cost {len(seen.asked)} requests: {', '.join(seen.asked)}")
    return found


# ------------------------------------------------------------------------------------------ portal
def _out_code(truth: TruthCall, scenario: Scenario) -> str:
    """A number that does not exist is told as such."""
    wrong = any(isinstance(ring, Refuse) and ring.code == "404" for ring in scenario.outside.values())
    return "404" if wrong and truth.disposition == "failed" else OUT_CODES[truth.disposition]


def _record(
    truth: TruthCall, scenario: Scenario, record: Statistic, users: Mapping[str, int], default_user: int
) -> Iterator[str]:
    owners = _owners(truth, users, default_user)
    if record.user not in owners:
        yield f"it belongs to user {record.user}, not to {owners}"
    if record.type != TYPES[truth.direction]:
        yield f"TYPE {record.type} for direction {truth.direction}"
    answered = truth.disposition == "answered"
    code = ("200" if answered else "304") if truth.direction == "in" else _out_code(truth, scenario)
    if record.code != code:
        yield f"status {record.code}, not {code}"
    near = abs(record.duration - truth.talk_s) <= NEAR_S and record.duration >= 1
    if not (near if answered else record.duration == 0):
        yield f"duration {record.duration} s, not {truth.talk_s if answered else 0} s"


def _owners(truth: TruthCall, users: Mapping[str, int], default_user: int) -> set[int]:
    """The user whom the truth names; where it names none, of those who rang first any, else the default."""
    if truth.user:
        return {users.get(truth.user, default_user)}
    return {users.get(ext, default_user) for ext in (truth.rang[0] if truth.rang else ())} or {default_user}


# --------------------------------------------------------------------------------------- recording
async def _recording(truth: TruthCall, kept: Recording | None, played: Played) -> AsyncIterator[str]:
    if truth.message:
        if kept is None:
            yield "the message that the caller left is not attached"
            return
        samples = await sound.decoded(kept.content)
        heard = await asyncio.to_thread(sound.heard, samples)
        if heard != {"outside"} or not 1 <= sound.seconds(samples) <= 8:
            yield f"the message is {sound.seconds(samples):.1f} s of {sorted(heard)}"
        return
    if not truth.recording:
        if kept is not None:
            yield f"a recording of {kept.duration} s is attached; there was none to attach"
        return
    if kept is None:
        yield "no recording is attached"
        return
    samples = await sound.decoded(kept.content)
    length, heard = sound.seconds(samples), await asyncio.to_thread(sound.heard, samples)
    talkers = frozenset({"outside", *(who for who in (*truth.talkers, truth.caller) if who in EXTENSIONS)})
    meant = [(float(truth.talk_s), talkers)]
    passed_on = truth.transfers or any(
        isinstance(step.deed, Blind | Attended) for step in played.scenario.steps
    )
    if passed_on:
        # What a PBX records of a customer who is passed on is its own affair: its file counts too.
        meant += [await _of_file(file) for file in played.recordings]
        sure = {"outside", *(who for who in talkers if _talked(played, who) >= HEARD_S)}
        if truth.direction == "in" and not sure <= heard <= talkers:
            yield f"the recording is of {sorted(heard)}, not of {sorted(talkers)}"
    if not any(abs(length - seconds) <= NEAR_S and heard == voices for seconds, voices in meant):
        told = " or ".join(f"{seconds:.1f} s of {sorted(voices)}" for seconds, voices in meant)
        yield f"the recording is {length:.1f} s of {sorted(heard)}, not {told}"


def _talked(played: Played, who: str) -> float:
    """The longest time that a person was on the line without a break, by his telephone."""
    longest = 0.0
    for leg in {one.leg for one in played.seen if one.leg.endswith(who)}:
        began = [one.at for one in played.seen if one.leg == leg and one.what in ("answer", "answered")]
        ended = [one.at for one in played.seen if one.leg == leg and one.what in PAUSES]
        longest = max(longest, *(end - start for start in began for end in ended), 0.0)
    return longest


async def _of_file(file: RecordingFile) -> tuple[float, frozenset[str]]:
    samples = await sound.decoded(file.path.read_bytes())
    return file.seconds, await asyncio.to_thread(sound.heard, samples)


# --------------------------------------------------------------------------------- the service's words
def _call(truth: TruthCall, call: Mapping[str, Any], *, lost: bool) -> Iterator[str]:
    """`/api/v1/calls` against the truth."""
    talked = truth.direction == "out" and bool(call["talks"])
    talkers = list(dict.fromkeys(talk["who"] for talk in call["talks"]))
    pairs: list[tuple[str, object, object]] = [
        ("direction", call["direction"], truth.direction),
        ("line", call["line"] or None, truth.line),
        ("disposition", call["disposition"], truth.disposition),
        ("rang", _steps(call["rang"]), [sorted(step) for step in truth.rang]),
        ("answered_by", call["answered_by"], truth.answered_by),
        ("talkers", [truth.external] if talked else talkers, list(truth.talkers)),
        ("last_talker", truth.external if talked else call["last_talker"], truth.final_talker),
        ("caller", call["caller"], truth.caller),
        ("lost", call["lost"], lost),
        ("certain", call["certain"], True),
        ("moves", _moves(call["transfers"]), [(one.kind, one.by, one.to) for one in truth.transfers]),
    ]
    for name, was, meant in pairs:
        if was != meant:
            yield f"the service says {name} {was!r}, not {meant!r}"
    for name, was, meant in (
        ("ring_s", call["ring_s"], truth.ring_s),
        ("talk_s", call["talk_s"], truth.talk_s),
    ):
        if abs(was - meant) > NEAR_S and not (name == "ring_s" and _unrung(truth)):
            yield f"the service says {name} {was:.1f}, not {meant}"


def _killed(played: Played) -> bool:
    return any(isinstance(step.deed, KillPbx) for step in played.scenario.steps)


def _unrung(truth: TruthCall) -> bool:
    """The script's ring time of a click that its owner refused is the PBX's limit, not what was rung."""
    return truth.click and truth.disposition in ("declined", "no-answer")


def _steps(rang: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    found: list[tuple[float, set[str]]] = []
    for ring in sorted(rang, key=lambda one: float(one["since"])):
        if ring["via"]:
            continue
        if found and ring["since"] - found[-1][0] < TOGETHER_S:
            found[-1][1].add(ring["extension"])
        else:
            found.append((ring["since"], {ring["extension"]}))
    return [sorted(step) for _, step in found]


def _moves(transfers: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["kind"], one["by"], one["to"]) for one in transfers if one["kind"] != "pickup"]
