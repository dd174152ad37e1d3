"""The telephones' SIPp scenarios: sound XML, no dangling label, and no gap in which a message would be
unexpected."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import pytest

from callme.lab.sipp import FAILURES, REASONS, Outgoing, calling, rung

CALL = Outgoing("c1", "74950000003", "79000000110", 'Rose & "Co" <x>')
TEXTS = {
    "rung": rung("101", "/tmp/a tone.al"),
    "calling": calling(CALL, "127.11.0.1", "/tmp/tone.al"),
    "anonymous": calling(Outgoing("c1", "s", "79000000110", anonymous=True), "127.11.0.1", "/tmp/tone.al"),
}


def fromstring(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  our own text


@pytest.mark.parametrize("name", TEXTS)
def test_every_jump_has_its_label_and_every_label_stands_once(name: str) -> None:
    tree = fromstring(TEXTS[name])
    labels = [element.get("id") for element in tree.iter("label")]
    jumps = {
        place for element in tree.iter() for place in (element.get("next"), element.get("ontimeout")) if place
    }
    assert len(labels) == len(set(labels))
    assert jumps <= set(labels)


@pytest.mark.parametrize("name", TEXTS)
def test_after_a_send_the_telephone_listens_at_once(name: str) -> None:
    """SIPp takes a message that comes while it stands at a nop after a send as unexpected and drops the
    call."""
    steps = [element for element in fromstring(TEXTS[name]) if element.tag != "label"]
    for step, after in itertools.pairwise(steps):
        if step.tag == "send" and step.get("next") is None:
            assert after.tag in ("recv", "send"), ET.tostring(step, encoding="unicode")


@pytest.mark.parametrize("name", TEXTS)
def test_every_variable_that_is_used_is_also_set(name: str) -> None:
    tree = fromstring(TEXTS[name])
    text = TEXTS[name]
    set_somewhere = {
        variable
        for element in tree.iter()
        for variable in (element.get("assign_to") or "").split(",")
        if variable
    }
    used = {part.split("]")[0] for part in text.split("[$")[1:]}
    assert used <= set_somewhere


def test_a_rung_telephone_can_refuse_with_every_reason() -> None:
    for code, reason in REASONS.items():
        assert f"SIP/2.0 {code} {reason}\n" in TEXTS["rung"]


def test_a_calling_telephone_understands_every_failure() -> None:
    waits = {element.get("response") for element in fromstring(TEXTS["calling"]).iter("recv")}
    assert waits >= set(FAILURES) | {"100", "180", "183", "200", "487"}


def test_the_name_of_the_caller_is_in_the_from_header() -> None:
    assert 'From: "Rose & "Co" <x>" <sip:79000000110@[local_ip]>' in TEXTS["calling"]


def test_an_anonymous_caller_tells_his_number_to_the_provider_alone() -> None:
    text = TEXTS["anonymous"]
    assert "From: <sip:anonymous@[local_ip]>" in text
    assert "Privacy: id" in text


def test_each_line_of_truth_names_leg_and_call() -> None:
    for element in fromstring(TEXTS["rung"]).iter("log"):
        seconds, micros, leg, _what, call = (element.get("message") or "").split()[:5]
        assert (seconds, micros, leg, call) == ("[$s]", "[$u]", "101", "[call_id]")
