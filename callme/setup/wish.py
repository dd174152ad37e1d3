"""What the person who sets up has said beforehand: options, and a file of answers. Pure but for reading it.

The answers are written as the configuration is, with one table of each kind, and `[setup]` beside them:

    [setup]    ami = "new", unit = true, portal = true, user = "callme", permit = "", hook = "none",
               moving_over = false
    [service]  public_url = "https://pbx.example.com"
    [pbx]      host = "127.0.0.1"
    [portal]   crm = "…", and its own keys

`--set pbx.host=10.0.0.5` says one of them. A value may be given as `<key>_file` and `<key>_env`, as in the
configuration, so that no secret has to stand on a command line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callme.config.problems import Problem, refusal, unknown
from callme.errors import ConfigError
from callme.setup.house import ETC
from callme.wording import Phrase, plain

TABLES = ("setup", "service", "pbx", "portal")
SETUP_KEYS = ("ami", "unit", "portal", "user", "permit", "hook", "moving_over", "remove_old_hooks")
SWITCHES = ("unit", "portal", "moving_over", "remove_old_hooks")
AMI_WAYS = ("new", "existing")
HOOKS = ("none", "lookup", "agi", "curl")

Answers = dict[str, dict[str, Any]]

BAD_SET = Phrase("--set {word}: it is not TABLE.KEY=VALUE", "--set {word}: это не ТАБЛИЦА.КЛЮЧ=ЗНАЧЕНИЕ")
BAD_SET_CURE = Phrase(
    "write it like --set pbx.host=10.0.0.5; the tables are {tables}",
    "напишите так: --set pbx.host=10.0.0.5; таблицы: {tables}",
)
NO_ANSWERS = Phrase("{file} cannot be read: {why}", "{file} не читается: {why}")
NO_ANSWERS_CURE = Phrase("name a file with the answers in TOML", "укажите файл с ответами в формате TOML")
ONE_TABLE = Phrase("here stands one table", "здесь пишется одна таблица")
ONE_TABLE_CURE = Phrase("write [{name}] with single brackets", "напишите [{name}] в одинарных скобках")
NOT_A_SWITCH = Phrase("it must be true or false", "здесь нужно true или false")
NOT_A_WAY = Phrase("it must be one of: {ways}", "здесь бывает: {ways}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted. `hands_off`: nobody is asked. `dry`: nothing is written. `root` stands for `/`, `etc`
    is Asterisk's folder, `console` how to start its program (empty: as usual, where that is possible)."""

    config: Path
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    root: Path = Path("/")
    etc: Path = ETC
    console: tuple[str, ...] = ()
    hands_off: bool = False
    dry: bool = False

    @property
    def here(self) -> bool:
        """Whether it is this machine itself that is set up, not a tree of files."""
        return self.root == Path("/")

    def said(self, table: str, key: str, default: Any = None) -> Any:
        """What was said of that key."""
        return self.given.get(table, {}).get(key, default)


def answers(file: Path | None, sets: Iterable[str]) -> Answers:
    """The answers of a file with single ones over it. Raises `ConfigError`."""
    found: Answers = {name: {} for name in TABLES}
    source = str(file) if file else "--set"
    if file is not None:
        found |= _read(file)
    for word in sets:
        name, equals, value = word.partition("=")
        table, dot, key = name.strip().partition(".")
        if not (equals and dot and key) or table not in TABLES:
            raise ConfigError(BAD_SET.given(word=name), BAD_SET_CURE.given(tables=", ".join(TABLES)))
        found[table][key] = _value(table, key, value)
    return sound(found, source)


def sound(found: Answers, source: str) -> Answers:
    """The same answers, if the set-up knows what is said in them under `[setup]`. Raises `ConfigError`."""
    problems = [unknown(f"setup.{key}", key, SETUP_KEYS) for key in found["setup"] if key not in SETUP_KEYS]
    problems += [
        Problem(f"setup.{key}", NOT_A_SWITCH)
        for key in SWITCHES
        if not isinstance(found["setup"].get(key, True), bool)
    ]
    if found["setup"].get("ami", AMI_WAYS[0]) not in AMI_WAYS:
        problems.append(Problem("setup.ami", NOT_A_WAY.given(ways=", ".join(AMI_WAYS))))
    if found["setup"].get("hook", HOOKS[0]) not in HOOKS:
        problems.append(Problem("setup.hook", NOT_A_WAY.given(ways=", ".join(HOOKS))))
    if problems:
        raise refusal(problems, source)
    return found


def _read(file: Path) -> Answers:
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(NO_ANSWERS.given(file=file, why=plain(why)), NO_ANSWERS_CURE) from None
    problems = [unknown(name, name, TABLES) for name in tables if name not in TABLES]
    problems += [
        Problem(name, ONE_TABLE, ONE_TABLE_CURE.given(name=name))
        for name, table in tables.items()
        if name in TABLES and not isinstance(table, dict)
    ]
    if problems:
        raise refusal(problems, str(file))
    return {name: dict(tables.get(name, {})) for name in TABLES}


def _value(table: str, key: str, value: str) -> Any:
    """Switches and numbers as such; everything else is text, which the environment gives as well."""
    if value in ("true", "false"):
        return value == "true"
    numeric = (table, key) == ("pbx", "port") or table == "portal"
    return int(value) if numeric and value.isascii() and value.isdecimal() else value
