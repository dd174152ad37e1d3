"""The reader of PHP arrays: literals become data, everything else is refused with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callme.portals.bitrix24.callme.php import PhpError, Value, read
from tests.portals.bitrix24.callme.scripts import config_php


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'a'", "a"),
        (r"'it\'s \\ \n'", r"it's \ \n"),
        (r'"a\tb\\\"\$x\x41\101\u{42f}"', 'a\tb\\"$xAAЯ'),
        ("'a' . \"b\" . 'c'", "abc"),
        ("12", 12),
        ("-12", -12),
        ("0x1F", 31),
        ("010", 8),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("true", True),
        ("FALSE", False),
        ("Null", None),
        ("[]", {}),
        ("array()", {}),
        ("ARRAY ( 'x', 'y', )", {"0": "x", "1": "y"}),
        ("[5 => 'x', 'y', 'k' => 'z', 'w']", {"5": "x", "6": "y", "k": "z", "7": "w"}),
        ("['8001' => '101', '8001' => '102']", {"8001": "102"}),
        ("[true => 'x']", {"1": "x"}),
        ("['a' => ['b' => ['c' => 1]]]", {"a": {"b": {"c": 1}}}),
        ("'многоязычно'", "многоязычно"),
    ],
)
def test_literals(literal: str, value: Value) -> None:
    assert read(f"<?php return ['k' => {literal}];")["k"] == value


def test_comments_of_every_kind_and_the_closing_tag() -> None:
    text = "\ufeff<?php // one\n# two\n/* three ; ' */ return /**/ [ // '\n 'a' => 1 # )\n ] ; ?>\n"
    assert read(text) == {"a": 1}


def test_the_configuration_of_the_scripts() -> None:
    found = read(config_php())
    assert list(found)[:4] == ["CallMeDEBUG", "LogPath", "tech", "authToken"]
    assert found["extentions"] == {"0": "74950000001", "1": "s"}
    assert found["asterisk"]["port"] == 5038  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("return [];", 1, "<?php"),
        ("", 1, "<?php"),
        ("<?php\n$config = [];\nreturn $config;", 2, "return array"),
        ("<?php return 'text';", 1, "return array"),
        ("<?php return [\n'a' => __DIR__ . '/log',\n];", 2, "__DIR__"),
        ("<?php return [\n\n'a' => getenv('X')];", 3, "getenv()"),
        ("<?php return ['a' => $b];", 1, "$b"),
        ('<?php return ["a" => "x $y"];', 1, "$y"),
        ('<?php return ["a" => "x {$y}"];', 1, "{$"),
        ("<?php return ['a' => <<<X\nX];", 1, "<<<"),
        ("<?php return ['a' => new Foo()];", 1, "new"),
        ("<?php return ['a' => 1] + ['b' => 2];", 1, "+"),
        ("<?php return ['a' 'b'];", 1, "'"),
        ("<?php return ['a' => 'b;", 1, "closing quote"),
        ("<?php return ['a' => 1", 1, "end of the file"),
        ("<?php return [1]; system('rm');", 1, "system("),
        ("<?php return [\n'port' => {{PORT}},];", 2, "{{PORT}}"),
        ("<?php return [[1] => 2];", 1, "=>"),
        ("<?php return " + "[" * 50 + "]" * 50 + ";", 1, "nested"),
        ("<?php return [" + " " * 1_000_001 + "];", 1, "too long"),
    ],
)
def test_what_is_no_literal_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(PhpError) as caught:
        read(text)
    assert caught.value.line == line
    for language in ("en", "ru"):
        assert caught.value.why.say(language)  # type: ignore[arg-type]
    assert said.strip("…") in caught.value.why.say("en")


@given(st.text(max_size=60))
def test_whatever_stands_there_either_reads_or_is_refused(inside: str) -> None:
    try:
        read(f"<?php return [{inside}];")
    except PhpError as error:
        assert error.line >= 1  # noqa: PT017


plain = st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none())
values = st.recursive(
    plain, lambda inner: st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=6), values, max_size=4))
def test_what_php_would_write_is_read_back(table: dict[str, Value]) -> None:
    assert read(f"<?php\nreturn {written(table)};") == table


def written(value: Value) -> str:
    """As var_export writes it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{written(str(key))} => {written(one)}" for key, one in value.items())
        return f"array ({inner})"
    if isinstance(value, bool) or value is None:
        return str(value).lower().replace("none", "NULL")
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
