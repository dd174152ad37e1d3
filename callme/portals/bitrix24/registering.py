"""How a call is opened in the portal: for whom, on which line, with which card, and what a repeat may do.

The adapter asks for a call that rings, `backlog` for many that are over. After a lost answer the same
request, word for word, gives the same call while the portal still remembers the first (K4); so the words of a
register that got no answer are kept here, the one hint that a restart may lose.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from callme.crm.intents import Register
from callme.crm.port import Ambiguous, Attempt, Delivered, Later, Outcome, Refused, Urgency
from callme.portals.bitrix24 import audience, notices, payloads
from callme.portals.bitrix24.customers import Customers
from callme.portals.bitrix24.directory import Directory, People
from callme.portals.bitrix24.lines import Lines
from callme.portals.bitrix24.owners import USER_UNKNOWN, Owners
from callme.portals.bitrix24.rest import Done, Fault, Rest
from callme.portals.bitrix24.settings import Settings
from callme.portals.bitrix24.telling import TELL_S, tell
from callme.wording import Language, Phrase

REGISTER = "telephony.externalCall.register"

DEDUP_S = 30 * 60 - 60
"""So long after its start a repeated register gives the same call (K4: 30 minutes on the portal's clock),
less a minute for clocks that differ."""

DOUBTS_MAX = 10_000

LINE_TRIES = 3
"""So many attempts of a register may fail because its line could not be added; then the call goes without."""


class Registering:
    """Of one portal. `zone` is the time zone in which start times are told."""

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        lines: Lines,
        customers: Customers,
        owners: Owners,
        zone: tzinfo,
        language: Language,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._lines = lines
        self._customers = customers
        self._owners = owners
        self._zone = zone
        self._language = language
        self._doubtful: dict[str, payloads.Params] = {}  # call → the register that got no answer

    async def register(self, rest: Rest, order: Register, show: frozenset[str], attempt: Attempt) -> Outcome:
        """Opens the call over that way to the portal; `show` are the extensions that want its card now."""
        unready = await self._directory.ready()
        if unready is not None:
            return unready
        call = order.about.call
        # A card that somebody waits for does not stand in line with the records of calls that are over.
        urgency = Urgency.CARD if self._users_of(show) else Urgency.REGISTER
        asked = self._settings.asks_whose
        whose = await self._owners.responsible_for(rest, order.about, urgency) if asked else None
        if order.given:
            return self._known(order, show, whose)
        lineless = None
        if call not in self._doubtful:
            lineless = await self._lines.ready(rest, order.about.line, urgency)
        if isinstance(lineless, Later):
            if attempt.number <= LINE_TRIES:
                return lineless
            lineless = notices.no_line(order.about.line, lineless.why)
        user, notice = self._owners.of_register(order)
        let = audience.let_in(self._people, show, attempt.asking, whose)
        params, late = self._phrased(order, user, let, attempt)
        found = await rest.call(REGISTER, params, urgency)
        user = int(params["USER_ID"])
        if isinstance(found, Fault) and found.says(USER_UNKNOWN) and user != self._settings.default_user:
            params = {**params, "USER_ID": self._settings.default_user, "SHOW": 0}
            notice = notices.dismissed(
                self._people.named(user), self._people.named(self._settings.default_user)
            )
            found = await rest.call(REGISTER, params, urgency)
        if isinstance(found, Fault):
            self._keep_doubt(call, params, found.outcome)
            return found.outcome
        self._doubtful.pop(call, None)
        untold = None
        if order.note is not None and attempt.now - order.about.started_at < TELL_S:
            untold = await tell(rest, user, order.note, f"callme-note-{call}", self._language)
        return self._registered(found, params, show, let, whose, (notice, late, lineless, untold))

    def _known(self, order: Register, show: frozenset[str], whose: int | None) -> Outcome:
        """The portal itself opened this call when somebody clicked, and showed him its card (sheet §2.3):
        nothing is to be asked, its id is to be kept."""
        user, notice = self._owners.of_register(order)
        shown = audience.met(self._people, show, show, {user})
        memory = audience.remembered(order.given, user, shown, whose)
        return Delivered(memory, shown, notice)

    def _keep_doubt(self, call: str, params: payloads.Params, outcome: Outcome) -> None:
        """Keeps the words of a register that got no answer: a repeat for another user would be another
        call."""
        if isinstance(outcome, Ambiguous):
            self._doubtful[call] = params
            if len(self._doubtful) > DOUBTS_MAX:
                del self._doubtful[next(iter(self._doubtful))]
        elif isinstance(outcome, Refused):
            self._doubtful.pop(call, None)

    def _phrased(
        self, order: Register, user: int, show: frozenset[str], attempt: Attempt
    ) -> tuple[payloads.Params, Phrase | None]:
        about = order.about
        wanted = user in self._users_of(show)
        params = self._doubtful.get(about.call) or payloads.register(
            order,
            user,
            show=wanted,
            create=self._customers.at_once(order),
            zone=self._zone,
            line=self._lines.number(about.line),
            source=self._lines.setting(about.line).source,
        )
        if not attempt.doubt:
            return params, None
        if attempt.now - about.started_at > DEDUP_S:
            # The portal would make a second call now; it shall not make a second client or card as well.
            return {**params, "SHOW": 0, "CRM_CREATE": 0}, notices.orphan(about.call)
        return {**params, "SHOW": int(params["USER_ID"] in self._users_of(show))}, None

    def _registered(
        self,
        done: Done,
        params: payloads.Params,
        show: frozenset[str],
        let: frozenset[str],
        whose: int | None,
        said: tuple[Phrase | None, ...],
    ) -> Outcome:
        answer = done.result if isinstance(done.result, dict) else {}
        call_id = answer.get("CALL_ID")
        if not isinstance(call_id, str) or not call_id:
            return Ambiguous(notices.NO_CALL_ID)
        user = int(params["USER_ID"])
        shown = audience.met(self._people, show, let, {user} if params["SHOW"] else set())
        memory = audience.remembered(call_id, user, shown & let, whose)
        creation = answer.get("LEAD_CREATION_ERROR")
        extra = notices.creation(str(creation)) if creation else None
        return Delivered(memory, shown, notices.together(*said, extra))

    @property
    def _people(self) -> People:
        return self._directory.people

    def _users_of(self, extensions: Iterable[str]) -> set[int]:
        return audience.users_of(self._people, extensions)
