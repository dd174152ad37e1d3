"""The hooks' texts: one priority of a route each, nothing that only one generation of FreePBX knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callme.setup import hooks
from callme.setup.hooks import Hook
from callme.setup.pieces import laid, lay, lift

KEY = "0123456789abcdef"
HOOKS = {
    "agi": hooks.agi("office", "127.0.0.1:4573", KEY),
    "curl": hooks.curl("office", "http://127.0.0.1:8080/", KEY),
    "ring": hooks.ring(),
}


def contexts(text: str) -> dict[str, list[str]]:
    """Context → its lines without comments."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if head := re.fullmatch(r"\[([a-z-]+)\]", line):
            current = found.setdefault(head[1], [])
        elif line.strip() and not line.startswith(";"):
            current.append(line)
    return found


@pytest.mark.parametrize("name", ["agi", "curl"])
def test_a_hook_takes_one_priority_of_a_route_and_comes_back(name: str) -> None:
    (entry,) = contexts(HOOKS[name].text)["ext-did-custom"]
    assert entry == "exten => _[+0-9].,1,Gosub(callme-in,s,1(${EXTEN}))"
    assert contexts(HOOKS[name].text)["callme-in"][-1].endswith(",Return()")


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_nothing_in_it_belongs_to_one_generation(hook: Hook) -> None:
    assert not re.search(r"Macro|_\.,|exten => _\.", hook.text)
    for lines in contexts(hook.text).values():
        for line in lines:
            assert line.count("(") == line.count(")")
            assert line.count("{") == line.count("}")


def test_what_rings_an_employee_hooks_into_nothing() -> None:
    assert list(contexts(HOOKS["ring"].text)) == ["callme-ring"]


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_it_goes_in_and_out_as_a_piece(hook: Hook, tmp_path: Path) -> None:
    piece = hook.piece(tmp_path)
    before = b"; mine\n[from-internal-custom]\n"
    after = lay(before, piece)
    assert laid(after, piece.file) == {hook.name: hook.text}
    assert lift(after, piece.file) == before
    assert KEY not in repr(hook)


def test_what_to_fill_in_on_freepbxs_page() -> None:
    source = hooks.lookup_source("office", "127.0.0.1", 8080, KEY)
    assert (source.path, source.password) == ("lookup/office", KEY)
    assert source.query == "number=[NUMBER]&uniqueid=${UNIQUEID}&did=${FROM_DID}"
    assert KEY not in repr(source)
