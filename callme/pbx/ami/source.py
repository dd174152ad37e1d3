"""A PBX over AMI as the service sees it: the client's reads made into moments of facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

from callme.calls.facts import Fact, LinkDown, LinkUp
from callme.calls.presence import Presence, of_device
from callme.pbx import port
from callme.pbx.ami import directory, translate
from callme.pbx.ami.client import AmiClient, AskRefusedError, AskUnansweredError
from callme.pbx.ami.read import Read, ReadKind
from callme.pbx.ami.session import AmiSettings

SKIPS_VOICEMAIL = "originate-skipvm"
"""FreePBX's own context for clicks: it rings like any call, but no voicemail can answer for the employee."""

DIALPLAN_S = 3.0

NAME_MAX = 40
"""Letters of a caller's name: telephones show no more (sheet freepbx §6)."""

HINTS = "ext-local"
"""FreePBX's context of the extensions' hints (sheet freepbx §1.8)."""

PRESENCE_S = 2.0


class AmiSource:
    """One PBX. Implements `callme.pbx.port.Pbx`."""

    def __init__(
        self, id: str, settings: AmiSettings, clock: Callable[[], float], jitter: Callable[[], float]
    ) -> None:
        self.id = id
        self._client = AmiClient(settings, keep=translate.keep, clock=clock, jitter=jitter)

    @property
    def state(self) -> port.LinkState:
        """How the link is now."""
        now = self._client.state
        return port.LinkState(now.up, now.since, now.problem, now.version)

    async def moments(self) -> AsyncGenerator[port.Moment, None]:
        """What happens on the PBX."""
        async for read in self._client.reads():
            facts = facts_of(read)
            if facts or read.raw:  # what means nothing to a call still belongs into the transcript
                yield port.Moment(read.at, facts, read.raw)

    async def look_again(self) -> None:
        """Asks for a snapshot."""
        if self._client.state.up:
            await self._client.snapshot_now()

    async def directory(self) -> port.Directory:
        """What the PBX tells of its numbers, as far as our rights reach."""
        return await directory.told(self._client.ask)

    async def originate(self, order: port.Originate) -> None:
        """Rings the extension through the dialplan, as a colleague's call would, and then the number
        (sheet freepbx §5.1)."""
        if not order.agent_context and not order.device:
            skips = await self.has_context(SKIPS_VOICEMAIL)
            order = replace(order, agent_context=SKIPS_VOICEMAIL if skips else order.context)
        try:
            await self._client.ask("Originate", originate(order))
        except AskUnansweredError as error:
            raise port.UnsureError(error.problem, error.cure) from error

    async def has_context(self, name: str) -> bool:
        """Asked each time, since the dialplan may be generated anew meanwhile. Where the PBX does not say, it
        is taken for absent."""
        try:
            await self._client.ask("ShowDialPlan", {"Context": name}, DIALPLAN_S)
        except (AskRefusedError, AskUnansweredError):
            return False
        return True

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        """Needs the right to write `call`."""
        order = {"Channel": channel, "Context": context, "Exten": exten, "Priority": "1"}
        try:
            await self._client.ask("Redirect", order)
        except AskUnansweredError as error:
            raise port.UnsureError(error.problem, error.cure) from error

    async def hang_up(self, channel: str) -> None:
        """Needs the right to write `call` or `system`."""
        await self._client.ask("Hangup", {"Channel": channel})

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        """Needs the right to write `call`, `system` or `reporting`."""
        await self._client.ask("Setvar", {"Channel": channel, "Variable": name, "Value": value})

    async def press(self, channel: str, key: str) -> None:
        """Needs the right to write `call`."""
        await self._client.ask("PlayDTMF", {"Channel": channel, "Digit": key})

    async def presence(self, extension: str) -> Presence:
        """The extension's hint, and what FreePBX keeps of it in the AstDB (sheet freepbx §7.2): do not
        disturb, call forward, follow-me. Needs the right to write `call` or `reporting`."""
        status, dnd, forward, follow = await asyncio.gather(
            self._hint(extension),
            self._row("DND", extension),
            self._row("CF", extension),
            self._row("AMPUSER", f"{extension}/followme/ddial"),
        )
        return of_device(status, dnd=bool(dnd), forwarded=bool(forward) or follow == "DIRECT")

    async def _hint(self, extension: str) -> int | None:
        try:
            asked = {"Exten": extension, "Context": HINTS}
            reply = await self._client.ask("ExtensionState", asked, PRESENCE_S)
            return int(reply.response.get("Status"))
        except (AskRefusedError, AskUnansweredError, ValueError):
            return None

    async def _row(self, family: str, key: str) -> str:
        """One row of the AstDB; empty where there is none."""
        try:
            reply = await self._client.ask("DBGet", {"Family": family, "Key": key}, PRESENCE_S)
        except (AskRefusedError, AskUnansweredError):
            return ""
        return next((item.get("Val") for item in reply.items), "")

    async def close(self) -> None:
        """Ends the link."""
        await self._client.close()


