"""The company's own numbers in the portal: a call's record says which line it came over only if the portal
has that line when the call is registered, and it cannot be told later.

The adapter asks `ready` before each register and `refresh` now and then. A line that the portal does not have
is added once, whoever calls over it meanwhile; naming an unknown one would silently make a line without a
name (sheet §1.8, §8.3.7). A portal that keeps its lines from webhooks is left in peace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from callme.crm.port import Ambiguous, Later, Outcome, Urgency
from callme.portals.bitrix24 import notices, payloads
from callme.portals.bitrix24.policies import Creation, Line
from callme.portals.bitrix24.rest import Done, Fault, Rest
from callme.wording import Phrase

GET = "telephony.externalLine.get"
ADD = "telephony.externalLine.add"
UPDATE = "telephony.externalLine.update"
EXISTS = "Line already exists"

PATIENCE_S = 1.5
"""So long a call whose card somebody waits for waits for its line to be added: the card comes first then."""

CALM_S = 30.0
"""So long any other call waits, its turn in the portal's request limit included."""

LINES_MAX = 500
"""No company has so many; a caller who tries numbers at random must not fill the portal with lines."""

_THIS_METHOD_ALONE = ("OPERATION_TIME_LIMIT", "METHOD_CONFIRM_WAITING")

Unready = Phrase | Later
"""Why a line cannot be named: a notice for a call that goes without, or that the portal as a whole is in
trouble."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A line as the portal has it. `creates` is its CRM_AUTO_CREATE, `None` when that was not read."""

    number: str
    name: str
    creates: bool | None


