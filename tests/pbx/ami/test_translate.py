"""How Asterisk 13–22 word their events, and what they mean to us."""

from __future__ import annotations

import pytest

from callme.calls import facts as f
from callme.calls.facts import ChannelState, DialStatus, Fact
from callme.pbx.ami import translate
from callme.pbx.ami.wire import parse

T = {"Channel": "PJSIP/trunk-00000001", "Uniqueid": "1764000000.1", "Linkedid": "1764000000.1"}
E = {"Channel": "PJSIP/101-00000002", "Uniqueid": "1764000000.2", "Linkedid": "1764000000.1"}


def packet(event: str, *channels: tuple[str, dict[str, str]], **said: str) -> bytes:
    lines = [f"Event: {event}"]
    for prefix, channel in channels:
        lines += [f"{prefix}{name}: {value}" for name, value in channel.items()]
    lines += [f"{name}: {value}" for name, value in said.items()]
    return "\r\n".join(lines).encode()


def fact(raw: bytes, now: float = 1000.0) -> Fact:
    assert translate.keep(raw), raw
    (only,) = translate.facts(parse(raw), now)
    return only


def nothing(raw: bytes) -> bool:
    return not translate.keep(raw) or translate.facts(parse(raw), 0.0) == ()


class TestFilter:
    @pytest.mark.parametrize(
        "raw",
        [
            packet("VarSet", ("", T), Variable="RTPAUDIOQOS", Value="x"),
            packet("Newexten", ("", T), Context="macro-x", Exten="s", Application="NoOp"),
            packet("RTCPSent"),
            packet("TestEvent"),
            packet("AGIExecStart", ("", T)),
            packet("Cdr", ("", T)),
            b"Response: Success",
            b"",
            b"\xff\xfe",
        ],
    )
    def test_dropped(self, raw: bytes) -> None:
        assert not translate.keep(raw)

    @pytest.mark.parametrize(
        "raw",
        [
            packet("VarSet", ("", T), Variable="__FROM_DID", Value="x"),
            packet("Newexten", ("", T), Context="ivr-1", Exten="s", Application="Wait"),
            packet("Newexten", ("", T), Context="x", Exten="101", Application="Wait"),
            packet("Newexten", ("", T), Context="x", Exten="s", Application="VoiceMail"),
            packet("Newexten", ("", T), Context="macro-vm", Exten="s-BUSY", Application="Macro"),
            packet("Hangup", ("", T)).replace(b"\r\n", b"\n"),
        ],
    )
    def test_kept(self, raw: bytes) -> None:
        assert translate.keep(raw)


