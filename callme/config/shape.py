"""The shape of the configuration and what each key must be (DESIGN §7).

Models are frozen; secrets are `SecretStr`, so that no repr shows them. Relative folders are relative to the
configuration file. Nothing here reads files or the environment; see `config.reading`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from callme.config.forms import Listen, Patterns, Table, is_loopback, split_listen
from callme.config.people import KeepBack, Person
from callme.config.problems import Problem, Unfit
from callme.config.steering import Routing, Steer
from callme.config.transcription import Transcription
from callme.wording import Phrase

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,31}")
_VARIABLE = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]*")
_MARK = re.compile(r"[A-Za-z0-9_.-]+")


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise Unfit(
            Phrase("“{value}” cannot be an id", "«{value}» не годится как идентификатор", {"value": value}),
            Phrase(
                "use small Latin letters, digits and “-”, a letter first, at most 32 characters",
                "используйте строчные латинские буквы, цифры и «-», первой — буква, не длиннее 32 знаков",
            ),
        )
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if value and not sound:
        raise Unfit(
            Phrase("it is not a web address", "это не веб-адрес"),
            Phrase("write it like https://pbx.example.com", "напишите так: https://pbx.example.com"),
        )
    return value.rstrip("/")


def _place(value: str) -> str:
    """A folder of this machine, `sftp://host/folder` or `https://host/folder`."""
    scheme, mark, rest = value.partition("://")
    if not mark:
        return value
    try:
        parts = urlsplit(value)
        sound = bool(parts.hostname) and not rest.startswith("-") and parts.port != 0
    except ValueError:
        sound, parts = False, urlsplit("")
    if not sound or parts.query or parts.fragment:
        raise Unfit(
            Phrase("it is not the address of a folder", "это не адрес папки"),
            Phrase(
                "write it like sftp://callme@pbx.example.com/var/spool/asterisk/monitor",
                "напишите так: sftp://callme@pbx.example.com/var/spool/asterisk/monitor",
            ),
        )
    open_text = scheme == "http" and is_loopback(parts.hostname or "")
    if scheme not in ("sftp", "https") and not open_text:
        raise Unfit(
            Phrase(
                "recordings cannot be fetched by “{scheme}”", "записи нельзя забирать по «{scheme}»"
            ).given(scheme=scheme),
            Phrase(
                "name a folder of this machine, sftp://… or https://…",
                "укажите папку этой машины, sftp://… или https://…",
            ),
        )
    if parts.password is not None or (scheme != "sftp" and parts.username):
        raise Unfit(
            Phrase("a password does not belong into an address", "паролю не место в адресе"),
            Phrase(
                "give recordings_user and recordings_password, or recordings_ssh_key for sftp",
                "задайте recordings_user и recordings_password, а для sftp — recordings_ssh_key",
            ),
        )
    return value


def _database(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    if not url or url.startswith("sqlite:"):
        return value
    raise Unfit(
        Phrase(
            "only SQLite is supported in this version; PostgreSQL comes later",
            "в этой версии поддерживается только SQLite; PostgreSQL появится позже",
        ),
        Phrase(
            "leave `database` empty: calls are then kept in `data_dir`",
            "оставьте `database` пустым: звонки будут храниться в `data_dir`",
        ),
    )


def _variables(value: dict[str, str]) -> dict[str, str]:
    """What is set on a channel must not break out of its line, or of its list of variables."""
    for name, text in value.items():
        if not _VARIABLE.fullmatch(name) or "," in text or not (text.isprintable() or not text):
            raise Unfit(
                Phrase(
                    "“{name}” cannot be set so on a channel",
                    "переменной канала «{name}» это задать нельзя",
                    {"name": name},
                ),
                Phrase(
                    "a name has Latin letters, digits and “_”, a value no commas and no line breaks",
                    "имя — из латинских букв, цифр и «_», значение — без запятых и переводов строки",
                ),
            )
    return value


def _country(value: str) -> str:
    code = value.upper()
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise Unfit(
            Phrase("“{value}” is not a country code", "«{value}» — это не код страны", {"value": value}),
            Phrase(
                "use the two-letter code, such as RU, KZ or DE",
                "укажите двухбуквенный код, например RU, KZ или DE",
            ),
        )
    return code


# A channel is written Local/101@context/n: nothing else may stand in a context's name.
_CONTEXT = r"^[A-Za-z0-9_.-]*$"

Slug = Annotated[str, AfterValidator(_slug)]
Device = Annotated[str, Field(pattern=r"^(PJSIP|SIP|IAX2|DAHDI|SCCP)/[A-Za-z0-9_.@-]+$")]
DialplanContext = Annotated[str, Field(min_length=1, pattern=_CONTEXT)]
Variables = Annotated[dict[str, str], AfterValidator(_variables)]


class Service(Table):
    """`[service]`: this process."""

    listen: Listen = "127.0.0.1:8080"
    public_url: Annotated[str, AfterValidator(_url)] = ""
    data_dir: Path = Path("var")
    database: Annotated[SecretStr, AfterValidator(_database)] = SecretStr("")
    mp3_kbit: Annotated[int, Field(ge=16, le=64, multiple_of=8)] = 32
    transcripts_days: Annotated[int, Field(ge=0, le=3650)] = 14
    calls_days: Annotated[int, Field(ge=0, le=36500)] = 0  # 0: calls are never forgotten
    recordings_days: Annotated[int, Field(ge=0, le=3650)] = 30  # our copies; never the PBX's own
    recordings_gb: Annotated[float, Field(gt=0)] = 5.0
    language: Literal["ru", "en"] = "ru"
    country: Annotated[str, AfterValidator(_country)] = "RU"
    web_user: str = ""
    web_password: SecretStr = SecretStr("")

    @property
    def host(self) -> str:
        """The address to listen on."""
        return split_listen(self.listen)[0]

    @property
    def port(self) -> int:
        """The port to listen on; 0 lets the system choose."""
        return split_listen(self.listen)[1]

    @property
    def store(self) -> str:
        """Where calls are kept: a file, or `sqlite:///file`."""
        return self.database.get_secret_value() or str(self.data_dir / "callme.db")

    @property
    def guarded(self) -> bool:
        """Whether the pages ask for user and password."""
        return bool(self.web_user and self.web_password.get_secret_value())

    @model_validator(mode="after")
    def _guard(self) -> Service:
        if self.guarded:
            return self
        if self.web_user or self.web_password.get_secret_value():
            raise Unfit(
                Phrase(
                    "web_user and web_password belong together", "web_user и web_password задаются вместе"
                ),
                Phrase("give both or neither", "задайте оба или ни одного"),
                key="web_password" if self.web_user else "web_user",
            )
        if not is_loopback(self.host):
            raise Unfit(
                Phrase(
                    "{listen} is open to other machines, and the pages would show every call to anyone",
                    "{listen} открыт для других машин, и страницы показали бы все звонки кому угодно",
                    {"listen": self.listen},
                ),
                Phrase(
                    "set web_user and web_password, or listen on 127.0.0.1",
                    "задайте web_user и web_password или слушайте только 127.0.0.1",
                ),
                key="listen",
            )
        return self


class ClickLine(Table):
    """One of `click_to_call.lines`: how a call goes out over the line that was chosen in the portal. What is
    left out is as in `click_to_call`. `variables` are set on the call's channel."""

    prefix: Annotated[str, Field(pattern=r"^[0-9]*$")] | None = None
    context: DialplanContext | None = None
    variables: Variables = Field(default_factory=dict)


