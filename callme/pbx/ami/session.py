"""One AMI connection from the greeting to its end, without touching a socket.

`ami.client` feeds it bytes and the time, sends what `take_bytes` gives, and wakes it at `deadline`. In return
come happenings, in the order of the stream. Times are whatever steady clock the shell uses; none of them
leaves this module. Pure: no clock, no socket, no log. It does not reconnect and does not know what a call is.

    connecting → banner → challenge → login → up → down        (facts: freepbx §4.1–4.3)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from callme.pbx.ami.wire import Framer, Message, encode_action, parse
from callme.wording import Phrase, plain

LOGIN_DEADLINE = 15.0
"""Seconds from the connection to the answer to our login. Asterisk itself delays a refusal by one second."""


@dataclass(frozen=True, slots=True)
class AmiSettings:
    """How to reach and enter one PBX. Times in seconds. `dialplan` asks for VarSet and Newexten too."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    tls: bool = False
    ca_file: str | None = None
    connect_timeout: float = 10.0
    ping_every: float = 15.0
    ping_deadline: float = 10.0
    dialplan: bool = True


class Stage(StrEnum):
    """How far the connection has come."""

    BANNER = "banner"
    CHALLENGE = "challenge"
    LOGIN = "login"
    UP = "up"
    DOWN = "down"


# ------------------------------------------------------------------------------------------------- happenings
@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one action. `items` are the events of a list, its `…Complete` last; `raw` is all of it as
    sent."""

    action_id: str
    response: Message
    items: tuple[Message, ...] = ()
    raw: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the PBX did what was asked (`Success`, `Pong` of Asterisk 1.8, `Follows` of 13)."""
        return self.response.name in ("Success", "Pong", "Follows")


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The PBX let us in. `version` is that of its manager interface (5.0.x is Asterisk 16, 11.0.x is 22)."""

    version: str


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """The PBX refused user, secret or address: repeating at once gets this host banned."""

    problem: Phrase


@dataclass(frozen=True, slots=True)
class Booted:
    """`FullyBooted`: comes at each login of a user with read `system`, and again when a boot ends.
    Seconds."""

    uptime: int | None


@dataclass(frozen=True, slots=True)
class Events:
    """Events that passed the filter, and their bytes with their blank lines."""

    messages: tuple[Message, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Replied:
    """The answer to an action of ours is complete."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Gone:
    """The connection is of no use any more."""

    reason: Phrase


Happening = LoggedIn | LoginRefused | Booted | Events | Replied | Gone

# ---------------------------------------------------------------------------------------------------- phrases
NOT_AMI = Phrase(
    "what answers there is not the Asterisk manager interface; check host and port (5038, with TLS 5039)",
    "там отвечает не интерфейс управления Asterisk (AMI); проверьте адрес и порт (5038, с TLS — 5039)",
)
TOO_SLOW = Phrase(
    "the PBX took the connection but did not answer the login within {seconds} s",
    "АТС приняла соединение, но за {seconds} с не ответила на вход",
)
NO_PONG = Phrase(
    "the PBX is silent: no answer to a ping within {seconds} s",
    "АТС молчит: нет ответа на проверку связи за {seconds} с",
)
CLOSED = Phrase("the PBX closed the connection", "АТС закрыла соединение")
SHUTDOWN = Phrase("the PBX is shutting down or restarting", "АТС выключается или перезапускается")
REFUSED = Phrase(
    "the PBX refused the login of user “{user}” ({words}): check username and secret, and that the “permit” "
    "line of this user in manager.conf allows the address of this machine",
    "АТС отказала во входе пользователю «{user}» ({words}): проверьте username и secret, а также что строка "
    "«permit» этого пользователя в manager.conf разрешает адрес этой машины",
)
NO_CHALLENGE = Phrase(
    "the PBX offers no MD5 login, and the secret is never sent in the clear over a network: switch TLS on "
    "for this PBX (tls = true)",
    "АТС не поддерживает вход с MD5, а открытым текстом по сети секрет не передаётся: включите для этой АТС "
    "TLS (tls = true)",
)


_OF_THE_LINK = (b"Event: FullyBooted", b"Event: Shutdown")


