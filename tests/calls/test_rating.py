"""What a caller says of the talk after it, and whom the PBX's blacklist turns away."""

from __future__ import annotations

import pytest

from callme.calls import facts as f
from callme.calls.facts import ChannelState
from callme.calls.model import Disposition, decode, encode
from callme.calls.observed import VOTE
from tests.calls.scene import Line, Scene


def rated(scene: Scene, *votes: str) -> Line:
    """The colleague hangs up, the customer stays in the menu that asks for a rating."""
    customer = scene.customer_calls()
    phone = scene.rings(customer, "101")
    scene.wait(2)
    scene.talk(customer, phone)
    scene.wait(10)
    scene.part(phone, customer)
    scene.gone(phone)
    scene.wait(5)
    for vote in votes:
        scene.say(f.VariableSet(customer.leg(), VOTE, vote))
    return customer


@pytest.mark.parametrize(
    ("votes", "vote"),
    [(("5",), 5), ((" 1 ",), 1), (("2", "4"), 4), (("0",), None), (("6",), None), (("*",), None), ((), None)],
)
def test_a_rating_after_the_talk_counts_while_the_caller_is_there(
    votes: tuple[str, ...], vote: int | None
) -> None:
    scene = Scene()
    customer = rated(scene, *votes)
    scene.wait(1)
    scene.gone(customer)
    call = scene.call()
    assert (call.vote, call.answered_by, call.ended_at is None) == (vote, "101", False)
    assert decode(encode(call)) == call


def test_a_call_kept_before_ratings_were_is_still_read() -> None:
    scene = Scene()
    scene.gone(rated(scene))
    stored = encode(scene.call())
    del stored["vote"], stored["cause"]
    assert decode(stored).vote is None


def in_blacklist(scene: Scene) -> Line:
    customer = scene.customer_calls()
    scene.wait(0.1)
    customer.context, customer.exten, customer.state = "app-blacklist-check", "s", ChannelState.UP
    scene.say(f.ChannelSeen(customer.leg()))
    scene.wait(4)
    return customer


def test_who_is_answered_by_the_blacklist_was_turned_away() -> None:
    scene = Scene()
    scene.gone(in_blacklist(scene))
    assert scene.call().disposition is Disposition.BLOCKED


def test_who_only_passes_the_blacklists_check_was_not() -> None:
    scene = Scene()
    customer = scene.customer_calls()
    scene.goes_to(customer, "app-blacklist-check", "s", "GotoIf")
    phone = scene.rings(customer, "101")
    scene.wait(3)
    scene.asks(customer)
    scene.gone(phone, customer)
    assert scene.call().disposition is Disposition.CANCELLED
