"""Asterisk's files as Asterisk reads them."""

from __future__ import annotations

from callme.setup.sections import read


def test_includes_are_read_where_they_stand_and_by_wildcards() -> None:
    loaded = read(
        "manager.conf",
        {
            "manager.conf": b'[general]\nport = 5038\n#include "manager.d/*.conf"\n[last]\nsecret = x\n',
            "manager.d/b.conf": b"[b]\n",
            "manager.d/a.conf": b"[a]\n#tryinclude gone.conf\n",
        },
    )
    assert [one.name for one in loaded.sections] == ["general", "a", "b", "last"]
    assert loaded.included == ("manager.conf", "manager.d/a.conf", "manager.d/b.conf")
    assert loaded.asked == ("manager.d/*.conf", "gone.conf")


def test_an_absolute_include_means_the_same_file() -> None:
    files = {
        "manager.conf": b"#include /etc/asterisk/manager_custom.conf\n",
        "manager_custom.conf": b"[one]\n",
    }
    assert read("manager.conf", files).named("one") is not None


def test_comments_marks_and_arrows() -> None:
    text = (
        b"[general](+) ; more of it\nchannelvars => A,B ; not these: C\n"
        b";-- [hidden]\nsecret = 1\n--;\n[user](!)\nsecret = a\\;b\n"
    )
    loaded = read("manager.conf", {"manager.conf": text})
    assert [(one.name, one.adds, one.template) for one in loaded.sections] == [
        ("general", True, False),
        ("user", False, True),
    ]
    assert loaded.last("general", "channelvars") == "A,B"
    assert loaded.sections[1].get("secret") == "a;b"


def test_the_last_of_several_settings_counts_and_knows_its_place() -> None:
    loaded = read(
        "a.conf", {"a.conf": b"[general]\nx = 1\n#include b.conf\n", "b.conf": b"[General](+)\n\nX=2\n"}
    )
    (_, last) = loaded.entries("general", "x")
    assert (last.value, last.file, last.line) == ("2", "b.conf", 3)


def test_a_circle_of_includes_ends() -> None:
    loaded = read("a.conf", {"a.conf": b"[a]\n#include b.conf\n", "b.conf": b"#include a.conf\n"})
    assert loaded.sections


def test_no_repr_shows_a_value() -> None:
    loaded = read("a.conf", {"a.conf": b"[a]\nsecret = hush\n"})
    assert "hush" not in repr(loaded)
