"""A customer calls: one phone, groups, queues, menus, forwards, mailboxes."""

from __future__ import annotations

import pytest

from callme.calls import facts as f
from callme.calls.facts import ChannelState, DialStatus
from callme.calls.model import Direction, Disposition, Side
from callme.calls.numbering import Numbering
from tests.calls.scene import CUSTOMER, DID, OTHER, Line, Scene, rang


@pytest.fixture
def scene() -> Scene:
    return Scene()


def answered(scene: Scene, customer: Line, extension: str = "101") -> Line:
    phone = scene.rings(customer, extension)
    scene.wait()
    scene.talk(customer, phone)
    scene.wait(10)
    return phone


class TestTheCaller:
    @pytest.mark.parametrize(
        ("did", "line"),
        [(DID, DID), ("s", ""), ("+74950000001", DID), ("84950000001", DID), ("", "")],
    )
    def test_did_in_any_form(self, scene: Scene, did: str, line: str) -> None:
        customer = scene.customer_calls(did=did)
        phone = answered(scene, customer)
        scene.hangs_up(customer, phone)
        call = scene.call()
        assert (call.line, call.external, call.answered_by) == (line, CUSTOMER, "101")

    def test_did_that_only_the_dialplan_knows(self, scene: Scene) -> None:
        customer = scene.customer_calls(did="s")
        scene.say(f.VariableSet(customer.leg(), "FROM_DID", "4950000001"))
        scene.hangs_up(customer, answered(scene, customer))
        assert scene.call().line == "74950000001"

    @pytest.mark.parametrize("number", ["anonymous", "", "Restricted", "unknown"])
    def test_hidden_number(self, scene: Scene, number: str) -> None:
        customer = scene.customer_calls(number=number, name="Anonymous")
        scene.hangs_up(customer, answered(scene, customer))
        call = scene.call()
        assert (call.direction, call.external, call.number, call.name) == (Direction.IN, "", "", "")
        assert call.answered_by == "101"

    def test_hidden_number_sent_out_again(self, scene: Scene) -> None:
        """The outbound route gives the caller's channel the company's number: he stays hidden."""
        customer = scene.customer_calls(number="anonymous")
        scene.wait(0.1)
        customer.context, customer.exten, customer.number = "macro-outbound-callerid", "s", DID
        scene.say(f.ChannelSeen(customer.leg()))
        mobile = scene.dials_out(customer, OTHER)
        scene.wait(3)
        scene.talk(customer, mobile)
        scene.wait(5)
        scene.hangs_up(customer, mobile)
        call = scene.call()
        assert (call.external, call.answered_by) == ("", OTHER)

    @pytest.mark.parametrize("number", ["205", "101", "0890"])
    def test_short_number_and_a_groups_mobile(self, scene: Scene, number: str) -> None:
        """A Local half is connected with the caller: his short number makes nobody the mobile's owner."""
        customer = scene.customer_calls(number=number)
        scene.goes_to(customer, "ext-group", "603")
        scene.wait(0.1)
        near, far = scene.local(customer, f"{OTHER}@from-internal")
        far.connected = number
        scene.say(f.ChannelSeen(far.leg()))
        scene.wait(0.1)
        mobile = scene.dials_out(far, OTHER)
        scene.wait(3)
        scene.talk(far, mobile)
        scene.answers(customer, near)
        scene.meet(near, customer)
        scene.wait(5)
        scene.hangs_up(customer, near, far, mobile)
        call = scene.call()
        assert (call.external, call.answered_by, call.owner) == (number, OTHER, None)

    def test_nobody_wants_to_be_disturbed(self, scene: Scene) -> None:
        """The dialplan plays the busy tone and rings nobody; only the class dialplan tells it."""
        customer = scene.customer_calls()
        scene.goes_to(customer, "from-did-direct", "101", "Goto")
        scene.goes_to(customer, "macro-exten-vm", "s", "Busy")
        scene.wait(3)
        scene.gone(customer, cause=17)
        call = scene.call()
        assert (call.disposition, call.rang, call.answered_by) == (Disposition.BUSY, (), None)

    def test_name_is_taken_before_a_group_puts_its_prefix(self, scene: Scene) -> None:
        customer = scene.customer_calls(name="Мария Кузнецова")
        customer.caller_name = "Продажи:Мария Кузнецова"
        scene.say(f.ChannelSeen(customer.leg()))
        scene.hangs_up(customer, answered(scene, customer))
        assert scene.call().name == "Мария Кузнецова"

    @pytest.mark.parametrize("copy", ["79161234567", "+7 (916) 123-45-67"])
    def test_number_in_place_of_the_name_is_no_name(self, scene: Scene, copy: str) -> None:
        customer = scene.customer_calls(name=copy)
        scene.hangs_up(customer, answered(scene, customer))
        assert scene.call().name == ""


