"""What the set-up says where nobody listens is kept in order, and its questions get their defaults."""

from __future__ import annotations

from callme.setup.notes import Kind, Notes
from callme.wording import plain
from tests.setup.playing import BAD, GOOD


def test_everything_that_is_said_is_noted_in_order() -> None:
    notes = Notes()
    notes.head(plain("1. The PBX"))
    notes.tell(plain("manager.conf:"))
    notes.show(["+[callme]", "+secret = ***"])
    notes.report([GOOD, BAD])
    assert [(note.kind, str(note.text)) for note in notes.all] == [
        (Kind.HEAD, "1. The PBX"),
        (Kind.LINE, "manager.conf:"),
        (Kind.WELL, "trial: works"),
        (Kind.ILL, "trial: fails"),
    ]
    assert notes.all[1].lines == ["+[callme]", "+secret = ***"]
    assert str(notes.all[3].cure) == "cure"
    assert "[callme]" not in repr(notes.all[1])  # what is shown may hold a secret


def test_questions_get_their_defaults() -> None:
    notes = Notes()
    assert notes.ask(plain("?"), "127.0.0.1") == "127.0.0.1"
    assert notes.choose(plain("?"), [("new", plain("new")), ("old", plain("old"))], "old") == "old"
    assert notes.confirm(plain("?"), False) is False
