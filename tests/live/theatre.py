"""All scenarios of a test run, played side by side: one company per Asterisk release, plays wait for each
other only where they need the same telephone.

A test asks for its own scenario and gets it when it has been played and delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Self

from callme.lab import scenarios
from callme.lab.asterisk import Release
from callme.lab.play import Played
from callme.lab.script import Scenario
from callme.lab.truth import TruthCall
from tests.live import cost, judging
from tests.live.company import Company
from tests.live.judging import Shown

CROWD = 4
"""More calls than that at once are a crowd."""


class Theatre:
    """Plays of all companies. `async with Theatre([("16", "in_direct_answered")]) as theatre: …`."""

    def __init__(self, wanted: Iterable[tuple[Release, str]]) -> None:
        self._wanted = tuple(wanted)
        self.companies: dict[Release, Company] = {}
        self._plays: dict[tuple[Release, str], asyncio.Task[Shown]] = {}
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            for release in dict.fromkeys(release for release, _ in self._wanted):
                self.companies[release] = await stack.enter_async_context(Company(release))
            self._stack = stack.pop_all()
        plays = [(self.companies[release], scenarios.by_name(name)) for release, name in self._wanted]
        before = [self._begin(company, one, after=()) for company, one in plays if not _needs_all(one)]
        for company, one in plays:
            if _needs_all(one):
                before = [self._begin(company, one, after=before)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._plays.values():
            task.cancel()
        await asyncio.gather(*self._plays.values(), return_exceptions=True)
        await self._stack.aclose()

    async def shown(self, release: Release, name: str) -> Shown:
        """The scenario when it is over and delivered. Raises LabError when it could not be played."""
        return await self._plays[release, name]

    async def over(self, release: Release) -> list[Shown]:
        """Everything that was played in that company; what could not be played is left out."""
        mine = [task for (where, _), task in self._plays.items() if where == release]
        await asyncio.wait(mine)
        return [task.result() for task in mine if not task.cancelled() and task.exception() is None]

    def _begin(
        self, company: Company, scenario: Scenario, after: Collection[asyncio.Task[Shown]]
    ) -> asyncio.Task[Shown]:
        task = asyncio.create_task(self._play(company, scenario, after))
        self._plays[company.release, scenario.name] = task
        return task

    async def _play(
        self, company: Company, scenario: Scenario, after: Collection[asyncio.Task[Shown]]
    ) -> Shown:
        if after:
            await asyncio.wait(after)
        played = await company.lab.play(scenario)
        truths = [truth for truth in scenario.truth.calls if truth.direction != "internal"]
        troubles = [trouble for trouble in [await _settled(company, played, truths)] if trouble]
        phones = dict.fromkeys(judging.phone(truth) for truth in truths)
        seen = [
            judging.Seen(
                record,
                tuple((company.extension(card.user), card) for card in company.cards(record.call)),
                company.recording(record),
                await self._told(company, record.external_id or ""),
                cost.of(company.portal.requests, record),
            )
            for phone in phones
            for record in company.records(phone, played.started)
            if record.started_at <= played.ended
        ]
        left = [call for phone in phones for call in company.open_calls(phone)]
        return Shown(played, tuple(seen), tuple(left), tuple(troubles))

    async def _told(self, company: Company, call: str) -> dict[str, object]:
        return dict(await company.service.get(f"api/v1/calls/{call}"))


def _needs_all(scenario: Scenario) -> bool:
    """Played by itself, after the others of every company: the PBX dies, the portal's rate limit is spent on
    it, or the machine is full of it."""
    return scenario in scenarios.ALONE or len(scenario.truth.calls) > CROWD


async def _settled(company: Company, played: Played, truths: Sequence[TruthCall]) -> str:
    """Waits for every customer's calls to be over and delivered; the trouble when they are not."""
    try:
        for number, calls in Counter(truth.external or "" for truth in truths).items():
            await company.settled(played.started, calls=calls, number=number, until_=played.ended)
    except AssertionError as error:
        return str(error)
    return ""
