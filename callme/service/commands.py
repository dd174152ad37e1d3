"""The clicks of one PBX, from the kept command to the end of the portal's call.

A click is kept by `take`, dialled by `run` (once: it is marked as sent before the PBX is asked), and seen
from then on as any call by the river, which asks here what the portal already knows. Whatever happens, the
portal's call is finished: where no call comes of a click, it is written here that there was none, under the
id that the call would have had, so that it can be told only once.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import structlog

from callme.calls import facts as f
from callme.calls.grouping import Switchboard
from callme.calls.model import Call, CallId, Direction, Disposition
from callme.calls.numbering import pattern
from callme.config import Pbx
from callme.config.shape import ClickLine, ClickToCall
from callme.crm import policy
from callme.crm.commands import Click, CommandState, dialled, keys
from callme.crm.policy import Given, Told
from callme.crm.routing import same_line
from callme.errors import PbxError, StoreError
from callme.pbx import port
from callme.service import keying
from callme.store.commands import Command
from callme.store.river import CommandMove, StepWrite
from callme.store.sqlite import Store
from callme.wording import Phrase

log = structlog.get_logger("callme.commands")

BEFORE_S = 60
"""The channel of a click bears a uniqueid this much in the past: it sorts before all channels that it causes,
even when the clock of the PBX is behind ours."""

SEQUENCE, SEQUENCES = 70_000_000, 10_000_000
"""Of those uniqueids: far above what a PBX counts to, eight digits (sheet freepbx §5.3)."""

PATIENCE_S = 15.0
"""So long after the telephone has stopped ringing some channel of the call must have been seen."""

GLANCE_S = 2.0
"""What the PBX tells after its refusal is there by then."""

WRITE_AGAIN_S = 2.0

NAME_S = 1.0
"""So long the customer's name may keep the employee's telephone from ringing."""

NO_EXTENSION = Phrase(
    "{who} has no extension: set it in the portal, or the portal's “users” in the configuration",
    "у пользователя {who} нет внутреннего номера: укажите его в портале или в users портала в конфигурации",
)
TOO_LATE = Phrase(
    "the click came {late} s after it was made: it was not dialled any more",
    "клик дошёл через {late} с: набирать было уже поздно",
)
NOT_UP = Phrase("the PBX could not be reached in time", "до АТС не удалось достучаться вовремя")
NOTHING_CAME = Phrase(
    "no call was seen on the PBX after this click", "после клика звонка на АТС не появилось"
)
ASKED = Phrase("{number} asks to be called: {text}", "{number} просит перезвонить: {text}")
WORDLESS = Phrase("{number} asks to be called", "{number} просит перезвонить")

_REASONS = {3: Disposition.NO_ANSWER, 5: Disposition.BUSY}
"""Of an OriginateResponse that failed (sheet freepbx §5.3); everything else says only that it failed."""


NameOf = Callable[[str, Click], Awaitable[str]]
"""The customer's name, by portal and click; empty when the portal knows none."""


async def nameless(_portal: str, _click: Click) -> str:
    """Where no portal is asked."""
    return ""


