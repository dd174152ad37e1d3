"""The demo's verdict: true only if the CRM keeps what the telephones saw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callme.lab.phones import Seen
from callme.lab.play import Played
from callme.lab.report import table, tally
from callme.lab.scenarios import groups
from callme.lab.verdict import Act, CardSeen, Check, Record, verdict
from callme.wording import Language, Phrase

ACT = Act(Phrase("a call", "звонок"), groups.ringall_answered("79261234567"), "200", ("102",))
SEEN = tuple(
    Seen(at, leg, what, leg)
    for at, leg, what in (
        (100.0, "c1-79261234567", "call"),
        (100.1, "101", "invite"),
        (100.1, "102", "invite"),
        (100.1, "103", "invite"),
        (102.0, "102", "answer"),
        (102.0, "101", "cancel"),
        (102.0, "103", "cancel"),
        (102.0, "c1-79261234567", "answered"),
        (105.0, "c1-79261234567", "sendbye"),
        (105.0, "102", "gotbye"),
    )
)
PLAYED = Played(ACT.scenario, 99.9, 106, SEEN, (), ())
CARDS = (CardSeen("101", 100.2, 102.1), CardSeen("102", 100.2, 105.1), CardSeen("103", 100.2, 102.1))
RECORD = Record(
    direction="in",
    said_direction=Phrase("Incoming", "Входящий"),
    number="79261234567",
    client="Ivan Petrov",
    line="74950000003",
    extension="102",
    user="Boris Sidorov",
    code="200",
    said_result=Phrase("Answered", "Успешный звонок"),
    talk_s=3,
    sound=b"sound",
    sound_s=3.2,
    cards=CARDS,
)


def failed(records: list[Record], *, unfinished: int = 0, heard_s: float | None = 3.0) -> list[str]:
    checks = verdict(ACT, PLAYED, records, unfinished, heard_s)
    return [check.text.say("en") for check in checks if not check.met]


def test_a_true_record_meets_everything() -> None:
    assert failed([RECORD]) == []


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (replace(RECORD, extension="101"), "it belongs to 101 Boris Sidorov; expected: 102"),
        (replace(RECORD, code="304"), "expected: 200"),
        (replace(RECORD, talk_s=5), "5 s of talk; on the telephones it was 3.0 s"),
        (replace(RECORD, cards=CARDS[:2]), "the card was shown to 101 and 102; expected: 101, 102 and 103"),
        (replace(RECORD, cards=(*CARDS, CARDS[0])), "the card was shown to 101, 101, 102 and 103;"),
        (replace(RECORD, cards=(replace(CARDS[0], shown_at=101.5), *CARDS[1:])), "it opened within 1400 ms"),
        (replace(RECORD, cards=(replace(CARDS[0], hidden_at=105.1), *CARDS[1:])), "closed within 3100 ms"),
    ],
)
def test_each_untruth_is_named(record: Record, told: str) -> None:
    assert [text for text in failed([record]) if told in text], failed([record])
    assert len(failed([record])) == 1


def test_a_card_that_stays_is_named() -> None:
    left = replace(RECORD, cards=(replace(CARDS[0], hidden_at=None), *CARDS[1:]))
    assert "no card is left on a screen" in failed([left])


def test_a_doubled_missing_or_unfinished_call_is_named() -> None:
    assert "found 2" in failed([RECORD, RECORD])[0]
    assert "found 0" in failed([])[0]
    assert "unfinished 1" in failed([RECORD], unfinished=1)[0]


def test_a_recording_must_sound_and_be_whole() -> None:
    assert failed([RECORD], heard_s=None) == ["the recording cannot be played"]
    assert failed([RECORD], heard_s=1.5) == ["its recording plays: 1.5 s"]


@pytest.mark.parametrize(("language", "head"), [("en", "direction"), ("ru", "направление")])
def test_the_table_has_a_row_for_each_call(language: Language, head: str) -> None:
    lines = table([RECORD, replace(RECORD, talk_s=0, sound=None, sound_s=None)], language)
    assert lines[0].startswith(head)
    assert "+7 926 123-45-67" in lines[2]
    assert "102 Boris Sidorov" in lines[2]
    assert lines[3].rstrip().endswith("—")


def test_the_count_names_what_was_not_met() -> None:
    yes, no = (Check(met, Phrase("x", "x")) for met in (True, False))
    assert tally([yes, yes]).say("ru") == "✔ Все ожидания оправдались: 2 из 2."
    assert tally([yes, no]).say("en") == "✘ 1 of 2 expectations were not met."
