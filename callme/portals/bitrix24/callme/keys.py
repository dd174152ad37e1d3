"""What becomes of each key of the old `config.php`, and of each global of the old dialplan.

Pure. `convert` gives a verdict for every key, the unknown ones too, and the tables of our configuration that
result. The keys are those of CallMe and CallMePlus and of their known forks. No verdict repeats a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import commonpath
from typing import Any
from urllib.parse import urlsplit

from callme.config import is_loopback
from callme.crm.moving import Fate, OldKey
from callme.portals.bitrix24.callme import fates
from callme.portals.bitrix24.callme.php import Value
from callme.wording import Phrase, plain

Table = dict[str, Any]

_CONTEXT = re.compile(r"[A-Za-z0-9_.-]+")
_WEBHOOK = re.compile(r"https?://[^/\s]+/rest/[1-9]\d*/[A-Za-z0-9]+/?")
_NUMBER = re.compile(r"\+?\d{2,20}")


@dataclass(slots=True)
class Conversion:
    """The new tables as they grow, and the verdicts."""

    keys: list[OldKey] = field(default_factory=list)
    pbx: Table = field(default_factory=lambda: {"id": "office"})
    portal: Table = field(default_factory=lambda: {"id": "main", "crm": "bitrix24"})
    lines: dict[str, Table] = field(default_factory=dict)
    allow: list[str] = field(default_factory=lambda: ["127.0.0.1", "::1"])
    folders: list[str] = field(default_factory=list)

    def say(self, key: str, fate: Fate, said: Phrase) -> None:
        """A verdict."""
        self.keys.append(OldKey(key, fate, said))

    def keep(self, key: str, as_: str, value: object = None) -> None:
        """Kept under a name of ours; the value is shown unless there is none to show."""
        self.say(
            key,
            Fate.KEPT,
            fates.AS.given(key=as_) if value is None else fates.AS_VALUE.given(key=as_, value=value),
        )

    def line(self, number: str) -> Table:
        """One of the company's numbers."""
        return self.lines.setdefault(number.lstrip("+"), {})

    @property
    def records(self) -> str:
        """Where the dialplan's recordings lie: raw ones and those that became mp3 side by side."""
        return self.folders[0] if len(self.folders) == 1 else commonpath(self.folders)

    def finish(self) -> None:
        """What can only be said when everything was read."""
        if self.folders:
            self.pbx["recordings"] = self.pbx["recordings_on_pbx"] = self.records
        if self.lines:
            self.portal["lines"] = self.lines
        self.portal.setdefault("default_user", 1)
        self.portal["callme_out"] = {"allow": self.allow}


Rule = Callable[[Conversion, str, Value], None]


def convert(config: Mapping[str, Value], globals_: Mapping[str, str]) -> Conversion:
    """Every key of the configuration and every global, in their order."""
    found = Conversion()
    ordered = sorted(config.items(), key=lambda item: item[0] in _LATE)
    for key, value in ordered:
        if key == "asterisk" and isinstance(value, Mapping):
            for name, inner in value.items():
                _ASTERISK.get(name, _unknown)(found, f"asterisk.{name}", inner)
        else:
            _RULES.get(key, _unknown)(found, key, value)
    order = list(config)
    found.keys.sort(key=lambda one: order.index(one.key.partition(".")[0]))
    for name, text in globals_.items():
        _GLOBALS[name](found, name, text)
    for at, one in enumerate(found.keys):  # both folders are known only now
        if one.key in ("WAV", "MP3") and one.fate is Fate.KEPT:
            found.keys[at] = OldKey(one.key, one.fate, fates.RECORDS_HERE.given(folder=found.records))
    found.finish()
    return found


_LATE = ("bx24", "bx24_crm_source")
"""They speak of lines that `extentions` names."""


def _needless(why: Phrase) -> Rule:
    return lambda found, key, value: found.say(key, Fate.NEEDLESS, why)


def _lost(why: Phrase) -> Rule:
    return lambda found, key, value: found.say(key, Fate.LOST, why)


def _unknown(found: Conversion, key: str, value: Value) -> None:
    found.say(key, Fate.LOST, fates.UNKNOWN)


# ------------------------------------------------------------------------------------------ the portal
def _token(found: Conversion, key: str, value: Value) -> None:
    text = _text(value)
    if not text:
        found.say(key, Fate.LOST, fates.EMPTY.given(key="application_token"))
        return
    found.portal["application_token"] = text
    found.say(key, Fate.KEPT, fates.AS_SECRET.given(key="application_token"))


