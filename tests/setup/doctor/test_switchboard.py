"""What is concluded from what a PBX shows of a channel that rings nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from callme.config import Pbx
from callme.pbx.ami.rights import CALL_EVENTS, Rights
from callme.pbx.ami.session import AmiSettings
from callme.setup.ami_user import CHANNELVARS, NEEDED_CHANNELVARS
from callme.setup.doctor import switchboard
from callme.setup.doctor.signs import Level
from tests.pbx.ami.pretender import Pretender, answer, packet, pretend

GOOD = Rights(CALL_EVENTS, frozenset(CHANNELVARS), frozenset({"Originate"}), 0.0, dialled=True)


@pytest.mark.parametrize(
    ("rights", "level", "words"),
    [
        (GOOD, Level.WELL, "FROM_DID"),
        (replace(GOOD, events=frozenset()), Level.ILL, "read = system,call,agent,user,cdr"),
        (replace(GOOD, events=CALL_EVENTS - {"Hangup"}), Level.ILL, "eventfilter"),
        (replace(GOOD, variables=frozenset(NEEDED_CHANNELVARS)), Level.HINT, "mailbox"),
        (replace(GOOD, variables=frozenset(CHANNELVARS) - {"CALLME_VOTE"}), Level.HINT, "gives by key"),
        (replace(GOOD, variables=frozenset({"FROM_DID"})), Level.ILL, "MIXMONITOR_FILENAME do not come"),
        (replace(GOOD, variables=frozenset(), events=CALL_EVENTS | {"VarSet"}), Level.HINT, "dialplan"),
        (replace(GOOD, events=CALL_EVENTS | {"VarSet"}), Level.HINT, "take “dialplan”"),
        (replace(GOOD, actions=frozenset({"DBPut"})), Level.HINT, "shell on the PBX"),
        (replace(GOOD, dialled=False), Level.HINT, "may not order a channel"),
    ],
)
def test_each_lack_is_named_with_what_it_means(rights: Rights, level: Level, words: str) -> None:
    signs = switchboard.events(rights)
    assert max(signs, key=lambda sign: list(Level).index(sign.level)).level is level
    said = " ".join(
        phrase.say("en") for sign in signs for phrase in (sign.found, sign.means, sign.cure) if phrase
    )
    assert words in said


def shown(pbx: Pretender) -> None:
    """It shows that channel as Asterisk 22 does, half a minute ahead of us."""
    carried = [f"ChanVariable: {name}=callme-doctor" for name in CHANNELVARS]
    names = ("Newchannel", "Newchannel", "Hangup", "OriginateResponse", "Hangup")
    events = b"".join(packet(f"Event: {name}", "Channel: Local/x;1", *carried) for name in names)
    pbx.replies["Originate"] = lambda action: answer(action, "Message: queued") + events
    pbx.replies["ListCommands"] = lambda action: answer(action, "Originate: does it (Priv: originate,all)")


async def test_a_visit_sees_events_variables_rights_and_clock(tmp_path: Path) -> None:
    (tmp_path / "manager.conf").write_text("[callme]\nread = system,call\n", "utf-8")
    pbx = Pretender()
    shown(pbx)
    async with pretend(pbx):
        config = Pbx(id="office", host="127.0.0.1", port=pbx.port, secret=pbx.secret)
        settings = AmiSettings("127.0.0.1", pbx.port, "callme", pbx.secret)
        signs = await switchboard.examine(config, settings, tmp_path)
    by_topic = {sign.topic.say("en"): sign for sign in signs}
    assert by_topic["PBX “office”: events of calls"].level is Level.WELL
    assert by_topic["PBX “office”: variables in events"].level is Level.WELL
    classes = by_topic["PBX “office”: classes that our user may read"]
    assert classes.level is Level.ILL
    assert "missing: agent" in classes.found.say("en")
    assert by_topic["PBX “office”: clock against ours"].level is not Level.WELL  # it tells a fixed time
    order = await pbx.seen("Originate")
    assert order.get("Channel") == "Local/callme-doctor@callme-nowhere/n"


async def test_a_pbx_that_cannot_be_reached_gives_nothing_more() -> None:
    config = Pbx(id="office", port=1, secret="x")
    assert await switchboard.examine(config, AmiSettings("127.0.0.1", 1, "callme", "x")) == []
