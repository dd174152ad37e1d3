"""Our tab in CRMs' cards of calls: who may see which call, and what his buttons do on the PBX.

The web calls it. The portal's adapter proves the person; the call is the one for which that portal gave the
card's id; he sees it when his telephone takes part in it, and an order is judged anew by the call as it is
when it comes. It goes to the channel of that call's customer and to no other, or, while he has not answered,
to that of the employee who calls him.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

import structlog

from callme.calls.customer import customers_channel, first_channel
from callme.calls.model import Call, Direction
from callme.config import Config, Pbx
from callme.config.shape import ClickToCall
from callme.crm.port import Portal
from callme.crm.tabs import Order, Stranger, Tab, Tabs, Viewer, orders, takes_part
from callme.errors import PbxError, StoreError
from callme.pbx.port import UnsureError
from callme.service.river import River
from callme.service.steering import EMPLOYEE
from callme.service.tickets import Tickets
from callme.store.reading import CallFilter
from callme.store.sqlite import Store
from callme.web.tab import Shown, View
from callme.wording import Phrase

log = structlog.get_logger("callme.tabs")

PAST_MAX = 10
RECENT_S = 2 * 86_400.0
"""A card is of a call that goes on or has just ended; older ones are not looked for."""

UNKNOWN = Phrase(
    "CallMe does not know this call yet. If it has just begun, look again.",
    "CallMe пока не знает этого звонка. Если он только начался, обновите вкладку.",
)
NO_CALL = Phrase("There is no call in this card.", "В этой карточке нет звонка.")
NOT_YOURS = Phrase(
    "Only those whose telephone takes part in this call see it here.",
    "Этот звонок здесь видят только те, чей телефон в нём участвует.",
)
STALE = Phrase(
    "This page has been open too long. Close the card and open it again.",
    "Страница открыта слишком давно. Закройте карточку и откройте её снова.",
)
MAY_NOT = Phrase("This cannot be done with the call now.", "Сейчас со звонком этого сделать нельзя.")
NOBODY = Phrase("There is no such colleague.", "Такого сотрудника нет.")
GONE = Phrase("The customer is not on the line any more.", "Клиента на линии уже нет.")
NO_CONTEXT = Phrase(
    "The PBX shows no place in its dialplan from which extensions are called.",
    "АТС не показывает в диалплане места, откуда звонят на добавочные.",
)
UNSURE = Phrase(
    "The PBX did not answer: it may have been done. Look again.",
    "АТС не ответила: возможно, это выполнено. Обновите вкладку.",
)
REFUSED = Phrase("The PBX did not do it: {why}", "АТС этого не сделала: {why}")
HANGING_UP = Phrase("The call is being ended.", "Звонок завершается.")
HANDING_ON = Phrase("The call is handed on to {to}.", "Звонок переводится на {to}.")
TROUBLE = Phrase("The database does not answer now.", "База данных сейчас не отвечает.")


class CallTabs:
    """The tabs of all portals. Implements `callme.web.tab.Tab`."""

    def __init__(
        self,
        config: Config,
        portals: Sequence[Portal],
        rivers: Sequence[River],
        store: Store,
        clock: Callable[[], float],
        tickets: Tickets | None = None,
    ) -> None:
        self._tabs: Mapping[str, Tab] = {one.id: one.tab for one in portals if isinstance(one, Tabs)}
        self._rivers = {river.id: river for river in rivers}
        self._pbxs: Mapping[str, Pbx] = {one.id: one for one in config.pbx}
        self._store = store
        self._clock = clock
        self._tickets = tickets or Tickets(clock)

    async def open(self, portal: str, fields: Mapping[str, str]) -> Shown | None:
        """Somebody has opened the tab."""
        tab = self._tabs.get(portal)
        if tab is None:
            return None
        viewer = await tab.viewer(fields)
        if isinstance(viewer, Stranger):
            log.warning("a tab was not opened", portal=portal, why=str(viewer.why))
            status = HTTPStatus.SERVICE_UNAVAILABLE if viewer.later else HTTPStatus.FORBIDDEN
            return Shown(tab.frame, status, said=viewer.why)
        if not viewer.call:
            return Shown(tab.frame, said=NO_CALL)
        return await self._shown(portal, tab, viewer, self._tickets.issue(portal, viewer.call, viewer.user))

    async def press(self, portal: str, ticket: str, order: str, to: str) -> Shown | None:
        """Somebody has pressed a button of a page of ours."""
        tab = self._tabs.get(portal)
        if tab is None:
            return None
        known = self._tickets.read(portal, ticket)
        if known is None or not tab.frame:
            return Shown(tab.frame, HTTPStatus.FORBIDDEN, said=STALE)
        viewer = tab.viewer_again(known.user, known.call)
        said = await self._obey(portal, tab, viewer, order, to) if order else None
        return await self._shown(portal, tab, viewer, ticket, said)

    # ------------------------------------------------------------------------------------- the call
    async def _shown(
        self, portal: str, tab: Tab, viewer: Viewer, ticket: str, said: Phrase | None = None
    ) -> Shown:
        try:
            call = await self._call(portal, viewer)
            if call is None:
                return Shown(tab.frame, said=said or UNKNOWN, ticket=ticket)
            if not takes_part(call, viewer):
                return Shown(tab.frame, HTTPStatus.FORBIDDEN, said=NOT_YOURS)
            past = await self._past(portal, call)
            kept_back = await self._store.held_back(str(call.id)) is not None
        except StoreError as error:
            log.error("a tab could not be filled", portal=portal, why=str(error.problem))
            return Shown(tab.frame, HTTPStatus.SERVICE_UNAVAILABLE, said=said or TROUBLE, ticket=ticket)
        # An order that was just given shows in the call a moment later: its buttons come with the next look.
        may = orders(call, viewer) if said is None else frozenset[Order]()
        view = View(call, past, kept_back, may, self._colleagues(tab, call, viewer))
        return Shown(tab.frame, view=view, said=said, ticket=ticket)

    async def _call(self, portal: str, viewer: Viewer) -> Call | None:
        since = self._clock() - RECENT_S
        return await self._store.reading.call_of(portal, viewer.remembered, viewer.call, since)

    async def _past(self, portal: str, call: Call) -> tuple[Call, ...]:
        """The number's earlier calls of which this portal was told: another's are another company's. A hidden
        number has none."""
        if not call.number:
            return ()
        which = CallFilter(number=call.number, until=call.started_at)
        page = await self._store.reading.list_calls(which, limit=PAST_MAX)
        found = [one for one in page.calls if one.number == call.number and one.id != call.id]
        told = await self._store.reading.deliveries_of([str(one.id) for one in found])
        return tuple(one for one in found if any(row.portal == portal for row in told.get(str(one.id), ())))

    def _colleagues(self, tab: Tab, call: Call, viewer: Viewer) -> tuple[tuple[str, str], ...]:
        """To whom it may be handed on: people of the portal with a telephone on the call's PBX, but those
        who have the call."""
        river = self._rivers.get(call.pbx)
        if river is None:
            return ()
        busy = {*viewer.extensions, *call.talking}
        found = tab.colleagues().items()
        return tuple(sorted(one for one in found if one[0] not in busy and river.knows(one[0])))

    # ------------------------------------------------------------------------------------- the orders
    async def _obey(self, portal: str, tab: Tab, viewer: Viewer, order: str, to: str) -> Phrase:
        """Does it, and says what came of it."""
        try:
            call = await self._call(portal, viewer)
        except StoreError:
            return TROUBLE
        if call is None or not takes_part(call, viewer) or order not in orders(call, viewer):
            return MAY_NOT
        river = self._rivers.get(call.pbx)
        if river is None:
            return GONE
        # Were the customer taken from a call that he has not answered, the next trunk would be tried.
        dials = call.direction is Direction.OUT and not call.talks
        channel = first_channel(river.board, call) if dials else customers_channel(river.board, call)
        if channel is None:
            return GONE
        if order == Order.TRANSFER and to not in dict(self._colleagues(tab, call, viewer)):
            return NOBODY
        try:
            if order == Order.HANG_UP:
                await river.source.hang_up(channel.name)
                said = HANGING_UP
            else:
                said = await self._hand_on(river, channel.uniqueid, to)
        except UnsureError:
            said = UNSURE
        except PbxError as error:
            said = REFUSED.given(why=error.problem)
        log.info(
            "ordered in a call's tab",
            portal=portal,
            user=viewer.user,
            call=str(call.id),
            order=str(order),
            to=to if order == Order.TRANSFER else "",
            said=said.say("en"),
        )
        return said

    async def _hand_on(self, river: River, channel: str, to: str) -> Phrase:
        """Where the employee's calls from outside go; on a PBX without FreePBX's dialplan, where clicked
        numbers are dialled. A place that is not there would end the customer's call."""
        how = self._pbxs[river.id].click_to_call or ClickToCall()
        for context in (EMPLOYEE, how.context):
            if await river.source.has_context(context):
                await river.source.redirect(channel, context, to)
                return HANDING_ON.given(to=to)
        return NO_CONTEXT
