"""A Bitrix24 portal's own keys in the configuration, checked before anything is asked of the portal.

`callme.config` passes the table through as it stands; `read` gives the settings or one `ConfigError` that
names every key to put right. Secrets never show in a repr or a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from callme.config import is_loopback, refusal
from callme.config.forms import Patterns, Table
from callme.config.problems import Unfit, from_pydantic
from callme.crm.cards import EVERYBODY, CardRules, When
from callme.crm.policy import Rules
from callme.portals.bitrix24.callme.access import CallMeOut
from callme.portals.bitrix24.policies import CardRule, Create, Line, Missed, Moment, Reassign, Vip
from callme.wording import Language, Phrase

_PATH = re.compile(r"/rest/[1-9][0-9]*/[A-Za-z0-9]+/?")
_EXAMPLE = "https://example.bitrix24.ru/rest/1/xxxxxxxx/"
_WHERE = Phrase(
    "copy the whole address from Bitrix24: Developer resources → Other → Inbound webhook ({example})",
    "скопируйте адрес целиком из Битрикс24: Разработчикам → Другое → Входящий вебхук ({example})",
    {"example": _EXAMPLE},
)


def _webhook(value: SecretStr) -> SecretStr:
    url = value.get_secret_value().strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Unfit(Phrase("it is not a web address", "это не веб-адрес"), _WHERE) from None
    if parts.scheme not in ("http", "https") or not host:
        raise Unfit(Phrase("it is not a web address", "это не веб-адрес"), _WHERE)
    if parts.scheme == "http" and not is_loopback(host):
        raise Unfit(
            Phrase(
                "plain http would show the webhook's secret to the network",
                "по http секрет вебхука был бы виден в сети",
            ),
            Phrase("write https:// instead of http://", "напишите https:// вместо http://"),
        )
    if not _PATH.fullmatch(parts.path) or parts.query or parts.fragment or parts.username:
        raise Unfit(
            Phrase(
                "it does not look like an incoming webhook: …/rest/<user>/<secret>/ is expected",
                "это не похоже на входящий вебхук: ожидается …/rest/<пользователь>/<секрет>/",
            ),
            _WHERE,
        )
    return SecretStr(url.rstrip("/") + "/")


_HOST = Phrase(
    "write the portal's host name alone, like example.bitrix24.ru",
    "напишите одно имя хоста портала, например example.bitrix24.ru",
)
_ORIGIN = Phrase("write it like https://oauth.example.com", "напишите так: https://oauth.example.com")


def _origin(value: str, cure: Phrase) -> str:
    """An address without a path; a host name alone means https."""
    try:
        parts = urlsplit(value.strip() if "://" in value else f"https://{value.strip()}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Unfit(Phrase("it is not a web address", "это не веб-адрес"), cure) from None
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in ("http", "https") or not host or extra:
        raise Unfit(Phrase("it is not the address of a host", "это не адрес хоста"), cure)
    if parts.scheme == "http" and not is_loopback(host):
        raise Unfit(
            Phrase(
                "plain http would show tokens to the network",
                "по http токены были бы видны в сети",
            ),
            Phrase("write https:// instead of http://", "напишите https:// вместо http://"),
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}"


def _domain(value: str) -> str:
    return _origin(value, _HOST) if value.strip() else ""


def _server(value: str) -> str:
    return _origin(value, _ORIGIN)


def _token_key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 16:
        raise Unfit(
            Phrase("it is too short to protect tokens", "он слишком короткий, чтобы защитить токены"),
            Phrase(
                "give at least 16 random characters, or leave it out: a key file is then made",
                "задайте не меньше 16 случайных знаков или уберите его: тогда будет создан файл с ключом",
            ),
        )
    return value


Seconds = Annotated[float, Field(ge=1, le=600)]
UserId = Annotated[int, Field(ge=1)]
LineNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class CallTab(Table):
    """Our tab in the portal's card of a call. `supervisors` may look at and direct every call, not only their
    own."""

    shown: bool = True
    supervisors: tuple[UserId, ...] = ()


Source = Literal["rung", "line", "responsible", "default"]


class Settings(Table):
    """All keys of `[[portal]]` with `crm = "bitrix24"`. Times are seconds."""

    # Either an incoming webhook, or a local application: domain, client_id, client_secret.
    webhook: Annotated[SecretStr, AfterValidator(_webhook)] | None = None
    domain: Annotated[str, AfterValidator(_domain)] = ""
    client_id: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    client_secret: SecretStr = SecretStr("")
    oauth_server: Annotated[str, AfterValidator(_server)] = "https://oauth.bitrix.info"
    token_key: Annotated[SecretStr, AfterValidator(_token_key)] | None = None
    application_token: SecretStr | None = None
    default_user: UserId
    users: dict[str, UserId] = Field(default_factory=dict)
    create: Create = Create()
    reassign: Reassign = Reassign()
    missed: Missed = Missed()
    lines: dict[LineNumber, Line] = Field(default_factory=dict)
    # Who owns a call that nobody took, the first that is known: whose phone rang, the owner of the line, the
    # client's responsible, and always at the end default_user.
    missed_owner: tuple[Source, ...] = ("rung", "line", "responsible", "default")
    # Who sees the card when; the first of the rules that fits decides.
    cards: Moment = "ring"
    card_rules: tuple[CardRule, ...] = ()
    # Patterns of outside numbers, without "+": no client is made of them, and what nobody answers is not
    # missed.
    blocked: Patterns = ()
    vip: Vip | None = None  # which clients a rule of [[steer]] may treat as important
    # So long after a click it is still dialled: later nobody waits for the call any more.
    click_max_age: Seconds = 15.0
    # Whom a customer who asks by a form to be called gets: this extension, group or queue; empty: whoever is
    # responsible for him. So long after his wish he is still called.
    callback_extension: Annotated[str, StringConstraints(pattern=r"^[0-9]*$")] = ""
    callback_max_age: Seconds = 300.0
    # How an application hears of clicks: told at service.public_url, or fetched from the portal, which costs
    # requests but needs no address; auto: told where there is one.
    events: Literal["auto", "told", "fetched"] = "auto"
    language: Language | None = None  # in which users are told things; as the service's where absent
    call_tab: CallTab = CallTab()  # a local application alone can have it
    chat: bool = False  # a message about each finished call in the employee's chat
    callme_out: CallMeOut = CallMeOut()
    ca_file: Path | None = None
    connect_timeout: Seconds = 5.0
    answer_timeout: Seconds = 30.0
    upload_timeout: Seconds = 60.0  # the cloud itself cuts a request after 60 s (sheet §4.3)
    # The cloud counts 2 requests a second above a pool of 50 per address of ours, whatever sends them (§4.1).
    requests_per_second: Annotated[float, Field(ge=0.1, le=1000)] = 2.0
    burst: Annotated[int, Field(ge=1, le=10000)] = 40

    @property
    def rules(self) -> Rules:
        """What `crm.policy` has to know of them."""
        own = CardRules(When(self.cards), tuple(rule.plain() for rule in self.card_rules))
        return Rules(
            cards=EVERYBODY if own == EVERYBODY else own,
            blocked=self.blocked,
            reminds=self.reminds,
            transcripts=True,
        )

    @property
    def reminds(self) -> bool:
        """Whether anybody may be reminded of a missed call."""
        return self.missed.wanted or any(line.remind for line in self.lines.values())

    @property
    def scopes(self) -> Mapping[str, bool]:
        """Further rights, and whether these settings need them."""
        by_task = self.missed.task
        return {"im": self.reminds and (self.missed.notify or not by_task), "task": self.reminds and by_task}

    @property
    def asks_whose(self) -> bool:
        """Whether somebody's card depends on whose client it is."""
        return "responsible" in (self.cards, *(rule.cards for rule in self.card_rules))

    @property
    def webhook_url(self) -> str:
        """The webhook's address, empty for an application."""
        return self.webhook.get_secret_value() if self.webhook else ""

    @property
    def origins(self) -> tuple[str, ...]:
        """Where the portal and, for an application, its authorisation server are reached; no secrets."""
        if self.webhook is None:
            return (self.domain, self.oauth_server)
        parts = urlsplit(self.webhook_url)
        return (f"{parts.scheme}://{parts.netloc}",)

    @model_validator(mode="after")
    def _one_way_in(self) -> Settings:
        wanted = {
            "domain": self.domain,
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value().strip(),
        }
        given = [key for key, value in wanted.items() if value]
        if self.webhook is not None and given:
            raise Unfit(
                Phrase(
                    "a webhook and a local application ({keys}) are both given",
                    "заданы и вебхук, и локальное приложение ({keys})",
                ).given(keys=", ".join(given)),
                Phrase(
                    "keep webhook, or domain, client_id and client_secret",
                    "оставьте webhook либо domain, client_id и client_secret",
                ),
                "webhook",
            )
        if self.webhook is None and not given:
            raise Unfit(
                Phrase("it is not said how to reach the portal", "не сказано, как подключиться к порталу"),
                Phrase(
                    "give webhook, or domain, client_id and client_secret of a local application",
                    "задайте webhook либо domain, client_id и client_secret локального приложения",
                ),
                "webhook",
            )
        if self.webhook is None and len(given) < len(wanted):
            missing = [key for key in wanted if key not in given]
            raise Unfit(
                Phrase(
                    "the local application also needs {keys}", "локальному приложению нужны ещё {keys}"
                ).given(keys=", ".join(missing)),
                Phrase(
                    "copy them from the application's page in Bitrix24",
                    "скопируйте их со страницы приложения в Битрикс24",
                ),
                missing[0],
            )
        return self


def read(portal: str, table: Mapping[str, Any], source: str, base: Path) -> Settings:
    """The settings in a portal's table; `id` and `crm` may stand in it. `source` names the configuration
    file, relative paths start at `base`. `ConfigError` names everything that is wrong."""
    own = {key: value for key, value in table.items() if key not in ("id", "crm")}
    try:
        settings = Settings.model_validate(own)
        if settings.ca_file is None:
            return settings
        return settings.model_copy(update={"ca_file": base / settings.ca_file})
    except ValidationError as error:
        wrong = [
            from_pydantic(dict(entry), f"portal.{portal}", _known(entry["loc"])) for entry in error.errors()
        ]
    raise refusal(wrong, source)


def _known(location: tuple[int | str, ...]) -> list[str]:
    """The keys that exist in the table where an error was found."""
    shape: type[Table] = Settings
    if len(location) > 1:
        shape = _TABLES.get(str(location[0]), Settings)
    return list(shape.model_fields)


_TABLES: Mapping[str, type[Table]] = {
    "create": Create,
    "lines": Line,
    "card_rules": CardRule,
    "reassign": Reassign,
    "vip": Vip,
    "missed": Missed,
    "callme_out": CallMeOut,
    "call_tab": CallTab,
}
