"""What a transcriber answers becomes lines of whoever spoke; what cannot be read is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callme.crm.transcript import Garbled, Line, Side, Voices, understand

C, E, U = Side.CUSTOMER, Side.EMPLOYEE, Side.UNKNOWN


def segment(side: str, start: float, text: str, **more: Any) -> dict[str, Any]:
    return {"side": side, "start": start, "end": start + 1, "text": text, **more}


TALK = [segment("right", 2, "Слушаю вас"), segment("left", 0.5, " Алло \n"), segment("left", 4, "  ")]


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(TALK),
        json.dumps({"text": "…", "segments": TALK}),
        "\n".join(json.dumps(one, ensure_ascii=False) for one in TALK) + "\n\n",
        "\ufeff" + json.dumps(TALK),
    ],
)
def test_any_of_three_forms_is_read_in_the_order_of_the_talk(answer: str) -> None:
    lines = understand(answer.encode(), Voices.APART)
    assert lines == (Line(C, 0.5, 1.5, "Алло"), Line(E, 2.0, 3.0, "Слушаю вас"))


def test_one_line_alone_is_read() -> None:
    (line,) = understand(json.dumps(TALK[0]).encode(), Voices.APART)
    assert line.text == "Слушаю вас"


@pytest.mark.parametrize("answer", [b"", b" \n", b"[]", b'{"segments": []}'])
def test_silence_has_no_lines(answer: bytes) -> None:
    assert understand(answer, Voices.APART) == ()


@pytest.mark.parametrize(
    ("voices", "told", "side"),
    [
        (Voices.APART, "left", C),
        (Voices.APART, "Right", E),
        (Voices.APART, "", U),
        (Voices.APART, 7, U),
        (Voices.TOGETHER, "left", U),  # both sides of a mono recording are the same
        (Voices.TOGETHER, "customer", C),  # but a transcriber may tell voices apart itself
        (Voices.TOGETHER, "employee", E),
        (Voices.CUSTOMER, "", C),
        (Voices.CUSTOMER, "right", C),
    ],
)
def test_who_speaks_is_told_only_where_it_is_known(voices: Voices, told: Any, side: Side) -> None:
    (line,) = understand(json.dumps([segment(told, 0, "Алло")]).encode(), voices)
    assert line.side is side


def test_a_mono_stretch_stands_on_both_sides_and_is_told_once_of_nobody() -> None:
    both = [segment("left", 1, "Соединяю"), segment("right", 1.05, "соединяю"), segment("left", 1.9, "Да")]
    lines = understand(json.dumps(both).encode(), Voices.APART)
    assert [(line.side, line.text) for line in lines] == [(U, "Соединяю"), (C, "Да")]


def test_both_may_say_the_same_one_after_the_other() -> None:
    both = [segment("left", 1, "До свидания"), segment("right", 1.4, "До свидания")]
    assert [line.side for line in understand(json.dumps(both).encode(), Voices.APART)] == [C, E]


def test_no_control_character_gets_through() -> None:
    (line,) = understand(json.dumps([segment("left", 0, "a\u0000b\u001b[31m\u202ec")]).encode(), Voices.APART)
    assert line.text == "a b [31m c"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"Traceback (most recent call last):", "JSON"),
        (b'[{"start": 0}', "JSON"),
        (b"\xff\xfe\x00", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"17", "list"),
        (b'{"segments": {}}', "list"),
        (b"[1]", "segment 1"),
        (b'[{"start": 0, "end": 1, "text": "a"}, {"start": "0", "end": 1, "text": "a"}]', "segment 2"),
        (b'[{"start": -1, "end": 1, "text": "a"}]', "segment 1"),
        (b'[{"start": 0, "end": NaN, "text": "a"}]', "segment 1"),
        (b'[{"start": 0, "end": 1' + b"0" * 400 + b', "text": "a"}]', "segment 1"),
        (b'[{"start": true, "end": 1, "text": "a"}]', "segment 1"),
        (b'[{"start": 0, "end": 1, "text": null}]', "segment 1"),
        (b"[" + b"1," * 20_001 + b"1]", "20000"),
    ],
)
def test_what_cannot_be_read_is_named(answer: bytes, says: str) -> None:
    with pytest.raises(Garbled) as caught:
        understand(answer, Voices.APART)
    assert says in caught.value.why.say("en")
    assert caught.value.why.say("ru")


def test_lines_survive_being_kept() -> None:
    line = Line(E, 1.5, 2.0, "Слушаю")
    assert Line.of(json.loads(json.dumps(line.plain()))) == line
