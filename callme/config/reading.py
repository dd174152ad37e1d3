"""Reads a configuration file into a sound `Config`, or says everything that is wrong with it at once.

Called by the command line and the service. The order: file → TOML → environment over it → values kept
elsewhere → each table validated → what tables say of each other.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from callme.config.environment import LISTS, SECTIONS, overlay, resolve
from callme.config.people import KeepBack, Person
from callme.config.problems import Problem, from_pydantic, refusal, unknown
from callme.config.shape import Config, Pbx, PortalTable, Route, Service
from callme.config.steering import Routing, Steer
from callme.config.transcription import Transcription
from callme.errors import ConfigError
from callme.wording import Phrase, plain

_Shape = TypeVar("_Shape", bound=BaseModel)
_SHAPES: Mapping[str, type[BaseModel]] = {
    "service": Service,
    "pbx": Pbx,
    "portal": PortalTable,
    "route": Route,
    "steer": Steer,
    "person": Person,
    "keep_back": KeepBack,
}
_SINGLE: Mapping[str, type[BaseModel]] = {"routing": Routing, "transcription": Transcription}
PBX_FILES = ("recordings_ssh_key", "recordings_known_hosts", "recordings_ca")
_SECRET = re.compile(r"secret|token|password|webhook|passphrase|(^|_)key$")


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration of that file with the environment over it; `None` means the environment alone.

    Raises `ConfigError` that names every problem with its key and cure.
    """
    tables = raw(path) if path else {}
    warnings = _exposed(path, tables) if path else []
    return judge(tables, path, environ).model_copy(update={"warnings": tuple(warnings)})


def judge(tables: dict[str, Any], path: Path | None, environ: Mapping[str, str]) -> Config:
    """What `load` would make of a file with these tables; they are changed by it. For those who write one.

    Raises `ConfigError`.
    """
    source = str(path) if path else "CALLME_…"
    base = path.absolute().parent if path else Path.cwd()
    problems = [unknown(name, name, SECTIONS) for name in tables if name not in SECTIONS]
    problems += overlay(tables, environ)
    service, single, several = _validated(tables, base, environ, problems)
    problems += _between(tables)
    if problems:
        raise refusal(problems, source)
    if not service.data_dir.is_absolute():
        service = service.model_copy(update={"data_dir": base / service.data_dir})
    speech: Transcription = single["transcription"]
    if speech.ca is not None:
        single["transcription"] = speech.model_copy(update={"ca": base / speech.ca})
    several["pbx"] = tuple(one.model_copy(update=_at_home(one, base)) for one in several["pbx"])
    return Config(service=service, **single, **several, path=path)


def _at_home(pbx: Pbx, base: Path) -> dict[str, Path]:
    """Files that a PBX's table names, relative to the configuration file."""
    files = {name: getattr(pbx, name) for name in PBX_FILES}
    return {name: base / file for name, file in files.items() if file is not None}


