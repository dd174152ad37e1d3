"""What becomes of a call that was sent to one employee."""

from __future__ import annotations

import pytest

from callme.calls import facts as f
from callme.calls.facts import ChannelState, DialStatus
from callme.calls.numbering import Numbering
from callme.calls.presence import Presence, of_device
from callme.calls.steered import Progress, progress
from callme.calls.tracker import Tracker

CALLER = f.Leg("1.1", "1.1", "PJSIP/trunk-00000001", ChannelState.RING, "79261234567", context="from-pstn")
PHONE = f.Leg("1.2", "1.1", "PJSIP/105-00000002", ChannelState.DOWN)
SECOND = f.Leg("1.3", "1.1", "PJSIP/105-00000003", ChannelState.DOWN)
BEFORE = f.Leg("1.4", "1.1", "PJSIP/101-00000004", ChannelState.DOWN)
UP = f.Leg("1.1", "1.1", "PJSIP/trunk-00000001", ChannelState.UP)
SENT = 100.0


def seen(*facts: f.Fact, was_up: bool = False) -> Progress:
    tracker = Tracker("office", Numbering())
    tracker.step([f.ChannelSeen(CALLER, born=True)], 99.0)
    tracker.step([f.Dialled(CALLER, BEFORE, "101"), f.DialEnded(CALLER, BEFORE, DialStatus.BUSY)], 99.5)
    for number, fact in enumerate(facts):
        tracker.step([fact], SENT + number)
    return progress(tracker.board, "1.1", SENT, was_up=was_up)


def rings(leg: f.Leg = PHONE) -> f.Fact:
    return f.Dialled(CALLER, leg, "105/sip:105@host")


def ends(status: DialStatus, leg: f.Leg = PHONE) -> f.Fact:
    return f.DialEnded(CALLER, leg, status)


def test_nothing_has_happened_yet_whatever_was_dialled_before() -> None:
    assert seen() is Progress.UNDERWAY
    assert progress(Tracker("office", Numbering()).board, "9.9", SENT, was_up=False) is Progress.UNDERWAY


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((rings(),), Progress.UNDERWAY),
        ((rings(), ends(DialStatus.BUSY)), Progress.FAILED),
        ((rings(), ends(DialStatus.NO_ANSWER)), Progress.FAILED),
        ((rings(), rings(SECOND), ends(DialStatus.BUSY)), Progress.UNDERWAY),
        ((rings(), rings(SECOND), ends(DialStatus.BUSY), ends(DialStatus.BUSY, SECOND)), Progress.FAILED),
        ((rings(), ends(DialStatus.ANSWER)), Progress.TAKEN),
        ((rings(), f.BridgeEntered(CALLER, "b1", holding=False)), Progress.TAKEN),
        ((f.BridgeEntered(CALLER, "park", holding=True),), Progress.UNDERWAY),
        ((rings(), f.HungUp(CALLER, 16)), Progress.GONE),
    ],
)
def test_from_what_rings_and_answers(facts: tuple[f.Fact, ...], expected: Progress) -> None:
    assert seen(*facts) is expected


def test_a_voicemail_that_answers_is_nobody() -> None:
    assert seen(f.ChannelSeen(UP)) is Progress.FAILED
    assert seen(rings(), f.ChannelSeen(UP)) is Progress.UNDERWAY, "the answer may be seen after the channel"
    assert seen(f.ChannelSeen(UP), was_up=True) is Progress.UNDERWAY, "an announcement had answered before"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, Presence.FREE),
        (1, Presence.BUSY),
        (2, Presence.BUSY),
        (8, Presence.BUSY),
        (9, Presence.BUSY),
        (16, Presence.BUSY),
        (4, Presence.UNREGISTERED),
        (-1, Presence.UNKNOWN),
        (None, Presence.UNKNOWN),
    ],
)
def test_what_a_hint_says(status: int | None, expected: Presence) -> None:
    assert of_device(status, dnd=False, forwarded=False) is expected


def test_do_not_disturb_outranks_and_a_forward_needs_no_telephone() -> None:
    assert of_device(0, dnd=True, forwarded=True) is Presence.DND
    assert of_device(4, dnd=False, forwarded=True) is Presence.FREE
    assert of_device(None, dnd=False, forwarded=True) is Presence.FREE
    assert of_device(1, dnd=False, forwarded=True) is Presence.BUSY
