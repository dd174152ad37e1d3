"""A call goes from one person to another: transfers, pickup, parking, conference, redirect."""

from __future__ import annotations

import pytest

from callme.calls import facts as f
from callme.calls.facts import ChannelState, DialStatus
from callme.calls.model import Direction, Disposition, Side, TransferKind
from tests.calls.scene import CUSTOMER, OTHER, Line, Scene, customers, rang


@pytest.fixture
def scene() -> Scene:
    return Scene()


def answered(scene: Scene, extension: str = "101") -> tuple[Line, Line]:
    customer = scene.customer_calls()
    phone = scene.rings(customer, extension)
    scene.wait()
    scene.talk(customer, phone)
    scene.wait(10)
    return customer, phone


def called_out(scene: Scene) -> tuple[Line, Line]:
    phone = scene.phone_calls("101", CUSTOMER)
    phone.number = "74950000001"
    scene.say(f.ChannelSeen(phone.leg()))
    customer = scene.dials_out(phone, CUSTOMER)
    scene.wait(3)
    scene.talk(phone, customer)
    scene.wait(10)
    return customer, phone


def blind(scene: Scene, by: Line, who: Line, exten: str) -> None:
    scene.say(f.BlindTransferred(by.leg(), who.leg(), exten))
    scene.part(who)
    scene.gone(by)
    who.context, who.exten = "from-internal-xfer", exten
    scene.wait(0.1)


class TestBlind:
    def test_to_somebody_who_does_not_answer(self, scene: Scene) -> None:
        customer, phone = answered(scene)
        blind(scene, phone, customer, "102")
        target = scene.rings(customer, "102")
        scene.wait(15)
        scene.refuses(customer, target, DialStatus.NO_ANSWER, 0)
        scene.gone(customer)
        call = scene.call()
        assert (call.answered_by, call.last_talker, call.owner) == ("101", "101", "101")
        assert rang(call) == ["101", "102"]
        assert [(t.kind, t.by, t.to) for t in call.transfers] == [(TransferKind.BLIND, "101", "102")]
        assert call.hung_up_by is Side.PBX

    def test_to_a_mailbox(self, scene: Scene) -> None:
        customer, phone = answered(scene)
        blind(scene, phone, customer, "104")
        target = scene.rings(customer, "104")
        scene.wait(15)
        scene.refuses(customer, target, DialStatus.NO_ANSWER, 0)
        scene.goes_to(customer, "macro-vm", "s-NOANSWER", "VoiceMail")
        scene.wait(9)
        scene.hangs_up(customer)
        call = scene.call()
        assert (call.disposition, call.answered_by, call.owner) == (Disposition.ANSWERED, "101", "101")

    def test_to_a_group_and_back(self, scene: Scene) -> None:
        customer, phone = answered(scene)
        blind(scene, phone, customer, "600")
        scene.goes_to(customer, "ext-group", "600")
        one, two = scene.rings(customer, "102"), scene.rings(customer, "103")
        scene.wait(3)
        scene.ended(customer, one, DialStatus.CANCEL)
        scene.gone(one, cause=26)
        scene.talk(customer, two)
        scene.wait(5)
        blind(scene, two, customer, "101")
        again = scene.rings(customer, "101")
        scene.wait(2)
        scene.talk(customer, again)
        scene.wait(5)
        scene.hangs_up(customer, again)
        call = scene.call()
        assert [talk.who for talk in call.talks] == ["101", "103", "101"]
        assert (call.answered_by, call.owner) == ("101", "101")
        assert [(t.by, t.to) for t in call.transfers] == [("101", "600"), ("103", "101")]

    def test_to_a_queue(self, scene: Scene) -> None:
        customer, phone = answered(scene)
        blind(scene, phone, customer, "700")
        scene.goes_to(customer, "ext-queues", "700", "Queue")
        scene.say(f.QueueJoined(customer.leg(), "700"))
        near, far = scene.local(customer, "104@from-queue")
        agent = scene.rings(far, "104")
        scene.wait(3)
        scene.answers(far, agent)
        scene.meet(agent, far)
        scene.say(f.QueueLeft(customer.leg(), "700"))
        scene.talk(customer, near)
        scene.wait(5)
        scene.hangs_up(customer, near, far, agent)
        call = scene.call()
        assert ([talk.who for talk in call.talks], call.owner) == (["101", "104"], "104")

    def test_to_an_outside_number(self, scene: Scene) -> None:
        customer, phone = answered(scene)
        blind(scene, phone, customer, OTHER)
        mobile = scene.dials_out(customer, OTHER)
        scene.wait(4)
        scene.talk(customer, mobile)
        scene.wait(5)
        scene.hangs_up(mobile, customer)
        call = scene.call()
        assert (call.direction, call.external, call.answered_by) == (Direction.IN, CUSTOMER, "101")
        assert ([talk.who for talk in call.talks], call.owner) == (["101", OTHER], "101")

    def test_of_an_outgoing_call_to_a_colleague(self, scene: Scene) -> None:
        customer, phone = called_out(scene)
        blind(scene, phone, customer, "102")
        target = scene.rings(customer, "102")
        scene.wait(2)
        scene.talk(customer, target)
        scene.wait(5)
        scene.hangs_up(target, customer)
        call = scene.call()
        assert (call.direction, call.external, call.answered_by) == (Direction.OUT, CUSTOMER, CUSTOMER)
        assert ([talk.who for talk in call.talks], call.owner, call.caller) == (["101", "102"], "102", "101")
        assert call.hung_up_by is Side.AGENT

    def test_internal_call_becomes_external(self, scene: Scene) -> None:
        caller = scene.phone_calls("101", "102")
        called = scene.rings(caller, "102")
        scene.wait()
        scene.talk(caller, called)
        scene.wait(4)
        blind(scene, caller, called, CUSTOMER)
        customer = scene.dials_out(called, CUSTOMER)
        scene.wait(3)
        scene.talk(called, customer)
        scene.wait(6)
        scene.hangs_up(customer, called)
        call = scene.call()
        assert (call.direction, call.external, call.owner) == (Direction.OUT, CUSTOMER, "102")
        assert (call.answered_by, call.talk_s, call.hung_up_by) == (CUSTOMER, 6, Side.CALLEE)