def _webhook(found: Conversion, key: str, value: Value) -> None:
    text = _text(value)
    if not text:
        found.say(key, Fate.LOST, fates.EMPTY.given(key="webhook"))
    elif not _WEBHOOK.fullmatch(text):
        why = Phrase("it is not the whole address of a webhook", "это не полный адрес вебхука")
        found.say(key, Fate.LOST, fates.UNFIT.given(why=why, key="webhook"))
    elif text.startswith("http:") and not is_loopback(urlsplit(text).hostname or ""):
        found.portal["webhook"] = "https" + text.removeprefix("http")
        why = Phrase(
            "kept as webhook, with https:// instead of http://: the secret went over the network in clear",
            "сохранён как webhook, но с https:// вместо http://: секрет передавался по сети открыто",
        )
        found.say(key, Fate.KEPT, why)
    else:
        found.portal["webhook"] = text
        found.say(key, Fate.KEPT, fates.AS_SECRET.given(key="webhook"))


def _default_id(found: Conversion, key: str, value: Value) -> None:
    text = _text(value)
    if not text.isdecimal() or int(text) < 1:
        found.say(key, Fate.LOST, fates.EMPTY.given(key="default_user"))
        return
    found.portal["default_user"] = int(text)
    found.keep(key, "default_user", int(text))


def _mode(found: Conversion, key: str, value: Value) -> None:
    first = ["responsible", "line"] if _text(value) == "crm_responsible" else ["line"]
    found.portal["missed_owner"] = [*first, "rung", "default"]
    found.say(key, Fate.KEPT, fates.MODE)


def _numbers(found: Conversion, key: str, value: Value) -> None:
    flat = list(_flat(value))
    named = [number for number, _ in flat if _NUMBER.fullmatch(number)]
    for number in named:
        found.line(number)
    if named:
        found.say(key, Fate.KEPT, fates.ALL_LINES.given(count=len(named)))
    if any(user for _, user in flat):
        found.say(key, Fate.LOST, fates.USER_IDS)
    if not named:
        found.say(key, Fate.NEEDLESS, fates.ANY_LINE)


def _owners(found: Conversion, key: str, value: Value) -> None:
    table = value if isinstance(value, Mapping) else {}
    owners = {number: _text(owner) for number, owner in table.items() if _NUMBER.fullmatch(number)}
    for number, owner in owners.items():
        found.line(number)["owner"] = owner
    if owners:
        found.say(key, Fate.KEPT, fates.OWNERS.given(count=len(owners)))
    default = _text(table.get("default_user_number"))
    if default:
        for line in found.lines.values():
            line.setdefault("owner", default)
        found.say(f"{key}.default_user_number", Fate.LOST, fates.DEFAULT_NUMBER.given(number=default))
    for name in table:
        if name not in owners and name != "default_user_number":
            _unknown(found, f"{key}.{name}", None)


def _sources(found: Conversion, key: str, value: Value) -> None:
    table = value if isinstance(value, Mapping) else {}
    default = _text(table.get("default_crm_source"))
    for number, source in table.items():
        if _NUMBER.fullmatch(number) and _text(source):
            found.line(number)["source"] = _text(source)
    for line in found.lines.values():
        if default:
            line.setdefault("source", default)
    count = sum("source" in line for line in found.lines.values())
    found.say(
        key, Fate.KEPT if count else Fate.LOST, fates.SOURCES.given(count=count) if count else fates.IBLOCK
    )


def _cards(found: Conversion, key: str, value: Value) -> None:
    people = [_text(one) for one in value.values()] if isinstance(value, Mapping) else []
    people = [one for one in people if one.isdecimal()]
    if not people:
        found.say(key, Fate.LOST, fates.NO_CARDS)
        return
    found.portal["cards"] = "never"
    found.portal["card_rules"] = [{"cards": "ring", "extensions": people}]
    found.say(key, Fate.KEPT, fates.CARDS.given(count=len(people)))


def _prefix(found: Conversion, key: str, value: Value) -> None:
    if _text(value):
        found.say(key, Fate.LOST, fates.PREFIX.given(prefix=_text(value)))
    else:
        found.say(key, Fate.NEEDLESS, fates.TECH)


# --------------------------------------------------------------------------------------------- the PBX
def _context(found: Conversion, key: str, value: Value) -> None:
    text = _text(value)
    if not _CONTEXT.fullmatch(text):
        why = Phrase("it is no name of a context", "это не имя контекста")
        found.say(key, Fate.LOST, fates.UNFIT.given(why=why, key="click_to_call.context"))
        return
    found.pbx["click_to_call"] = {"context": text}
    found.keep(key, "click_to_call.context", text)


