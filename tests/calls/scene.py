"""Writes the facts that Asterisk would send for a call that nobody has recorded, step by step.

Each scene is then played in several ways (whole, with the facts of a moment shuffled, cut by a reconnect) and
has to come out the same. The event sequences are those of the sheets freepbx §3 and
asterisk-ami-observed §2–§9.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count

from callme.calls import facts as f
from callme.calls.facts import ChannelState, DialStatus
from callme.calls.model import Call, Direction
from callme.calls.numbering import Numbering
from callme.pbx.port import Moment
from tests.calls.played import one_by_one, play, reconnected_after, shuffled

START = 1_764_000_000.0
CUSTOMER = "79161234567"
OTHER = "79169990106"
DID = "74950000001"


@dataclass
class Line:
    """One channel as the PBX has it at the moment."""

    name: str
    uniqueid: str
    linkedid: str
    state: ChannelState = ChannelState.DOWN
    number: str = ""
    caller_name: str = ""
    connected: str = ""
    context: str = ""
    exten: str = ""
    inside: list[str] = field(default_factory=list)

    def leg(self) -> f.Leg:
        return f.Leg(
            self.uniqueid,
            self.linkedid,
            self.name,
            self.state,
            self.number,
            self.caller_name,
            self.connected,
            self.context,
            self.exten,
        )


class Scene:
    """A PBX that does what a test tells it to."""

    def __init__(self, numbering: Numbering | None = None) -> None:
        self.now = START
        self.moments: list[Moment] = []
        self.numbering = numbering or Numbering()
        self._number = count()
        self._bridges = count(1)

    # ------------------------------------------------------------------------------- plain facts
    def say(self, *seen: f.Fact) -> None:
        self.moments.extend(Moment(self.now, (fact,)) for fact in seen)

    def wait(self, seconds: float = 2.0) -> None:
        self.now += seconds

    def line(
        self,
        device: str,
        linked: Line | None = None,
        state: ChannelState = ChannelState.DOWN,
        *,
        suffix: str = "",
        **said: str,
    ) -> Line:
        number = next(self._number)
        uniqueid = f"{int(self.now)}.{number}"
        name = f"{device}-{number:08x}{suffix}"
        made = Line(name, uniqueid, linked.linkedid if linked else uniqueid, state)
        made = replace(made, **said)  # type: ignore[arg-type]
        self.say(f.ChannelSeen(made.leg(), born=True))
        return made

    def up(self, line: Line) -> None:
        """The line is taken: by a person, a menu, a queue, a mailbox."""
        line.state = ChannelState.UP
        self.say(f.ChannelSeen(line.leg()))

    def goes_to(self, line: Line, context: str, exten: str, application: str = "Dial") -> None:
        line.context, line.exten = context, exten
        self.say(f.ApplicationRan(line.leg(), application))

    # ------------------------------------------------------------------------------------- calls
    def customer_calls(
        self, number: str = CUSTOMER, did: str = DID, trunk: str = "PJSIP/trunk-prov", name: str = ""
    ) -> Line:
        return self.line(
            trunk,
            state=ChannelState.RING,
            number=number,
            caller_name=name,
            context="from-pstn",
            exten=did,
        )

    def phone_calls(self, extension: str, dialled: str) -> Line:
        return self.line(
            f"PJSIP/{extension}",
            state=ChannelState.RING,
            number=extension,
            context="from-internal",
            exten=dialled,
        )

    def rings(self, caller: Line | None, extension: str, device: str = "") -> Line:
        """A colleague's phone rings for the caller."""
        made = self.line(
            device or f"PJSIP/{extension}", caller, number=extension, context="from-internal", exten="s"
        )
        self.say(f.Dialled(caller.leg() if caller else None, made.leg(), f"{extension}/sip:{extension}@x"))
        made.state = ChannelState.RINGING
        self.say(f.ChannelSeen(made.leg()))
        return made

    def dials_out(self, caller: Line | None, number: str, trunk: str = "PJSIP/trunk-prov") -> Line:
        """The trunk is asked for the number."""
        made = self.line(trunk, caller, number=number, context="from-pstn", exten="s")
        self.say(f.Dialled(caller.leg() if caller else None, made.leg(), f"{number}@trunk-prov"))
        made.state = ChannelState.RINGING
        self.say(f.ChannelSeen(made.leg()))
        return made

    def local(self, caller: Line | None, exten: str, *, dialled: bool = True) -> tuple[Line, Line]:
        """A Local channel for `exten`, dialled by the caller; its second half runs the dialplan."""
        first = self.line(f"Local/{exten}", caller, suffix=";1")
        second = self.line(f"Local/{exten}", first, suffix=";2")
        second.name = first.name[:-1] + "2"
        self.moments.pop()
        self.say(f.ChannelSeen(second.leg(), born=True), f.LocalPaired(first.leg(), second.leg()))
        if dialled:
            self.say(f.Dialled(caller.leg() if caller else None, first.leg(), exten))
        return first, second

    def ended(self, caller: Line | None, dest: Line, status: DialStatus) -> None:
        self.say(f.DialEnded(caller.leg() if caller else None, dest.leg(), status))

    def answers(self, caller: Line | None, dest: Line) -> None:
        self.up(dest)
        self.ended(caller, dest, DialStatus.ANSWER)
        if caller is not None and caller.state is not ChannelState.UP:
            self.up(caller)

    def meet(self, *lines: Line, bridge: str = "") -> str:
        """They are in one bridge."""
        bridge = bridge or f"bridge-{next(self._bridges)}"
        for line in lines:
            line.inside.append(bridge)
            self.say(f.BridgeEntered(line.leg(), bridge, holding=False))
        return bridge

    def part(self, *lines: Line) -> None:
        for line in lines:
            self.say(f.BridgeLeft(line.leg(), line.inside.pop()))

    def talk(self, caller: Line, dest: Line) -> str:
        """`dest` answers what `caller` dialled, and they talk."""
        self.answers(caller, dest)
        return self.meet(dest, caller)

    def refuses(self, caller: Line, dest: Line, status: DialStatus, cause: int) -> None:
        self.ended(caller, dest, status)
        self.gone(dest, cause=cause)

    def asks(self, line: Line) -> None:
        self.say(f.HangupAsked(line.leg()))

    def gone(self, *lines: Line, cause: int = 16) -> None:
        for line in lines:
            while line.inside:
                self.part(line)
            self.say(f.HungUp(line.leg(), cause))

    def hangs_up(self, who: Line, *others: Line) -> None:
        """This phone ends it, the others go with it."""
        self.asks(who)
        self.gone(who, *others)

    # ------------------------------------------------------------------------------------- verdict
    def calls(self) -> list[Call]:
        """The calls, the same in whatever way the facts arrive."""
        whole = play(self.moments, numbering=self.numbering)
        for way in (
            one_by_one(self.moments),
            shuffled(self.moments, 1),
            shuffled(self.moments, 2),
            shuffled(self.moments, 3),
        ):
            again = play(way, numbering=self.numbering)
            assert list(map(gist, again)) == list(map(gist, whole))
        for index in range(0, len(self.moments), 7):
            cut = play(reconnected_after(self.moments, index), numbering=self.numbering)
            assert [gist(c) for c in customers(cut)] == [gist(c) for c in customers(whole)], index
        return whole

    def call(self) -> Call:
        """The one call that a CRM sees."""
        (only,) = customers(self.calls())
        return only


def customers(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.direction is not Direction.INTERNAL]


def gist(call: Call) -> tuple[object, ...]:
    """What may not depend on the way in which the facts came."""
    return (
        call.id,
        call.direction,
        call.external,
        call.line,
        call.answered_by,
        [talk.who for talk in call.talks],
        call.owner,
        call.disposition,
        call.ended_at,
    )


def rang(call: Call) -> list[str]:
    return list(dict.fromkeys(ring.extension for ring in call.rang))