class ClickToCall(Table):
    """How calls that a portal asks for are dialled. `context` is where the dialled number enters the
    dialplan, `agent_context` where the employee's extension does (empty: FreePBX's originate-skipvm where
    there is one, else the same)."""

    context: DialplanContext = "from-internal"
    agent_context: Annotated[str, Field(pattern=_CONTEXT)] = ""
    # What stands for the "+" of an international number, and before every number.
    plus: Annotated[str, Field(pattern=r"^\+?[0-9]*$")] = ""
    prefix: Annotated[str, Field(pattern=r"^[0-9]*$")] = ""
    forbidden: Patterns = ()  # patterns of numbers that no click may dial, as written without "+"
    ring_s: Annotated[int, Field(ge=5, le=120)] = 30  # so long the employee's telephone rings
    # Who has several telephones and wants only this one rung: his extension and the device's channel.
    devices: dict[str, Device] = Field(default_factory=dict)
    # The employee's telephone picks up by itself: the Alert-Info that his kind of telephone takes for that.
    auto_answer: Annotated[str, Field(pattern=r"^[A-Za-z0-9 =;:/<>._-]*$", max_length=80)] = ""
    # What makes the chosen line's trunk and number of it, by the line as the portal has it.
    lines: dict[str, ClickLine] = Field(default_factory=dict)
    # So long after the customer's answer the keys of an extension wait: menus do not listen at once.
    keys_after_s: Annotated[float, Field(ge=0, le=30)] = 1.0


