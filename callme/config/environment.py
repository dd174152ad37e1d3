"""What the environment says over the file, and values that stand elsewhere (`<key>_file`, `<key>_env`).

`overlay` lays `CALLME_…` variables over the raw tables of the file; `resolve` replaces indirect keys by
their values. Both work on raw tables before validation and report problems instead of raising. The scheme
of names is described in `callme.config`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callme.config.problems import Problem
from callme.wording import Phrase, plain

PREFIX = "CALLME_"
SINGLE = ("service", "routing", "transcription")
NAMED = ("pbx", "portal", "person")
NUMBERED = ("route", "steer", "keep_back")
LISTS = (*NAMED, *NUMBERED)
SECTIONS = (*SINGLE, *LISTS)
INDIRECT = ("_file", "_env")

Table = dict[str, Any]


def overlay(tables: Table, environ: Mapping[str, str]) -> list[Problem]:
    """Lays the environment's `CALLME_…` variables over the raw tables, in place."""
    problems: list[Problem] = []
    created = {section for section in LISTS if not tables.get(section)}
    for name in sorted(environ):
        if not name.upper().startswith(PREFIX):
            continue
        parts = name[len(PREFIX) :].split("__")
        section = parts[0].lower()
        if section in SECTIONS and len(parts) >= (2 if section in SINGLE else 3):
            problem = _lay(tables, section, parts[1:], environ[name], name, created)
        elif section.split("_")[0] in SECTIONS:
            problem = _misspelt(name)
        else:
            continue  # not a key of the configuration: CALLME_CONFIG and the like
        if problem:
            problems.append(problem)
    return problems


def _lay(
    tables: Table, section: str, parts: list[str], value: str, name: str, created: set[str]
) -> Problem | None:
    if section in SINGLE:
        entry = tables.setdefault(section, {})
    else:
        found = _entry(tables, section, parts[0], name, creates=section in created)
        if isinstance(found, Problem):
            return found
        entry, parts = found, parts[1:]
    for step in parts[:-1]:
        inner = entry.setdefault(step.lower(), {})
        if not isinstance(inner, dict):
            inner = entry[step.lower()] = {}
        entry = inner
    if isinstance(entry, dict):
        _put(entry, parts[-1].lower(), value)
    return None


def _put(entry: Table, key: str, value: str) -> None:
    """Sets the key, and takes away what the file said of the same key in another way."""
    stem = next((key.removesuffix(end) for end in INDIRECT if key.endswith(end)), key)
    for rival in (stem, *(stem + end for end in INDIRECT)):
        entry.pop(rival, None)
    entry[key] = value


def _entry(tables: Table, section: str, mark: str, name: str, *, creates: bool) -> Table | Problem:
    entries = tables.setdefault(section, [])
    wanted = mark.lower().replace("_", "-")
    if not isinstance(entries, list):
        return {}  # the shape of the section itself is wrong and reported elsewhere
    if section in NUMBERED:
        return _numbered(entries, section, wanted, name)
    ids = [str(entry.get("id", "")) for entry in entries if isinstance(entry, dict)]
    for entry in entries:
        if isinstance(entry, dict) and str(entry.get("id", "")).replace("_", "-") == wanted:
            return entry
    if creates:
        made: Table = {"id": wanted}
        entries.append(made)
        return made
    near = difflib.get_close_matches(wanted, ids, n=1, cutoff=0.3)
    return Problem(
        name,
        Phrase(
            "there is no {section} with the id “{id}”",
            "нет {section} с идентификатором «{id}»",
            {"section": section, "id": wanted},
        ),
        Phrase("known ids: {ids}", "известные идентификаторы: {ids}", {"ids": ", ".join(near or ids)}),
    )


def _numbered(entries: list[Any], section: str, wanted: str, name: str) -> Table | Problem:
    position = int(wanted) if wanted.isdecimal() else 0
    if position == len(entries) + 1:
        entries.append({})
    if 1 <= position <= len(entries) and isinstance(entries[position - 1], dict):
        entry: Table = entries[position - 1]
        return entry
    return Problem(
        name,
        Phrase(
            "there is no [[{section}]] number {wanted}",
            "нет таблицы [[{section}]] с номером {wanted}",
            {"section": section, "wanted": wanted},
        ),
        Phrase("they are counted from 1 in the order of the file", "они считаются с 1 в порядке файла"),
    )


def _misspelt(name: str) -> Problem:
    return Problem(
        name,
        Phrase("this variable names no key", "эта переменная не указывает на ключ"),
        Phrase(
            "put two underscores between section, id and key: CALLME_PBX__office__SECRET",
            "ставьте два подчёркивания между разделом, идентификатором и ключом: CALLME_PBX__office__SECRET",
        ),
    )


def resolve(table: Table, prefix: str, base: Path, environ: Mapping[str, str]) -> list[Problem]:
    """Replaces `<key>_file` and `<key>_env` of a table by `<key>`, in place; files are relative to `base`."""
    problems: list[Problem] = []
    for key in [key for key in table if key.endswith(INDIRECT)]:
        value = table.pop(key)
        ending = next(end for end in INDIRECT if key.endswith(end))
        stem, path = key.removesuffix(ending), f"{prefix}.{key}"
        if stem in table:
            problems.append(_twice(path, stem))
            continue
        found = _from_file(value, path, base) if ending == "_file" else _from_environ(value, path, environ)
        # A placeholder keeps the missing value from being reported a second time as a missing key.
        table[stem] = "?" if isinstance(found, Problem) else found
        if isinstance(found, Problem):
            problems.append(found)
    return problems


def _twice(path: str, stem: str) -> Problem:
    return Problem(
        path,
        Phrase("the same value is given twice", "одно и то же значение задано дважды"),
        Phrase(
            "keep one of `{stem}`, `{stem}_file`, `{stem}_env`",
            "оставьте одно из: `{stem}`, `{stem}_file`, `{stem}_env`",
            {"stem": stem},
        ),
    )


def _from_file(value: object, path: str, base: Path) -> str | Problem:
    file = base / str(value)
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        return Problem(
            path,
            Phrase(
                "{file} cannot be read: {why}",
                "не удаётся прочитать {file}: {why}",
                {"file": file, "why": plain(why)},
            ),
            Phrase(
                "put the value alone into that file and let the service read it",
                "положите в этот файл одно только значение и дайте сервису право его читать",
            ),
        )


def _from_environ(value: object, path: str, environ: Mapping[str, str]) -> str | Problem:
    name = str(value)
    if name in environ:
        return environ[name]
    return Problem(
        path,
        Phrase(
            "the environment variable {name} is not set",
            "переменная окружения {name} не задана",
            {"name": name},
        ),
        Phrase("set it where the service is started", "задайте её там, где запускается сервис"),
    )
