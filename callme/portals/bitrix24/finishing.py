"""How a call is closed in the portal: whose record it is, with which client, and what "not found" means.

The adapter asks for one call, `backlog` for many. A second finish is refused by the portal and does no harm,
so after a lost answer it is simply repeated, and "not found" is settled by looking into the statistics.
"""

from __future__ import annotations

from callme.crm.intents import Finish
from callme.crm.port import Ambiguous, Attempt, Delivered, Later, Outcome, Refused, Urgency
from callme.portals.bitrix24 import notices, payloads
from callme.portals.bitrix24.customers import Customers
from callme.portals.bitrix24.directory import Directory, People
from callme.portals.bitrix24.owners import USER_UNKNOWN, Owners
from callme.portals.bitrix24.rest import Done, Fault, Rest
from callme.portals.bitrix24.settings import Settings
from callme.portals.bitrix24.statistics import Absent, Sealed, look_up
from callme.portals.bitrix24.telling import TELL_S, tell
from callme.wording import Language, Phrase

FINISH = "telephony.externalCall.finish"

CALL_UNKNOWN = "Call is not found"


class Finishing:
    """Of one portal."""

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        customers: Customers,
        owners: Owners,
        language: Language,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._customers = customers
        self._owners = owners
        self._language = language

    async def finish(self, rest: Rest, order: Finish, attempt: Attempt) -> Outcome:
        """Closes the call over that way to the portal."""
        call_id = attempt.memory.get("call")
        if not call_id:
            return Refused(notices.unregistered(order.about.call))
        unready = await self._directory.ready()
        if unready is not None:
            return unready
        user, notice = await self._owners.of_finish(rest, order)
        settled = await self._customers.settle(rest, order, user, attempt.number)
        if isinstance(settled, Later | Ambiguous):
            return settled
        notice = notices.together(notice, settled)
        found = await self._finish_as(rest, order, call_id, user)
        if isinstance(found, Fault) and found.says(USER_UNKNOWN) and user != self._settings.default_user:
            fallback = self._settings.default_user
            gone = notices.dismissed(self._people.named(user), self._people.named(fallback))
            notice = notices.together(gone, settled)
            user, found = fallback, await self._finish_as(rest, order, call_id, fallback)
        if isinstance(found, Fault):
            if found.says(CALL_UNKNOWN):
                return await self._finished_before(rest, order, call_id, attempt, found)
            return found.outcome
        answer = found.result if isinstance(found.result, dict) else {}
        memory = {"finished": str(answer.get("ID") or "yes"), "user": str(user)}
        untold = await self._tell_why(rest, order, user, attempt)
        activity = notices.activity(answer.get("ERRORS"))
        return Delivered(memory, notice=notices.together(notice, activity, untold))

    async def _tell_why(self, rest: Rest, order: Finish, user: int, attempt: Attempt) -> Phrase | None:
        """Tells whose click it was why it came to nothing; what is to be remarked when that failed."""
        if order.why is None or attempt.now - order.ended_at > TELL_S:
            return None
        user = int(order.by) if order.by.isdecimal() else user
        said = notices.came_to_nothing(order.about.number, order.why)
        return await tell(rest, user, said, f"callme-why-{order.about.call}", self._language)

    async def _finish_as(self, rest: Rest, order: Finish, call_id: str, user: int) -> Done | Fault:
        reason = order.why.say(self._language) if order.why is not None else ""
        params = payloads.finish(order, call_id, user, chat=self._settings.chat, reason=reason)
        return await rest.call(FINISH, params, Urgency.FINISH)

    async def _finished_before(
        self, rest: Rest, order: Finish, call_id: str, attempt: Attempt, found: Fault
    ) -> Outcome:
        """The portal has no open call of this id: finished by an earlier try, or never there."""
        row = await look_up(rest, call_id, order.about.call, Urgency.FINISH)
        match row:
            case Fault():
                return row.outcome
            case Sealed() if attempt.doubt:
                return Delivered({"finished": "assumed"}, notice=notices.assumed(order.about.call))
            case Sealed() | Absent():
                return found.outcome
        user = int(attempt.memory.get("user") or self._settings.default_user)
        untold = await self._tell_why(rest, order, user, attempt)
        return Delivered({"finished": row.id, "call": row.call_id}, notice=untold)

    @property
    def _people(self) -> People:
        return self._directory.people
