"""What is told of telephones and of CallMe."""

from __future__ import annotations

import pytest

from callme.calls.model import Call, CallId, Direction, Disposition, Ring, Talk
from callme.lab.phones import Seen
from callme.lab.voices import Told, callme, phones
from callme.web.board import AttemptView, CallStory
from callme.wording import Phrase


def words(seen: Seen) -> str | None:
    line = phones(seen)
    return line.said("en") if line else None


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (Seen(1, "c1-79261234567", "call", "x", "74950000003 7"), "+7 926 123-45-67 calls +7 495 000-00-03"),
        (Seen(1, "c1-103", "call", "x", "79000000112 103"), "103 calls +7 900 000-01-12"),
        (Seen(1, "101", "invite", "x", "79261234567"), "ringing: 101"),
        (Seen(1, "prov", "invite", "x", "79000000112"), "ringing: +7 900 000-01-12"),
        (Seen(1, "102", "answer", "x"), "102 picks up"),
        (Seen(1, "prov", "answer", "x"), "the customer picks up"),
        (Seen(1, "prov", "cancel", "x"), "the customer’s telephone rings no more"),
        (Seen(1, "102", "gotbye", "x"), None),
        (Seen(1, "102", "hold", "x"), "102 holds the other side"),
    ],
)  # fmt: skip
def test_telephones(seen: Seen, told: str | None) -> None:
    assert words(seen) == told


def call(**more: object) -> Call:
    about: dict[str, object] = {
        "id": CallId("office-1.0"),
        "pbx": "office",
        "name": "",
        "trunk": "trunk-prov",
        "caller": None,
        "direction": Direction.IN,
        "external": "79261234567",
        "number": "+79261234567",
        "line": "74950000003",
        "started_at": 100.0,
        "ring_at": 100.2,
        "rang": (Ring("101", 100.2), Ring("102", 100.2)),
    }
    return Call(**{**about, **more})  # type: ignore[arg-type]


def said(story: CallStory, known: Told) -> list[str]:
    return [line.said("en") for line in callme(story, known)]


def test_a_call_is_told_once_however_often_it_is_looked_at() -> None:
    known: Told = set()
    assert said(CallStory(call()), known) == [
        "sees a call from +7 926 123-45-67 ring at 101",
        "sees a call from +7 926 123-45-67 ring at 102",
    ]
    assert said(CallStory(call()), known) == []
    over = call(
        answered_at=102.0,
        answered_by="102",
        ended_at=105.0,
        disposition=Disposition.ANSWERED,
        talks=(Talk("102", "102", 102.0, 105.0),),
    )
    assert said(CallStory(over), known) == [
        "sees that 102 answered",
        "the call is over: answered, 3.0 s of talk",
    ]


def test_attempts_are_told_with_what_came_of_them() -> None:
    why = Phrase("not yet", "ещё нет")
    story = CallStory(
        call(rang=()),
        attempts=(
            AttemptView("main", "register", 1, 100.3, 12, "delivered"),
            AttemptView("main", "attach", 1, 105.0, 1, "later", why),
            AttemptView("main", "finish", 1, 105.0, 9, "refused", why),
        ),
    )
    assert said(story, set()) == [
        "tells the CRM of a new call, done in 12 ms",
        "waits for the recording: not yet",
        "tells the CRM how the call ended: refused (not yet)",
    ]


def test_colleagues_among_themselves_are_not_for_the_crm() -> None:
    assert said(CallStory(call(direction=Direction.INTERNAL)), set()) == [
        "a call among colleagues: nothing for the CRM"
    ]
