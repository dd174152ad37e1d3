"""Which lines of a dialplan are the old scripts', and what the file is without them."""

from __future__ import annotations

import itertools

import pytest

from callme.crm.moving import edited
from callme.portals.bitrix24.callme.dialplan import globals_of, old_hooks
from tests.portals.bitrix24.callme.scripts import OWN_CONTEXTS, dialplan

OLD = (
    "CallMe",
    "CallStart",
    "FullFname",
    "CallIntNum",
    "CDR_PROP",
    "sendcall2b24",
    "~~s~~",
    "URLPHP",
    "lame",
)


def without(text: str) -> str:
    return edited(text, old_hooks(text))


def test_of_the_articles_file_nothing_of_theirs_is_left() -> None:
    left = without(dialplan())
    assert [word for word in OLD if word in left] == []
    assert [line for line in left.splitlines() if line.strip()] == [
        "[globals]",
        "; who writes there must own it",
    ]


def test_what_stands_around_it_stays_to_the_last_byte() -> None:
    before = "; mine\r\n[from-internal-custom]\r\nexten => 1,1,NoOp(\x85)\r\n\r\n"
    after = "\n[mine]\nexten => 5,1,Dial(PJSIP/5) ; ring\n"
    text = before + dialplan() + after
    left = without(text)
    assert left.startswith(before)
    assert left.endswith(after)


def test_somebodys_own_dialling_goes_on_where_an_old_line_stood() -> None:
    left = without(OWN_CONTEXTS)
    assert left == (
        OWN_CONTEXTS.replace("Gosub(recording,~~s~~,1(${CALLERID(number)},${EXTEN}))", "NoOp()")
        .replace("Set(__CallIntNum=${CALLERID(num)})", "NoOp()")
        .replace("Set(CDR_PROP(disable)=true)", "NoOp()")
    )


def test_an_extension_in_a_hook_context_goes_and_its_neighbour_stays() -> None:
    own = "exten => _X.,1,Set(__MINE=1)\n same => n,Goto(ext-did,${EXTEN},1)\n"
    text = dialplan().replace("[ext-did-custom]\n", f"[ext-did-custom]\n{own}")
    left = without(text)
    assert f"[ext-did-custom]\n{own}" in left
    assert "exten => s" not in left.partition("[ext-did-custom]")[2].partition("\n[")[0]


def test_an_extension_of_theirs_that_routes_calls_is_kept_with_its_steps() -> None:
    text = "[from-pstn-custom]\nexten => s,1,Set(CallStart=1)\nexten => s,2,Queue(Q1)\n"
    assert without(text) == "[from-pstn-custom]\nexten => s,1,NoOp()\nexten => s,2,Queue(Q1)\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[macro-dialout-trunk-predial-hook]\nexten => s,1,AGI(agi://127.0.0.1/callme)\n same => n,Return()\n",
        "[x]\nexten => s,1,Set(CALLME_COMMAND=${CALLME_COMMAND})\n",
        "[x]\nexten => s,1,Set(CALLERID(num)=8${CALLERID(num)})\n same => n,NoOp()\n",
        "[recording]\nexten => s,1,MixMonitor(a.wav)\n",
        "[x]\n; exten => s,1,Set(CDR_PROP(disable)=true)\n",
        "[globals]\nMINE=1\n",
        "[ext-findmefollow]\nexten => _FMPR-X.,1,Set(CDR_PROP(disable)=1)\n",  # FreePBX's own
        "no context\nexten => s,1,Set(CallStart=1)\n",
    ],
)
def test_what_is_not_theirs_is_left_alone(text: str) -> None:
    assert old_hooks(text) == ()


def test_taking_them_out_twice_changes_nothing_more() -> None:
    once = without(dialplan() + OWN_CONTEXTS)
    assert without(once) == once


def test_each_edit_says_why_and_none_lies_within_another() -> None:
    edits = old_hooks(dialplan() + OWN_CONTEXTS)
    assert all(one.why.say("ru") and one.why.say("en") for one in edits)
    assert all(one.last < two.first for one, two in itertools.pairwise(edits))


def test_their_globals() -> None:
    text = dialplan().replace("URLPHP=http", "URLPHP==http").replace("RECORDING=1", 'RECORDING => "1"')
    assert globals_of(text) == {
        "WAV": "/var/www/html/callme/records/wav",
        "MP3": "/var/www/html/callme/records/mp3",
        "URLRECORDS": "https://pbx.example.com/callmeplus/records/mp3",
        "URLPHP": "http://127.0.0.1/callmeplus/",
        "RECORDING": "1",
    }
    assert globals_of("[other]\nWAV=/x\n") == {}