class Clicks:
    """The commands of one PBX."""

    def __init__(
        self,
        pbx: Pbx,
        source: port.Pbx,
        store: Store,
        board: Switchboard,
        clock: Callable[[], float],
        changed: Callable[[], None],
        name_of: NameOf = nameless,
        country: str = "RU",
    ) -> None:
        """`board` is where the river keeps what lives on the PBX; it is only looked at. `country` is where
        numbers of lines without a country's code are."""
        self.id = pbx.id
        self._name_of = name_of
        self._country = country
        self._board = board
        self._how = pbx.click_to_call or ClickToCall()
        self._forbidden = [pattern(text) for text in self._how.forbidden]
        self._source = source
        self._store = store
        self._clock = clock
        self._changed = changed
        self._known: dict[str, Command] = {}  # by the id of their call
        self._look_at: dict[str, float] = {}
        self._ends: dict[str, Disposition] = {}
        self._fresh: list[Command] = []
        self._answered: list[tuple[Command, str]] = []  # whose keys are to be pressed, and on which channel
        self._pressed: set[str] = set()
        self._known_as: dict[str, str] = {}  # call → the command's, where they differ
        self._stirred = asyncio.Event()  # there is something new to do, or to look at
        self._up = asyncio.Event()
        self._sighted = False  # we know all that lives on the PBX

    # ---------------------------------------------------------------------------------- from the door
    async def take(self, portal: str, click: Click, max_age_s: float) -> bool:
        """Keeps the click and sees to it; false when it is kept already. Raises `StoreError`."""
        now = self._clock()
        command = Command(portal, self.id, f"{self.id}-{_uniqueid(now)}", click, now, click.at + max_age_s)
        kept = await self._store.hear(command)
        if kept is None:
            return False
        self._known[kept.call] = kept
        self._fresh.append(kept)
        self._stirred.set()
        return True

    # ------------------------------------------------------------------------------------ the dialling
    async def load(self) -> None:
        """Takes up what an earlier process left. What it had sent is not sent again: it is looked for."""
        for command in await self._store.commands(self.id):
            self._known[command.call] = command
            if command.state is CommandState.WAITING:
                self._fresh.append(command)
            else:
                self._look_at[command.call] = self._clock()
                self._pressed.add(command.call)  # perhaps they were: no menu shall hear them twice
        self._stirred.set()

    async def run(self) -> None:
        """Dials for ever, each click by itself, and looks after what was dialled."""
        async with asyncio.TaskGroup() as dialling:
            while True:
                self._stirred.clear()
                while self._fresh:
                    dialling.create_task(self._dial(self._fresh.pop(0)))
                while self._answered:
                    command, channel = self._answered.pop(0)
                    pressing = keying.press(
                        self._source, channel, keys(command.click.then), self._how.keys_after_s
                    )
                    dialling.create_task(pressing)
                await self._look(self._clock())
                due = min(self._look_at.values(), default=None) if self._sighted else None
                pause = None if due is None else max(0.0, due - self._clock())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stirred.wait(), pause)

    async def _dial(self, command: Command) -> None:
        number = self._number(command.click)
        if isinstance(number, Phrase):
            await self._fail(command, CommandState.REFUSED, number)
            return
        name, in_time = await asyncio.gather(self._name(command), self._in_time(command))
        if not in_time:
            late = round(self._clock() - command.click.at)
            why = TOO_LATE.given(late=late) if self._up.is_set() else NOT_UP
            await self._fail(command, CommandState.EXPIRED, why)
            return
        now = self._clock()
        command = self._move(replace(command, state=CommandState.SENT, sent_at=now))
        self._look_at[command.call] = now + self._how.ring_s + PATIENCE_S
        self._stirred.set()
        sent = CommandMove(command.call, CommandState.SENT)
        await self._commit(StepWrite(self.id, now, commands=(sent,)))
        try:
            await self._source.originate(self._order(command, number, name))
        except port.UnsureError as error:
            log.warning("click in doubt", pbx=self.id, call=command.call, why=str(error.problem))
        except PbxError as error:
            await self._fail(command, CommandState.REFUSED, error.problem)
        else:
            log.info("click dialled", pbx=self.id, call=command.call, extension=command.click.extension)

    def _number(self, click: Click) -> str | Phrase:
        if not (click.extension.isascii() and click.extension.isdecimal()):
            return NO_EXTENSION.given(who=click.who)
        prefix = self._line(click).prefix
        return dialled(
            click.number, self._how.plus, self._how.prefix if prefix is None else prefix, self._forbidden
        )

    def _line(self, click: Click) -> ClickLine:
        """How calls go out over the chosen line; as ever where nothing is said of it."""
        for line, how in self._how.lines.items() if click.line else ():
            if same_line(line, click.line, self._country):
                return how
        return _ANY_LINE

    async def _name(self, command: Command) -> str:
        """The customer's name, if it is known in time."""
        try:
            async with asyncio.timeout(NAME_S):
                return await self._name_of(command.portal, command.click)
        except TimeoutError:
            return ""

    async def _in_time(self, command: Command) -> bool:
        """Waits for the link as long as the click may still be dialled."""
        left = command.deadline - self._clock()
        if left > 0 and not self._up.is_set():
            try:
                await asyncio.wait_for(self._up.wait(), left)
            except TimeoutError:
                return False
        return self._clock() < command.deadline

    def _order(self, command: Command, number: str, name: str) -> port.Originate:
        line = self._line(command.click)
        uniqueid = self._uniqueid(command)
        second, _, sequence = uniqueid.partition(".")
        return port.Originate(
            key=f"callme-{uniqueid}",
            uniqueid=uniqueid,
            other=f"{second}.{int(sequence) + 1}",
            extension=command.click.extension,
            agent_context=self._how.agent_context,
            number=number,
            context=line.context or self._how.context,
            ring_s=self._how.ring_s,
            name=name,
            variables=line.variables,
            device=self._how.devices.get(command.click.extension, ""),
            alert=self._how.auto_answer,
        )

    def _uniqueid(self, command: Command) -> str:
        return command.call.removeprefix(f"{self.id}-")

    # -------------------------------------------------------------------------------- from the river
    def of(self, call: Call) -> Command | None:
        """The command that caused the call. One that was found under way after a restart may bear the id of
        another of its channels: then ours is among its aliases."""
        identity = self._known_as.get(str(call.id), str(call.id))
        for one in (identity, *(f"{self.id}-{alias}" for alias in call.aliases)):
            command = self._known.get(one)
            if command is not None and (one == identity or command.state is CommandState.SENT):
                if one != identity:
                    self._known_as[str(call.id)] = one
                return command
        return None

    def talks(self, command: Command, call: Call) -> None:
        """Somebody talks in the command's call: the customer's extension is dialled now."""
        if not command.click.then or not call.talks or command.call in self._pressed:
            return
        channel = keying.customers_channel(self._board, self._uniqueid(command))
        if channel is not None:
            self._pressed.add(command.call)
            self._answered.append((command, channel))
            self._stirred.set()

    def told(self, command: Command, memo: Told) -> tuple[CommandMove, ...]:
        """What the river told the portal of the command's call: to be written with it."""
        moved = replace(command, state=CommandState.DIALLED, why=None, closed=memo.finished)
        if moved == command or not memo.registered:
            return ()
        self._move(moved)
        if moved.closed:
            self._look_at.pop(command.call, None)
        return (CommandMove(command.call, CommandState.DIALLED, closed=moved.closed),)

    def saw(self, seen: Iterable[f.Fact], now: float) -> None:
        """How the link is, and what the PBX answered to our orders."""
        for fact in seen:
            match fact:
                case f.LinkUp():
                    self._up.set()
                case f.LinkDown():
                    self._up.clear()
                    self._sighted = False
                case f.Snapshot():
                    self._sighted = True
                    self._stirred.set()
                case f.OriginateEnded(ok=False):
                    call = f"{self.id}-{fact.action_id.removeprefix('callme-')}"
                    if call in self._look_at:
                        self._look_at[call] = now + GLANCE_S
                        self._ends[call] = _REASONS.get(fact.reason, Disposition.FAILED)
                        self._stirred.set()

    def forget(self, calls: set[str]) -> None:
        """Only these calls are remembered by the river: what is closed and none of them needs no memory."""
        for call in [call for call in self._known_as if call not in calls]:
            del self._known_as[call]
        calls = calls | set(self._known_as.values())
        for call in [call for call, one in self._known.items() if one.closed and call not in calls]:
            del self._known[call]
            self._pressed.discard(call)

    # ----------------------------------------------------------------------------------------- the end
    async def _look(self, now: float) -> None:
        """Ends the commands of which nothing lives on the PBX, and nothing was told."""
        if not self._sighted:
            return
        for call in [call for call, at in self._look_at.items() if at <= now]:
            command = self._known[call]
            uniqueid = self._uniqueid(command)
            if any(uniqueid in (one.linkedid, one.first_linkedid) for one in self._board.alive()):
                self._look_at[call] = now + PATIENCE_S
            else:
                # It may have come and gone while we were blind.
                self._ends.setdefault(call, Disposition.UNKNOWN)
                await self._fail(command, CommandState.REFUSED, NOTHING_CAME)

    async def _fail(self, command: Command, state: CommandState, why: Phrase) -> None:
        """The click comes to nothing: the portal's call is finished as failed."""
        now = self._clock()
        self._look_at.pop(command.call, None)
        if state is not CommandState.EXPIRED and command.state is CommandState.DIALLED:
            state = CommandState.DIALLED
        self._move(replace(command, state=state, why=why, closed=True))
        blind = self._ends.get(command.call) is Disposition.UNKNOWN  # it may have been a good talk
        told = None if blind or command.state is CommandState.DIALLED else why
        call = replace(self._uncalled(command, now), lost=told is None)
        said, memo = policy.decide(call, Told(), given=replace(given(command), why=told))
        log.warning("click not dialled", pbx=self.id, call=command.call, why=str(why))
        await self._commit(
            StepWrite(
                self.id,
                now,
                calls=(call,),
                intents=tuple((command.portal, intent) for intent in said),
                told={(command.portal, command.call): memo.to_json()},
                commands=(CommandMove(command.call, state, why, closed=True),),
            )
        )
        self._changed()

    def _uncalled(self, command: Command, now: float) -> Call:
        """What pages show of a click that came to nothing."""
        click = command.click
        return Call(
            id=CallId(command.call),
            pbx=self.id,
            direction=Direction.OUT,
            external=click.number,
            number=click.number,
            name="",
            line=click.line,
            trunk="",
            caller=click.extension or None,
            started_at=command.created_at,
            owner=click.extension or None,
            disposition=self._ends.pop(command.call, Disposition.FAILED),
            ended_at=now,
            command=f"callme-{self._uniqueid(command)}",
        )

    def _move(self, command: Command) -> Command:
        self._known[command.call] = command
        return command

    async def _commit(self, write: StepWrite) -> None:
        """Waits for the disk however long it is in trouble; the river says so to people."""
        while True:
            try:
                await self._store.commit(write)
            except StoreError as error:
                log.error("store cannot write; the click waits", pbx=self.id, why=str(error.problem))
                await asyncio.sleep(WRITE_AGAIN_S)
            else:
                return


_ANY_LINE = ClickLine()


def given(command: Command) -> Given:
    """What the portal knows of the command's call before it exists."""
    click = command.click
    note = None
    if click.callback:
        note = (ASKED if click.text else WORDLESS).given(number=click.number, text=click.text)
    opened = "" if command.again or click.callback or not click.opened else click.ref
    return Given(opened, click.extension, click.number, click.by, click.callback, note)


def _uniqueid(now: float) -> str:
    """As Asterisk writes them; even, since the next one is the other half of the Local channel."""
    return f"{int(now) - BEFORE_S}.{SEQUENCE + 2 * random.randrange(SEQUENCES)}"  # noqa: S311 no secret
