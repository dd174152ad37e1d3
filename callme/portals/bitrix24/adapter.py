"""Bitrix24 as a `crm.port.Portal`: which methods each order takes, and how to look before repeating.

The worker in `delivery` calls it. What a call needs later goes into the lane's memory (`call`, `user`,
`seers`, `finished`, `file`, `recording`, `looked`). How a call is opened and closed stands in `registering`
and `finishing`; here its cards are shown, and everything else is handed to the one whose affair it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from urllib.parse import urlencode

import httpx2

from callme.crm.commands import Click, Hearing, Keep
from callme.crm.doors import Knock, Reply
from callme.crm.installation import Home, Installed, Verdict
from callme.crm.intents import Attach, Finish, Register, Remind, Settle, Transcribe
from callme.crm.port import (
    Attempt,
    Audio,
    Capabilities,
    Customer,
    Delivered,
    Finding,
    Gate,
    Outcome,
    Parcel,
    Refused,
    Urgency,
)
from callme.crm.shadow import Entry, Shadowed, Unlisted
from callme.crm.transcript import Line
from callme.http import HttpClient
from callme.portals.bitrix24 import audience, neighbours, notices, payloads, shadow, transcription
from callme.portals.bitrix24.application import configured
from callme.portals.bitrix24.backlog import Backlog
from callme.portals.bitrix24.bindings import bindings_of
from callme.portals.bitrix24.callers import Callers
from callme.portals.bitrix24.callme import door
from callme.portals.bitrix24.checkup import examine
from callme.portals.bitrix24.clients import Clients, nearest
from callme.portals.bitrix24.credentials import Credentials, Webhook
from callme.portals.bitrix24.customers import Customers
from callme.portals.bitrix24.directory import Directory, People
from callme.portals.bitrix24.fetching import Fetching
from callme.portals.bitrix24.finishing import Finishing
from callme.portals.bitrix24.framing import Framing
from callme.portals.bitrix24.installing import Installation
from callme.portals.bitrix24.lines import Lines
from callme.portals.bitrix24.listening import Listener
from callme.portals.bitrix24.news import News
from callme.portals.bitrix24.owners import Owners
from callme.portals.bitrix24.placing import placing_of
from callme.portals.bitrix24.policies import Creation
from callme.portals.bitrix24.recording import hand_over
from callme.portals.bitrix24.registering import Registering
from callme.portals.bitrix24.reminders import Reminders
from callme.portals.bitrix24.rest import Fault, Rest
from callme.portals.bitrix24.settings import Settings
from callme.portals.bitrix24.statistics import may_look
from callme.portals.bitrix24.upkeep import Upkeep
from callme.wording import Language

BATCH_ANSWER_S = 60.0
"""A batch may take so long, as any request of the cloud (§4.3)."""

SHOW = "telephony.externalCall.show"
HIDE = "telephony.externalCall.hide"


class Bitrix24:
    """One Bitrix24 portal. `zone` is the time zone in which start times are told."""

    doors = (door.DOOR, door.CALL)
    capabilities = Capabilities(cards=True, live_register=True, recordings=True, batch=25)

    def __init__(
        self,
        id: str,
        settings: Settings,
        gate: Gate,
        zone: tzinfo,
        *,
        credentials: Credentials | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        home: Home | None = None,
    ) -> None:
        self.id = id
        self.settings = settings
        self._http = HttpClient(
            connect_s=settings.connect_timeout,
            answer_s=settings.answer_timeout,
            ca_file=settings.ca_file,
            transport=transport,
        )
        home = home or Home()
        self._application = configured(id, settings, self._http, home)
        who = credentials or self._application or Webhook(settings.webhook_url)
        self._rest = Rest(who, self._http, gate)
        self._installation = Installation(self._application, self._http, gate) if self._application else None
        own = self._application is not None and settings.application_token is None and not home.quiet
        self._bindings = bindings_of(home.hook_address(id), settings.events, own=own)
        able = self._application is not None and not home.quiet
        self._placing = placing_of(home.tab_address(id), able=able, wanted=settings.call_tab.shown)
        self._directory = Directory(self._rest, settings.users)
        self.tab = Framing(
            self._application, self._http, gate, self._directory, self._placing, settings.call_tab
        )
        self._lines = Lines(settings.lines, settings.create.outbound is Creation.ALWAYS)
        self._clients = Clients()
        self._callers = Callers(self._directory, self._clients, settings.vip)
        language: Language = settings.language or home.language
        self._customers = Customers(settings, self._directory, self._lines, self._clients, language)
        self._owners = Owners(settings, self._directory, self._lines, self._customers)
        self._registering = Registering(
            settings, self._directory, self._lines, self._customers, self._owners, zone, language
        )
        self._finishing = Finishing(settings, self._directory, self._customers, self._owners, language)
        self._reminders = Reminders(settings, self._directory, self._lines, self._customers, zone, language)
        self._upkeep = Upkeep(
            id,
            self._rest,
            self._directory,
            self._lines,
            self._bindings,
            self._placing,
            quiet=home.quiet,
        )
        self._news = News(self._clients, self._upkeep.read_users)
        self._listener = Listener(
            settings,
            self._directory,
            self._lines,
            self._clients,
            self._rest,
            self._application,
            self._news,
            self.install,
        )
        self._fetching = Fetching(self._rest, self._bindings, self._listener.understand, self._news)
        self._looks: bool | None = None  # whether the statistics may be read, asked now and then

    # ---------------------------------------------------------------------------------------- register
    async def register(self, order: Register, show: frozenset[str], attempt: Attempt) -> Outcome:
        """Opens the call for its owner, whose card comes with it."""
        return await self._registering.register(self._rest.noting(attempt.trace), order, show, attempt)

    # ------------------------------------------------------------------------------------------- cards
    async def cards(self, call: str, show: frozenset[str], hide: frozenset[str], attempt: Attempt) -> Outcome:
        """Shows, then hides. A portal answers `false` when it no longer has the call; nothing is left to hide
        then, and nothing can be shown."""
        call_id = attempt.memory.get("call")
        if not call_id:
            return Refused(notices.unregistered(call))
        unready = await self._directory.ready()
        if unready is not None:
            return unready
        whose = audience.whose(attempt.memory)
        let = audience.let_in(self._people, show, attempt.asking, whose)
        seers = (audience.held(attempt.memory) | let) - hide
        appear = self._users_of(let)
        # Two extensions may be one user's phones: his card stays while one of them should have it.
        vanish = self._users_of(hide) - self._users_of(seers)
        rest = self._rest.noting(attempt.trace)
        for method, users in ((SHOW, appear), (HIDE, vanish)):
            if not users:
                continue
            found = await rest.call(method, payloads.cards(call_id, users), Urgency.CARD)
            if isinstance(found, Fault):
                return found.outcome
            if not found.result and method == SHOW:
                return Refused(notices.over(call))
        return Delivered({audience.SEERS: audience.kept(seers)}, show)

    # ------------------------------------------------------------------------------------------ finish
    async def finish(self, order: Finish, attempt: Attempt) -> Outcome:
        """Closes the call."""
        return await self._finishing.finish(self._rest.noting(attempt.trace), order, attempt)

    # ------------------------------------------------------------------------------------------- batch
    async def batch(self, parcels: Sequence[Parcel]) -> list[tuple[Outcome, ...]]:
        """Calls that are over, in as few requests as the portal's pace allows."""
        if self._looks is None:
            looks = await may_look(self._rest, Urgency.FINISH)
            if isinstance(looks, Fault):
                return [(looks.outcome,)] * len(parcels)
            self._looks = looks
        answer_s = max(BATCH_ANSWER_S, self.settings.answer_timeout)
        return await Backlog(
            self._registering, self._finishing, self._owners, self._rest, self._looks, answer_s
        ).carry(parcels)

    # ------------------------------------------------------------------------------------------ attach
    async def attach(self, order: Attach, audio: Audio, attempt: Attempt) -> Outcome:
        """Hands over the recording in two steps; the portal keeps one per call."""
        call_id = attempt.memory.get("call")
        if not call_id:
            return Refused(notices.unregistered(order.about.call))
        rest = self._rest.noting(attempt.trace)
        return await hand_over(rest, order, call_id, audio, attempt, answer_s=self.settings.upload_timeout)

    async def transcribe(self, order: Transcribe, lines: Sequence[Line], attempt: Attempt) -> Outcome:
        """Hands over what was said; the portal shows one transcript per call."""
        call_id = attempt.memory.get("call")
        if not call_id:
            return Refused(notices.unregistered(order.about.call))
        return await transcription.hand_over(self._rest.noting(attempt.trace), order, call_id, lines, attempt)

    # ------------------------------------------------------------------------------------------ reminders
    async def remind(self, order: Remind, attempt: Attempt) -> Outcome:
        """Reminds somebody of the missed call."""
        unready = await self._directory.ready()
        if unready is not None:
            return unready
        return await self._reminders.remind(self._rest.noting(attempt.trace), order, attempt)

    async def settle(self, order: Settle, attempt: Attempt) -> Outcome:
        """The client was reached."""
        return await self._reminders.settle(self._rest.noting(attempt.trace), order, attempt)

    # ------------------------------------------------------------------------------------------ hearing
    async def hear(self, body: bytes, now: float) -> Hearing:
        """What the portal's outgoing webhook or application says."""
        return await self._listener.hear(body, now)

    async def fetch(self, clock: Callable[[], float], keep: Keep) -> float:
        """What waits in a portal that cannot reach us."""
        return await self._fetching.fetch(clock, keep)

    async def name_of(self, click: Click) -> str:
        """Whom the portal has under the clicked number."""
        number = payloads.phone_number(click.number)
        found = await self._clients.find(self._rest, number, Urgency.COMMAND)
        client = None if isinstance(found, Fault) else nearest(found, click.client)
        return "" if client is None else client.name

    async def answer(self, knock: Knock, now: float) -> Reply:
        """The old scripts' address: an event of this portal, or a report of the old dialplan."""
        if knock.door == door.CALL:
            return door.wanted(knock, self.settings.callme_out, now, self.settings.click_max_age)
        if not door.is_event(knock.fields):
            return door.report(knock, self.settings.callme_out)
        return door.event(await self.hear(urlencode(dict(knock.fields)).encode(), now), knock.fields)

    async def who(self, number: str, within_s: float) -> Customer | None:
        """Whose number that is, for a call that rings: one request, kept for a while (see `callers`)."""
        return await self._callers.who(self._rest, number, within_s)

    # ------------------------------------------------------------------------------------- shadow mode
    async def listed(self, since: float, until: float) -> tuple[Entry, ...] | Unlisted:
        """The calls that the portal's statistics hold."""
        return await shadow.listed(self._rest, self._directory, since, until)

    async def would_list(self, calls: Sequence[Shadowed]) -> tuple[Entry, ...] | Unlisted:
        """Ours as they would stand there."""
        return await shadow.would_list(self._rest, self._directory, self._owners, calls)

    # ------------------------------------------------------------------------------------------ upkeep
    async def check(self) -> list[Finding]:
        """Reachability, credentials, rights, people, lines (see `checkup`). Creates nothing in the portal."""
        ways = self._bindings, self._placing
        return await examine(
            self._rest, self._directory, self._lines, self.settings, *ways, self._application
        )

    @property
    def origins(self) -> tuple[str, ...]:
        """The portal's address, and that of the authorisation server for an application."""
        return self.settings.origins

    async def extensions(self) -> Mapping[str, str]:
        """Extension → employee, as the portal and the configuration have it."""
        if await self._directory.ready() is not None:
            return {}
        people = self._people
        return {extension: people.named(user) for extension, user in people.by_extension.items()}

    async def neighbours(self) -> list[Finding]:
        """Who else reports calls to the portal (see `neighbours`)."""
        return await neighbours.look(self._rest)

    async def install(self, fields: Mapping[str, str]) -> Installed:
        """Takes the tokens of a proven installation of the local application."""
        if self._installation is None:
            return Installed(Verdict.FOREIGN, notices.WEBHOOK_ONLY, notices.AS_APPLICATION)
        self._upkeep.forget()
        return await self._installation.judge(fields)

    async def refresh(self) -> Outcome | None:
        """Reads users and lines anew, and adds or renames the lines that the configuration names; a failure
        keeps the last good copy and is the answer."""
        self._looks = None
        return await self._upkeep.refresh()

    async def close(self) -> None:
        """Gives the connections back."""
        await self._fetching.close()
        await self._news.close()
        await self._clients.close()
        await self._lines.close()
        if self._application is not None:
            await self._application.close()
        await self._http.close()

    # ------------------------------------------------------------------------------------------ people
    @property
    def _people(self) -> People:
        return self._directory.people

    def _users_of(self, extensions: Iterable[str]) -> set[int]:
        return audience.users_of(self._people, extensions)
