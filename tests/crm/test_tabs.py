"""Who may look at a call in the CRM's card, and what he may do with it, moment by moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callme.calls.model import Call, CallId, Direction, Ring, Talk
from callme.crm.tabs import Order, Viewer, orders, takes_part

CALL = Call(
    CallId("office-1.1"),
    "office",
    Direction.IN,
    "79000000001",
    "+79000000001",
    "",
    "7495",
    "PJSIP/t",
    None,
    100.0,
)
BOTH = frozenset(Order)
NOTHING: frozenset[Order] = frozenset()
RINGS_101, RINGS_102 = Ring("101", 101.0), Ring("102", 101.0)
RANG_102 = Ring("102", 101.0, 102.0)


def who(*extensions: str, supervises: bool = False) -> Viewer:
    return Viewer("7", "c", "call", frozenset(extensions), supervises)


@pytest.mark.parametrize(
    ("more", "viewer", "looks", "may"),
    [
        ({}, who("101"), False, NOTHING),
        ({}, who("101", supervises=True), True, BOTH),
        ({"rang": (RINGS_101,)}, who("101"), True, {Order.TRANSFER}),
        ({"rang": (RINGS_101, RINGS_102)}, who("101"), True, NOTHING),
        ({"rang": (RINGS_101,)}, who("102"), False, NOTHING),
        ({"talks": (Talk("101", "101", 102.0),)}, who("100", "101"), True, BOTH),
        ({"talks": (Talk("101", "101", 102.0),), "rang": (RANG_102,)}, who("102"), True, NOTHING),
        ({"talks": (Talk("101", "101", 102.0, 110.0), Talk("102", "102", 110.0))}, who("101"), True, NOTHING),
        ({"talks": (Talk("101", "101", 102.0, 110.0, present=True),)}, who("101"), True, BOTH),
        ({"talks": (Talk("101", "101", 102.0, 110.0),), "ended_at": 110.0}, who("101"), True, NOTHING),
        ({"direction": Direction.OUT, "caller": "101"}, who("101"), True, {Order.HANG_UP}),
        ({"direction": Direction.OUT, "caller": "101"}, who("102"), False, NOTHING),
        ({"direction": Direction.OUT, "caller": "101"}, who(supervises=True), True, {Order.HANG_UP}),
        ({"direction": Direction.INTERNAL, "caller": "101"}, who("101"), True, NOTHING),
        ({"caller": None}, who(""), False, NOTHING),
    ],
)  # fmt: skip
def test_who_sees_and_who_orders(more: dict[str, Any], viewer: Viewer, looks: bool, may: set[Order]) -> None:
    call = replace(CALL, **more)
    assert (takes_part(call, viewer), orders(call, viewer)) == (looks, may)
