"""One company for all fault tests of a run: each test leaves it well."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.live.company import Company


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town() -> AsyncIterator[Company]:
    """The company, as long as the run."""
    async with Company("16") as company:
        yield company


@pytest_asyncio.fixture(loop_scope="session")
async def company(town: Company) -> AsyncIterator[Company]:
    """The company with every trouble over before and after the test."""
    try:
        yield town
    finally:
        town.portal.faults.clear()
        town.ami.delay_s = 0.0
        await town.ami.mend()
        await town.web.mend()
        if not town.service.running:
            await town.service.start()
        else:
            await town.service.ready(within=60)