def _host(found: Conversion, key: str, value: Value) -> None:
    text = _text(value)
    found.pbx["host"] = text or "127.0.0.1"
    if text and not is_loopback(text) and re.fullmatch(r"[0-9a-fA-F.:]+", text):
        found.allow.append(text)
    found.keep(key, "pbx.host", found.pbx["host"])


def _port(found: Conversion, key: str, value: Value) -> None:
    text = _text(value)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        found.say(key, Fate.LOST, fates.EMPTY.given(key="pbx.port"))
        return
    found.pbx["port"] = int(text)
    found.keep(key, "pbx.port", int(text))


def _scheme(found: Conversion, key: str, value: Value) -> None:
    if _text(value).startswith(("tls", "ssl")):
        found.pbx["tls"] = True
        found.keep(key, "pbx.tls", "true")
    else:
        found.say(key, Fate.NEEDLESS, Phrase("plain TCP is the default", "обычный TCP — и так по умолчанию"))


def _login(name: str, *, secret: bool = False) -> Rule:
    def rule(found: Conversion, key: str, value: Value) -> None:
        text = _text(value)
        if not text:
            found.say(key, Fate.LOST, fates.EMPTY.given(key=f"pbx.{name}"))
            return
        found.pbx[name] = text
        if secret:
            found.say(key, Fate.KEPT, fates.AS_SECRET.given(key=f"pbx.{name}"))
        else:
            found.keep(key, f"pbx.{name}", plain(text))

    return rule


# --------------------------------------------------------------------------------------- the dialplan
def _folder(found: Conversion, key: str, value: Value) -> None:
    folder = _text(value).rstrip("/")
    if not folder.startswith("/") or "${" in folder or "{{" in folder:
        found.say(key, Fate.LOST, fates.UNFIT.given(why=fates.NO_PATH, key="recordings"))
        return
    found.folders.append(folder)
    found.say(key, Fate.KEPT, fates.RECORDS_HERE.given(folder=found.records))


def _url_php(found: Conversion, key: str, value: Value) -> None:
    found.say(key, Fate.LOST, fates.URL_PHP.given(url="http://127.0.0.1:8080/"))


_RULES: Mapping[str, Rule] = {
    "CallMeDEBUG": _needless(fates.LOGS),
    "LogPath": _needless(fates.LOGS),
    "enable_full_log": _needless(fates.LOGS),
    "ami_healthcheck_log": _needless(fates.LOGS),
    "tech": _needless(fates.TECH),
    "authToken": _token,
    "bitrixApiUrl": _webhook,
    "extentions": _numbers,
    "context": _context,
    "listener_timeout": _needless(fates.TIMES),
    "healthCheckTimeout": _needless(fates.TIMES),
    "pingIdleTimeout": _needless(fates.TIMES),
    "hold_timeout": _lost(fates.NO_HANG_UP),
    "type_call": _needless(fates.TYPE),
    "intPrefix": _prefix,
    "responsible_mode": _mode,
    "fallback_responsible_user_id": _default_id,
    "bx24": _owners,
    "bx24_crm_source": _sources,
    "user_show_cards": _cards,
    "roi_source_iblock_id": _lost(fates.IBLOCK),
    "asterisk": _unknown,
}
_ASTERISK: Mapping[str, Rule] = {
    "host": _host,
    "scheme": _scheme,
    "port": _port,
    "username": _login("username"),
    "secret": _login("secret", secret=True),
    "connect_timeout": _needless(fates.TIMES),
    "read_timeout": _needless(fates.TIMES),
}
_GLOBALS: Mapping[str, Rule] = {
    "MP3": _folder,
    "WAV": _folder,
    "URLRECORDS": _needless(fates.URL),
    "URLPHP": _url_php,
    "RECORDING": _needless(fates.RECORDING),
}
GLOBALS = tuple(_GLOBALS)
KNOWN = (*_RULES, *(f"asterisk.{name}" for name in _ASTERISK), *GLOBALS)
"""Every key that a verdict is known for."""


def _text(value: Value) -> str:
    if value is None or isinstance(value, Mapping | bool):
        return ""
    return str(value).strip()


def _flat(value: Value) -> Iterator[tuple[str, str]]:
    """Numbers in the list, or in lists by country, or as keys of a map to user ids: (number, user id)."""
    for key, inner in value.items() if isinstance(value, Mapping) else ():
        if isinstance(inner, Mapping):
            yield from _flat(inner)
        elif _NUMBER.fullmatch(key) and len(key) > len(_text(inner)):
            yield key, _text(inner)
        else:
            yield _text(inner), ""
