"""The old scripts' lines: offered to be taken out, taken out only when wanted, and back to the last byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.portals.bitrix24.callme.scripts import dialplan
from tests.setup.playing import Person, World, played, undone, wish
from tests.setup.trees import FREEPBX, contents, grow

PORTAL = "portal.webhook=https://example.invalid/rest/1/hushhush/"
NAME = "extensions_custom.conf"
OWN = b"[from-internal-custom]\r\nexten => *99,1,NoOp(\xff)\r\n"
OLD = OWN + dialplan().encode()
QUESTION = "These lines belong to an older connector"


@pytest.fixture
def before(tmp_path: Path) -> dict[str, bytes]:
    (tmp_path / "etc/asterisk").mkdir(parents=True)
    file = tmp_path / "etc/asterisk" / NAME
    file.write_bytes(OLD)
    file.chmod(0o640)
    return grow(tmp_path, FREEPBX, "etc/freepbx.conf")


def text(root: Path) -> bytes:
    return (root / "etc/asterisk" / NAME).read_bytes()


def test_taken_out_by_script_and_put_back_to_the_last_byte(tmp_path: Path, before: dict[str, bytes]) -> None:
    world = World()
    wanted = wish(tmp_path, PORTAL, "setup.remove_old_hooks=true", hands_off=True, console=("asterisk-here",))
    assert played(wanted, Person(), world)
    assert text(tmp_path).startswith(OWN)
    assert b"CallMe" not in text(tmp_path)
    assert (tmp_path / "etc/asterisk" / NAME).stat().st_mode & 0o777 == 0o640
    assert any("dialplan reload" in line for line in world.ran)
    world = World()
    assert undone(wish(tmp_path, hands_off=True), Person(), world)
    assert contents(tmp_path) == before
    assert any("dialplan reload" in line for line in world.ran)


@pytest.mark.parametrize("answer", ["no", "", "yes"])
def test_by_hand_it_is_asked_with_the_lines_named(
    tmp_path: Path, before: dict[str, bytes], answer: str
) -> None:
    person = Person({QUESTION: [answer], "Address of the webhook": ["https://x.invalid/rest/1/abc/"]})
    played(wish(tmp_path), person, World())
    assert f"{NAME}, lines " in person.heard
    assert (text(tmp_path) == OLD) is (answer != "yes")


def test_without_a_word_of_it_a_script_changes_nothing(tmp_path: Path, before: dict[str, bytes]) -> None:
    assert played(wish(tmp_path, PORTAL, hands_off=True), Person(), World())
    assert text(tmp_path) == OLD


def test_a_pbx_without_them_is_not_asked(tmp_path: Path) -> None:
    grow(tmp_path, FREEPBX, "etc/freepbx.conf")
    person = Person({"Address of the webhook": ["https://x.invalid/rest/1/abc/"]})
    played(wish(tmp_path), person, World())
    assert QUESTION not in person.heard
