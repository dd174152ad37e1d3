"""One call of a fault test: begun, watched at the telephones, and at the end looked up in the portal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from callme.lab.play import Played
from callme.lab.script import Scenario
from tests.live import sound
from tests.live.company import Company, now
from tests.live.until import until

DELIVERED_S = 180.0
"""After an outage the next attempt may be a while away; what got no answer may wait until the portal cannot
be at it any more."""

NEAR_S = 1.0


@dataclass
class Calling:
    """A scenario with one customer that is being played."""

    company: Company
    scenario: Scenario
    since: float = field(default_factory=now)

    def __post_init__(self) -> None:
        self._play = asyncio.create_task(self.company.lab.play(self.scenario))
        truth = self.scenario.truth.calls[0]
        self.truth = truth
        self.phone = f"+{truth.external}"

    async def saw(self, leg: str, what: str) -> None:
        """Wait until a telephone has seen or done that."""

        def seen() -> bool:
            if self._play.done() and self._play.exception():
                self._play.result()
            log = self.company.lab.stage.phones.log
            return any((one.leg, one.what) == (leg, what) and one.at >= self.since for one in log)

        await until(seen, within=30, what=f"{leg} {what}")

    async def carded(self, extension: str) -> None:
        """Wait until that person sees the call's card."""
        user = self.company.user(extension)

        def shown() -> bool:
            cards = self.company.portal.office.cards_now(user)
            return any(card.phone == self.phone and card.shown_at >= self.since for card in cards)

        await until(shown, within=10, what=f"the card at {extension}")

    async def uncarded(self, extension: str) -> None:
        """Wait until that person sees no card of the call any more, as when another one has answered."""
        user = self.company.user(extension)

        def hidden() -> bool:
            return not any(card.phone == self.phone for card in self.company.portal.office.cards_now(user))

        await until(hidden, within=10, what=f"no card at {extension}")

    async def recorded(self) -> None:
        """Wait until the portal has the call's record."""
        found = self.company.records
        await until(lambda: found(self.phone, self.since), within=30, what="the call's record")

    async def over(self) -> Played:
        """Wait until the telephones are back on the hook."""
        played = await self._play
        assert not played.problems, played.problems
        return played

    async def told_right(self, *, unseen_s: float = 0) -> None:
        """Exactly one finished call in the portal, of the right user, with its recording, and no card left.
        `unseen_s`: so much of the talk went on while nobody watched and may be missing."""
        await self.over()
        answered = self.truth.disposition == "answered"
        company, office = self.company, self.company.portal.office

        def delivered() -> bool:
            records = company.records(self.phone, self.since)
            attached = bool(records) and records[-1].record_file is not None
            return bool(records) and not company.open_calls(self.phone) and (attached or not answered)

        await until(delivered, within=DELIVERED_S, what=f"{self.phone} finished" + " and attached" * answered)
        await until(lambda: not office.watching(), within=10, what="no card on any screen")
        await company.settled(self.since, number=self.truth.external or "")
        (record,) = company.records(self.phone, self.since)
        assert record.user == company.user(self.truth.user)
        assert record.type == (2 if self.truth.direction == "in" else 1)
        assert record.code == ("200" if answered else "304")
        if answered:
            talk = self.truth.talk_s
            assert talk - unseen_s - NEAR_S <= record.duration <= talk + NEAR_S
            kept = [one for one in office.recordings.values() if one.call == record.call]
            assert len(kept) == 1
            length = sound.seconds(await sound.decoded(kept[0].content))
            assert abs(length - talk) <= NEAR_S
        else:
            assert record.duration == 0
            assert record.record_file is None