class TestOneExtension:
    def test_two_registered_phones(self, scene: Scene) -> None:
        customer = scene.customer_calls()
        desk, softphone = scene.rings(customer, "101"), scene.rings(customer, "101")
        scene.wait()
        scene.ended(customer, desk, DialStatus.CANCEL)
        scene.gone(desk, cause=26)
        scene.talk(customer, softphone)
        scene.wait(5)
        scene.hangs_up(softphone, customer)
        call = scene.call()
        assert (call.answered_by, rang(call), call.hung_up_by) == ("101", ["101"], Side.AGENT)

    def test_dial_ends_in_a_way_that_says_nothing(self, scene: Scene) -> None:
        """CONTINUE, GOTO and ABORT: the dialplan of the Dial went elsewhere."""
        customer = scene.customer_calls()
        phone = scene.rings(customer, "101")
        scene.wait(5)
        scene.refuses(customer, phone, DialStatus.OTHER, 16)
        scene.wait(3)
        scene.gone(customer)
        assert scene.call().disposition is Disposition.NO_ANSWER

    def test_mailbox_behind_a_menu_whose_line_was_up_already(self, scene: Scene) -> None:
        """A Macro dialplan shows no VoiceMail application (freepbx §1.5); the place tells it."""
        customer = scene.customer_calls()
        scene.goes_to(customer, "ivr-1", "s", "BackGround")
        scene.up(customer)
        scene.wait()
        scene.goes_to(customer, "from-did-direct", "101", "Macro")
        phone = scene.rings(customer, "101")
        scene.wait(15)
        scene.refuses(customer, phone, DialStatus.NO_ANSWER, 0)
        scene.goes_to(customer, "macro-vm", "s-NOANSWER", "Macro")
        scene.wait(5)
        scene.hangs_up(customer)
        call = scene.call()
        assert (call.disposition, call.answered_by, rang(call)) == (Disposition.VOICEMAIL, None, ["101"])

    def test_call_waiting(self, scene: Scene) -> None:
        """A person who talks is rung by a second customer and does not answer."""
        first = scene.customer_calls()
        phone = answered(scene, first)
        second = scene.customer_calls(number=OTHER)
        waiting = scene.rings(second, "101")
        scene.wait(5)
        scene.asks(second)
        scene.ended(second, waiting, DialStatus.CANCEL)
        scene.gone(waiting, second, cause=127)
        scene.wait(5)
        scene.hangs_up(first, phone)
        one, two = scene.calls()
        assert (one.external, one.answered_by, one.talk_s) == (CUSTOMER, "101", 20)
        assert (two.external, two.answered_by, two.disposition) == (OTHER, None, Disposition.CANCELLED)
        assert rang(two) == ["101"]

    @pytest.mark.parametrize(
        ("device", "extension"),
        [
            ("SIP/101", "101"),
            ("IAX2/101", "101"),
            ("SCCP/101", "101"),
            ("PJSIP/99101", "101"),
            ("PJSIP/98101", "101"),
            ("PJSIP/90101", "101"),
            ("PJSIP/desk-7", "101"),
        ],
    )
    def test_devices(self, device: str, extension: str) -> None:
        scene = Scene(Numbering(known_extensions=frozenset({"101", "102"}), devices={"desk-7": "101"}))
        customer = scene.customer_calls()
        phone = scene.rings(customer, extension, device)
        scene.wait()
        scene.talk(customer, phone)
        scene.wait()
        scene.hangs_up(customer, phone)
        call = scene.call()
        assert (call.answered_by, rang(call)) == (extension, [extension])

    @pytest.mark.parametrize(
        ("trunk", "state"),
        [
            ("SIP/74950000001", ChannelState.RING),
            ("IAX2/provider-4521", ChannelState.RING),
            ("DAHDI/i1/79161234567-5", ChannelState.RING),
            ("DAHDI/4-1", ChannelState.OTHER),  # analog: born in state Pre-ring
            ("PJSIP/2020", ChannelState.RING),
        ],
    )
    def test_trunks(self, scene: Scene, trunk: str, state: ChannelState) -> None:
        customer = scene.line(trunk, state=state, number=CUSTOMER, context="from-trunk-x", exten=DID)
        scene.hangs_up(customer, answered(scene, customer))
        call = scene.call()
        assert (call.direction, call.external, call.answered_by) == (Direction.IN, CUSTOMER, "101")


