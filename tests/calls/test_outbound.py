"""A colleague or a program calls out, and what is no customer's call at all."""

from __future__ import annotations

import pytest

from callme.calls import facts as f
from callme.calls.facts import ChannelState, DialStatus
from callme.calls.model import Direction, Disposition, Side
from tests.calls.scene import CUSTOMER, OTHER, Line, Scene, customers


@pytest.fixture
def scene() -> Scene:
    return Scene()


class TestClickToCall:
    def asked(self, scene: Scene) -> tuple[Line, Line, Line]:
        near = scene.line("Local/101@from-internal", suffix=";1", number=CUSTOMER)
        far = scene.line("Local/101@from-internal", near, suffix=";2", number=CUSTOMER)
        far.name = near.name[:-1] + "2"
        scene.moments.pop()
        scene.say(f.ChannelSeen(far.leg(), born=True), f.LocalPaired(near.leg(), far.leg()))
        scene.say(f.Dialled(None, near.leg(), "101@from-internal/n"))
        phone = scene.rings(far, "101")
        scene.wait(3)
        return near, far, phone

    def test_agent_declines(self, scene: Scene) -> None:
        near, far, phone = self.asked(scene)
        scene.ended(far, phone, DialStatus.NO_ANSWER)
        scene.gone(phone, cause=21)
        scene.ended(None, near, DialStatus.BUSY)
        scene.gone(far, near, cause=21)
        call = scene.call()
        assert (call.direction, call.external, call.disposition) == (
            Direction.OUT,
            CUSTOMER,
            Disposition.DECLINED,
        )
        assert (call.answered_by, call.caller) == (None, "101")

    def test_agents_mailbox_answers(self, scene: Scene) -> None:
        """Nobody talks with the customer, whom the mailbox reaches all the same."""
        near, far, phone = self.asked(scene)
        scene.wait(15)
        scene.ended(far, phone, DialStatus.NO_ANSWER)
        scene.gone(phone, cause=0)
        scene.goes_to(far, "macro-vm", "s-NOANSWER", "VoiceMail")
        scene.up(far)
        scene.up(near)
        scene.ended(None, near, DialStatus.ANSWER)
        customer = scene.dials_out(near, CUSTOMER)
        scene.wait(4)
        scene.talk(near, customer)
        scene.wait(5)
        scene.hangs_up(customer, near, far)
        call = scene.call()
        assert (call.answered_by, call.talks, call.disposition) == (None, (), Disposition.NO_ANSWER)

    def forwarded(self, scene: Scene) -> tuple[Line, ...]:
        """105's calls go to his mobile, a click of his too."""
        near = scene.line("Local/105@from-internal", suffix=";1", number=CUSTOMER)
        far = scene.line("Local/105@from-internal", near, suffix=";2", number=CUSTOMER)
        far.name = near.name[:-1] + "2"
        scene.moments.pop()
        scene.say(f.ChannelSeen(far.leg(), born=True), f.LocalPaired(near.leg(), far.leg()))
        scene.say(f.Dialled(None, near.leg(), "105@from-internal/n"))
        scene.wait(0.1)
        first, second = scene.local(far, f"{OTHER}@from-internal")
        scene.wait(0.1)
        mobile = scene.dials_out(second, OTHER)
        scene.wait(3)
        return near, far, first, second, mobile

    def test_agent_is_called_on_his_mobile(self, scene: Scene) -> None:
        near, far, first, second, mobile = self.forwarded(scene)
        scene.talk(second, mobile)
        scene.answers(far, first)
        scene.meet(first, far)
        scene.up(near)
        scene.ended(None, near, DialStatus.ANSWER)
        scene.wait(0.1)
        customer = scene.dials_out(near, CUSTOMER)
        scene.wait(3)
        scene.talk(near, customer)
        scene.wait(5)
        scene.hangs_up(customer, near, far, first, second, mobile)
        call = scene.call()
        assert (call.direction, call.external, call.answered_by) == (Direction.OUT, CUSTOMER, CUSTOMER)
        assert (call.caller, call.owner, call.talk_s) == ("105", "105", 5)

    def test_agents_mobile_is_busy(self, scene: Scene) -> None:
        near, far, first, second, mobile = self.forwarded(scene)
        scene.refuses(second, mobile, DialStatus.BUSY, 17)
        scene.refuses(far, first, DialStatus.BUSY, 17)
        scene.gone(second, far, near)
        call = scene.call()
        assert (call.external, call.caller, call.owner) == (CUSTOMER, "105", "105")
        assert (call.disposition, call.answered_by) == (Disposition.BUSY, None)

    def test_customer_first(self, scene: Scene) -> None:
        near, far = scene.local(None, f"{CUSTOMER}@from-internal")
        customer = scene.dials_out(far, CUSTOMER)
        scene.wait(4)
        scene.answers(far, customer)
        scene.meet(customer, far)
        scene.up(near)
        scene.ended(None, near, DialStatus.ANSWER)
        phone = scene.rings(near, "101")
        scene.wait(2)
        scene.talk(near, phone)
        scene.wait(8)
        scene.hangs_up(phone, near, far, customer)
        call = scene.call()
        assert (call.direction, call.external, call.answered_by) == (Direction.OUT, CUSTOMER, CUSTOMER)
        assert (call.owner, call.talk_s, call.hung_up_by) == ("101", 8, Side.AGENT)

    def test_straight_to_the_phone(self, scene: Scene) -> None:
        phone = scene.rings(None, "101")
        scene.wait(2)
        scene.up(phone)
        scene.ended(None, phone, DialStatus.ANSWER)
        phone.context, phone.exten = "from-internal", CUSTOMER
        customer = scene.dials_out(phone, CUSTOMER)
        scene.wait(4)
        scene.talk(phone, customer)
        scene.wait(8)
        scene.hangs_up(customer, phone)
        call = scene.call()
        assert (call.direction, call.external, call.caller) == (Direction.OUT, CUSTOMER, "101")
        assert (call.answered_by, call.talk_s) == (CUSTOMER, 8)

    def test_straight_to_the_phone_that_declines(self, scene: Scene) -> None:
        phone = scene.line("PJSIP/101", number=CUSTOMER, context="from-internal", exten="s")
        scene.say(f.Dialled(None, phone.leg(), "101/sip:101@x"))
        scene.wait(3)
        scene.ended(None, phone, DialStatus.BUSY)
        scene.gone(phone, cause=21)
        call = scene.call()
        assert (call.external, call.caller, call.answered_by) == (CUSTOMER, "101", None)
        assert call.disposition is Disposition.DECLINED

    def test_wake_up_call(self, scene: Scene) -> None:
        phone = scene.rings(None, "101")
        scene.up(phone)
        scene.ended(None, phone, DialStatus.ANSWER)
        scene.wait(5)
        scene.hangs_up(phone)
        assert scene.calls() == []

    def test_straight_to_the_trunk(self, scene: Scene) -> None:
        customer = scene.dials_out(None, CUSTOMER)
        scene.wait(4)
        scene.up(customer)
        scene.ended(None, customer, DialStatus.ANSWER)
        phone = scene.rings(customer, "101")
        scene.wait(2)
        scene.talk(customer, phone)
        scene.wait(8)
        scene.hangs_up(phone, customer)
        call = scene.call()
        assert (call.direction, call.external, call.owner) == (Direction.OUT, CUSTOMER, "101")


