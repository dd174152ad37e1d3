"""Reminds somebody of a missed call: a notification, a task, or both; and completes the task when the client
was reached.

The adapter calls it for orders that follow the record of the call. A notification with the same tag takes the
former's place, so it may be repeated; a task is looked for before it is made again. A right that is missing
costs the reminder alone: it must not pause the portal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from callme.crm.intents import CallFacts, Remind, Settle
from callme.crm.port import Attempt, Delivered, Outcome, Refused, Unauthorised, Urgency
from callme.portals.bitrix24 import notices, payloads, telling
from callme.portals.bitrix24.clients import responsible
from callme.portals.bitrix24.customers import Customers
from callme.portals.bitrix24.directory import Directory
from callme.portals.bitrix24.lines import Lines
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.settings import Settings
from callme.wording import Language

ADD = "tasks.task.add"
COMPLETE = "tasks.task.complete"
LIST = "tasks.task.list"

TASK = "task"
"""Under this key a lane remembers the task."""

OWN_CLOCK_S = 3600.0
"""The portal's clock may differ by so much from ours."""


class Reminders:
    """The reminders of one portal."""

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        lines: Lines,
        customers: Customers,
        zone: tzinfo,
        language: Language,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._lines = lines
        self._customers = customers
        self._zone = zone
        self._language = language

    async def remind(self, rest: Rest, order: Remind, attempt: Attempt) -> Outcome:
        """Reminds whoever the rule names, unless the line's says no or the caller is a colleague."""
        rule, own = self._settings.missed, self._lines.setting(order.about.line).remind
        wanted = rule.wanted if own is None else own
        if not wanted or self._customers.colleague(order.about):
            return Delivered()
        found = await self._customers.find(rest, order.about, Urgency.FINISH, anew=True)
        if isinstance(found, Fault):
            return _harmless(found.outcome)
        user = self._settings.default_user
        owner = attempt.memory.get("user", "")
        if owner.isdecimal() and int(owner) in self._directory.people.users:
            user = int(owner)
        if rule.to == "responsible":
            client = responsible(found, self._directory.people)
            user = client.user if client is not None else user
        if rule.notify or not rule.task:
            told = await self._notify(rest, order, user)
            if isinstance(told, Fault):
                return _harmless(told.outcome)
        if not rule.task:
            return Delivered()
        bound = [payloads.crm_mark(client.kind, client.id) for client in found[:1]]
        return await self._give_task(rest, order, user, bound, attempt)

    async def _notify(self, rest: Rest, order: Remind, user: int) -> Fault | None:
        said = notices.missed(order.about.number, self._clock(order.about), order.about.name)
        tag = f"callme-missed-{order.about.call}"
        params = telling.message(rest, user, said, tag, self._language)
        done = await rest.call(telling.NOTIFY, params, Urgency.UPKEEP)
        return done if isinstance(done, Fault) else None

    async def _give_task(
        self, rest: Rest, order: Remind, user: int, bound: list[str], attempt: Attempt
    ) -> Outcome:
        about = order.about
        title = telling.harmless(notices.call_back(about.number).say(self._language))
        missed = notices.missed(about.number, self._clock(about), about.name)
        body = telling.harmless(missed.say(self._language))
        mark = f"CallMe {payloads.external_id(about.call)}"
        if attempt.doubt:
            found = await self._given_before(rest, user, mark, order.ended_at)
            if isinstance(found, Fault):
                return _harmless(found.outcome)
            if found:
                return Delivered({TASK: found})
        deadline = payloads.start_date(order.ended_at + self._settings.missed.task_hours * 3600, self._zone)
        params = payloads.task(title, f"{body}\n{mark}", user, deadline, bound)
        made = await rest.call(ADD, params, Urgency.UPKEEP)
        if isinstance(made, Fault):
            return _harmless(made.outcome)
        number = _task_id(made.result)
        return Delivered({TASK: number}) if number else Refused(notices.NO_TASK)

    async def _given_before(self, rest: Rest, user: int, mark: str, since: float) -> str | Fault:
        """The task that an earlier try may have made. Each row is compared: a filter may be dropped."""
        since_date = payloads.start_date(since - OWN_CLOCK_S, self._zone)
        told = await rest.call(LIST, payloads.find_task(user, since_date), Urgency.UPKEEP, reads=True)
        if isinstance(told, Fault):
            return told
        answer = told.result if isinstance(told.result, Mapping) else {}
        rows = answer.get("tasks")
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, Mapping) and mark in str(row.get("description") or ""):
                return str(row.get("id") or "")
        return ""

    async def settle(self, rest: Rest, order: Settle, attempt: Attempt) -> Outcome:
        """Completes the task. One that a person completed, changed or deleted is left to him."""
        task = attempt.memory.get(TASK, "")
        if not task.isdecimal():
            return Delivered()
        done = await rest.call(COMPLETE, {"taskId": int(task)}, Urgency.UPKEEP)
        if not isinstance(done, Fault):
            return Delivered()
        outcome = _harmless(done.outcome)
        if isinstance(outcome, Refused):
            return Delivered(notice=None if attempt.doubt else notices.task_left(task, outcome.why))
        return outcome

    def _clock(self, about: CallFacts) -> str:
        return datetime.fromtimestamp(about.started_at, self._zone).strftime("%d.%m %H:%M")


def _harmless(outcome: Outcome) -> Outcome:
    """A right that only reminders need is told, and costs nothing else."""
    return Refused(outcome.why) if isinstance(outcome, Unauthorised) else outcome


def _task_id(result: Any) -> str:
    task = result.get("task") if isinstance(result, Mapping) else None
    return str(task.get("id") or "") if isinstance(task, Mapping) else ""
