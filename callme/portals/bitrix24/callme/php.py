"""Reads a PHP file that returns an array of literals: data, never a program.

Pure. The old scripts keep their settings in `return array(…);`. Strings, whole and other numbers, true,
false, null and arrays within arrays are read, comments skipped, joined strings (`'a' . 'b'`) put together.
Whatever would have to be computed (a constant, a variable, a call) is refused with its line: its value is
known only to PHP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from callme.wording import Phrase, plain

Value = str | int | float | bool | None | Mapping[str, "Value"]
"""An array is a mapping whatever its keys: PHP counts those that are not named, from 0."""

DEPTH_MAX = 32
LENGTH_MAX = 1_000_000
"""Characters; the longest known configuration has three thousand."""

NOT_PHP = Phrase("it does not begin with <?php", "он не начинается с <?php")
NO_RETURN = Phrase(
    "“return array(…);” is expected, and nothing before it",
    "ожидается «return array(…);», а до него — ничего",
)
COMPUTED = Phrase(
    "{what} is worked out by PHP; write its value itself there, in quotes",
    "{what} вычисляет PHP; впишите туда само значение в кавычках",
)
TEMPLATE = Phrase(
    "{what} stands for a value that was never filled in: this is the template, not the configuration in use",
    "вместо {what} должно стоять значение: это шаблон, а не рабочая конфигурация",
)
UNEXPECTED = Phrase("{what} was not expected here", "здесь не ожидалось {what}")
ENDLESS = Phrase("this text has no closing quote", "у этой строки нет закрывающей кавычки")
DEEP = Phrase("arrays are nested too deeply", "массивы вложены слишком глубоко")
LONG = Phrase("it is too long for a configuration", "для конфигурации он слишком велик")
END = Phrase("the end of the file", "конец файла")


class PhpError(ValueError):
    """What cannot be read, and in which line."""

    def __init__(self, line: int, why: Phrase) -> None:
        super().__init__(f"line {line}: {why.say()}")
        self.line = line
        self.why = why


_SKIP = re.compile(r"(?:\s+|//[^\n]*|\#(?!\[)[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)")
_WORD = re.compile(r"[$\\A-Za-z_\x80-\U0010ffff][$\\:\w]*(?:\s*\()?")
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "v": "\v",
    "e": "\x1b",
    "f": "\f",
    "\\": "\\",
    "$": "$",
    '"': '"',
}
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u\{([0-9A-Fa-f]+)\}|(.))", re.DOTALL)
_INTERPOLATED = re.compile(r"(?<!\\)(?:\\\\)*(?:\$[A-Za-z_]|\{\$|\$\{)")


def read(text: str) -> Mapping[str, Value]:
    """The array that the file returns. Raises `PhpError`."""
    if len(text) > LENGTH_MAX:
        raise PhpError(1, LONG)
    return _Reader(text).whole()


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0

    def whole(self) -> Mapping[str, Value]:
        self.at = len(self.text) - len(self.text.removeprefix("\ufeff").lstrip())
        opening = re.compile(r"<\?php\b|<\?(?!=)", re.IGNORECASE).match(self.text, self.at)
        if opening is None:
            raise self._error(NOT_PHP)
        self.at = opening.end()
        self._skip()
        word = _WORD.match(self.text, self.at)
        if word is None or word[0].rstrip("( \t").lower() not in ("return",):
            raise self._error(NO_RETURN)
        self.at += len("return")
        value = self._value(0)
        self._take(";")
        self._skip()
        if self.text[self.at :].strip() not in ("", "?>"):
            raise self._error(UNEXPECTED.given(what=self._seen()))
        if not isinstance(value, Mapping):
            raise PhpError(1, NO_RETURN)
        return value

    def _value(self, depth: int) -> Value:
        value = self._one(depth)
        self._skip()
        while self.text.startswith(".", self.at) and isinstance(value, str):
            self.at += 1
            more = self._one(depth)
            if not isinstance(more, str):
                raise self._error(UNEXPECTED.given(what=plain(more)))
            value += more
            self._skip()
        return value

    def _one(self, depth: int) -> Value:
        if depth > DEPTH_MAX:
            raise self._error(DEEP)
        self._skip()
        sign = self.text[self.at : self.at + 1]
        if sign in ("'", '"'):
            return self._single() if sign == "'" else self._double()
        if sign == "[":
            self.at += 1
            return self._items("]", depth)
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            return _number(number[0])
        if self.text.startswith("{{", self.at):
            raise self._error(TEMPLATE.given(what=self.text[self.at :].split("}}")[0][:40] + "}}"))
        if self.text.startswith("<<<", self.at):
            raise self._error(COMPUTED.given(what="<<<"))
        return self._word(depth)

    def _word(self, depth: int) -> Value:
        word = _WORD.match(self.text, self.at)
        if word is None:
            raise self._error(UNEXPECTED.given(what=self._seen()))
        name = word[0].lower()
        if name.startswith("array") and name.rstrip("( \t\r\n") == "array" and name.endswith("("):
            self.at = word.end()
            return self._items(")", depth)
        literal = {"true": True, "false": False, "null": None}
        if name in literal:
            self.at = word.end()
            return literal[name]
        raise self._error(COMPUTED.given(what=word[0] + (")" if name.endswith("(") else "")))

    def _items(self, closing: str, depth: int) -> Mapping[str, Value]:
        found: dict[str, Value] = {}
        count = 0
        while True:
            self._skip()
            if self.text.startswith(closing, self.at):
                self.at += 1
                return found
            value = self._value(depth + 1)
            if self.text.startswith("=>", self.at):
                self.at += 2
                if isinstance(value, Mapping | float) or value is None:
                    raise self._error(UNEXPECTED.given(what="=>"))
                key = str(int(value)) if isinstance(value, int) else value
                value = self._value(depth + 1)
            else:
                key = str(count)
            found[key] = value
            count = max(count, int(key) + 1) if re.fullmatch(r"0|[1-9]\d{0,8}", key) else count
            if self.text.startswith(",", self.at):
                self.at += 1
            elif not self.text.startswith(closing, self.at):
                raise self._error(UNEXPECTED.given(what=self._seen()))

    def _single(self) -> str:
        found = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL).match(self.text, self.at)
        if found is None:
            raise self._error(ENDLESS)
        self.at = found.end()
        return re.sub(r"\\(['\\])", r"\1", found[1])

    def _double(self) -> str:
        found = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL).match(self.text, self.at)
        if found is None:
            raise self._error(ENDLESS)
        inside = _INTERPOLATED.search(found[1])
        if inside:
            raise self._error(COMPUTED.given(what=inside[0].lstrip("\\") + "…"))
        self.at = found.end()
        return _ESCAPE.sub(_escaped, found[1])

    def _take(self, sign: str) -> None:
        self._skip()
        if not self.text.startswith(sign, self.at):
            raise self._error(UNEXPECTED.given(what=self._seen()))
        self.at += len(sign)

    def _skip(self) -> None:
        found = _SKIP.match(self.text, self.at)
        if found:
            self.at = found.end()

    def _seen(self) -> Phrase:
        """What stands here, but for what may be a secret: a sign or a word."""
        word = _WORD.match(self.text, self.at)
        seen = word[0][:20] if word else self.text[self.at : self.at + 1]
        return plain(f"“{seen}”") if seen else END

    def _error(self, why: Phrase) -> PhpError:
        return PhpError(self.text.count("\n", 0, self.at) + 1, why)


def _number(text: str) -> int | float:
    bare = text.replace("_", "").lower()
    digits = bare.lstrip("+-")
    if digits.startswith(("0x", "0b")):
        return int(bare, 0)
    if digits.isdecimal():
        octal = len(digits) > 1 and digits[0] == "0" and not set(digits) & set("89")
        return int(bare, 8) if octal else int(bare)
    return float(bare)


def _escaped(found: re.Match[str]) -> str:
    octal, short, long, other = found.groups()
    if octal:
        return chr(int(octal, 8) & 0xFF)
    if short or long:
        code = int(short or long, 16)
        return chr(code) if code <= 0x10FFFF else ""
    return _ESCAPES.get(other, "\\" + other)