class TestOutgoing:
    def test_second_trunk_tried(self, scene: Scene) -> None:
        phone = scene.phone_calls("101", CUSTOMER)
        first = scene.dials_out(phone, CUSTOMER)
        scene.wait(1)
        scene.refuses(phone, first, DialStatus.CONGESTION, 34)
        second = scene.dials_out(phone, CUSTOMER, "PJSIP/backup")
        scene.wait(3)
        scene.talk(phone, second)
        scene.wait(9)
        scene.hangs_up(phone, second)
        call = scene.call()
        assert (call.answered_by, call.trunk, call.talk_s) == (CUSTOMER, "backup", 9)

    @pytest.mark.parametrize(
        "device", ["PJSIP/74950000001", "SIP/provider", "IAX2/office-4521", "DAHDI/i1/79161234567-3"]
    )
    def test_any_trunk(self, scene: Scene, device: str) -> None:
        phone = scene.phone_calls("101", CUSTOMER)
        customer = scene.dials_out(phone, CUSTOMER, device)
        scene.wait(3)
        scene.talk(phone, customer)
        scene.wait(3)
        scene.hangs_up(phone, customer)
        call = scene.call()
        assert (call.direction, call.external, call.owner) == (Direction.OUT, CUSTOMER, "101")

    @pytest.mark.parametrize(
        ("tones", "patience_s", "disposition"),
        [
            (True, 3, Disposition.NO_ANSWER),  # 183 with the provider's own tone
            (False, 6, Disposition.NO_ANSWER),  # the same on Asterisk 13, which does not tell
            (False, 2, Disposition.CANCELLED),
        ],
    )
    def test_gives_up_though_nobody_said_that_it_rings(
        self, scene: Scene, tones: bool, patience_s: float, disposition: Disposition
    ) -> None:
        phone = scene.phone_calls("101", CUSTOMER)
        customer = scene.line("PJSIP/trunk-prov", phone, number=CUSTOMER, context="from-pstn", exten="s")
        scene.say(f.Dialled(phone.leg(), customer.leg(), f"{CUSTOMER}@trunk-prov"))
        if tones:
            scene.say(f.DialProgressed(customer.leg()))
        scene.wait(patience_s)
        scene.asks(phone)
        scene.refuses(phone, customer, DialStatus.CANCEL, 127)
        scene.gone(phone, cause=127)
        assert scene.call().disposition is disposition

    @pytest.mark.parametrize(
        ("status", "cause", "disposition"),
        [
            (DialStatus.BUSY, 21, Disposition.DECLINED),
            (DialStatus.BUSY, 17, Disposition.BUSY),
            (DialStatus.CONGESTION, 19, Disposition.NO_ANSWER),
            (DialStatus.CONGESTION, 34, Disposition.FAILED),
        ],
    )
    def test_refused_in_chan_sips_words(
        self, scene: Scene, status: DialStatus, cause: int, disposition: Disposition
    ) -> None:
        phone = scene.phone_calls("101", CUSTOMER)
        customer = scene.dials_out(phone, CUSTOMER, "SIP/trunk-prov")
        scene.wait(2)
        scene.refuses(phone, customer, status, cause)
        scene.gone(phone)
        assert scene.call().disposition is disposition


