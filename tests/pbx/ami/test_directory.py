"""What a PBX tells of its numbers, from the answers that Asterisk 16.28 and 22.10 give to a stock account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from callme.errors import PbxError
from callme.pbx.ami.link import Link
from callme.pbx.ami.session import AmiSettings, Reply
from callme.pbx.ami.source import AmiSource
from callme.pbx.ami.wire import Message
from callme.pbx.port import Directory
from tests.pbx.ami.pretender import Pretender, listing, pretend, refuse

Answer = Callable[[Message], bytes | None]

BASE = {
    "AMPUSER": [
        ("/AMPUSER/101/cidname", "Anna Petrova"),
        ("/AMPUSER/101/device", "101&99101"),
        ("/AMPUSER/102/cidname", "Boris"),
        ("/AMPUSER/101/recording/in/external", "always"),
    ],
    "DEVICE": [
        ("/DEVICE/101/user", "101"),
        ("/DEVICE/99101/user", "101"),
        ("/DEVICE/102/user", "102"),
        ("/DEVICE/desk7/user", "none"),
        ("/DEVICE/101/dial", "PJSIP/101"),
    ],
    "RINGGROUP": [("/RINGGROUP/600/changecid", "default"), ("/RINGGROUP/600/fixedcid", "")],
}
MEMBERS = (
    ("Event: QueueParams", "Queue: 700", "Strategy: ringall"),
    ("Event: QueueMember", "Queue: 700", "Location: Local/102@from-queue/n", "StateInterface: hint:102@x"),
    ("Event: QueueMember", "Queue: 700", "Location: PJSIP/99101", "StateInterface: PJSIP/99101"),
    ("Event: QueueParams", "Queue: 701", "Strategy: linear"),
)
STATES = tuple(
    ("Event: DeviceStateChange", f"Device: {device}", "State: NOT_INUSE")
    for device in (
        "PJSIP/99101",
        "PJSIP/101",
        "PJSIP/trunk-prov",
        "PJSIP/desk7",
        "Queue:700_avail",
        "Queue:700_pause_Local/102@from-queue/n",
        "MWI:102@default",
        "SIP/old-trunk",
    )
)
HINTS = (
    ("Event: ExtensionStatus", "Exten: 101", "Context: ext-local", "Hint: PJSIP/101&PJSIP/99101,X:101"),
    ("Event: ExtensionStatus", "Exten: 102", "Context: ext-local", "Hint: SIP/102&Custom:DND102"),
    ("Event: ExtensionStatus", "Exten: *76101", "Context: ext-local", "Hint: Custom:DND101"),
    ("Event: ExtensionStatus", "Exten: 71", "Context: park-hints", "Hint: park:71@parkedcalls"),
)  # fmt: skip


def base(action: Message) -> bytes:
    family = action.get("Family")
    rows = [("Event: DBGetTreeResponse", f"Key: {key}", f"Val: {value}") for key, value in BASE[family]]
    return listing(action, *rows) if rows else refuse(action, "Database entry not found")


def telling(**more: Answer) -> Pretender:
    """A FreePBX that answers all questions but for those given."""
    pbx = Pretender()
    pbx.replies |= {
        "DBGetTree": base,
        "QueueStatus": lambda action: listing(action, *MEMBERS),
        "DeviceStateList": lambda action: listing(action, *STATES),
        "ExtensionStateList": lambda action: listing(action, *HINTS),
        **more,
    }
    return pbx


def denied(action: Message) -> bytes:
    return refuse(action, "Permission denied")


def unknown(action: Message) -> bytes:
    return refuse(action, f"Invalid/unknown command: {action.name}. Use Action: ListCommands")


@asynccontextmanager
async def source(pbx: Pretender) -> AsyncIterator[AmiSource]:
    async with pretend(pbx):
        settings = AmiSettings(host="127.0.0.1", port=pbx.port, username="callme", secret=pbx.secret)
        made = AmiSource("office", settings, lambda: 0.0, lambda: 0.5)
        moments = made.moments()
        try:
            while not made.state.up:
                await anext(moments)
            yield made
        finally:
            await made.close()
            await moments.aclose()


async def asked(pbx: Pretender) -> Directory:
    async with source(pbx) as made:
        return await made.directory()


async def test_people_telephones_queues_groups_and_trunks() -> None:
    assert await asked(telling()) == Directory(
        names={"101": "Anna Petrova", "102": "Boris"},
        devices={"101": "101", "99101": "101", "102": "102"},
        queues={"700": ("101", "102"), "701": ()},
        groups=("600",),
        trunks=("PJSIP/desk7", "PJSIP/trunk-prov", "SIP/old-trunk"),
    )


async def test_what_is_not_allowed_is_named_and_the_rest_told() -> None:
    found = await asked(telling(DBGetTree=denied, DeviceStateList=denied, ExtensionStateList=denied))
    assert found.denied == ("DBGetTree", "ExtensionStateList")
    assert found.queues == {"700": ("102", "99101"), "701": ()}
    assert not found.names
    assert not found.trunks


async def test_without_a_tree_of_the_base_the_hints_tell_who_is_there() -> None:
    """Asterisk 13 has no DBGetTree."""
    found = await asked(telling(DBGetTree=unknown))
    assert found.devices == {"101": "101", "99101": "101", "102": "102"}
    assert set(found.names) == {"101", "102"}
    assert found.denied == ()


async def test_a_pbx_without_any_of_it_tells_nothing() -> None:
    pbx = telling(DBGetTree=unknown, QueueStatus=unknown, DeviceStateList=unknown, ExtensionStateList=unknown)
    assert await asked(pbx) == Directory()


async def test_people_that_were_asked_for_in_vain_are_not_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would take a silent PBX for one without extensions would lose those it knew."""
    ask = Link.ask

    async def impatient(self: Link, action: str, headers: list[tuple[str, str]], timeout: float) -> Reply:
        return await ask(self, action, headers, 0.05)

    monkeypatch.setattr(Link, "ask", impatient)
    async with source(telling(DBGetTree=lambda action: None)) as made:
        with pytest.raises(PbxError):
            await made.directory()
    found = await asked(telling(QueueStatus=lambda action: None))
    assert found.queues == {}
    assert set(found.names) == {"101", "102"}