class TestLegs:
    def test_everything_that_is_said(self) -> None:
        raw = packet(
            "Newchannel",
            ("", T),
            ChannelStateDesc="Ring",
            CallerIDNum="79161234567",
            CallerIDName="Мария",
            ConnectedLineNum="<unknown>",
            Context="from-pstn",
            Exten="74950000001",
        )
        assert fact(raw) == f.ChannelSeen(
            f.Leg(
                T["Uniqueid"],
                T["Linkedid"],
                T["Channel"],
                ChannelState.RING,
                "79161234567",
                "Мария",
                "",
                "from-pstn",
                "74950000001",
            ),
            born=True,
        )

    @pytest.mark.parametrize("said", ["Pre-ring", "Rsrvd", "Dialing", ""])
    def test_states_that_no_call_depends_on(self, said: str) -> None:
        seen = fact(packet("Newstate", ("", T), ChannelStateDesc=said))
        assert isinstance(seen, f.ChannelSeen)
        assert seen.leg.state is ChannelState.OTHER

    @pytest.mark.parametrize("header", ["ChanVariable"])
    def test_channelvars(self, header: str) -> None:
        raw = (
            packet("Newstate", ("", T))
            + (
                f"\r\n{header}: FROM_DID=74950000001\r\n{header}: MIXMONITOR_FILENAME=/a/b=c.wav"
                f"\r\n{header}: OTHER=1\r\n{header}: EXTTOCALL="
            ).encode()
        )
        seen = fact(raw)
        assert isinstance(seen, f.ChannelSeen)
        assert seen.leg.variables == (("FROM_DID", "74950000001"), ("MIXMONITOR_FILENAME", "/a/b=c.wav"))

    def test_channelvars_of_the_other_channel(self) -> None:
        raw = packet("DialBegin", ("", T), ("Dest", E), DialString="101/x")
        raw += b"\r\nDestChanVariable: FROM_DID=1234567\r\nChanVariable: FROM_DID=7654321"
        seen = fact(raw)
        assert isinstance(seen, f.Dialled)
        assert seen.caller is not None
        assert (seen.caller.variables, seen.dest.variables) == (
            (("FROM_DID", "7654321"),),
            (("FROM_DID", "1234567"),),
        )

    @pytest.mark.parametrize(
        ("said", "name"),
        [
            (r"Иванов \"ООО\"", 'Иванов "ООО"'),
            (r"O\'Neil \\ Co", r"O'Neil \ Co"),
            (r"two\nlines \x1b[2J", "two lines [2J"),
            ("<unknown>", ""),
        ],
    )
    def test_a_callers_name_is_one_line_without_escapes(self, said: str, name: str) -> None:
        seen = fact(packet("Newchannel", ("", {**T, "CallerIDName": said})))
        assert isinstance(seen, f.ChannelSeen)
        assert seen.leg.caller_name == name

    def test_c_escapes(self) -> None:
        seen = fact(packet("VarSet", ("", T), Variable="MIXMONITOR_FILENAME", Value=r"/a/\"b\" c\\d.wav"))
        assert isinstance(seen, f.VariableSet)
        assert seen.value == '/a/"b" c\\d.wav'

    @pytest.mark.parametrize("name", ["FROM_DID", "_FROM_DID", "__FROM_DID"])
    def test_marks_of_inheritance(self, name: str) -> None:
        seen = fact(packet("VarSet", ("", T), Variable=name, Value="1"))
        assert isinstance(seen, f.VariableSet)
        assert seen.name == "FROM_DID"


