"""The portal of these tests: kind to webhooks, without a request limit; each test turns what it is about."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.lab.sandboxes.bitrix24.client import Client


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as client:
        yield client
