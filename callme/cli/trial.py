"""`callme doctor --call FROM TO`: one real call between two telephones (or to an outside number), followed on
the PBX to its end, and told as the CRM would be.

FROM rings first; when it is picked up, TO is dialled as if by hand. The call is not kept here; a service that
runs beside it sees it as any other call.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from callme.calls import facts as f
from callme.calls.numbering import Numbering
from callme.cli import replay
from callme.cli.configured import chosen
from callme.cli.tongue import language, say
from callme.config import Config, Pbx
from callme.config.shape import ClickToCall
from callme.errors import ConfigError, PbxError
from callme.pbx.ami.reach import ami_settings
from callme.pbx.ami.source import AmiSource
from callme.pbx.port import Directory, Moment, Originate
from callme.service.numbers import numbering_of
from callme.wording import Phrase, plain

LONGEST_S = 180.0
LATE_S = 3.0
"""So long after the end of the call its last events are waited for."""

NOT_A_NUMBER = Phrase("“{number}” cannot be dialled", "«{number}» набрать нельзя")
NOT_A_NUMBER_CURE = Phrase(
    "give two numbers of digits: callme doctor --call 101 102",
    "укажите два номера из цифр: callme doctor --call 101 102",
)
RINGING = Phrase(
    "{pick} rings now on PBX “{pbx}”. Pick it up; then {number} is dialled. Hang up when done.",
    "На АТС «{pbx}» звонит {pick}. Снимите трубку; затем наберётся {number}. Положите трубку, когда хватит.",
)
ENDLESS = Phrase(
    "The call still goes on after {seconds} s; this is what was seen so far.",
    "Звонок не кончился за {seconds} с; вот что видно до сих пор.",
)
NOTHING = Phrase("the PBX took the order and showed no call", "АТС приняла заказ, но звонка не показала")
NO_ANSWER = Phrase(
    "{pick} did not pick up, or could not be rung", "{pick} не ответил, или ему не дозвониться"
)
NOTHING_CURE = Phrase(
    "callme doctor tells which events are hidden from us",
    "callme doctor покажет, какие события от нас скрыты",
)


def trial(config: Config, pick: str, number: str, *, pbx: str = "", as_json: bool) -> int:
    """Makes the call on that PBX (empty: the only one) and tells it; 0 when it was seen to its end. Raises
    `ConfigError`, `PbxError`."""
    for one in (pick, number):
        if not re.fullmatch(r"[0-9]{2,20}", one):
            raise ConfigError(NOT_A_NUMBER.given(number=one[:40]), NOT_A_NUMBER_CURE)
    call = Trial(config, chosen(config, pbx or None), pick, number)
    asyncio.run(call.make())
    played = call.played()
    if not played.calls:
        raise PbxError(NO_ANSWER.given(pick=pick) if call.refused else NOTHING, NOTHING_CURE)
    if not call.ended:
        print(say(ENDLESS, seconds=round(LONGEST_S)), file=sys.stderr)
    replay.tell(played, call.numbering(), as_json=as_json, language=language())
    return 0 if call.ended else 1


class Trial:
    """One test call: ordered, followed, and told."""

    def __init__(self, config: Config, pbx: Pbx, pick: str, number: str) -> None:
        self._config = config
        self._pbx = pbx
        self._order = _order(pbx, pick, number)
        self._seen: list[Moment] = []
        self._directory = Directory()
        self.ended = False
        self.refused = False

    async def make(self) -> None:
        """Makes the call and follows it to its end, or as long as one has patience. Raises `PbxError`."""
        source = AmiSource(self._pbx.id, ami_settings(self._pbx), time.time, random.random)
        until = time.monotonic() + LONGEST_S
        ordered = False
        try:
            async with aclosing(source.moments()) as moments:
                while moment := await _next(moments, until - time.monotonic()):
                    self._seen.append(moment)
                    if not source.state.up:
                        raise PbxError(source.state.problem or plain("?"))
                    if not ordered and any(isinstance(fact, f.Snapshot) for fact in moment.facts):
                        ordered = True
                        await self._begin(source)
                    elif ordered and not self.ended and self._is_over(moment):
                        self.ended = True
                        until = time.monotonic() + LATE_S
        finally:
            await source.close()

    async def _begin(self, source: AmiSource) -> None:
        self._directory = await source.directory()
        order = self._order
        told = say(RINGING, pick=order.extension, number=order.number, pbx=self._pbx.id)
        print(told, file=sys.stderr, flush=True)
        await source.originate(order)

    def _is_over(self, moment: Moment) -> bool:
        for fact in moment.facts:
            if isinstance(fact, f.OriginateEnded) and fact.action_id == self._order.key and not fact.ok:
                self.refused = True
        if not any(isinstance(fact, f.HungUp | f.OriginateEnded) for fact in moment.facts):
            return False
        played = self.played()
        return self.refused or (bool(played.calls) and not played.cut)

    def numbering(self) -> Numbering:
        """How channels of this PBX are read."""
        return numbering_of(self._config, self._pbx, self._directory)

    def played(self) -> replay.Replayed:
        """What was made of what was seen so far, as far as it is this call."""
        played = replay.play(self._seen, self._pbx.id, self.numbering(), self._config)
        mine = self._order.uniqueid
        ours = {
            key: call
            for key, call in played.calls.items()
            if mine in (call.id.removeprefix(f"{call.pbx}-"), *call.aliases)
        }
        story = [(at, change) for at, change in played.story if str(change.call.id) in ours]
        return replace(played, calls=ours, story=story, cut=played.cut if ours else 0)


async def _next(moments: AsyncGenerator[Moment, None], within_s: float) -> Moment | None:
    """The next moment, if it comes in time."""
    try:
        async with asyncio.timeout(within_s):
            return await anext(moments)
    except TimeoutError:
        return None


def _order(pbx: Pbx, pick: str, number: str) -> Originate:
    how = pbx.click_to_call or ClickToCall()
    sequence = random.randrange(70_000_000, 80_000_000)  # noqa: S311  far above what a PBX counts to
    second = int(time.time()) - 60  # sorts before every channel that it causes
    uniqueid = f"{second}.{sequence}"
    return Originate(
        key=f"callme-{uniqueid}",
        uniqueid=uniqueid,
        other=f"{second}.{sequence + 1}",
        extension=pick,
        agent_context=how.agent_context,
        number=number,
        context=how.context,
        ring_s=how.ring_s,
    )