class TestEvents:
    @pytest.mark.parametrize(
        ("said", "status"),
        [(status.value, status) for status in DialStatus if status.value]
        + [("CONTINUE", DialStatus.OTHER), ("GOTO", DialStatus.OTHER), ("ABORT", DialStatus.OTHER)],
    )
    def test_dial_status(self, said: str, status: DialStatus) -> None:
        seen = fact(packet("DialEnd", ("", T), ("Dest", E), DialStatus=said))
        assert isinstance(seen, f.DialEnded)
        assert (seen.status, seen.forward) == (status, "")

    def test_redirection(self) -> None:
        seen = fact(packet("DialEnd", ("", T), ("Dest", E), DialStatus="CANCEL", Forward="7916@x"))
        assert isinstance(seen, f.DialEnded)
        assert seen.forward == "7916@x"

    def test_originate_has_no_caller(self) -> None:
        seen = fact(packet("DialBegin", ("Dest", E), DialString="101"))
        assert isinstance(seen, f.Dialled)
        assert seen.caller is None

    @pytest.mark.parametrize(("technology", "holding"), [("simple_bridge", False), ("holding_bridge", True)])
    def test_bridges(self, technology: str, holding: bool) -> None:
        raw = packet(
            "BridgeEnter", ("", T), BridgeUniqueid="b", BridgeTechnology=technology, SwapUniqueid="1.9"
        )
        seen = fact(raw)
        assert isinstance(seen, f.BridgeEntered)
        assert (seen.bridge, seen.holding, seen.swap) == ("b", holding, "1.9")

    def test_transfers(self) -> None:
        raw = packet("BlindTransfer", ("Transferer", E), ("Transferee", T), Extension="102", Result="Success")
        seen = fact(raw)
        assert isinstance(seen, f.BlindTransferred)
        assert (seen.by.name, seen.who.name, seen.exten) == (E["Channel"], T["Channel"], "102")
        assert nothing(raw.replace(b"Success", b"Fail"))
        raw = packet("AttendedTransfer", ("OrigTransferer", E), ("SecondTransferer", E), ("Transferee", T))
        both = fact(raw)
        assert isinstance(both, f.AttendedTransferred)
        assert (both.target, both.transferee and both.transferee.name) == (None, T["Channel"])

    def test_parking(self) -> None:
        parked = fact(packet("ParkedCall", ("Parkee", T), ParkerDialString="PJSIP/101", ParkingSpace="71"))
        assert isinstance(parked, f.Parked)
        assert (parked.parker, parked.space) == ("PJSIP/101", "71")
        for name in ("ParkedCallTimeOut", "ParkedCallGiveUp"):
            gone = fact(packet(name, ("Parkee", T)))
            assert isinstance(gone, f.Unparked)
            assert gone.retriever is None

    def test_a_rating_that_the_dialplan_tells(self) -> None:
        seen = fact(packet("UserEvent", ("", T), UserEvent="CallMe", Vote=" 5"))
        assert isinstance(seen, f.VariableSet)
        assert (seen.leg.uniqueid, seen.name, seen.value) == (T["Uniqueid"], "CALLME_VOTE", "5")
        assert nothing(packet("UserEvent", ("", T), UserEvent="TrunkTry", Vote="5"))
        assert nothing(packet("UserEvent", UserEvent="CallMe", Vote="5"))
        assert nothing(packet("UserEvent", ("", T), UserEvent="CallMe"))

    @pytest.mark.parametrize(("said", "cause"), [("16", 16), ("", 0), ("x", 0), ("-1", 0)])
    def test_hangup_cause(self, said: str, cause: int) -> None:
        seen = fact(packet("Hangup", ("", T), Cause=said))
        assert isinstance(seen, f.HungUp)
        assert seen.cause == cause

    def test_failed_originate_has_no_channel(self) -> None:
        raw = packet("OriginateResponse", Response="Failure", ActionID="a1", Uniqueid="<unknown>", Reason="3")
        assert fact(raw) == f.OriginateEnded("a1", "", False, 3)

    @pytest.mark.parametrize("column", ["RecordingFile", "recordingfile"])
    def test_call_detail_record_names_a_recording(self, column: str) -> None:
        raw = packet("Cdr", UniqueID="1.1", **{column: "external-101-1.1.wav"})
        assert fact(raw) == f.FileNoted("1.1", "external-101-1.1.wav")
        assert translate.facts(parse(packet("Cdr", UniqueID="1.1", **{column: ""})), 0.0) == ()

    @pytest.mark.parametrize(("uptime", "booted"), [("60", 940.0), ("0", 1000.0), ("", None), ("x", None)])
    def test_boot(self, uptime: str, booted: float | None) -> None:
        assert fact(packet("FullyBooted", Uptime=uptime)) == f.LinkUp(booted)

    @pytest.mark.parametrize("name", sorted(translate._EVENTS))
    def test_without_any_header_nothing_is_invented(self, name: str) -> None:
        made = translate.facts(parse(packet(name)), 0.0)
        assert all(isinstance(one, f.LinkUp | f.OriginateEnded) for one in made)


def test_snapshot_of_asterisk_13_and_22() -> None:
    """CoreShowChannels says the state as number and words; a parked channel's bridge is a holding one."""
    items = [
        parse(packet("BridgeListItem", BridgeUniqueid="lot", BridgeTechnology="holding_bridge")),
        parse(packet("BridgeListItem", BridgeUniqueid="b", BridgeTechnology="simple_bridge")),
        parse(packet("CoreShowChannel", ("", T), ChannelState="6", ChannelStateDesc="Up", BridgeId="lot")),
        parse(packet("CoreShowChannel", ("", E), ChannelState="5", ChannelStateDesc="Ringing", BridgeId="")),
        parse(packet("CoreShowChannelsComplete")),
    ]
    shot = translate.snapshot(items, 5.0)
    assert [(live.leg.state, live.bridge, live.holding) for live in shot.legs] == [
        (ChannelState.UP, "lot", True),
        (ChannelState.RINGING, "", False),
    ]
    assert shot.asked_at == 5.0