class TestForwards:
    def test_call_forward_after_the_desk_phone_rang(self, scene: Scene) -> None:
        customer = scene.customer_calls()
        scene.goes_to(customer, "ext-local", "101")
        phone = scene.rings(customer, "101")
        scene.wait(10)
        scene.refuses(customer, phone, DialStatus.NO_ANSWER, 0)
        near, far = scene.local(customer, f"{OTHER}@from-internal")
        mobile = scene.dials_out(far, OTHER)
        scene.wait(5)
        scene.answers(far, mobile)
        scene.meet(mobile, far)
        scene.talk(customer, near)
        scene.wait(20)
        scene.hangs_up(mobile, far, near, customer)
        call = scene.call()
        assert (call.answered_by, call.via, call.owner) == ("101", OTHER, "101")
        assert (call.external, call.hung_up_by, call.talk_s) == (CUSTOMER, Side.AGENT, 20)

    def test_phone_redirects_by_302(self, scene: Scene) -> None:
        customer = scene.customer_calls()
        phone = scene.rings(customer, "101")
        scene.wait(1)
        near, far = scene.local(customer, f"{OTHER}@from-internal")
        scene.say(
            f.DialEnded(customer.leg(), phone.leg(), DialStatus.CANCEL, forward=f"{OTHER}@from-internal")
        )
        scene.gone(phone, cause=0)
        mobile = scene.dials_out(far, OTHER)
        scene.wait(5)
        scene.answers(far, mobile)
        scene.meet(mobile, far)
        scene.talk(customer, near)
        scene.wait(20)
        scene.hangs_up(customer, near, far, mobile)
        call = scene.call()
        assert (call.answered_by, call.via, call.owner) == ("101", OTHER, "101")

    def followed(self, scene: Scene) -> tuple[Line, list[Line], Line]:
        customer = scene.customer_calls()
        scene.goes_to(customer, "ext-findmefollow", "106")
        desk, desk_far = scene.local(customer, "FMPR-106@from-internal")
        away, away_far = scene.local(customer, f"FMGL-{OTHER}#@from-internal")
        phone = scene.rings(desk_far, "106")
        near, far = scene.local(away_far, f"{OTHER}@from-internal")
        mobile = scene.dials_out(far, OTHER)
        scene.wait(5)
        return customer, [desk, desk_far, phone, away, away_far, near, far], mobile

    def test_mobile_has_to_confirm_and_does_not(self, scene: Scene) -> None:
        """Its mailbox picks up, nobody presses the key: the customer talked with nobody."""
        customer, rest, mobile = self.followed(scene)
        scene.up(mobile)
        scene.wait(10)
        scene.ended(rest[6], mobile, DialStatus.OTHER)
        scene.gone(mobile, rest[6], rest[5], rest[4], rest[3])
        scene.wait(2)
        scene.asks(customer)
        scene.ended(rest[1], rest[2], DialStatus.CANCEL)
        scene.ended(customer, rest[0], DialStatus.CANCEL)
        scene.gone(rest[2], rest[1], rest[0], customer, cause=127)
        call = scene.call()
        assert (call.answered_by, call.disposition) == (None, Disposition.CANCELLED)
        assert call.talks == ()

    def test_mobile_confirms(self, scene: Scene) -> None:
        customer, rest, mobile = self.followed(scene)
        desk, desk_far, phone, away, away_far, near, far = rest
        scene.up(mobile)
        scene.wait(4)
        scene.ended(far, mobile, DialStatus.ANSWER)
        scene.meet(mobile, far)
        scene.answers(away_far, near)
        scene.meet(near, away_far)
        scene.ended(customer, desk, DialStatus.CANCEL)
        scene.ended(desk_far, phone, DialStatus.CANCEL)
        scene.gone(phone, desk_far, desk, cause=26)
        scene.talk(customer, away)
        scene.wait(30)
        scene.hangs_up(customer, away, away_far, near, far, mobile)
        call = scene.call()
        assert (call.answered_by, call.via, call.talk_s) == ("106", OTHER, 30)
        assert rang(call) == ["106"]


