"""What is wrong with a configuration, said so that a person can put it right.

A `Problem` names the key by its full path (`pbx.office.port`), says what is wrong and the cure; `refusal`
makes one `ConfigError` of several. Validators raise `Unfit`. No value of a key is repeated unless its
validator chose to, so no secret gets into a message.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callme.errors import ConfigError
from callme.wording import Phrase, plain


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. `key` is the key's path, empty when the whole file is meant."""

    key: str
    what: Phrase
    cure: Phrase | None = None


class Unfit(ValueError):
    """A validator's verdict. `key` names the key at fault when a table was looked at as a whole."""

    def __init__(self, what: Phrase, cure: Phrase | None = None, key: str = "") -> None:
        super().__init__(what.say())
        self.what = what
        self.cure = cure
        self.key = key


def refusal(problems: Sequence[Problem], source: str) -> ConfigError:
    """One error that tells all of these problems; `source` names the file."""
    lines = [_line(problem) for problem in problems]
    if len(problems) == 1:
        return ConfigError(
            Phrase("{source}: {line}", "{source}: {line}", {"source": source, "line": lines[0]}),
            problems[0].cure,
        )
    many = Phrase(
        "{source}: {count} things to put right:{list}",
        "{source}: нужно исправить ({count}):{list}",
        {
            "source": source,
            "count": len(problems),
            "list": _joined(
                [_item(line, problem.cure) for line, problem in zip(lines, problems, strict=True)]
            ),
        },
    )
    return ConfigError(many)


def _line(problem: Problem) -> Phrase:
    if not problem.key:
        return problem.what
    return Phrase("{key}: {what}", "{key}: {what}", {"key": problem.key, "what": problem.what})


def _item(line: Phrase, cure: Phrase | None) -> Phrase:
    if cure is None:
        return Phrase("\n  • {line}", "\n  • {line}", {"line": line})
    return Phrase("\n  • {line}\n    → {cure}", "\n  • {line}\n    → {cure}", {"line": line, "cure": cure})


def _joined(parts: Iterable[Phrase]) -> Phrase:
    named: dict[str, object] = {f"p{position}": part for position, part in enumerate(parts)}
    template = "".join(f"{{{name}}}" for name in named)
    return Phrase(template, template, named)


def unknown(key: str, name: str, known: Iterable[str]) -> Problem:
    """A key that does not exist, with the nearest one that does."""
    choice = sorted(known)
    near = difflib.get_close_matches(name, choice, n=1, cutoff=0.55)
    if near:
        cure = Phrase("did you mean `{near}`?", "возможно, имелось в виду `{near}`?", {"near": near[0]})
    else:
        cure = Phrase("known here: {names}", "здесь бывают: {names}", {"names": ", ".join(choice)})
    return Problem(key, Phrase("there is no such key", "такого ключа нет"), cure)


_QUOTES = Phrase("put the value in quotes", "возьмите значение в кавычки")

# pydantic's error type → what a person reads; the context fills the placeholders.
_SAID: Mapping[str, Callable[[Mapping[str, Any]], tuple[Phrase, Phrase | None]]] = {
    "missing": lambda _: (Phrase("it is missing", "не задано"), Phrase("add this key", "добавьте этот ключ")),
    "string_type": lambda _: (Phrase("it must be text", "здесь нужен текст"), _QUOTES),
    "path_type": lambda _: (Phrase("it must be the path of a folder", "здесь нужен путь к папке"), _QUOTES),
    "int_parsing": lambda _: _number(),
    "int_type": lambda _: _number(),
    "int_from_float": lambda _: _number(),
    "bool_parsing": lambda _: _truth(),
    "bool_type": lambda _: _truth(),
    "tuple_type": lambda _: (
        Phrase("it must be a list of texts", "здесь нужен список строк"),
        Phrase('write it like ["one", "two"]', 'напишите так: ["один", "два"]'),
    ),
    "string_too_short": lambda _: _empty(),
    "too_short": lambda _: _empty(),
    "greater_than_equal": lambda ctx: (
        Phrase("it is too small", "слишком мало"),
        Phrase("the least is {least}", "наименьшее значение — {least}", {"least": ctx.get("ge")}),
    ),
    "less_than_equal": lambda ctx: (
        Phrase("it is too large", "слишком много"),
        Phrase("the most is {most}", "наибольшее значение — {most}", {"most": ctx.get("le")}),
    ),
    "multiple_of": lambda ctx: (
        Phrase("it must be a multiple of {step}", "число должно делиться на {step}").given(
            step=ctx.get("multiple_of")
        ),
        None,
    ),
    "literal_error": lambda ctx: (
        Phrase("it is none of the possible values", "такого значения не бывает"),
        Phrase(
            "choose from {choice}",
            "выберите: {choice}",
            {"choice": str(ctx.get("expected", "")).replace(" or ", ", ")},
        ),
    ),
    "model_type": lambda _: _table(),
    "dict_type": lambda _: _table(),
}


def _number() -> tuple[Phrase, Phrase]:
    return (
        Phrase("it must be a whole number", "здесь нужно целое число"),
        Phrase("write digits only, without quotes", "пишите только цифры, без кавычек"),
    )


def _empty() -> tuple[Phrase, Phrase]:
    return (
        Phrase("it must not be empty", "не может быть пустым"),
        Phrase("give it a value", "задайте значение"),
    )


def _truth() -> tuple[Phrase, Phrase]:
    return (
        Phrase("it must be true or false", "здесь нужно true или false"),
        Phrase("write true or false, without quotes", "напишите true или false без кавычек"),
    )


def _table() -> tuple[Phrase, Phrase]:
    return (
        Phrase("it must be a table of keys", "здесь нужна таблица ключей"),
        Phrase("see callme.example.toml", "образец — в callme.example.toml"),
    )


def from_pydantic(error: Mapping[str, Any], prefix: str, fields: Iterable[str]) -> Problem:
    """One of pydantic's error entries as a problem. `fields` are the known keys of the table at `prefix`."""
    path = [str(part) for part in error["loc"]]
    key = ".".join([prefix, *path])
    if error["type"] == "extra_forbidden":
        return unknown(key, path[-1], fields)
    context: Mapping[str, Any] = error.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, Unfit):
        return Problem(f"{key}.{cause.key}" if cause.key else key, cause.what, cause.cure)
    said = _SAID.get(error["type"])
    what, cure = said(context) if said else (plain(error["msg"]), None)
    return Problem(key, what, cure)
