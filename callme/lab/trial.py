"""A call made up at the command line: `callme lab call …` in terms of a scenario. Pure.

Nobody knows beforehand who will ring, so a trial takes all telephones; those that are not told to answer
just ring.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from callme.lab.numbering import EXTENSIONS
from callme.lab.script import Answer, Dial, Hang, Ignore, Refuse, Ring, Scenario, Step
from callme.lab.truth import Truth

Kind = Literal["inbound", "outbound", "internal"]
GIVE_UP_S = 60.0
"""When a caller hangs up in any case."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was asked for on the command line; travels as JSON to a running lab."""

    kind: Kind
    number: str
    """The DID called, the outside number dialled, or the extension dialled."""
    caller: str
    """The customer's number, or the extension that dials."""
    name: str = ""
    answer: tuple[str, ...] = ()
    """Telephones that answer; outbound: any value means that the customer answers."""
    refuse: tuple[str, ...] = ()
    """Telephones that refuse; outbound: the customer is busy."""
    after_s: float = 2.0
    """How long it rings before that."""
    talk_s: float = 5.0
    cancel_s: float | None = None
    """The caller gives up after so long, unless answered."""

    def as_json(self) -> dict[str, object]:
        """For the way to a running lab; `read` is the way back."""
        return asdict(self)

    @classmethod
    def read(cls, told: dict[str, object]) -> Trial:
        """The trial out of `as_json`. Raises TypeError for anything else."""
        known: dict[str, Any] = dict(told)
        for name in ("answer", "refuse"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)

    def scenario(self) -> Scenario:
        """The script of this call."""
        leg = f"c1-{self.caller}"
        phone = "trunk-prov" if self.kind == "inbound" else self.caller
        steps = [
            Step(Dial(leg, phone, self.number, self.caller, self.name)),
            Step(Hang(leg), None, GIVE_UP_S),
        ]
        talkers = ("prov",) if self.kind == "outbound" else self.answer
        if talkers:
            steps += [Step(Hang(leg), (talker, "answer"), self.talk_s) for talker in talkers]
        else:
            steps.append(Step(Hang(leg), (leg, "answered"), self.talk_s))
        if self.cancel_s is not None:
            steps.append(Step(Hang(leg), (leg, "call"), self.cancel_s))
        return Scenario(f"trial {self.kind}", tuple(steps), Truth(()), self._inside(), self._outside())

    def _ring(self, phone: str) -> Ring:
        if phone in self.answer:
            return Answer(self.after_s)
        return Refuse("486", self.after_s) if phone in self.refuse else Ignore()

    def _inside(self) -> dict[str, Ring | tuple[Ring, ...]]:
        return {ext: self._ring(ext) for ext in EXTENSIONS}

    def _outside(self) -> dict[str, Ring]:
        if self.kind != "outbound":
            return {}
        if self.refuse:
            return {self.number: Refuse("486", self.after_s)}
        return {self.number: Answer(self.after_s) if self.answer else Ignore()}
