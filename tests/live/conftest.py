"""The theatre of a test run: it plays what the run has chosen, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.live.theatre import Theatre


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def theatre(request: pytest.FixtureRequest) -> AsyncIterator[Theatre]:
    """Plays begin when the first test asks."""
    chosen: list[tuple[Any, Any]] = [
        (item.callspec.params["release"], item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and "theatre" in item.fixturenames
        and "name" in item.callspec.params
    ]
    async with Theatre(chosen) as theatre:
        yield theatre