class TestAttended:
    def consults(self, scene: Scene, customer: Line, phone: Line) -> tuple[Line, Line]:
        scene.say(f.HoldChanged(phone.leg(), held=True))
        second = scene.phone_calls("101", "102")
        target = scene.rings(second, "102")
        scene.wait(2)
        scene.talk(second, target)
        scene.wait(3)
        return second, target

    def joined(self, scene: Scene, customer: Line, phone: Line, second: Line, target: Line) -> None:
        scene.say(f.HoldChanged(phone.leg(), held=False))
        bridge = target.inside[-1]
        scene.part(customer)
        scene.say(f.BridgeEntered(customer.leg(), bridge, holding=False, swap=second.uniqueid))
        customer.inside.append(bridge)
        second.inside.clear()
        scene.say(f.AttendedTransferred(phone.leg(), second.leg(), customer.leg(), target.leg()))
        scene.gone(phone, second)
        target.linkedid = customer.linkedid

    def test_of_an_outgoing_call(self, scene: Scene) -> None:
        customer, phone = called_out(scene)
        second, target = self.consults(scene, customer, phone)
        self.joined(scene, customer, phone, second, target)
        scene.wait(5)
        scene.hangs_up(customer, target)
        (call,) = scene.calls()
        assert (call.direction, call.external, call.answered_by) == (Direction.OUT, CUSTOMER, CUSTOMER)
        assert ([talk.who for talk in call.talks], call.owner) == (["101", "102"], "102")
        assert (call.hung_up_by, call.talk_s) == (Side.CALLEE, 20)

    def test_internal_call_becomes_external(self, scene: Scene) -> None:
        """101 talks with 102 and calls a customer for him."""
        first = scene.phone_calls("101", "102")
        colleague = scene.rings(first, "102")
        scene.wait()
        scene.talk(first, colleague)
        scene.wait(3)
        second = scene.phone_calls("101", CUSTOMER)
        customer = scene.dials_out(second, CUSTOMER)
        scene.wait(2)
        scene.talk(second, customer)
        scene.wait(3)
        bridge = customer.inside[-1]
        scene.part(colleague)
        scene.say(f.BridgeEntered(colleague.leg(), bridge, holding=False, swap=second.uniqueid))
        colleague.inside.append(bridge)
        second.inside.clear()
        scene.say(f.AttendedTransferred(first.leg(), second.leg(), colleague.leg(), customer.leg()))
        scene.gone(first, second)
        scene.wait(5)
        scene.hangs_up(customer, colleague)
        call = scene.call()
        assert (call.external, call.direction, call.caller) == (CUSTOMER, Direction.OUT, "101")
        assert ([talk.who for talk in call.talks], call.owner) == (["101", "102"], "102")

    def test_while_the_colleague_still_rings(self, scene: Scene) -> None:
        """Asterisk puts a Local channel between the customer and the dial that goes on (bridge.c,
        `_attended@transfer`); its second half takes the transferer's place."""
        customer, phone = answered(scene)
        second = scene.phone_calls("101", "102")
        target = scene.rings(second, "102")
        scene.wait(2)
        near, far = scene.local(None, "_attended@transfer", dialled=False)
        scene.part(phone)
        scene.meet(near, bridge=customer.inside[-1])
        scene.say(f.AttendedTransferred(phone.leg(), second.leg(), customer.leg(), None))
        scene.gone(phone, second)
        scene.wait(4)
        scene.up(target)
        scene.ended(far, target, DialStatus.ANSWER)
        scene.meet(target, far)
        scene.wait(6)
        scene.hangs_up(target, far, near, customer)
        call = scene.call()
        assert ([talk.who for talk in call.talks], call.owner) == (["101", "102"], "102")
        assert [(t.kind, t.by, t.to) for t in call.transfers] == [(TransferKind.ATTENDED, "101", "102")]
        assert [(ring.extension, ring.until is not None) for ring in call.rang] == [
            ("101", True),
            ("102", True),
        ]

    def by_code(self, scene: Scene, exten: str, *, merge: bool) -> tuple[Line, Line, Line, Line, Line]:
        """*2: a Local channel of the customer's linkedid, whose dial names no caller."""
        customer, phone = answered(scene)
        scene.part(phone)
        near, far = scene.local(phone, f"{exten}@from-internal-xfer", dialled=False)
        scene.say(f.Dialled(None, near.leg(), f"{exten}@from-internal-xfer"))
        target = scene.rings(far, exten) if len(exten) == 3 else scene.dials_out(far, exten)
        scene.wait(2)
        scene.answers(far, target)
        scene.meet(target, far)
        scene.up(near)
        scene.ended(None, near, DialStatus.ANSWER)
        consult = scene.meet(phone, near)
        scene.wait(4)
        if merge:  # the customer's bridge takes the consultation's members over
            first = customer.inside[-1]
            scene.part(near)
            scene.meet(near, bridge=first)
        else:
            scene.part(customer)
            scene.meet(customer, bridge=consult)
        scene.say(f.AttendedTransferred(phone.leg(), phone.leg(), customer.leg(), near.leg()))
        scene.gone(phone)
        scene.wait(5)
        return customer, near, far, target, phone

    @pytest.mark.parametrize("merge", [True, False])
    def test_by_feature_code(self, scene: Scene, merge: bool) -> None:
        customer, near, far, target, _ = self.by_code(scene, "102", merge=merge)
        scene.hangs_up(customer, near, far, target)
        (call,) = scene.calls()
        assert ([talk.who for talk in call.talks], call.owner) == (["101", "102"], "102")
        assert [(t.kind, t.by, t.to) for t in call.transfers] == [(TransferKind.ATTENDED, "101", "102")]
        assert call.answered_by == "101"

    def test_by_feature_code_with_the_local_optimised_away(self, scene: Scene) -> None:
        customer, near, far, target, _ = self.by_code(scene, "102", merge=True)
        scene.say(
            f.BridgeEntered(target.leg(), customer.inside[-1], holding=False, swap=near.uniqueid),
        )
        scene.part(target)
        target.inside = [customer.inside[-1]]
        near.inside.clear()
        scene.gone(near, far)
        scene.wait(5)
        scene.hangs_up(target, customer)
        (call,) = scene.calls()
        assert [talk.who for talk in call.talks] == ["101", "102"]
        assert (call.owner, call.talks[-1].until) == ("102", call.ended_at)

    def test_by_feature_code_to_a_group(self, scene: Scene) -> None:
        """It went to the colleague who answered for the group."""
        customer, phone = answered(scene)
        scene.part(phone)
        near, far = scene.local(phone, "600@from-internal-xfer", dialled=False)
        scene.say(f.Dialled(None, near.leg(), "600@from-internal-xfer"))
        loser, target = scene.rings(far, "102"), scene.rings(far, "103")
        scene.wait(2)
        scene.refuses(far, loser, DialStatus.CANCEL, 26)
        scene.answers(far, target)
        scene.meet(target, far)
        scene.ended(None, near, DialStatus.ANSWER)
        consult = scene.meet(phone, near)
        scene.wait(3)
        scene.part(customer)
        scene.meet(customer, bridge=consult)
        scene.say(f.AttendedTransferred(phone.leg(), phone.leg(), customer.leg(), near.leg()))
        scene.gone(phone)
        scene.wait(5)
        scene.hangs_up(customer, near, far, target)
        call = scene.call()
        assert [(t.kind, t.by, t.to) for t in call.transfers] == [(TransferKind.ATTENDED, "101", "103")]
        assert call.owner == "103"

    def test_colleague_joined_with_a_customer(self, scene: Scene) -> None:
        """101 asked 102, who called the customer and joined the two: the customer went to 101."""
        first = scene.phone_calls("101", "102")
        phone = scene.rings(first, "102")
        scene.wait()
        scene.talk(first, phone)
        scene.wait(5)
        second = scene.phone_calls("102", CUSTOMER)
        target = scene.dials_out(second, CUSTOMER)
        scene.wait(2)
        scene.talk(second, target)
        scene.wait(3)
        self.joined(scene, first, phone, second, target)
        scene.wait(5)
        scene.hangs_up(target, first)
        (call,) = customers(scene.calls())
        assert (call.direction, call.external, call.caller, call.owner) == (
            Direction.OUT,
            CUSTOMER,
            "102",
            "101",
        )
        assert [(t.kind, t.by, t.to) for t in call.transfers] == [(TransferKind.ATTENDED, "102", "101")]

    def test_by_feature_code_to_an_outside_number(self, scene: Scene) -> None:
        customer, near, far, target, _ = self.by_code(scene, OTHER, merge=True)
        scene.hangs_up(customer, near, far, target)
        one, two = scene.calls()
        assert (one.direction, one.external, one.owner, one.answered_by) == (
            Direction.IN,
            CUSTOMER,
            "101",
            "101",
        )
        assert (two.direction, two.external, two.owner) == (Direction.OUT, OTHER, "101")
        assert two.id in one.linked
        assert one.id in two.linked

    def test_to_an_outside_number(self, scene: Scene) -> None:
        customer, phone = answered(scene)
        second = scene.phone_calls("101", OTHER)
        target = scene.dials_out(second, OTHER)
        scene.wait(2)
        scene.talk(second, target)
        scene.wait(3)
        self.joined(scene, customer, phone, second, target)
        scene.wait(5)
        scene.hangs_up(customer, target)
        one, two = scene.calls()
        assert (one.external, one.owner, one.answered_by) == (CUSTOMER, "101", "101")
        assert (two.external, two.owner, two.answered_by) == (OTHER, "101", OTHER)
        assert two.id in one.linked
        assert one.id in two.linked
        assert one.ended_at == two.ended_at

    def test_outsider_asked_and_back(self, scene: Scene) -> None:
        customer, phone = answered(scene)
        second = scene.phone_calls("101", OTHER)
        target = scene.dials_out(second, OTHER)
        scene.wait(2)
        scene.talk(second, target)
        scene.wait(3)
        scene.hangs_up(second, target)
        scene.wait(4)
        scene.hangs_up(customer, phone)
        one, two = scene.calls()
        assert (one.external, one.owner, one.linked) == (CUSTOMER, "101", ())
        assert (two.external, two.owner, two.talk_s) == (OTHER, "101", 3)