def originate(order: port.Originate) -> list[tuple[str, str]]:
    """The headers of the action. FreePBX learns from AMPUSER and REALCALLERIDNUM who calls (its routes'
    rights and outgoing numbers), and CC_RECALL keeps the employee's voicemail from answering for him. The
    caller id is his own number, which a trunk without a number of its own would show, under the customer's
    name, which his telephone shows: where AMPUSERCIDNAME says that it is the right one, FreePBX does not put
    his own name there (macro-user-callerid, FreePBX 13–17)."""
    shown = shown_name(order.name) or order.number
    variables = (
        ("__CALLME_COMMAND", order.key),
        ("__CC_RECALL", "1"),
        ("AMPUSER", order.extension),
        ("REALCALLERIDNUM", order.extension),
        ("AMPUSERCIDNAME", shown.replace(",", " ")),
        *_alert(order),
        *order.variables.items(),
    )
    return [
        ("ActionID", order.key),
        ("Channel", order.device or f"Local/{order.extension}@{order.agent_context}/n"),
        ("Context", order.context),
        ("Exten", order.number),
        ("Priority", "1"),
        ("CallerID", f'"{shown}" <{order.extension}>'),
        ("Timeout", str(order.ring_s * 1000)),
        ("Async", "true"),
        ("ChannelId", order.uniqueid),
        *([] if order.device else [("OtherChannelId", order.other)]),
        *(("Variable", f"{name}={value}") for name, value in variables),
    ]


def _alert(order: port.Originate) -> list[tuple[str, str]]:
    """FreePBX makes the header of ALERT_INFO; a device that is rung straight takes it from the channel
    driver (sheet freepbx §5.2)."""
    if not order.alert:
        return []
    direct = order.device.startswith("PJSIP/")
    return [("PJSIP_HEADER(add,Alert-Info)" if direct else "__ALERT_INFO", order.alert)]


def shown_name(name: str) -> str:
    """The name as a telephone can show it, and as it can stand between quotes in one header."""
    plain = "".join(sign if sign.isprintable() and sign not in '"\\<>' else " " for sign in name)
    return " ".join(plain.split())[:NAME_MAX].strip()


def facts_of(read: Read) -> tuple[Fact, ...]:
    """One read of the link as facts."""
    match read.kind:
        case ReadKind.UP:
            return (LinkUp(None if read.uptime is None else read.at - read.uptime),)
        case ReadKind.DOWN:
            return (LinkDown(),)
        case ReadKind.SNAPSHOT:
            return (translate.snapshot(read.messages, read.asked_at),)
        case ReadKind.EVENTS:
            found = (fact for message in read.messages for fact in translate.facts(message, read.at))
            return tuple(fact for fact in found if not isinstance(fact, LinkUp))  # the client has told it