class NumberRule(Table):
    """One of a PBX's `numbers`: how a trunk writes numbers (see `calls.numbering.NumberRule`)."""

    trunk: str = "*"
    strip: str = ""
    add: str = ""
    digits: Annotated[int, Field(ge=0, le=20)] = 0


class Pbx(Table):
    """One `[[pbx]]`: an Asterisk and its AMI user."""

    id: Slug
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5038
    tls: bool = False
    username: Annotated[str, Field(min_length=1)] = "callme"
    secret: Annotated[SecretStr, Field(min_length=1)]
    trunks: Patterns = ()
    extensions: Patterns = ()
    numbers: tuple[NumberRule, ...] = ()
    recordings: Annotated[str, AfterValidator(_place)] = ""
    recordings_on_pbx: str = "/var/spool/asterisk/monitor"
    recordings_ssh_key: Path | None = None
    recordings_known_hosts: Path | None = None
    recordings_user: str = ""
    recordings_password: SecretStr = SecretStr("")
    recordings_token: SecretStr = SecretStr("")
    recordings_ca: Path | None = None
    recordings_limit_mb: Annotated[int, Field(ge=1, le=100_000)] = 1024
    voicemail: Annotated[str, AfterValidator(_place)] = ""
    voicemail_on_pbx: str = "/var/spool/asterisk/voicemail"
    click_to_call: ClickToCall | None = None

    @property
    def mailboxes(self) -> str:
        """Where messages that callers left are seen from here; empty when that is not known. On the PBX's own
        machine it is where Asterisk keeps them."""
        at_home = self.recordings and self.recordings.rstrip("/") == self.recordings_on_pbx.rstrip("/")
        return self.voicemail or (self.voicemail_on_pbx if at_home else "")


class PortalTable(Table):
    """One `[[portal]]`: its id, its kind of CRM, and the keys that only this CRM's adapter understands.
    `shadow`: what its calls would tell is worked out and kept, and nothing is written to it."""

    id: Slug
    crm: str
    shadow: bool = False
    settings: dict[str, Any] = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _own_keys(cls, table: Any) -> Any:
        if not isinstance(table, dict) or "settings" in table:
            return table
        known = {name: table[name] for name in ("id", "crm", "shadow") if name in table}
        return {**known, "settings": {name: value for name, value in table.items() if name not in known}}

    @model_validator(mode="after")
    def _crm(self) -> PortalTable:
        if not _MARK.fullmatch(self.crm):
            raise Unfit(
                Phrase(
                    "“{value}” is not the name of a CRM",
                    "«{value}» — это не название CRM",
                    {"value": self.crm},
                ),
                Phrase(
                    "see docs for the CRMs that are supported", "список поддерживаемых CRM — в документации"
                ),
                key="crm",
            )
        return self


class Route(Table):
    """One `[[route]]`: calls of this PBX (empty: any) on this line (empty: any) go to this portal."""

    pbx: str = ""
    line: str = ""
    portal: str


class Config(Table):
    """The whole configuration. `path` is the file it came from, `None` when there was none; `warnings` name
    what does not hinder but should be put right."""

    service: Service = Service()
    pbx: tuple[Pbx, ...] = ()
    portal: tuple[PortalTable, ...] = ()
    route: tuple[Route, ...] = ()
    routing: Routing = Routing()
    steer: tuple[Steer, ...] = ()
    person: tuple[Person, ...] = ()
    keep_back: tuple[KeepBack, ...] = ()
    transcription: Transcription = Transcription()
    path: Path | None = None
    warnings: tuple[Problem, ...] = ()

    def pbx_named(self, name: str) -> Pbx | None:
        """The PBX with that id."""
        return next((one for one in self.pbx if one.id == name), None)
