"""Which parts of which files make up the talk: told once, in order, nothing cut by guess."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callme.calls.stretches import total
from callme.pbx.shape import Piece, Recorded, gains, pieces, timeline

TALK = ((100.0, 160.0),)


def test_one_file_of_the_whole_talk_is_taken_as_it_is() -> None:
    file = Recorded(95.0, 160.0, TALK, TALK, 59.8)
    assert pieces([file]) == [Piece(0)]
    assert pieces([file])[0].whole


def test_what_a_pbx_wrote_before_the_talk_is_left_out() -> None:
    always = Recorded(70.0, 160.0, TALK, TALK, 90.0)
    assert pieces([always]) == [Piece(0, pytest.approx(30.0))]  # type: ignore[arg-type]


def test_both_halves_of_a_local_channel_tell_the_talk_once() -> None:
    halves = [Recorded(99.0, 160.0, TALK, TALK, 60.0), Recorded(99.5, 160.0, TALK, TALK, 60.0)]
    assert pieces(halves) == [Piece(0)]


def test_a_second_file_of_the_same_channel_adds_nothing() -> None:
    stays = ((100.0, 120.0), (125.0, 160.0))
    whole = Recorded(95.0, 160.0, stays, ((100.0, 160.0),), 55.0)
    second = Recorded(121.0, 160.0, stays, ((100.0, 160.0),), 35.0)
    assert pieces([whole, second]) == [Piece(0)]
    assert pieces([second, whole]) == [Piece(1, 0.0, pytest.approx(20.0)), Piece(0)]  # type: ignore[arg-type]


def test_files_of_two_talkers_follow_each_other() -> None:
    first = Recorded(90.0, 120.0, ((100.0, 120.0),), ((100.0, 120.0),), 20.0)
    second = Recorded(121.0, 160.0, ((125.0, 160.0),), ((125.0, 160.0),), 35.1)
    assert pieces([second, first]) == [Piece(1), Piece(0)]


def test_a_click_has_a_file_with_the_ringing_and_one_without() -> None:
    """The Local half that runs the dialplan of the employee is recorded from his answer on
    (asterisk-ami-observed §7)."""
    inner = Recorded(80.0, 160.0, ((82.0, 160.0),), TALK, 78.0)
    outer = Recorded(85.0, 160.0, TALK, TALK, 60.0)
    assert pieces([outer, inner]) == [Piece(0)]
    assert pieces([inner]) == [Piece(0, pytest.approx(18.0))]  # type: ignore[arg-type]


def test_the_better_file_that_broke_off_is_completed_by_the_other() -> None:
    own = ((100.0, 130.0),)
    shorter = Recorded(95.0, 130.0, own, own, 30.0)
    other = Recorded(95.0, 160.0, TALK, TALK, 60.0)
    assert pieces([shorter, other]) == [Piece(0), Piece(1, pytest.approx(30.0))]  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0.0, 12.0, 300.0])
def test_a_length_that_nothing_explains_is_taken_whole(seconds: float) -> None:
    assert pieces([Recorded(95.0, 160.0, TALK, TALK, seconds)]) == [Piece(0)]


def test_a_file_that_we_learnt_of_at_the_end_is_explained_by_its_length() -> None:
    assert pieces([Recorded(160.0, 160.0, TALK, TALK, 60.2)]) == [Piece(0)]
    assert timeline(Recorded(160.0, 160.0, TALK, TALK, 60.2))


def test_a_call_of_an_older_version_has_one_file_of_which_nothing_is_known() -> None:
    assert pieces([Recorded(10.0, 70.0, (), (), 33.0)]) == [Piece(0)]


STRETCHES = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), min_size=1, max_size=4).map(
    lambda found: tuple((float(a), float(a + b)) for a, b in found)
)
FILES = st.lists(
    st.builds(Recorded, st.floats(0, 50), st.floats(50, 100), STRETCHES, STRETCHES, st.floats(0, 100)),
    min_size=1,
    max_size=5,
)


@given(FILES)
def test_no_talk_is_told_twice_and_something_is_always_told(files: list[Recorded]) -> None:
    gained = gains(files)
    assert any(gained)
    everything = sorted(part for one in gained for part in one)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(everything))
    for piece in pieces(files):
        length = files[piece.file].seconds
        assert 0 <= piece.start <= max(length, 0)
        assert piece.end is None or piece.start <= piece.end <= length


@given(FILES)
def test_a_files_timeline_is_as_long_as_the_file(files: list[Recorded]) -> None:
    for file in files:
        parts = timeline(file)
        assert not parts or total((one.since, one.until) for one in parts) == pytest.approx(
            file.seconds, abs=0.76
        )


def test_what_went_by_unseen_is_not_cut_off_because_a_length_fits_by_chance() -> None:
    seen_late = ((103.0, 160.0),)
    file = Recorded(99.6, 160.0, seen_late, seen_late, 60.2)
    assert pieces([file]) == [Piece(0, pytest.approx(3.2))]  # type: ignore[arg-type]
    assert pieces([replace(file, sure=False)]) == [Piece(0)]
