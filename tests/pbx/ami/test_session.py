"""One AMI connection without a socket: login, filter, lists, keep-alive."""

from __future__ import annotations

from callme.pbx.ami.session import (
    NO_CHALLENGE,
    NOT_AMI,
    SHUTDOWN,
    AmiSettings,
    Booted,
    Events,
    Gone,
    Happening,
    LoggedIn,
    LoginRefused,
    Replied,
    Session,
    Stage,
)
from callme.pbx.ami.wire import Framer, Message, parse
from tests.pbx.ami.pretender import BOOTED, CHALLENGE, END, Pretender, answer, listing, packet, refuse

SETTINGS = AmiSettings(host="pbx", port=5038, username="callme", secret="s3cret")
BANNER = b"Asterisk Call Manager/5.0.5\r\n"
HANGUP = packet("Event: Hangup", "Cause: 16")
VARSET = packet("Event: VarSet", "Value: 1")


def a_session(settings: AmiSettings = SETTINGS, private: bool = True) -> Session:
    return Session(
        settings, keep=lambda raw: not raw.startswith(b"Event: VarSet"), private=private, nonce="n", now=100.0
    )


def sent(session: Session) -> list[Message]:
    return [parse(raw) for raw in Framer().feed(session.take_bytes())]


def entered(settings: AmiSettings = SETTINGS, now: float = 100.0) -> Session:
    session = a_session(settings)
    session.receive(BANNER, now)
    pbx = Pretender()
    for _ in ("Challenge", "Login"):
        (action,) = sent(session)
        session.receive(pbx._reply(action) or b"", now)
    assert session.stage is Stage.UP
    return session


def messages(happenings: list[Happening]) -> list[str]:
    return [one.name for event in happenings if isinstance(event, Events) for one in event.messages]


# ------------------------------------------------------------------------------------------------- login
def test_the_login_proves_the_secret_without_sending_it() -> None:
    session = a_session()
    assert session.receive(BANNER, 100) == []
    (challenge,) = sent(session)
    assert (challenge.name, challenge.get("AuthType")) == ("Challenge", "MD5")
    session.receive(answer(challenge, f"Challenge: {CHALLENGE}"), 100)
    raw = session.take_bytes()
    assert b"s3cret" not in raw
    (login,) = [parse(one) for one in Framer().feed(raw)]
    assert login.get("Events") == "system,call,agent,user,cdr,dialplan"
    assert Pretender()._login(login).startswith(b"Response: Success")
    happenings = session.receive(
        answer(login, "Message: Authentication accepted") + BOOTED.encode() + END, 100
    )
    assert happenings[:2] == [LoggedIn("5.0.5"), Booted(261)]
    assert session.stage is Stage.UP


def test_the_whole_login_may_come_byte_by_byte() -> None:
    session, pbx, told = a_session(), Pretender(), []
    data = BANNER
    for _ in range(3):
        for at in range(len(data)):
            told += session.receive(data[at : at + 1], 100)
        data = b"".join(pbx._reply(action) or b"" for action in sent(session))
    assert [type(one) for one in told] == [LoggedIn, Booted, Events]


def test_without_the_dialplan_class_the_mask_lacks_it() -> None:
    session = a_session(AmiSettings("pbx", 5038, "callme", "s3cret", dialplan=False))
    session.receive(BANNER, 100)
    session.receive(answer(sent(session)[0], "Challenge: 1"), 100)
    assert sent(session)[0].get("Events") == "system,call,agent,user,cdr"


def test_a_server_without_challenge_gets_a_plain_login_on_a_private_link_only() -> None:
    private, public = a_session(private=True), a_session(private=False)
    private.receive(BANNER, 100)
    private.receive(refuse(sent(private)[0], "Must specify AuthType"), 100)
    assert sent(private)[0].get("Secret") == "s3cret"
    public.receive(BANNER, 100)
    told = public.receive(refuse(sent(public)[0], "Must specify AuthType"), 100)
    assert told == [LoginRefused(NO_CHALLENGE)]
    assert public.take_bytes() == b""


def test_a_refused_login_names_the_user_and_the_cure() -> None:
    session = a_session()
    session.receive(BANNER, 100)
    session.receive(answer(sent(session)[0], "Challenge: 1"), 100)
    (refused,) = session.receive(refuse(sent(session)[0], "Authentication failed"), 100)
    assert isinstance(refused, LoginRefused)
    for said in (refused.problem.say("en"), refused.problem.say("ru")):
        assert "callme" in said
        assert "permit" in said
        assert "Authentication failed" in said
        assert "s3cret" not in said
    assert session.deadline() is None
    assert session.receive(HANGUP, 101) == []


def test_another_kind_of_server_is_told_apart() -> None:
    assert a_session().receive(b"SSH-2.0-OpenSSH_9.2\r\n", 100) == [Gone(NOT_AMI)]


def test_a_login_that_is_not_answered_is_given_up() -> None:
    session = a_session()
    session.receive(BANNER, 110)
    assert session.deadline() == 115
    assert session.tick(114.9) == []
    (gone,) = session.tick(115)
    assert isinstance(gone, Gone)
    assert session.tick(200) == []


# ------------------------------------------------------------------------------------------------ events
def test_only_wanted_events_are_handed_on_with_their_bytes() -> None:
    session = entered()
    (events,) = session.receive(VARSET + HANGUP + b"\r\n" + VARSET + HANGUP, 101)
    assert isinstance(events, Events)
    assert [one.get("Cause") for one in events.messages] == ["16", "16"]
    assert events.raw == HANGUP + HANGUP