class TestNoCalls:
    @pytest.mark.parametrize("code", ["*97", "*43", "*98", "*222"])
    def test_feature_codes(self, scene: Scene, code: str) -> None:
        phone = scene.phone_calls("101", code)
        scene.up(phone)
        scene.wait(5)
        scene.hangs_up(phone)
        assert scene.calls() == []

    @pytest.mark.parametrize("code", ["*80102", "*801"])
    def test_paging_and_intercom(self, scene: Scene, code: str) -> None:
        phone = scene.phone_calls("101", code)
        scene.up(phone)
        near, far = scene.local(phone, "PAGE102@app-paging")
        paged = scene.rings(far, "102")
        scene.answers(far, paged)
        scene.meet(paged, far)
        scene.answers(phone, near)
        scene.meet(near, phone)
        scene.wait(5)
        scene.hangs_up(phone, near, far, paged)
        assert scene.calls() == []

    def test_spy_on_a_talk(self, scene: Scene) -> None:
        customer = scene.customer_calls()
        phone = scene.rings(customer, "101")
        scene.wait()
        scene.talk(customer, phone)
        spy = scene.phone_calls("103", "555")
        scene.up(spy)
        snoop = scene.line("Snoop/x", customer, ChannelState.UP)
        scene.wait(4)
        scene.gone(snoop)
        scene.hangs_up(spy)
        scene.hangs_up(customer, phone)
        (call,) = customers(scene.calls())
        assert [talk.who for talk in call.talks] == ["101"]

    def test_colleagues(self, scene: Scene) -> None:
        caller = scene.phone_calls("101", "102")
        called = scene.rings(caller, "102")
        scene.wait()
        scene.talk(caller, called)
        scene.wait()
        scene.hangs_up(caller, called)
        (call,) = scene.calls()
        assert (call.direction, call.answered_by, call.caller) == (Direction.INTERNAL, "102", "101")
