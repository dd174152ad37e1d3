"""How PHP reads values, form keys and query strings."""

from __future__ import annotations

from typing import Any

import pytest

from callme.lab.sandboxes.bitrix24 import php


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
        ("F[>ID]=5&F[@X][]=1&F[@X][]=2", {"F": {">ID": "5", "@X": ["1", "2"]}}),
        ("M[0][SIDE]=User&M[1][SIDE]=Client", {"M": [{"SIDE": "User"}, {"SIDE": "Client"}]}),
        ("a[2]=x", {"a": {"2": "x"}}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("p=%2B7%20926", {"p": "+7 926"}),
    ],
)
def test_query(raw: str, read: dict[str, Any]) -> None:
    assert php.query(raw) == read


@pytest.mark.parametrize("value", [None, 0, "0", "", False, [], {}])
def test_false(value: object) -> None:
    assert not php.truthy(value)


@pytest.mark.parametrize("value", [1, "1", "N", "false", "0.0", " ", [0]])
def test_true(value: object) -> None:
    assert php.truthy(value)


@pytest.mark.parametrize(
    ("value", "number"),
    [("12abc", 12), ("abc", 0), (" -3", -3), ("", 0), (None, 0), (2.9, 2), (True, 1), ([5], 1)],
)
def test_integer(value: object, number: int) -> None:
    assert php.integer(value) == number


@pytest.mark.parametrize(("value", "number"), [("1.5x", 1.5), (".5", 0.5), ("x", 0.0), (2, 2.0), (None, 0.0)])
def test_decimal(value: object, number: float) -> None:
    assert php.decimal(value) == number


@pytest.mark.parametrize(
    ("items", "printed"),
    [({}, []), ({0: "a", 1: "b"}, ["a", "b"]), ({"0": "a"}, ["a"]), ({"1": "a"}, {"1": "a"})],
)
def test_arrays(items: dict[Any, Any], printed: Any) -> None:
    assert php.array(items) == printed
