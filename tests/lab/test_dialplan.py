"""The rendered configuration: complete, with the least rights, and no jump into nothing."""

from __future__ import annotations

import re

import pytest

from callme.lab import dialplan, numbering
from callme.lab.dialplan import Layout, Options
from callme.lab.numbering import Seat

LAYOUT = Layout("/srv/callme/lab11", "top-secret", "admin-secret")


BOTH = pytest.mark.parametrize("macros", [False, True], ids=["Gosub", "Macro"])


def rendered(options: Options | None = None, *, macros: bool = False) -> dict[str, str]:
    return dialplan.render(Seat(11), options or Options(), LAYOUT, macros=macros)


def plan(*, macros: bool) -> str:
    """The dialplan as a whole, without its comments."""
    files = rendered(macros=macros)
    text = files["extensions.conf"] + files["extensions_additional.conf"]
    return re.sub(r"^ *;.*\n", "", text, flags=re.M)


def section(text: str, name: str) -> str:
    return text.split(f"[{name}]", 1)[1].split("\n[", 1)[0]


def test_no_value_is_left_out() -> None:
    for name, text in rendered().items():
        assert not re.search(r"@[A-Z_]+@", text), name


@pytest.mark.parametrize("number", [11, 249])
def test_all_addresses_are_of_the_seat(number: int) -> None:
    for name, text in dialplan.render(Seat(number), Options(), LAYOUT).items():
        found = set(re.findall(r"\b127\.\d+\.\d+\.\d+", text)) - {"127.0.0.0", "127.0.0.1"}
        assert all(address.startswith(f"127.{number}.0.") for address in found), name


def test_callme_has_the_least_rights_and_dialplan_only_when_asked_for() -> None:
    plain = section(rendered()["manager.conf"], "callme")
    assert "read=system,call,agent,user,cdr\n" in plain
    assert "write=call,originate,reporting\n" in plain
    more = section(rendered(Options(dialplan_class=True))["manager.conf"], "callme")
    assert "read=system,call,agent,user,cdr,dialplan\n" in more


def test_recordings_paths_come_with_every_event() -> None:
    assert "channelvars=FROM_DID,MIXMONITOR_FILENAME" in rendered()["manager.conf"]


def test_cdr_and_cel_events_are_off_unless_wanted() -> None:
    assert "enabled=no" in rendered()["cdr_manager.conf"]
    assert "enabled=no" in section(rendered()["cel.conf"], "manager")
    assert "enabled=yes" in rendered(Options(cdr_events=True))["cdr_manager.conf"]
    assert "enabled=yes" in section(rendered(Options(cel_events=True))["cel.conf"], "manager")


def test_a_secret_is_never_shown_with_its_layout() -> None:
    assert "secret" not in repr(LAYOUT)


@BOTH
def test_every_jump_leads_into_a_context_that_exists(macros: bool) -> None:
    text = plan(macros=macros)
    contexts = set(re.findall(r"^\[([\w-]+)\]", text, re.M)) | {"parkedcalls"}
    named = set(re.findall(r"\b(?:Goto|Gosub)\(([a-z][\w-]+),", text))
    named |= {f"macro-{name}" for name in re.findall(r"\bM(?:acro)?\(([\w-]+)[,)]", text)}
    named |= set(re.findall(r"\bU\(([\w-]+)\)", text))
    named |= set(re.findall(r"^include => ([\w-]+)", text, re.M))
    named |= set(re.findall(r"@(from-[\w-]+)", text))
    assert named
    assert {name for name in named if not name.endswith("-custom")} <= contexts


def test_as_17_writes_it_there_is_no_macro_and_no_old_sip_driver() -> None:
    assert not re.search(r"\bM(acro)?\(|\bMacroExit|\bSIP/", plan(macros=False))


def test_as_16_writes_it_every_subroutine_of_freepbxs_own_is_a_macro() -> None:
    text = plan(macros=True)
    assert "Macro(exten-vm,104,104)" in text
    assert "Macro(hangupcall,)" in text
    assert "${DIAL_OPTIONS}M(auto-blkvm))" in text
    assert not re.search(r"\((?:macro-)|\bU\(|-with-exten", text)
    for name, body in re.findall(r"^\[(macro-[\w-]+)\]\n((?:.*\n)*?)(?=\[|\Z)", text, re.M):
        assert "Return" not in body, name
    assert text.count("MacroExit()") > 10
    # What is a Gosub in both of FreePBX's plans stays one.
    assert "Gosub(sub-record-check,s,1(rg,600,always))" in text
    assert "b(func-apply-sipheaders^s^1)" in text


def test_both_plans_say_the_same_but_for_subroutines() -> None:
    def calls(text: str) -> list[str]:
        return re.findall(r"\b(?:Queue|ConfBridge|MixMonitor|VoiceMail|PickupChan|CURL)\(.*", text)

    assert calls(plan(macros=True)) == calls(plan(macros=False))


def test_every_did_leads_somewhere() -> None:
    text = rendered()["extensions_additional.conf"]
    for did, target in numbering.DIDS.items():
        route = text.split(f"exten => {did},1,")[1].split("exten =>")[0]
        assert f"Goto({target})" in route


def test_own_dialplan_is_taken_in() -> None:
    files = rendered(Options(custom="[ext-did-custom]\nexten => _X.,1,Noop\n"))
    assert files["extensions_custom.conf"].startswith("[ext-did-custom]")
    assert "include => ext-did-custom" in section(files["extensions.conf"], "ext-did")


def test_astdb_tells_extensions_names_and_devices_as_freepbx_does() -> None:
    rows = dialplan.astdb(20)
    assert rows["AMPUSER/101/cidname"] == "Anna Petrova"
    assert rows["DEVICE/101/user"] == "101"
    assert rows["DEVICE/101/dial"] == "PJSIP/101"
    assert {key.split("/")[1] for key in rows if key.startswith("AMPUSER/")} == set(numbering.EXTENSIONS)


def test_one_person_may_have_two_telephones_or_none() -> None:
    text = dialplan.endpoints(Seat(11))
    assert text.count("contact=sip:108@") == 2
    assert "contact=sip:107@" not in text


def test_a_lookup_source_is_asked_by_every_route_and_only_where_there_is_one() -> None:
    text = rendered(
        Options(lookup="http://u:p@127.0.0.1:8080/lookup/office?number=[NUMBER]&uniqueid=[UNIQUEID]")
    )
    made = text["extensions_additional.conf"]
    assert made.count("Gosub(cidlookup,cidlookup_1,1())") == len(numbering.DIDS) + 1
    asked = "number=${STRREPLACE(CALLERID(num),+,%2B)}&uniqueid=${UNIQUEID}"
    assert f"${{CURL(http://u:p@127.0.0.1:8080/lookup/office?{asked})}}" in section(made, "cidlookup")
    assert "cidlookup" not in rendered()["extensions_additional.conf"]
