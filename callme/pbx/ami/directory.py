"""What a PBX tells of its own numbers over AMI: people, telephones, queues, ring groups, trunks.

Asked by `ami.source` after each login and by `callme check`. Each question stands alone: one that the PBX
does not know or does not allow us leaves its part empty, and calls are told all the same, from the names of
channels. Nothing is asked that needs the right to write `system` (PJSIPShowEndpoints does): a PJSIP endpoint
says its device state from its birth on, and DeviceStateList tells it to who may write `call` or `reporting`
(seen on Asterisk 16.28 and 22.10; QueueStatus asks for no right at all).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping

from callme.pbx.ami.asking import AskRefusedError, AskUnansweredError
from callme.pbx.ami.session import Reply
from callme.pbx.ami.wire import Message
from callme.pbx.port import Directory

Ask = Callable[[str, Mapping[str, str]], Awaitable[Reply]]
Tree = dict[tuple[str, ...], str]

_ENDPOINT = re.compile(r"(?P<tech>PJSIP|SIP|IAX2)/(?P<peer>[^/&,@]+)")
_HINTED = re.compile(r"(?:PJSIP|SIP|IAX2|SCCP|DAHDI)/(?P<device>[^/&,@]+)")
_EXTENSIONS = "ext-local"
"""FreePBX writes a hint for each extension here; other contexts hint at codes, parking places and more."""
_NOBODY = "none"
"""FreePBX's user of a device that nobody has logged in on."""


async def told(ask: Ask) -> Directory:
    """All that the PBX tells. Raises `PbxError` while the link is down or when people and telephones were
    asked for and no answer came: the last good copy is better then than half a new one."""
    questions = _Questions(ask)
    users = tree("AMPUSER", await questions.put("DBGetTree", Family="AMPUSER"))
    owners = tree("DEVICE", await questions.put("DBGetTree", Family="DEVICE"))
    names, devices = people(users, owners)
    if not devices:  # Asterisk 13 has no DBGetTree
        names, devices = hinted(await questions.perhaps("ExtensionStateList"))
    groups = tree("RINGGROUP", await questions.perhaps("DBGetTree", Family="RINGGROUP"))
    waiting = queues(await questions.perhaps("QueueStatus"), devices)
    states = await questions.perhaps("DeviceStateList") if devices else ()
    return Directory(
        names=names,
        devices=devices,
        queues=waiting,
        groups=tuple(sorted({key[0] for key in groups})),
        trunks=trunks(states, {*devices, *names}),
        denied=tuple(dict.fromkeys(questions.denied)),
    )


class _Questions:
    """Asks, and remembers which questions our rights did not reach."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.denied: list[str] = []

    async def put(self, action: str, **headers: str) -> tuple[Message, ...]:
        """The items of the answer; none where it is refused."""
        try:
            return tuple((await self._ask(action, headers)).items)
        except AskRefusedError as error:
            if error.reply.response.get("Message") == "Permission denied":
                self.denied.append(action)
            return ()

    async def perhaps(self, action: str, **headers: str) -> tuple[Message, ...]:
        """The same; none also where no answer comes."""
        try:
            return await self.put(action, **headers)
        except AskUnansweredError:
            return ()


# ------------------------------------------------------------------------------------- the answers
def tree(family: str, items: Iterable[Message]) -> Tree:
    """The rows of one family of the AstDB, by what comes after the family in their keys."""
    found: Tree = {}
    for item in items:
        parts = tuple(part for part in item.get("Key").split("/") if part)
        if parts[:1] == (family,) and len(parts) > 2:
            found[parts[1:]] = item.get("Val")
    return found


def people(users: Tree, owners: Tree) -> tuple[dict[str, str], dict[str, str]]:
    """Extension → name and device → extension, as FreePBX keeps them (sheet freepbx §7.2)."""
    names = {key[0]: value for key, value in users.items() if key[1:] == ("cidname",)}
    devices = {
        key[0]: value for key, value in owners.items() if key[1:] == ("user",) and value not in ("", _NOBODY)
    }
    return {**dict.fromkeys(devices.values(), ""), **names}, devices


def hinted(items: Iterable[Message]) -> tuple[dict[str, str], dict[str, str]]:
    """The same from the hints that FreePBX writes for its extensions: `PJSIP/101&PJSIP/99101,…`.
    Hints of a dialplan that is not FreePBX's may leave people out and say nothing."""
    devices = {
        device["device"]: item.get("Exten")
        for item in items
        if item.get("Context") == _EXTENSIONS and item.get("Exten").isdigit()
        for device in _HINTED.finditer(item.get("Hint"))
    }
    return dict.fromkeys(devices.values(), ""), devices


def queues(items: Iterable[Message], devices: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Queue → its members' extensions: `Local/105@from-queue/n` is 105, a device is its owner."""
    found: dict[str, set[str]] = {}
    for item in items:
        queue = item.get("Queue")
        if item.name == "QueueParams":
            found.setdefault(queue, set())
        elif item.name == "QueueMember":
            tech, _, rest = (item.get("Location") or item.get("StateInterface")).partition("/")
            number = rest.partition("/")[0].partition("@")[0]
            found.setdefault(queue, set()).add(number if tech == "Local" else devices.get(number, number))
    return {queue: tuple(sorted(members - {""})) for queue, members in sorted(found.items())}


def trunks(items: Iterable[Message], telephones: set[str]) -> tuple[str, ...]:
    """Endpoints that are nobody's telephone, such as `PJSIP/trunk-prov`."""
    states = (_ENDPOINT.fullmatch(item.get("Device")) for item in items)
    return tuple(sorted({state[0] for state in states if state and state["peer"] not in telephones}))
