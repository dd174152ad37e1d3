"""The sandbox portal as the demo sees it: its story in words, its calls as neutral values."""

from __future__ import annotations

import pytest

from callme.lab.sandboxes.bitrix24 import witness
from callme.lab.sandboxes.bitrix24.state import Happening, OpenCall, Recording, Statistic
from callme.lab.sandboxes.bitrix24.witness import KNOWN_CLIENT, Witness
from callme.wording import Language

CALL = OpenCall("c1", 3, f"+{KNOWN_CLIENT}", 2, 100.0, "74950000003", "office-1", False)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            [
                "new call: incoming, Ivan Petrov, +7 926 123-45-67",
                "card opens for 102 Boris Sidorov",
                "card closes for 102",
                "call saved: answered (200), 102 Boris Sidorov, 3 s",
                "recording attached: 3 s of sound, 13 kB",
            ],
        ),
        (
            "ru",
            [
                "новый звонок: входящий, Иван Петров, +7 926 123-45-67",
                "карточка открылась: 102 Борис Сидоров",
                "карточка закрылась: 102",
                "звонок сохранён: успешный звонок (200), 102 Борис Сидоров, 3 с",
                "запись приложена: 3 с звука, 13 кБ",
            ],
        ),
    ],
)
def test_its_story_in_both_languages(language: Language, told: list[str]) -> None:
    office = witness.office(language)
    office.calls["c1"] = CALL
    CALL.primary = ("CONTACT", 1)
    seen = Witness(office)
    said: list[str] = []

    def hear(happening: Happening) -> None:
        line = seen.said(happening)
        if line is not None:
            said.append(line.said(language))

    seen.watch(hear)
    office.tell("registered", 100, call="c1", user=3, phone=CALL.phone, type=2, line="")
    office.show(CALL, 3, 100)
    office.hide("c1", 3, 105, "finish")
    office.tell("activity.created", 105, call="c1", id=1)
    office.tell("finished", 105, call="c1", user=3, phone=CALL.phone, code="200", duration=3)
    office.tell("attached", 107, call="c1", file=1, size=13005, duration=3.24)
    assert said == told


def test_its_calls_as_values() -> None:
    office = witness.office("en")
    office.show(CALL, 3, 100)
    office.calls["c1"] = CALL
    seen = Witness(office)
    assert (seen.standing(), seen.unfinished(KNOWN_CLIENT), seen.records()) == (1, 1, [])
    office.hide("c1", 3, 105, "finish")
    del office.calls["c1"]
    office.recordings[1] = Recording(1, "c1", "a.mp3", b"sound", 107, 3.0)
    record = Statistic(
        1, "c1", "office-1", 3, "REST_APP:", CALL.phone, 2, 3, 100, "200", "", 0, "", 0, None,
        ("LEAD", 1), (), record_file=1,
    )  # fmt: skip
    office.record(record)
    (kept,) = seen.records()
    assert (kept.direction, kept.number, kept.extension, kept.code, kept.talk_s) == (
        "in",
        KNOWN_CLIENT,
        "102",
        "200",
        3,
    )
    assert (kept.line, kept.client, kept.sound, kept.sound_s) == ("", "", b"sound", 3.0)
    assert [(card.extension, card.shown_at, card.hidden_at) for card in kept.cards] == [("102", 100, 105)]
    assert (seen.standing(), seen.unfinished(KNOWN_CLIENT)) == (0, 0)
