"""What the demo promises of each call, and whether the CRM keeps it. Pure.

What is expected comes from the script and from what the telephones saw, never from CallMe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from callme.lab.play import Played
from callme.lab.script import Scenario
from callme.lab.telling import decimal, listed
from callme.lab.truth import TruthCall
from callme.wording import Phrase, plain

NEAR_S = 1.0
"""How far durations, and the moments of cards, may be off."""


@dataclass(frozen=True, slots=True)
class CardSeen:
    """One showing of a call's card to one person (an extension). Epoch seconds."""

    extension: str
    shown_at: float
    hidden_at: float | None


@dataclass(frozen=True, slots=True)
class Record:
    """A finished call as the CRM keeps it."""

    direction: Literal["in", "out"]
    said_direction: Phrase
    number: str
    """The outside party's, digits alone."""
    client: str
    line: str
    extension: str
    user: str
    code: str
    said_result: Phrase
    talk_s: int
    sound: bytes | None
    sound_s: float | None
    """How long the recording says that it lasts."""
    cards: tuple[CardSeen, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """One call of the demo."""

    title: Phrase
    scenario: Scenario
    code: str
    """The status code that the CRM must show."""
    owners: tuple[str, ...]
    """Whose call it may be."""

    @property
    def truth(self) -> TruthCall:
        """What really happens."""
        return self.scenario.truth.calls[0]

    def about(self, records: Iterable[Record]) -> list[Record]:
        """The records that tell of this call."""
        truth = self.truth
        return [one for one in records if (one.direction, one.number) == (truth.direction, truth.external)]


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, met or not."""

    met: bool
    text: Phrase


def verdict(
    act: Act, played: Played, records: list[Record], unfinished: int, heard_s: float | None
) -> list[Check]:
    """All expectations of one call. `records` are the CRM's of this call, `unfinished` how many calls of
    this number it believes to go on; `heard_s` is how long the attached recording sounds when decoded."""
    checks = [
        Check(
            not played.problems,
            Phrase("the telephones did as the script says", "телефоны сделали всё по сценарию")
            if not played.problems
            else Phrase(
                "the telephones did not do as the script says: {what}",
                "телефоны отступили от сценария: {what}",
            ).given(what="; ".join(played.problems)),
        ),
        Check(
            len(records) == 1 and not unfinished,
            Phrase("there is exactly one call in the CRM", "в CRM ровно один звонок")
            if len(records) == 1 and not unfinished
            else Phrase(
                "in the CRM there should be exactly one call; found {n}, unfinished {open}",
                "в CRM должен быть ровно один звонок; найдено {n}, незавершённых {open}",
            ).given(n=len(records), open=unfinished),
        ),
    ]
    if records:
        checks += _of_record(act, played, records[0], heard_s)
    return checks


def _wished(met: bool, found: Phrase, wanted: object) -> Check:
    """What was found, and beside it what should have been where that is something else."""
    text = Phrase("{found}; expected: {wanted}", "{found}; ожидалось: {wanted}")
    return Check(met, found if met else text.given(found=found, wanted=wanted))


def _of_record(act: Act, played: Played, record: Record, heard_s: float | None) -> Iterator[Check]:
    owner = Phrase("it belongs to {who} {name}", "он записан на {who} {name}")
    owner = owner.given(who=record.extension, name=record.user)
    yield _wished(record.extension in act.owners, owner, "/".join(act.owners))
    result = Phrase("its result is “{result}” ({code})", "результат: «{result}» ({code})")
    result = result.given(result=record.said_result, code=record.code)
    yield _wished(record.code == act.code, result, act.code)
    talk_s = talked(act, played)
    talk = Phrase(
        "{s} s of talk; on the telephones it was {true} s", "разговор {s} с; на телефонах он длился {true} с"
    ).given(s=record.talk_s, true=decimal(talk_s))
    if not record.talk_s and not talk_s:
        talk = Phrase("no talk", "разговора нет")
    yield Check(abs(record.talk_s - talk_s) <= NEAR_S, talk)
    yield from _of_cards(act, played, record)
    yield _of_recording(act, record, talk_s, heard_s)


def _of_cards(act: Act, played: Played, record: Record) -> Iterator[Check]:
    wanted = stretches(act, played)
    seen = {card.extension: card for card in record.cards}
    once = len(seen) == len(record.cards)
    shown = Phrase("the card was shown to {who}", "карточку видели: {who}")
    shown = shown.given(who=listed(tuple(sorted(card.extension for card in record.cards))) if seen else "—")
    yield _wished(once and set(seen) == set(wanted), shown, listed(tuple(sorted(wanted))))
    opened = [seen[who].shown_at - wanted[who][0] for who in wanted if who in seen]
    closed = [(seen[who].hidden_at or float("inf")) - wanted[who][1] for who in wanted if who in seen]
    yield Check(
        all(abs(late) <= NEAR_S for late in [*opened, *closed]),
        Phrase(
            "it opened within {opened} ms of the ring and closed within {closed} ms of its end",
            "она открылась через {opened} мс после вызова и закрылась через {closed} мс после его конца",
        ).given(opened=_ms(opened), closed=_ms(closed)),
    )
    yield Check(
        all(card.hidden_at is not None for card in record.cards),
        Phrase("no card is left on a screen", "на экранах не осталось карточек"),
    )


def _ms(delays: list[float]) -> Phrase:
    late = max(delays, default=0.0)
    return plain("∞" if late == float("inf") else max(0, round(late * 1000)))


def _of_recording(act: Act, record: Record, talk_s: float, heard_s: float | None) -> Check:
    if not act.truth.recording:
        return Check(
            record.sound is None,
            Phrase("no recording: nobody talked", "записи нет: никто не разговаривал"),
        )
    if heard_s is None:
        return Check(False, Phrase("the recording cannot be played", "запись не воспроизводится"))
    return Check(
        abs(heard_s - talk_s) <= NEAR_S,
        Phrase("its recording plays: {s} s", "запись воспроизводится: {s} с").given(s=decimal(heard_s)),
    )


def talked(act: Act, played: Played) -> float:
    """Seconds of talk as the telephones saw them: from picking up to hanging up."""
    picked = [seen.at for seen in played.seen if seen.what == "answer"]
    ended = [seen.at for seen in played.seen if seen.what in ("sendbye", "gotbye")]
    if act.truth.disposition != "answered" or not picked or not ended:
        return 0.0
    return min(ended) - min(picked)


def stretches(act: Act, played: Played) -> dict[str, tuple[float, float]]:
    """Whose screen shall show the card, from when until when: of an incoming call whoever rings, until it
    rings no more or the talk is over; of an outgoing one its caller, from the customer's first ring to the
    end."""
    ends = ("cancel", "refuse", "gotbye", "sendbye", "sendcancel", "failed")
    over = max((seen.at for seen in played.seen if seen.what in ends), default=played.ended)
    if act.truth.direction == "out":
        rung = [seen.at for seen in played.seen if seen.what == "invite"]
        return {str(act.truth.caller): (min(rung, default=played.started), over)}
    found = {}
    for who in sorted({one for step in act.truth.rang for one in step}):
        mine = [seen for seen in played.seen if seen.leg == who]
        start = min((seen.at for seen in mine if seen.what == "invite"), default=played.started)
        end = max((seen.at for seen in mine if seen.what in ends), default=over)
        found[who] = (start, end)
    return found
