"""Blocks of ours in files of others: laid in, replaced, and lifted to the last byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callme.errors import TroubleError
from callme.setup.pieces import Piece, laid, lay, lift

FILE = Path("/etc/asterisk/manager_custom.conf")
PIECE = Piece(FILE, "ami", "[callme]\nread = call\n")
OTHER = Piece(FILE, "hook", "[ext-did-custom]\n")

FILES = st.one_of(st.none(), st.binary(max_size=200).filter(lambda text: b"callme:" not in text))


@given(FILES)
def test_what_was_laid_is_lifted_to_the_last_byte(before: bytes | None) -> None:
    after = lay(lay(before, PIECE), OTHER)
    assert laid(after, FILE) == {"ami": PIECE.text, "hook": OTHER.text}
    assert lift(after, FILE) == before


@given(FILES)
def test_a_second_time_changes_nothing(before: bytes | None) -> None:
    once = lay(before, PIECE)
    assert lay(once, PIECE) == once


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=60))
def test_what_the_owner_wrote_around_the_block_stays(before: bytes, added: bytes) -> None:
    if b"callme:" in before + added:
        return
    edited = b"; mine\n" + lay(before, PIECE) + added
    left = lift(edited, FILE)
    joint = b"\n" if before and not before.endswith(b"\n") else b""
    assert left == b"; mine\n" + before + joint + added


def test_a_block_is_replaced_where_it_stands() -> None:
    edited = lay(b"; first\n", PIECE) + b"; last\n"
    renewed = lay(edited, Piece(FILE, "ami", "[callme]\nread = call,agent\n"))
    assert renewed.startswith(b"; first\n")
    assert renewed.endswith(b"; last\n")
    assert renewed.count(b">>> callme: ami") == 1
    assert lift(renewed, FILE) == b"; first\n; last\n"


def test_one_block_can_be_taken_alone() -> None:
    both = lay(lay(None, PIECE), OTHER)
    assert laid(lift(both, FILE, "hook") or b"", FILE) == {"ami": PIECE.text}
    assert lift(lift(both, FILE, "hook") or b"", FILE) is None


@pytest.mark.parametrize("lost", [b"; >>>", b"; <<<"])
def test_a_lost_marker_line_is_named_with_its_line(lost: bytes) -> None:
    whole = lay(b"one\n", PIECE)
    torn = b"".join(line for line in whole.splitlines(keepends=True) if not line.startswith(lost))
    for use in (lambda: lay(torn, PIECE), lambda: lift(torn, FILE)):
        with pytest.raises(TroubleError) as told:
            use()
        assert str(FILE) in str(told.value)
        assert "line " in str(told.value)


def test_a_piece_may_not_contain_what_looks_like_a_marker() -> None:
    with pytest.raises(ValueError, match="ami"):
        Piece(FILE, "ami", "; <<< callme: ami\n")


def test_no_repr_shows_the_text() -> None:
    assert "read" not in repr(PIECE)
