"""What a newcomer who adds a CRM relies on: nothing outside a CRM's own folders knows its name."""

from __future__ import annotations

from pathlib import Path

import pytest

import callme
from callme.portals import registry

PACKAGE = Path(callme.__file__).parent


@pytest.mark.parametrize("crm", registry.known())
def test_a_crm_is_named_in_its_own_folders_alone(crm: str) -> None:
    own = (PACKAGE / "portals" / crm, PACKAGE / "lab" / "sandboxes" / crm)
    others = [
        path
        for path in PACKAGE.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not any(path.is_relative_to(one) for one in own)
    ]
    assert len(others) > 100
    named = [str(path.relative_to(PACKAGE)) for path in others if crm.encode() in path.read_bytes().lower()]
    assert named == []