class TestTakenOver:
    def test_pickup_of_a_group_call(self, scene: Scene) -> None:
        customer = scene.customer_calls()
        scene.goes_to(customer, "ext-group", "600")
        one, two = scene.rings(customer, "101"), scene.rings(customer, "102")
        scene.wait(3)
        picker = scene.phone_calls("105", "*8")
        scene.up(picker)
        scene.say(f.PickedUp(picker.leg(), one.leg()))
        scene.ended(customer, two, DialStatus.CANCEL)
        scene.gone(one, two, cause=26)
        scene.ended(customer, picker, DialStatus.ANSWER)
        scene.up(customer)
        scene.meet(picker, customer)
        picker.linkedid = customer.linkedid
        scene.wait(7)
        scene.hangs_up(customer, picker)
        (call,) = scene.calls()
        assert (call.answered_by, call.owner, rang(call)) == ("105", "105", ["101", "102"])
        assert (call.disposition, call.talk_s) == (Disposition.ANSWERED, 7)

    def parked(self, scene: Scene) -> Line:
        customer, phone = answered(scene)
        scene.say(f.BlindTransferred(phone.leg(), customer.leg(), "70"))
        scene.part(customer)
        scene.say(f.Parked(customer.leg(), "PJSIP/101", "71"))
        scene.say(f.BridgeEntered(customer.leg(), "lot", holding=True))
        customer.inside.append("lot")
        scene.wait(2)
        scene.gone(phone)
        scene.wait(30)
        return customer

    def test_parking_times_out_to_the_parker(self, scene: Scene) -> None:
        customer = self.parked(scene)
        scene.part(customer)
        scene.say(f.Unparked(customer.leg(), None))
        again = scene.rings(customer, "101")
        scene.wait(3)
        scene.talk(customer, again)
        scene.wait(5)
        scene.hangs_up(again, customer)
        call = scene.call()
        assert [talk.who for talk in call.talks] == ["101", "101"]
        assert (call.owner, [(t.kind, t.by, t.to) for t in call.transfers]) == (
            "101",
            [(TransferKind.PARK, "101", "101")],
        )

    def test_parked_caller_gives_up(self, scene: Scene) -> None:
        customer = self.parked(scene)
        scene.say(f.Unparked(customer.leg(), None))
        scene.hangs_up(customer)
        call = scene.call()
        assert (call.owner, call.disposition) == ("101", Disposition.ANSWERED)
        assert call.transfers == ()

    def test_redirected_by_a_program(self, scene: Scene) -> None:
        """AMI Redirect of the colleague's own channel: a short-lived AsyncGoto double of it appears."""
        customer, phone = called_out(scene)
        double = scene.line(f"AsyncGoto/{customer.name[:-9]}", customer, ChannelState.UP, number=CUSTOMER)
        scene.part(phone)
        scene.part(customer)
        double.name += "<ZOMBIE>"
        scene.gone(double, phone)
        target = scene.rings(customer, "102")
        scene.wait(2)
        scene.talk(customer, target)
        scene.wait(3)
        scene.hangs_up(customer, target)
        call = scene.call()
        assert ([talk.who for talk in call.talks], call.owner) == (["101", "102"], "102")

    def test_conference(self, scene: Scene) -> None:
        """Two customers and two colleagues: each customer's call is his own, and customers answer nobody."""
        one, two = scene.customer_calls(), scene.customer_calls(number=OTHER)
        announcer = scene.line("CBAnn/800", state=ChannelState.UP)
        scene.up(one)
        room = scene.meet(one)
        scene.wait(2)
        scene.up(two)
        scene.meet(two, bridge=room)
        scene.meet(announcer, bridge=room)
        scene.wait(2)
        colleague = scene.phone_calls("101", "800")
        scene.up(colleague)
        scene.meet(colleague, bridge=room)
        scene.wait(5)
        scene.hangs_up(one)
        scene.hangs_up(two)
        scene.hangs_up(colleague)
        scene.gone(announcer)
        first, second = scene.calls()
        for call in (first, second):
            assert (call.answered_by, call.owner, call.talk_s) == ("101", "101", 5)
            assert [talk.who for talk in call.talks] == ["101"]

    def test_a_colleague_who_left_a_conference_is_remembered(self, scene: Scene) -> None:
        """His own channel is gone for a minute when the customer leaves too."""
        customer = scene.customer_calls()
        scene.up(customer)
        room = scene.meet(customer)
        colleague = scene.phone_calls("101", "800")
        scene.up(colleague)
        scene.meet(colleague, bridge=room)
        scene.wait(5)
        scene.hangs_up(colleague)
        for _ in range(3):
            scene.wait(25)
            scene.say(f.TimePassed())
        scene.hangs_up(customer)
        call = scene.call()
        assert (call.answered_by, call.owner, [talk.who for talk in call.talks]) == ("101", "101", ["101"])

    def test_conference_of_one_outgoing_customer_and_colleagues(self, scene: Scene) -> None:
        customer, phone = called_out(scene)
        scene.part(phone, customer)
        room = scene.meet(phone, customer)
        colleague = scene.phone_calls("102", "800")
        scene.up(colleague)
        scene.meet(colleague, bridge=room)
        scene.wait(5)
        scene.hangs_up(customer, phone, colleague)
        call = customers(scene.calls())[0]
        assert [talk.who for talk in call.talks] == ["101", "102"]