def raw(path: Path) -> dict[str, Any]:
    """The tables of that file as they stand there. Raises `ConfigError`: it is missing, unreadable, not
    TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            Phrase("there is no configuration file {path}", "нет файла конфигурации {path}", {"path": path}),
            Phrase(
                "make one with “callme setup”, or name another file with --config",
                "создайте его командой «callme setup» или укажите другой файл через --config",
            ),
        ) from None
    except UnicodeDecodeError:
        raise refusal(
            [
                Problem(
                    "",
                    Phrase("it is not UTF-8 text", "это не текст в UTF-8"),
                    Phrase("save it as UTF-8", "сохраните его в UTF-8"),
                )
            ],
            str(path),
        ) from None
    except OSError as error:
        raise ConfigError(
            Phrase(
                "{path} cannot be read: {why}",
                "не удаётся прочитать {path}: {why}",
                {"path": path, "why": plain(error.strerror)},
            ),
            Phrase(
                "name a file that this user may read", "укажите файл, доступный для чтения этому пользователю"
            ),
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise refusal([_syntax(str(error))], str(path)) from None


def _syntax(said: str) -> Problem:
    place = re.search(r"\(at line (\d+), column (\d+)\)", said)
    why = plain(said[: place.start()].strip() if place else said)
    what = (
        Phrase(
            "line {line}, column {column} is not TOML: {why}",
            "строка {line}, позиция {column} — не TOML: {why}",
            {"line": place[1], "column": place[2], "why": why},
        )
        if place
        else Phrase("it is not TOML: {why}", "это не TOML: {why}", {"why": why})
    )
    cure = Phrase(
        "texts stand in quotes, tables in [ ]; compare with callme.example.toml",
        "тексты пишутся в кавычках, таблицы — в [ ]; сравните с callme.example.toml",
    )
    return Problem("", what, cure)


def _exposed(path: Path, tables: Mapping[str, Any]) -> list[Problem]:
    """A file that holds secrets and that every user of the machine may read."""
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if not mode & stat.S_IROTH or not _holds_secret(tables):
        return []
    return [
        Problem(
            "",
            Phrase(
                "it holds secrets and every user of this machine may read it (mode {mode:04o})",
                "в нём есть секреты, а читать его может любой пользователь этой машины (права {mode:04o})",
                {"mode": mode},
            ),
            Phrase("chmod 600 {path}", "chmod 600 {path}", {"path": path}),
        )
    ]


def _holds_secret(value: object, key: str = "") -> bool:
    if isinstance(value, Mapping):
        return any(_holds_secret(inner, str(name)) for name, inner in value.items())
    if isinstance(value, list):
        return any(_holds_secret(inner, key) for inner in value)
    if key.endswith(("_file", "_env")):
        return False
    return (
        isinstance(value, str)
        and bool(value)
        and bool(_SECRET.search(key) or (key == "database" and "@" in value))
    )


def _validated(
    tables: dict[str, Any], base: Path, environ: Mapping[str, str], problems: list[Problem]
) -> tuple[Service, dict[str, Any], dict[str, Any]]:
    """The single tables, `[service]` apart, and of the others all that are sound."""
    service = _one(Service, tables.get("service", {}), "service", base, environ, problems)
    single: dict[str, Any] = {
        name: _one(shape, tables.get(name, {}), name, base, environ, problems) or shape()
        for name, shape in _SINGLE.items()
    }
    several: dict[str, Any] = {}
    for section in LISTS:
        entries = tables.get(section, [])
        if not isinstance(entries, list):
            problems.append(_not_a_list(section))
            entries = tables[section] = []
        shape = _SHAPES[section]
        made = [
            _one(shape, entry, _path(section, position, entry), base, environ, problems)
            for position, entry in enumerate(entries, start=1)
        ]
        several[section] = tuple(one for one in made if one is not None)
    return service or Service(), single, several


def _one(
    shape: type[_Shape],
    table: object,
    prefix: str,
    base: Path,
    environ: Mapping[str, str],
    problems: list[Problem],
) -> _Shape | None:
    if isinstance(table, dict):
        problems += resolve(table, prefix, base, environ)
    try:
        return shape.model_validate(table)
    except ValidationError as error:
        found = [from_pydantic(entry, prefix, _keys(shape, entry["loc"])) for entry in _entries(error)]
        problems += [_secret_missing(problem) for problem in found]
        return None


def _keys(shape: type[BaseModel], place: Sequence[int | str]) -> list[str]:
    """The keys that exist in the table in which the last part of `place` stands."""
    for step in place[:-1]:
        field = shape.model_fields.get(str(step))
        inner = get_args(field.annotation) if field else ()
        shape = next((one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), shape)
    return list(shape.model_fields)


def _entries(error: ValidationError) -> list[Mapping[str, Any]]:
    return [dict(entry) for entry in error.errors(include_url=False, include_input=False)]


def _secret_missing(problem: Problem) -> Problem:
    if not problem.key.endswith(".secret") or problem.what.en != "it is missing":
        return problem
    return Problem(
        problem.key,
        problem.what,
        Phrase(
            "give the AMI user's password as `secret`, `secret_file` or `secret_env`",
            "задайте пароль пользователя AMI в `secret`, `secret_file` или `secret_env`",
        ),
    )


def _path(section: str, position: int, entry: object) -> str:
    name = entry.get("id") if isinstance(entry, dict) else None
    return f"{section}.{name}" if isinstance(name, str) and name else f"{section}[{position}]"


def _not_a_list(section: str) -> Problem:
    return Problem(
        section,
        Phrase(
            "there may be several, so it is written in double brackets",
            "их может быть несколько, поэтому нужны двойные скобки",
        ),
        Phrase(
            "write [[{section}]] instead of [{section}]",
            "напишите [[{section}]] вместо [{section}]",
            {"section": section},
        ),
    )


def _between(tables: Mapping[str, Any]) -> list[Problem]:
    """What tables say of each other: ids used once, routes that lead to something."""
    problems = []
    ids = {section: _ids(tables.get(section, [])) for section in ("pbx", "portal", "person")}
    for section, names in ids.items():
        problems += [_doubled(section, name) for name in dict.fromkeys(names) if names.count(name) > 1]
    if not tables.get("pbx"):
        problems.append(
            Problem(
                "pbx",
                Phrase("no PBX is configured", "не задана ни одна АТС"),
                Phrase(
                    "add a [[pbx]] table with id, host and secret",
                    "добавьте таблицу [[pbx]] с id, host и secret",
                ),
            )
        )
    problems += _people(tables, ids["person"])
    routes = [route for route in tables.get("route", []) if isinstance(route, dict)]
    problems += _dangling("route", routes, ids)
    kept = [one for one in tables.get("keep_back", []) if isinstance(one, dict)]
    problems += _dangling("keep_back", kept, ids)
    problems += _dangling("steer", [one for one in tables.get("steer", []) if isinstance(one, dict)], ids)
    if len(ids["portal"]) > 1 and not routes:
        problems.append(
            Problem(
                "route",
                Phrase(
                    "there are several portals and no route to any of them",
                    "порталов несколько, а маршрутов к ним нет",
                ),
                Phrase(
                    "say with [[route]] tables which calls go where",
                    "укажите таблицами [[route]], какие звонки куда идут",
                ),
            )
        )
    return problems


def _dangling(table: str, entries: list[dict[str, Any]], ids: Mapping[str, list[str]]) -> list[Problem]:
    """Entries that name a PBX or portal which is not there."""
    return [
        _nowhere(f"{table}[{position}].{section}", section, name, ids[section])
        for position, entry in enumerate(entries, start=1)
        for section in ("pbx", "portal")
        if isinstance(name := entry.get(section, ""), str) and name and name not in ids[section]
    ]


def _people(tables: Mapping[str, Any], names: list[str]) -> list[Problem]:
    """Persons beside nobody who manages, or one named as who does."""
    service = tables.get("service", {})
    manager = service.get("web_user", "") if isinstance(service, Mapping) else ""
    if names and not manager:
        return [
            Problem(
                "person",
                Phrase(
                    "people may come in, but nobody manages: the pages would stay open to this machine",
                    "пользователи заданы, а администратора нет: страницы остались бы открыты с этой машины",
                ),
                Phrase(
                    "set [service] web_user and web_password too",
                    "задайте и web_user с web_password в [service]",
                ),
            )
        ]
    return [_doubled("person", manager)] if manager in names else []


def _ids(entries: list[Any]) -> list[str]:
    return [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _doubled(section: str, name: str) -> Problem:
    return Problem(
        f"{section}.{name}",
        Phrase("this id is used more than once", "этот идентификатор встречается больше одного раза"),
        Phrase(
            "give each [[{section}]] an id of its own",
            "дайте каждой таблице [[{section}]] свой id",
            {"section": section},
        ),
    )


def _nowhere(key: str, section: str, name: str, ids: list[str]) -> Problem:
    return Problem(
        key,
        Phrase(
            "there is no {section} with the id “{name}”",
            "нет {section} с идентификатором «{name}»",
            {"section": section, "name": name},
        ),
        Phrase("known ids: {ids}", "известные идентификаторы: {ids}", {"ids": ", ".join(ids) or "—"}),
    )