def test_fully_booted_comes_first_even_if_it_is_wanted_as_an_event() -> None:
    told = entered().receive(packet("Event: FullyBooted", "Uptime: 0"), 101)
    assert told[0] == Booted(0)
    assert messages(told) == ["FullyBooted"]


def test_fully_booted_of_an_old_asterisk_has_no_uptime() -> None:
    assert entered().receive(packet("Event: FullyBooted"), 101)[0] == Booted(None)


def test_the_end_after_a_shutdown_says_so() -> None:
    session = entered()
    session.receive(packet("Event: Shutdown", "Shutdown: Cleanly", "Restart: True"), 101)
    assert session.ended() == [Gone(SHUTDOWN)]
    assert session.ended() == []


# ----------------------------------------------------------------------------------------------- replies
def test_a_list_is_told_whole_and_the_events_around_it_in_their_order() -> None:
    session = entered()
    action_id = session.ask("CoreShowChannels")
    (action,) = sent(session)
    data = listing(action, ("Event: CoreShowChannel", "Channel: A"), ("Event: CoreShowChannel", "Channel: B"))
    head, tail = data[: data.index(b"Channel: B")], data[data.index(b"Channel: B") :]
    told = session.receive(head, 101) + session.receive(tail[:12] + tail[12:] + HANGUP, 101)
    assert [type(one) for one in told] == [Replied, Events]
    assert isinstance(told[0], Replied)
    reply = told[0].reply
    assert reply.action_id == action_id
    assert [one.get("Channel") for one in reply.items] == ["A", "B", ""]
    assert reply.items[-1].name == "CoreShowChannelsComplete"
    assert reply.raw == data


def test_events_between_the_items_of_a_list_come_before_the_reply() -> None:
    session = entered()
    session.ask("BridgeList")
    (action,) = sent(session)
    data = listing(action, ("Event: BridgeListItem", "BridgeUniqueid: b1"))
    at = data.index(b"Event: BridgeListComplete")
    told = session.receive(data[:at] + HANGUP + data[at:] + HANGUP, 101)
    assert [type(one) for one in told] == [Events, Replied, Events]


def test_a_list_of_asterisk_13_is_announced_by_its_message_alone() -> None:
    session = entered()
    action_id = session.ask("ParkedCalls")
    (action,) = sent(session)
    mark = f"ActionID: {action_id}"
    told = session.receive(answer(action, "Message: Parked calls will follow"), 101)
    told += session.receive(packet("Event: ParkedCall", "Exten: 71", mark), 101)
    assert told == []
    (replied,) = session.receive(packet("Event: ParkedCallsComplete", mark, "Total: 1"), 101)
    assert isinstance(replied, Replied)
    assert [one.name for one in replied.reply.items] == ["ParkedCall", "ParkedCallsComplete"]


def test_a_database_value_needs_no_end_of_its_list() -> None:
    session = entered()
    session.ask("DBGet", [("Family", "AMPUSER"), ("Key", "101/cidname")])
    (action,) = sent(session)
    mark = f"ActionID: {action.get('ActionID')}"
    session.receive(answer(action, "Message: Result will follow"), 101)
    (replied,) = session.receive(packet("Event: DBGetResponse", mark, "Val: Мария"), 101)
    assert isinstance(replied, Replied)
    assert replied.reply.items[0].get("Val") == "Мария"
    late = session.receive(packet("Event: DBGetComplete", mark, "EventList: Complete"), 101)
    assert not any(isinstance(one, Replied) for one in late)


def test_a_refused_list_is_complete_at_once() -> None:
    session = entered()
    session.ask("CoreShowChannels")
    (replied,) = session.receive(refuse(sent(session)[0], "Permission denied"), 101)
    assert isinstance(replied, Replied)
    assert not replied.reply.ok
    assert replied.reply.response.get("Message") == "Permission denied"


def test_lists_of_other_clients_and_forgotten_answers_disturb_nobody() -> None:
    session = entered()
    session.forget(session.ask("CoreShowChannels"))
    (action,) = sent(session)
    session.ask("BridgeList")
    told = session.receive(answer(action, "EventList: start"), 101)
    assert told == []
    stranger = packet("Event: CoreShowChannel", "ActionID: somebody-1", "Channel: A")
    assert messages(session.receive(stranger, 101)) == ["CoreShowChannel"]


def test_an_originate_answers_twice_first_as_reply_then_as_event() -> None:
    session = entered()
    assert session.ask("Originate", [("ActionID", "click-7"), ("Channel", "PJSIP/101")]) == "click-7"
    (action,) = sent(session)
    assert action.all("ActionID") == ["click-7"]
    told = session.receive(answer(action, "Message: Originate successfully queued"), 101)
    assert [type(one) for one in told] == [Replied]
    told = session.receive(packet("Event: OriginateResponse", "ActionID: click-7", "Reason: 4"), 105)
    assert messages(told) == ["OriginateResponse"]


# -------------------------------------------------------------------------------------------- keep-alive
def test_silence_is_asked_about_and_then_not_believed() -> None:
    session = entered(now=100)
    assert session.deadline() == 115
    assert session.tick(114) == []
    assert session.take_bytes() == b""
    assert session.tick(115) == []
    assert [one.name for one in sent(session)] == ["Ping"]
    assert session.deadline() == 125
    (gone,) = session.tick(125)
    assert isinstance(gone, Gone)
    assert "10" in gone.reason.say("en")


def test_any_byte_is_a_sign_of_life() -> None:
    session = entered(now=100)
    session.tick(115)
    session.receive(HANGUP[:5], 124.9)
    assert session.tick(125) == []
    assert session.deadline() == 139.9
