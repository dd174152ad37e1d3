"""The short visit of `callme check`: what it finds and what it leaves alone."""

from __future__ import annotations

from callme.pbx.ami.probe import Finding, probe
from callme.pbx.ami.session import AmiSettings
from tests.pbx.ami.pretender import Pretender, answer, pretend

SECRET = Pretender.secret
ALL = ("CoreShowChannels", "Getvar", "Originate", "Redirect", "Hangup", "DBGet")


def allow(pbx: Pretender, *actions: str) -> None:
    lines = [f"{name}: does it (Priv: some,all)" for name in actions]
    pbx.replies["ListCommands"] = lambda action: answer(action, *lines)
    pbx.replies["CoreSettings"] = lambda action: answer(action, "AsteriskVersion: 16.28.0")


async def visit(pbx: Pretender, secret: str = SECRET) -> list[Finding]:
    async with pretend(pbx):
        settings = AmiSettings(host="127.0.0.1", port=pbx.port, username="callme", secret=secret)
        return await probe(settings)


async def test_a_pbx_in_order() -> None:
    pbx = Pretender()
    allow(pbx, *ALL)
    findings = await visit(pbx)
    assert all(one.well for one in findings)
    assert "16.28.0" in findings[0].found.say("en")
    assert not {"Originate", "Hangup", "Redirect"} & set(pbx.names())


async def test_missing_rights_are_named_with_their_cure() -> None:
    pbx = Pretender(booted="")
    allow(pbx, "Getvar", "CoreShowChannels", "Hangup")
    ill = [one for one in await visit(pbx) if not one.well]
    said = "\n".join(one.found.say("ru") for one in ill)
    assert "Originate, Redirect" in said
    assert "FullyBooted" in said
    assert all(one.cure is not None for one in ill)


async def test_a_wrong_secret_is_one_clear_finding_and_one_try() -> None:
    pbx = Pretender()
    (finding,) = await visit(pbx, secret="wrong")
    assert not finding.well
    assert "permit" in finding.found.say("en")
    assert "wrong" not in repr(finding)
    assert pbx.connections == 1


async def test_an_address_where_nobody_listens() -> None:
    (finding,) = await probe(AmiSettings(host="127.0.0.1", port=1, username="callme", secret="x"))
    assert not finding.well
    assert "127.0.0.1:1" in finding.found.say("ru")
