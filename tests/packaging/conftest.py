"""The package, built once for a run of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.debian import package


@pytest.fixture(scope="session")
def deb() -> Path:
    """Our package, from what lies here."""
    return package()
