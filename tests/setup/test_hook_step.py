"""Hooks by the set-up: only where wanted, never over somebody else's, and gone without a trace."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.setup.playing import Person, World, played, undone, wish
from tests.setup.trees import FREEPBX, SOURCE, contents, grow

PORTAL = "portal.webhook=https://example.invalid/rest/1/hushhush/"
TREE = {
    **FREEPBX,
    "extensions.conf": b"#include extensions_custom.conf\n[from-pstn]\ninclude => ext-did-custom\n",
    "extensions_custom.conf": b"; mine\n[from-internal-custom]\nexten => 999,1,Answer()",
}


def custom(root: Path) -> str:
    return (root / "etc/asterisk/extensions_custom.conf").read_text("utf-8")


@pytest.mark.parametrize(
    ("way", "written"),
    [("lookup", "[callme-ring]"), ("agi", "AGI(agi://127.0.0.1:4573/office"), ("curl", "CURL(")],
)
def test_a_hook_is_laid_kept_and_taken_back(tmp_path: Path, way: str, written: str) -> None:
    before = grow(tmp_path, TREE, "etc/freepbx.conf")
    person, world = Person(), World()
    asterisk = ("docker", "exec", "pbx", "asterisk")
    wanted = wish(tmp_path, PORTAL, f"setup.hook={way}", hands_off=True, console=asterisk)
    assert played(wanted, person, world)
    assert written in custom(tmp_path)
    key = tomllib.loads((tmp_path / "etc/callme/callme.toml").read_text("utf-8"))["routing"]["key"]
    assert key not in person.heard
    assert world.ran[-1] == "docker exec pbx asterisk -rx 'dialplan reload'"
    assert ("CallerID Lookup Sources, type HTTP" in person.heard) is (way == "lookup")
    once = contents(tmp_path)
    assert played(wish(tmp_path, hands_off=True), Person(), World())
    assert contents(tmp_path) == once
    person, world = Person(), World()
    assert undone(wish(tmp_path, hands_off=True), person, world)
    assert key not in person.heard
    assert world.ran == [f"docker exec pbx asterisk -rx '{one} reload'" for one in ("manager", "dialplan")]
    assert contents(tmp_path) == before


def test_nothing_is_written_unless_it_is_wanted(tmp_path: Path) -> None:
    grow(tmp_path, TREE, "etc/freepbx.conf")
    assert played(wish(tmp_path, PORTAL, hands_off=True), Person(), World())
    assert custom(tmp_path) == TREE["extensions_custom.conf"].decode()


def test_another_way_takes_the_place_of_the_first_and_none_takes_it_out(tmp_path: Path) -> None:
    grow(tmp_path, TREE, "etc/freepbx.conf")
    for way in ("agi", "lookup", "none"):
        assert played(wish(tmp_path, PORTAL, f"setup.hook={way}", hands_off=True), Person(), World())
        assert ("callme-in" in custom(tmp_path)) is (way == "agi")
        assert ("[callme-ring]" in custom(tmp_path)) is (way == "lookup")


def test_a_hook_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    theirs = b"[ext-did-custom]\nexten => s,1,NoOp()\n"
    grow(tmp_path, {**TREE, "extensions_custom.conf": theirs}, "etc/freepbx.conf")
    person = Person()
    assert not played(wish(tmp_path, PORTAL, "setup.hook=agi", hands_off=True), person, World())
    assert "[ext-did-custom] is used by somebody else (extensions_custom.conf:1)" in person.heard
    assert custom(tmp_path).encode() == theirs


def test_where_there_is_no_such_dialplan_none_is_asked_for_and_a_wish_is_answered(tmp_path: Path) -> None:
    grow(tmp_path, SOURCE)
    person = Person()
    assert not played(wish(tmp_path, PORTAL, "setup.hook=agi", hands_off=True), person, World())
    assert "No hook is written" in person.heard


def test_by_hand_the_choice_tells_what_a_hook_costs(tmp_path: Path) -> None:
    grow(tmp_path, TREE, "etc/freepbx.conf")
    person = Person(
        {"The customer's name": ["agi"], "Address of the webhook": ["https://x.invalid/rest/1/abc/"]}
    )
    assert played(wish(tmp_path), person, World())
    assert "AGI(" in custom(tmp_path)