class TestGroupsAndQueues:
    def test_group_with_confirmation(self, scene: Scene) -> None:
        customer = scene.customer_calls()
        scene.goes_to(customer, "ext-group", "600")
        phone_near, phone_far = scene.local(customer, "LC-101@from-internal")
        near, far = scene.local(customer, f"RG-600-{OTHER}#@from-internal")
        phone = scene.rings(phone_far, "101")
        mobile = scene.dials_out(far, OTHER)
        scene.wait(3)
        scene.up(phone)
        scene.wait(2)
        scene.ended(phone_far, phone, DialStatus.ANSWER)
        scene.meet(phone, phone_far)
        scene.ended(customer, near, DialStatus.CANCEL)
        scene.ended(far, mobile, DialStatus.CANCEL)
        scene.gone(mobile, far, near, cause=26)
        scene.talk(customer, phone_near)
        scene.wait(9)
        scene.hangs_up(phone, phone_far, phone_near, customer)
        call = scene.call()
        assert (call.answered_by, rang(call), call.talk_s) == ("101", ["101"], 9)

    def in_queue(self, scene: Scene) -> Line:
        customer = scene.customer_calls(did="74950000005")
        scene.goes_to(customer, "ext-queues", "700", "Queue")
        scene.up(customer)
        scene.say(f.QueueJoined(customer.leg(), "700"))
        scene.wait(1)
        return customer

    def agent(self, scene: Scene, customer: Line, extension: str) -> tuple[Line, Line, Line]:
        near, far = scene.local(customer, f"{extension}@from-queue")
        return near, far, scene.rings(far, extension)

    def test_agents_ring_one_after_another_and_again(self, scene: Scene) -> None:
        customer = self.in_queue(scene)
        late: list[Line] = []
        for extension in ("104", "105", "104"):
            near, far, phone = self.agent(scene, customer, extension)
            if late:
                scene.gone(*late)  # FreePBX: the agent before is hung up after the next one is called
            scene.wait(8)
            scene.ended(far, phone, DialStatus.NO_ANSWER)
            scene.ended(customer, near, DialStatus.NO_ANSWER)
            scene.ended(customer, near, DialStatus.CANCEL)
            scene.gone(phone, cause=0)
            late = [far, near]
        scene.gone(*late)
        near, far, phone = self.agent(scene, customer, "105")
        scene.wait(3)
        scene.answers(far, phone)
        scene.meet(phone, far)
        scene.say(f.QueueLeft(customer.leg(), "700"))
        scene.talk(customer, near)
        scene.wait(12)
        scene.hangs_up(customer, near, far, phone)
        call = scene.call()
        assert (call.answered_by, call.talk_s) == ("105", 12)
        assert [ring.extension for ring in call.rang] == ["104", "105", "104", "105"]

    def test_queue_times_out_to_a_phone(self, scene: Scene) -> None:
        customer = self.in_queue(scene)
        near, far, phone = self.agent(scene, customer, "104")
        scene.wait(15)
        scene.ended(far, phone, DialStatus.NO_ANSWER)
        scene.ended(customer, near, DialStatus.CANCEL)
        scene.say(f.QueueLeft(customer.leg(), "700", abandoned=True))
        scene.gone(phone, far, near, cause=0)
        scene.goes_to(customer, "from-did-direct", "101")
        answer = answered(scene, customer)
        scene.hangs_up(answer, customer)
        call = scene.call()
        assert (call.answered_by, rang(call), call.disposition) == (
            "101",
            ["104", "101"],
            Disposition.ANSWERED,
        )

    def test_queue_times_out_to_hangup(self, scene: Scene) -> None:
        customer = self.in_queue(scene)
        near, far, phone = self.agent(scene, customer, "104")
        scene.wait(15)
        scene.ended(far, phone, DialStatus.NO_ANSWER)
        scene.ended(customer, near, DialStatus.CANCEL)
        scene.say(f.QueueLeft(customer.leg(), "700", abandoned=True))
        scene.gone(phone, far, near, cause=0)
        scene.gone(customer)
        call = scene.call()
        assert (call.disposition, call.hung_up_by) == (Disposition.NO_ANSWER, Side.PBX)

    def test_agent_with_call_forward(self, scene: Scene) -> None:
        customer = self.in_queue(scene)
        near, far = scene.local(customer, "104@from-queue")
        inner, outer = scene.local(far, f"{OTHER}@from-internal")
        mobile = scene.dials_out(outer, OTHER)
        scene.wait(3)
        scene.answers(outer, mobile)
        scene.meet(mobile, outer)
        scene.talk(far, inner)
        scene.say(f.QueueLeft(customer.leg(), "700"))
        scene.talk(customer, near)
        scene.wait(7)
        scene.hangs_up(customer, near, far, inner, outer, mobile)
        call = scene.call()
        assert (call.answered_by, call.via, call.owner) == ("104", OTHER, "104")

    def test_menu_times_out_to_a_group(self, scene: Scene) -> None:
        customer = scene.customer_calls(did="74950000002")
        scene.goes_to(customer, "ivr-1", "s", "BackGround")
        scene.up(customer)
        scene.wait(10)
        scene.goes_to(customer, "ext-group", "600")
        one, two = scene.rings(customer, "101"), scene.rings(customer, "102")
        scene.wait(4)
        scene.ended(customer, one, DialStatus.CANCEL)
        scene.gone(one, cause=26)
        scene.talk(customer, two)
        scene.wait(6)
        scene.hangs_up(two, customer)
        call = scene.call()
        assert (call.answered_by, call.ring_s, call.talk_s) == ("102", 4, 6)
        assert [(step.kind, step.name) for step in call.path] == [("ivr", "1"), ("group", "600")]