@dataclass(slots=True)
class _Asked:
    """An action under way."""

    single: bool  # the list has one item and, on old servers, no end: DBGet
    response: Message | None = None
    items: list[Message] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)


class Session:
    """The protocol of one connection. Make a new one for each; `nonce` sets its ActionIDs apart from earlier
    ones."""

    def __init__(
        self,
        settings: AmiSettings,
        *,
        keep: Callable[[bytes], bool],
        private: bool,
        nonce: str,
        now: float,
    ) -> None:
        """`private`: the link is encrypted or never leaves the machine, so that a plain login would harm
        nobody."""
        self.stage = Stage.BANNER
        self._settings = settings
        self._keep = keep
        self._private = private
        self._nonce = nonce
        self._framer = Framer()
        self._outgoing = bytearray()
        self._asked: dict[str, _Asked] = {}
        self._count = 0
        self._shutting_down = False
        self._heard = now
        self._deadline: float | None = now + LOGIN_DEADLINE
        self._pinged = False

    @property
    def version(self) -> str:
        """Version of the manager interface as the greeting told it."""
        return self._framer.banner.rpartition("/")[2]

    # ----------------------------------------------------------------------------------------- from the shell
    def receive(self, data: bytes, now: float) -> list[Happening]:
        """What these bytes mean, in the order of the stream. Never raises."""
        if self.over():
            return []
        self.heard(now)
        happenings: list[Happening] = []
        kept: list[bytes] = []
        packets = self._framer.feed(data)
        if self.stage is Stage.BANNER:
            happenings += self._greeted()
        keep = self._keep
        for raw in packets:
            if self.over():
                break
            if raw.startswith(b"Event: "):
                more = self._item(raw) if self._asked else None
                if more is None:
                    if raw.startswith(_OF_THE_LINK):
                        _hand_over(kept, happenings)
                        happenings += self._system(raw)
                    if keep(raw):
                        kept.append(raw)
                    continue
            else:
                more = self._response(raw)
            if more:
                _hand_over(kept, happenings)
                happenings += more
        _hand_over(kept, happenings)
        return happenings

    def over(self) -> bool:
        """Whether this connection is done with."""
        return self.stage is Stage.DOWN

    def heard(self, now: float) -> None:
        """The link showed life, or the shell itself was not listening until now."""
        self._heard = now
        if self.stage is Stage.UP:
            self._pinged = False
            self._deadline = now + self._settings.ping_every

    def ended(self) -> list[Happening]:
        """The other side closed the connection."""
        return self._gone(SHUTDOWN if self._shutting_down else CLOSED)

    def deadline(self) -> float | None:
        """When `tick` wants to be called next."""
        return self._deadline

    def tick(self, now: float) -> list[Happening]:
        """The deadline has come: ask whether anyone is there, or give the connection up."""
        if self._deadline is None or now < self._deadline:
            return []
        if self.stage is not Stage.UP:
            return self._gone(TOO_SLOW.given(seconds=f"{LOGIN_DEADLINE:g}"))
        if self._pinged:
            return self._gone(NO_PONG.given(seconds=f"{self._settings.ping_deadline:g}"))
        self.ask("Ping")
        self._pinged = True
        self._deadline = now + self._settings.ping_deadline
        return []

    def take_bytes(self) -> bytes:
        """What to send now; each byte is given once."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def ask(self, action: str, headers: Iterable[tuple[str, str]] = ()) -> str:
        """Queue an action; its `Replied` carries the ActionID that is returned here. A header `ActionID` is
        honoured.

        Raises `ValueError` for what cannot be sent or for an ActionID that is under way.
        """
        rest = list(headers)
        given = [value for name, value in rest if name == "ActionID"]
        self._count += 1
        action_id = given[0] if given else f"callme-{self._nonce}-{self._count}"
        if action_id in self._asked:
            raise ValueError(f"AMI action {action_id} is under way")
        self._outgoing += encode_action(action, [one for one in rest if one[0] != "ActionID"], action_id)
        self._asked[action_id] = _Asked(single=action == "DBGet")
        return action_id

    def forget(self, action_id: str) -> None:
        """Nobody waits for that answer any more."""
        self._asked.pop(action_id, None)

    # ---------------------------------------------------------------------------------------------- the login
    def _greeted(self) -> list[Happening]:
        if self._framer.foreign:
            return self._gone(NOT_AMI)
        if self._framer.banner:
            self.stage = Stage.CHALLENGE
            self.ask("Challenge", [("AuthType", "MD5")])
        return []

    def _enter(self, response: Message) -> list[Happening]:
        """One more step of the login, by the answer to the last one."""
        settings = self._settings
        if self.stage is Stage.LOGIN:
            if response.name != "Success":
                return self._refused(
                    REFUSED.given(user=settings.username, words=plain(response.get("Message")))
                )
            self.stage = Stage.UP
            self.heard(self._heard)
            return [LoggedIn(self.version)]
        challenge = response.get("Challenge")
        if response.name == "Success" and challenge:
            # MD5 is what the protocol prescribes for its challenge; nothing of ours rests on its strength
            key = hashlib.md5((challenge + settings.secret).encode(), usedforsecurity=False).hexdigest()
            proof = [("AuthType", "MD5"), ("Username", settings.username), ("Key", key)]
        elif self._private:
            proof = [("Username", settings.username), ("Secret", settings.secret)]
        else:
            return self._refused(NO_CHALLENGE)
        self.stage = Stage.LOGIN
        classes = "system,call,agent,user,cdr" + (",dialplan" if settings.dialplan else "")
        self.ask("Login", [*proof, ("Events", classes)])
        return []

    def _refused(self, problem: Phrase) -> list[Happening]:
        self._close_down()
        return [LoginRefused(problem)]

    def _gone(self, reason: Phrase) -> list[Happening]:
        if self.stage is Stage.DOWN:
            return []
        self._close_down()
        return [Gone(reason)]

    def _close_down(self) -> None:
        self.stage = Stage.DOWN
        self._deadline = None
        self._outgoing.clear()
        self._asked.clear()

    # ------------------------------------------------------------------------------------------------ packets
    def _response(self, raw: bytes) -> list[Happening]:
        """A response; one that nobody waits for is dropped."""
        response = parse(raw)
        action_id = response.get("ActionID")
        asked = self._asked.get(action_id)
        if asked is None:
            return []
        asked.response = response
        asked.raw.append(raw)
        if self.stage is not Stage.UP:
            del self._asked[action_id]
            return self._enter(response)
        return [] if _announces_list(response) else [self._complete(action_id, asked)]

    def _item(self, raw: bytes) -> list[Happening] | None:
        """Take an event that belongs to a list of ours, with the reply that it may complete. None if it is no
        such."""
        if b"\nActionID: " not in raw:
            return None
        message = parse(raw)
        action_id = message.get("ActionID")
        asked = self._asked.get(action_id)
        if asked is None or asked.response is None:
            return None
        asked.items.append(message)
        asked.raw.append(raw)
        whole = message.get("EventList") == "Complete" or message.name.endswith("Complete") or asked.single
        return [self._complete(action_id, asked)] if whole else []

    def _complete(self, action_id: str, asked: _Asked) -> Replied:
        del self._asked[action_id]
        response = asked.response or Message([])
        return Replied(Reply(action_id, response, tuple(asked.items), _join(asked.raw)))

    def _system(self, raw: bytes) -> list[Happening]:
        """An event about the PBX itself that the link needs, whatever the filter says."""
        message = parse(raw)
        if message.name == "Shutdown":
            self._shutting_down = True
            return []
        uptime = message.get("Uptime")
        return [Booted(int(uptime) if uptime.isdecimal() else None)]


def _announces_list(response: Message) -> bool:
    """`EventList: start`, or only the words of Asterisk 13: “Channels will follow”, “Result will follow”."""
    if response.name != "Success":
        return False
    return response.get("EventList").lower() == "start" or response.get("Message").endswith("will follow")


def _join(packets: Iterable[bytes]) -> bytes:
    return b"".join(packet + b"\r\n\r\n" for packet in packets)


def _hand_over(kept: list[bytes], happenings: list[Happening]) -> None:
    """Hand over the events gathered so far, before whatever comes next in the stream."""
    if kept:
        happenings.append(Events(tuple(map(parse, kept)), _join(kept)))
        kept.clear()
