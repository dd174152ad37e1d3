"""What a portal is told of a call, from the first ring to the recording: once, in order, to the right
people."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from callme.calls import facts as f
from callme.calls.facts import DialStatus
from callme.calls.model import Call, CallId, Direction, Disposition, RecordingFile, Ring, Sound, Talk
from callme.calls.numbering import Numbering
from callme.calls.tracker import Tracker
from callme.crm import policy
from callme.crm.intents import Attach, Cards, Finish, Intent, Reached, Register, Remind, Result
from callme.crm.policy import Rules, Told
from tests.calls.played import cases
from tests.calls.scene import CUSTOMER, DID, OTHER, Line, Scene

WAV = "/var/spool/asterisk/monitor/a.wav"


def told(
    moments: list[tuple[float, tuple[f.Fact, ...]]], rules: Rules = policy.DEFAULT_RULES
) -> list[Intent]:
    """All that a portal hears, with the policy's memory going through JSON each time as through the
    store."""
    tracker = Tracker("pbx", Numbering())
    memos: dict[CallId, dict[str, object]] = {}
    said: list[Intent] = []
    for at, facts in moments:
        for change in tracker.step(facts, at).changes:
            before = Told.from_json(memos.get(change.call.id))
            new, after = policy.decide(change.call, before, rules)
            memos[change.call.id] = json.loads(json.dumps(after.to_json()))
            said += new
            assert policy.decide(change.call, after, rules) == ((), after), "said twice"
    return said


def heard(scene: Scene, rules: Rules = policy.DEFAULT_RULES) -> list[Intent]:
    return told([(moment.at, moment.facts) for moment in scene.moments], rules)


def cards(said: list[Intent]) -> list[set[str]]:
    return [set(intent.seers) for intent in said if isinstance(intent, Cards)]


def finish(said: list[Intent]) -> Finish:
    (only,) = [intent for intent in said if isinstance(intent, Finish)]
    return only


@pytest.fixture
def scene() -> Scene:
    return Scene()


def talking(scene: Scene) -> tuple[Line, Line]:
    customer = scene.customer_calls()
    phone = scene.rings(customer, "101")
    scene.wait(2)
    scene.talk(customer, phone)
    scene.wait(10)
    return customer, phone


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_recorded_calls(case: object) -> None:
    """Of each call: one register, then cards, then one finish for whom the truth names, then no card and at
    most one recording."""
    said = told([(moment.at, moment.facts) for moment in case.moments])  # type: ignore[attr-defined]
    truths = [truth["crm"] for truth in case.truth if truth["crm"]["calls"]]  # type: ignore[attr-defined]
    calls = list(dict.fromkeys(intent.about.call for intent in said))
    assert len(calls) == len(truths)
    for call, truth in zip(calls, truths, strict=True):
        own = [intent for intent in said if intent.about.call == call]
        assert isinstance(own[0], Register)
        kinds = [type(intent) for intent in own]
        assert (kinds.count(Register), kinds.count(Finish)) == (1, 1)
        end = kinds.index(Finish)
        assert all(kind is Attach for kind in kinds[end + 1 :])
        assert kinds.count(Attach) <= 1
        assert not any(cards(own)[-1:]), "somebody keeps the card"
        last = finish(own)
        if truth["user"] is not None:  # several were rung: any of them may own the missed call
            assert last.owner == truth["user"]
        assert (last.result is not Result.ANSWERED) is truth["missed"] or last.about.direction == "out"


def test_group_is_one_register_and_cards_follow_the_ringing(scene: Scene) -> None:
    customer = scene.customer_calls()
    one, two = scene.rings(customer, "101"), scene.rings(customer, "102")
    scene.wait(3)
    scene.ended(customer, one, DialStatus.CANCEL)
    scene.gone(one, cause=26)
    scene.talk(customer, two)
    scene.wait(5)
    scene.hangs_up(customer, two)
    said = heard(scene)
    assert next(type(intent) for intent in said) is Register
    assert cards(said) == [{"101"}, {"101", "102"}, {"102"}, set()]
    end = finish(said)
    assert (end.owner, end.result, end.talk_s, end.rung) == ("102", Result.ANSWERED, 5, ("101", "102"))


def test_facts_of_one_moment_are_one_wish(scene: Scene) -> None:
    customer = scene.customer_calls()
    for extension in ("101", "102", "103"):
        scene.rings(customer, extension)
    facts = tuple(fact for moment in scene.moments for fact in moment.facts)
    register, wish = told([(scene.now, facts)])
    assert isinstance(register, Register)
    assert isinstance(wish, Cards)
    assert (register.owner, wish.seers) == ("101", frozenset({"101", "102", "103"}))


def test_card_goes_with_a_transfer_and_nobody_keeps_one(scene: Scene) -> None:
    customer, phone = talking(scene)
    scene.say(f.BlindTransferred(phone.leg(), customer.leg(), "102"))
    scene.part(customer)
    scene.gone(phone)
    target = scene.rings(customer, "102")
    scene.wait(2)
    scene.talk(customer, target)
    scene.wait(2)
    scene.hangs_up(customer, target)
    said = heard(scene)
    assert [wish for wish in cards(said) if wish] == [{"101"}, {"102"}]
    assert finish(said).owner == "102"


def test_caller_of_an_outgoing_call_sees_it_until_its_end(scene: Scene) -> None:
    phone = scene.phone_calls("101", CUSTOMER)
    customer = scene.dials_out(phone, CUSTOMER)
    scene.wait(3)
    scene.talk(phone, customer)
    scene.wait(4)
    scene.hangs_up(phone, customer)
    said = heard(scene)
    assert cards(said) == [{"101"}, set()]
    assert (finish(said).owner, finish(said).talk_s) == ("101", 4)


def test_colleagues_are_told_to_nobody(scene: Scene) -> None:
    caller = scene.phone_calls("101", "102")
    called = scene.rings(caller, "102")
    scene.talk(caller, called)
    scene.wait()
    scene.hangs_up(caller, called)
    assert heard(scene) == []


def missed(scene: Scene) -> None:
    customer = scene.customer_calls()
    for extension in ("103", "101"):
        phone = scene.rings(customer, extension)
        scene.wait(5)
        scene.refuses(customer, phone, DialStatus.NO_ANSWER, 0)
    scene.gone(customer)


@pytest.mark.parametrize(
    ("rules", "owner"),
    [
        (Rules(), "103"),
        (Rules(missed_owner=("line", "rung"), lines={DID: "105"}), "105"),
        (Rules(missed_owner=("line", "rung"), lines={"74950000009": "105"}), "103"),
        (Rules(missed_owner=("line",)), None),
        (Rules(missed_owner=()), None),
    ],
)
def test_owner_of_a_missed_call(scene: Scene, rules: Rules, owner: str | None) -> None:
    missed(scene)
    end = finish(heard(scene, rules))
    assert (end.owner, end.result, end.talk_s) == (owner, Result.NO_ANSWER, 0)
    assert end.rung == ("103", "101")


def test_hidden_number_and_after_hours(scene: Scene) -> None:
    customer = scene.customer_calls(number="anonymous")
    scene.up(customer)
    scene.wait(4)
    scene.gone(customer)
    register, end = heard(scene)
    assert isinstance(register, Register)
    assert isinstance(end, Finish)
    assert (register.about.number, register.owner, register.about.line) == ("", None, DID)
    assert end.result is Result.AFTER_HOURS


def test_recording_is_attached_once_and_only_of_a_talk(scene: Scene) -> None:
    customer, phone = talking(scene)
    both = (WAV, WAV.replace("a.wav", "b.wav"))
    for path in both:
        scene.say(f.VariableSet(customer.leg(), "MIXMONITOR_FILENAME", path))
    scene.hangs_up(customer, phone)
    (attached,) = [intent for intent in heard(scene) if isinstance(intent, Attach)]
    assert tuple(file.path for file in attached.files) == both
    assert attached.path == WAV
    talk = (attached.answered_at, attached.ended_at)
    assert [file.talk for file in attached.files] == [(talk,), (talk,)]
    quiet = Scene()
    lonely = quiet.customer_calls()
    quiet.say(f.VariableSet(lonely.leg(), "MIXMONITOR_FILENAME", WAV))
    quiet.hangs_up(lonely)
    assert not any(isinstance(intent, Attach) for intent in heard(quiet))


def test_a_consultations_file_is_not_the_customers(scene: Scene) -> None:
    customer, phone = talking(scene)
    second = scene.phone_calls("101", "102")
    scene.say(f.VariableSet(second.leg(), "MIXMONITOR_FILENAME", WAV.replace("a", "consultation")))
    target = scene.rings(second, "102")
    scene.talk(second, target)
    scene.say(f.VariableSet(customer.leg(), "MIXMONITOR_FILENAME", WAV))
    bridge = target.inside[-1]
    scene.part(customer)
    scene.say(f.BridgeEntered(customer.leg(), bridge, holding=False, swap=second.uniqueid))
    customer.inside.append(bridge)
    second.inside.clear()
    scene.say(f.AttendedTransferred(phone.leg(), second.leg(), customer.leg(), target.leg()))
    scene.gone(phone, second)
    scene.wait(3)
    scene.hangs_up(customer, target)
    assert [intent.path for intent in heard(scene) if isinstance(intent, Attach)] == [WAV]


def test_lost_call_is_finished_with_what_is_certain(scene: Scene) -> None:
    talking(scene)
    scene.say(f.LinkDown())
    scene.wait(60)
    scene.say(f.Snapshot((), scene.now))
    end = finish(heard(scene))
    assert (end.lost, end.result, end.talk_s, end.owner) == (True, Result.ANSWERED, 10, "101")


def call(**fields: object) -> Call:
    ringing = Call(
        CallId("pbx-1.1"), "pbx", Direction.IN, OTHER, "+" + OTHER, "", DID, "prov", None, 100.0, 101.0
    )
    return replace(ringing, rang=(Ring("101", 101.0),), **fields)  # type: ignore[arg-type]


def test_absorbed_call_is_closed_once() -> None:
    ringing = call()
    _, memo = policy.decide(ringing, Told())
    said, after = policy.abandon(ringing, memo, 110.0)
    assert [type(intent) for intent in said] == [Cards, Finish]
    assert finish(list(said)).lost
    assert policy.abandon(ringing, after, 120.0) == ((), after)
    assert policy.abandon(ringing, Told(), 120.0) == ((), Told())


def test_short_talk_counts_a_second() -> None:
    talk = (Talk("101", "101", 102.0, 102.2),)
    ended = call(talks=talk, answered_at=102.0, ended_at=102.2, disposition=Disposition.ANSWERED, owner="101")
    said, _ = policy.decide(ended, Told())
    assert finish(list(said)).talk_s == 1


def test_recording_that_is_known_late() -> None:
    talk = (Talk("101", "101", 102.0, 105.0),)
    ended = call(talks=talk, answered_at=102.0, ended_at=105.0)
    _, memo = policy.decide(ended, Told())
    file = RecordingFile(WAV, "PJSIP/trunk-1", "1.1", 101.0)
    growing = replace(ended, recordings=(file,))
    assert policy.decide(growing, memo) == ((), memo)  # its channel lives on: it is still being written
    late = replace(ended, recordings=(replace(file, until=106.0),))
    (attach,), after = policy.decide(late, memo)
    assert isinstance(attach, Attach)
    assert (attach.path, attach.ordinal) == (WAV, 0)
    assert policy.decide(late, after) == ((), after)
    second = replace(file, path=WAV.replace("a.wav", "b.wav"), until=106.0)
    (better,), at_last = policy.decide(replace(late, recordings=(*late.recordings, second)), after)
    assert isinstance(better, Attach)
    assert (better.ordinal, len(better.files)) == (1, 2)
    assert Told.from_json(at_last.to_json()) == at_last


def test_the_message_of_a_missed_call_is_attached(scene: Scene) -> None:
    customer = scene.customer_calls()
    phone = scene.rings(customer, "104")
    scene.say(f.VariableSet(customer.leg(), "MIXMONITOR_FILENAME", WAV))
    scene.wait(8)
    scene.refuses(customer, phone, DialStatus.NO_ANSWER, 0)
    scene.up(customer)
    scene.goes_to(customer, "macro-vm", "s", "VoiceMail")
    scene.wait(9)
    message = "/var/spool/asterisk/voicemail/default/104/INBOX/msg0000"
    scene.say(f.VariableSet(customer.leg(), "VM_MESSAGEFILE", message))
    scene.gone(customer)
    said = heard(scene)
    assert finish(said).result is Result.VOICEMAIL
    (attach,) = [intent for intent in said if isinstance(intent, Attach)]
    assert [(file.path, file.kind) for file in attach.files] == [(message, Sound.VOICEMAIL)]


def test_a_file_that_only_the_call_detail_record_names(scene: Scene) -> None:
    customer, phone = talking(scene)
    name = f"external-101-7900-20261124-100000-{customer.uniqueid}.wav"
    scene.say(f.FileNoted(phone.uniqueid, name))
    scene.hangs_up(customer, phone)
    (attach,) = [intent for intent in heard(scene) if isinstance(intent, Attach)]
    assert [(file.path, file.uniqueid) for file in attach.files] == [(name, customer.uniqueid)]


def test_a_file_that_a_variable_named_is_not_named_twice(scene: Scene) -> None:
    customer, phone = talking(scene)
    scene.say(f.VariableSet(customer.leg(), "MIXMONITOR_FILENAME", WAV))
    scene.hangs_up(customer, phone)
    for uniqueid in (customer.uniqueid, phone.uniqueid, "of a call that was never seen"):
        scene.say(f.FileNoted(uniqueid, WAV.rpartition("/")[2]))
    (attach,) = [intent for intent in heard(scene) if isinstance(intent, Attach)]
    assert [file.path for file in attach.files] == [WAV]


def test_the_address_that_an_old_dialplan_names_is_a_file_too(scene: Scene) -> None:
    customer, phone = talking(scene)
    address = "https://pbx.example.com/monitor/2026/11/24/a.mp3"
    scene.say(f.VariableSet(customer.leg(), "MIXMONITOR_FILENAME", WAV))
    scene.say(f.VariableSet(customer.leg(), "CallMeFULLFNAME", address))
    scene.hangs_up(customer, phone)
    (attach,) = [intent for intent in heard(scene) if isinstance(intent, Attach)]
    assert [file.path for file in attach.files] == [WAV, address]


def test_nothing_stored_is_nothing_told() -> None:
    assert Told.from_json(None) == Told.from_json({}) == Told()
    full = Told(True, frozenset({"102", "101"}), True, (WAV,))
    assert Told.from_json(json.loads(json.dumps(full.to_json()))) == full


def test_a_rating_is_told_and_its_menu_is_no_talk(scene: Scene) -> None:
    customer, phone = talking(scene)
    scene.part(phone, customer)
    scene.gone(phone)
    scene.wait(7)
    scene.say(f.VariableSet(customer.leg(), "CALLME_VOTE", "4"))
    scene.wait(1)
    scene.gone(customer)
    end = finish(heard(scene))
    assert (end.vote, end.talk_s, end.owner) == (4, 10, "101")


@pytest.mark.parametrize(("blocked", "result"), [((), Result.NO_ANSWER), (("7916*",), Result.BLOCKED)])
def test_a_blocked_number_is_no_client_and_not_missed(
    scene: Scene, blocked: tuple[str, ...], result: Result
) -> None:
    customer = scene.customer_calls("+79161234567")
    phone = scene.rings(customer, "101")
    scene.wait(20)
    scene.ended(customer, phone, DialStatus.NO_ANSWER)
    scene.gone(phone)
    scene.wait(1)
    scene.gone(customer)
    said = heard(scene, Rules(blocked=blocked))
    register = said[0]
    assert isinstance(register, Register)
    assert register.unwanted is bool(blocked)
    assert finish(said).result is result


def test_a_blocked_number_that_somebody_answers_was_answered(scene: Scene) -> None:
    customer, phone = talking(scene)
    scene.hangs_up(customer, phone)
    assert finish(heard(scene, Rules(blocked=("*",)))).result is Result.ANSWERED


def reminders(said: list[Intent]) -> list[str]:
    return [intent.KIND for intent in said if isinstance(intent, Remind | Reached)]


def unanswered(scene: Scene) -> None:
    customer = scene.customer_calls("+79161234567")
    phone = scene.rings(customer, "101")
    scene.wait(20)
    scene.ended(customer, phone, DialStatus.NO_ANSWER)
    scene.gone(phone, customer)


def test_a_missed_call_reminds_and_an_answered_one_says_that_the_client_was_reached() -> None:
    rules = Rules(reminds=True)
    one, two = Scene(), Scene()
    unanswered(one)
    said = heard(one, rules)
    assert [intent.KIND for intent in said][-2:] == ["finish", "remind"]
    remind = said[-1]
    assert isinstance(remind, Remind)
    assert (remind.owner, remind.rung, remind.about.number) == ("101", ("101",), "+79161234567")
    customer, phone = talking(two)
    two.hangs_up(customer, phone)
    assert reminders(heard(two, rules)) == ["reached"]
    kinds = [intent.KIND for intent in heard(two, rules)]
    assert kinds.index("reached") < kinds.index("finish"), "at the first word, not at the end"


def test_nobody_is_reminded_unasked_nor_of_the_unwanted_nor_of_what_is_not_certain(scene: Scene) -> None:
    unanswered(scene)
    assert reminders(heard(scene)) == []
    assert reminders(heard(scene, Rules(reminds=True, blocked=("7916*",)))) == []
    hidden = Scene()
    hidden.gone(hidden.customer_calls("anonymous"))
    assert reminders(heard(hidden, Rules(reminds=True))) == []
    blind = Scene()
    blind.rings(blind.customer_calls(), "101")
    blind.say(f.LinkDown())
    blind.wait(60)
    blind.say(f.Snapshot((), blind.now))
    assert finish(heard(blind)).lost
    assert reminders(heard(blind, Rules(reminds=True))) == []