class Lines:
    """The lines of one portal. `creates` says whether calls out of a line make clients, unless its own
    setting does."""

    def __init__(self, settings: Mapping[str, Line], creates: bool) -> None:
        self._settings = {same(number): (number.strip(), line) for number, line in settings.items()}
        self._creates = creates
        self._kept: dict[str, Kept] = {}
        self._adding: dict[str, asyncio.Task[Unready | None]] = {}
        self._looking = asyncio.Lock()
        self._looked = False
        self.denied = False  # the portal keeps lines from us

    def __len__(self) -> int:
        return len(self._kept)

    def number(self, line: str) -> str:
        """The line as the portal spells it; empty when it has no such line."""
        kept = self._kept.get(same(line))
        return kept.number if kept is not None else ""

    def setting(self, line: str) -> Line:
        """What the configuration says of the line."""
        return self._settings.get(same(line), ("", Line()))[1]

    async def ready(self, rest: Rest, line: str, urgency: Urgency) -> Unready | None:
        """Sees to it that the line may be named; with the urgency of a card for `PATIENCE_S` at most. A
        failure is kept until the next refresh, unless the portal as a whole is in trouble: then `Later` is
        given and the next call tries again."""
        name = same(line)
        if not name:
            return None
        if not self._looked:  # a refresh that goes on meanwhile must not hold up a call
            async with self._looking:
                if not self._looked:
                    await self._look(rest, urgency)
                    self._looked = True
        if name in self._kept or self.denied:
            return None
        if len(self._kept) >= LINES_MAX and name not in self._settings:
            return notices.too_many_lines(line)
        adding = self._adding.get(name)
        if adding is None:
            adding = asyncio.get_running_loop().create_task(self._add(rest, line, urgency))
            self._adding[name] = adding
        patience_s = PATIENCE_S if urgency <= Urgency.CARD else CALM_S
        await asyncio.wait({adding}, timeout=patience_s)
        if not adding.done():
            return notices.slow_line(line)
        found = adding.result()
        if isinstance(found, Later) and self._adding.get(name) is adding:
            del self._adding[name]
        return found

    async def refresh(self, rest: Rest) -> list[Phrase]:
        """Reads the lines anew, adds those that the configuration names, and brings names up to date. Answers
        with what could not be done."""
        self._adding = {name: task for name, task in self._adding.items() if not task.done()}
        if await self.look(rest) is not None or self.denied:
            return []
        told: list[Phrase] = []
        for name, (number, line) in self._settings.items():
            kept = self._kept.get(name)
            if kept is None:
                done = await self._add(rest, number, Urgency.UPKEEP)
            else:
                done = await self._update(rest, name, kept, line)
            if isinstance(done, Phrase):
                told.append(done)
        return told

    async def look(self, rest: Rest) -> Fault | None:
        """Reads which lines the portal has; a failure keeps the last good copy."""
        async with self._looking:
            fault = await self._look(rest, Urgency.UPKEEP)
            self._looked = self._looked or fault is None
        return fault

    async def close(self) -> None:
        """Gives up what is still being added."""
        for task in self._adding.values():
            task.cancel()
        await asyncio.gather(*self._adding.values(), return_exceptions=True)

    async def _look(self, rest: Rest, urgency: Urgency) -> Fault | None:
        found = await rest.call(GET, {}, urgency, reads=True)
        if isinstance(found, Fault):
            self.denied = self.denied or _denied(found)
            return found
        self.denied = False
        rows = found.result if isinstance(found.result, list) else []
        lines = [_kept(row) for row in rows if isinstance(row, Mapping)]
        self._kept = {same(line.number): line for line in lines if line.number}
        return None

    async def _add(self, rest: Rest, line: str, urgency: Urgency) -> Unready | None:
        """After a lost answer the portal's lines are looked at before the line is added again."""
        name = same(line)
        number, setting = self._settings.get(name, (line.strip(), Line()))
        number = number[: payloads.LINE_MAX]
        creates = self._creates if setting.outgoing is None else setting.outgoing is Creation.ALWAYS
        params = payloads.line(number, setting.name or number, creates)
        found = await rest.call(ADD, params, urgency)
        if isinstance(found, Fault) and isinstance(found.outcome, Ambiguous):
            if await self._look(rest, urgency) is not None:
                return Later(found.outcome.why)
            if name in self._kept:
                return None
            found = await rest.call(ADD, params, urgency)
        if isinstance(found, Done):
            self._kept[name] = Kept(number, setting.name or number, creates)
            return None
        return self._not_added(found, name, number)

    def _not_added(self, fault: Fault, name: str, number: str) -> Unready | None:
        if fault.says(EXISTS):
            self._kept[name] = Kept(number, "", None)
            return None
        if _denied(fault):
            self.denied = True
            return None
        if isinstance(fault.outcome, Later) and fault.code.upper() not in _THIS_METHOD_ALONE:
            return fault.outcome
        return notices.no_line(number, _why(fault.outcome))

    async def _update(self, rest: Rest, name: str, kept: Kept, line: Line) -> Phrase | None:
        """Only what the configuration says is changed: what a person wrote in the portal stays."""
        renamed = line.name and line.name != kept.name
        creates = None if line.outgoing is None else line.outgoing is Creation.ALWAYS
        switched = creates is not None and creates != kept.creates
        if not renamed and not switched:
            return None
        wanted = kept.creates if creates is None else creates
        params = payloads.line(kept.number, line.name or kept.name, wanted)
        found = await rest.call(UPDATE, params, Urgency.UPKEEP)
        if isinstance(found, Fault):
            return notices.unchanged_line(kept.number, _why(found.outcome))
        self._kept[name] = Kept(kept.number, line.name or kept.name, wanted)
        return None


def same(line: str) -> str:
    """Lines are told apart by this: a number is one with and without its `+`."""
    text = line.strip()[: payloads.LINE_MAX]
    return text.removeprefix("+") if text.removeprefix("+").isdecimal() else text


def _kept(row: Mapping[str, object]) -> Kept:
    return Kept(
        str(row.get("NUMBER") or "").strip(),
        str(row.get("NAME") or ""),
        str(row.get("CRM_AUTO_CREATE") or "N") == "Y",
    )


def _denied(fault: Fault) -> bool:
    return fault.code.upper() == "WRONG_AUTH_TYPE"


def _why(outcome: Outcome) -> Phrase:
    why = getattr(outcome, "why", None)
    return why if isinstance(why, Phrase) else Phrase("it failed", "не вышло")
